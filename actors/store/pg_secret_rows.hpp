/// secrets::secret_rows over the table `secret`: sealed octets only, nothing in clear.
#pragma once

#include "actors/secrets/secret_rows.hpp"
#include "actors/store/database.hpp"

#include <memory>

namespace outband::store {

class pg_secret_rows final : public secrets::secret_rows {
public:
  /// `db` outlives this object.
  explicit pg_secret_rows(database& db);
  ~pg_secret_rows() override;

  void read(device_ref ref, secret_name name, answer<std::vector<secrets::sealed_row>> cb) override;
  void write(device_ref ref, secret_name name, secrets::sealed_row row,
             answer<nothing> cb) override;
  void promote(device_ref ref, secret_name name, answer<nothing> cb) override;
  void discard_pending(device_ref ref, secret_name name, answer<nothing> cb) override;

private:
  struct reads; ///< calls that arrive while a statement is under way share the next one

  connections& db_;
  std::shared_ptr<reads> reads_;
};

} // namespace outband::store
