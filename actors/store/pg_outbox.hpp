/// bus::outbox_source over the tables `outbox` and `retained`.
#pragma once

#include "actors/store/database.hpp"
#include "bus/outbox.hpp"

namespace outband::store {

/// For /metrics: what waits for the broker.
struct outbox_backlog {
  std::uint64_t rows = 0;  ///< counted up to 100,000
  std::int64_t oldest = 0; ///< age in milliseconds, on the database's clock; 0 without rows
};

class pg_outbox final : public bus::outbox_source {
public:
  /// `db` outlives this object.
  explicit pg_outbox(database& db);

  void fetch(std::size_t limit,
             std::function<void(result<std::vector<bus::outbox_row>>)> cb) override;
  void remove(std::vector<std::uint64_t> ids, std::function<void(status)> cb) override;
  /// Also called after each (re)connect and when another node of this database added rows.
  void on_added(std::function<void()> wake) override;
  void retained(std::int64_t since_ms, std::string after, std::size_t limit,
                std::function<void(result<std::vector<bus::outgoing>>)> cb) override;

  void backlog(std::function<void(result<outbox_backlog>)> cb);

private:
  connections& db_;
};

} // namespace outband::store
