/// direct_rows over the table `direct`. Every function is one statement.
#pragma once

#include "actors/ports/direct.hpp"
#include "actors/store/database.hpp"

namespace outband::store {

class pg_direct final : public direct_rows {
public:
  /// `db` outlives this object.
  explicit pg_direct(database& db) : db_(db.inside()) {}

  void set(device_ref ref, std::optional<direct_connection> how, answer<nothing> cb) override;
  void claim(instance_ref self, std::chrono::milliseconds silent_after, std::size_t limit,
             answer<std::vector<device_ref>> cb) override;
  void hold(instance_ref self, device_ref ref, std::chrono::milliseconds silent_after,
            answer<direct_row> cb) override;
  void pin(device_ref ref, std::string sha256, answer<bool> cb) override;

private:
  connections& db_;
};

} // namespace outband::store
