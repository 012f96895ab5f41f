/// The instance actor: one per terminator role. Routes work to the links of this process and tells
/// what they say. See INSTANCE in interfaces.hpp. Context: actor pool.
#pragma once

#include "actors/interfaces.hpp"
#include "actors/ports/amt_link.hpp"
#include "actors/services.hpp"

#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace outband {

/// What the instance actor keeps per link.
class instance_state {
public:
  static inline const char* name = "outband.instance";

  void start(instance_actor::pointer self, const services& with);
  ~instance_state();
  void on(link_opened opened);
  void on(link_closed closed);
  void on(const link_silent& silent);
  void on(link_alert alert);
  void on(call_finished finished);
  void on(work_arrived work);
  void on(const flush_observations& flush);
  void on(const reclaim_links& now);
  void on(const links_reclaimed& done);
  /// A link's actor ended; by a defect, if it is still wanted.
  void down(const caf::actor_addr& who);

private:
  struct entry {
    link_epoch epoch = 0;
    link_actor actor;
    std::shared_ptr<amt_link_port> port;
    std::string peer;
    power_state last_told = power_state::unknown; ///< of readings that were asked live
    time_ms last_told_at = 0;
    /// Fingerprints of the facts that were told over this link, by kind.
    std::map<std::string, std::string> told;
  };
  /// What an operation that somebody asked for says of the machine, if that is news.
  void learn(const call_finished& finished, entry& e);
  void look_again(const amt_answer& after, std::string_view operation, entry& e);
  void observe(observation o, bool at_once);
  void ask_which(std::vector<std::pair<device_ref, link_epoch>> links);
  void drop(const device_ref& ref, problem why);
  link_actor spawn_link(const device_ref& ref, const entry& e);

  instance_actor::pointer self_ = nullptr;
  const services* with_ = nullptr;
  std::unordered_map<device_ref, entry> links_;
  std::vector<observation> batch_;
  /// Evictions that came before the tunnel they are about was registered.
  struct early_eviction {
    link_epoch epoch = 0;
    time_ms at = 0;
  };
  void remember(const evict& e);
  static constexpr std::size_t max_evicted = 10'000;
  std::unordered_map<device_ref, early_eviction> evicted_;
  std::uint64_t newest_controller_ = 0; ///< work of an older one is refused
  bool flush_armed_ = false;
};

instance_actor::behavior_type
instance_behavior(instance_actor::stateful_pointer<instance_state> self, const services* with);

} // namespace outband
