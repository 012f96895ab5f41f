/// bus::outbox_source over the tables `outbox` and `retained`.
#pragma once

#include "actors/store/database.hpp"
#include "bus/outbox.hpp"

namespace outband::store {

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

private:
  connections& db_;
};

} // namespace outband::store
