/// cluster_port over the tables `instance`, `controller` and `link`.
///
/// Every function is one statement. All lock in one order, controller, instance, links by key, so
/// that none of them waits for another that waits for it.
#pragma once

#include "actors/ports/cluster.hpp"
#include "actors/store/database.hpp"

#include <memory>

namespace outband::store {

class pg_cluster final : public cluster_port {
public:
  /// `db` outlives this object.
  explicit pg_cluster(database& db);
  ~pg_cluster() override;

  void enrol(instance_ref self, answer<nothing> cb) override;
  void beat(heartbeat h, answer<heartbeat_answer> cb) override;
  void retire(instance_ref self, answer<nothing> cb) override;
  void confirm(instance_ref self, controller_epoch held, answer<bool> cb) override;
  void bury(controller_epoch fence, instance_ref dead, answer<std::size_t> cb) override;
  void reclaim(instance_ref self, std::vector<std::pair<device_ref, link_epoch>> links,
               answer<reclaim_answer> cb) override;
  void out_of_step(std::string after, std::size_t limit, std::chrono::milliseconds grace,
                   answer<std::vector<device_ref>> cb) override;

private:
  struct known_burials; ///< pg_cluster.cpp

  connections& db_;
  std::shared_ptr<known_burials> known_;
};

} // namespace outband::store
