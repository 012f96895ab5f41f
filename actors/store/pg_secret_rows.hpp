/// secrets::secret_rows over the table `secret`: sealed octets only, nothing in clear.
#pragma once

#include "actors/secrets/secret_rows.hpp"
#include "actors/store/database.hpp"

namespace outband::store {

class pg_secret_rows final : public secrets::secret_rows {
public:
  /// `db` outlives this object.
  explicit pg_secret_rows(database& db);

  void read(device_ref ref, secret_name name, answer<std::vector<secrets::sealed_row>> cb) override;
  void write(device_ref ref, secret_name name, secrets::sealed_row row,
             answer<nothing> cb) override;
  void promote(device_ref ref, secret_name name, answer<nothing> cb) override;
  void discard_pending(device_ref ref, secret_name name, answer<nothing> cb) override;

private:
  connections& db_;
};

} // namespace outband::store
