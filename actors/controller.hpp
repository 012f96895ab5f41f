/// The controller role: tenants and their devices' actors, and what the bus brings for them.
///
/// One active per broker. Context: actor pool. See TENANT and CONTROLLER in interfaces.hpp.
#pragma once

#include "actors/gate.hpp"
#include "actors/interfaces.hpp"
#include "actors/services.hpp"

#include <caf/actor_system.hpp>

#include <mutex>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace outband {

class tenant_state {
public:
  static inline const char* name = "outband.tenant";

  void start(tenant_actor::pointer self, const services& with, tenant_key key,
             controller_epoch fence);
  /// Children do not outlive their parent; their pending timers would keep them for minutes.
  ~tenant_state();
  void on(const observation& o);
  void on(const about_device& about);
  void on(const passivate& quiet);
  void on(const forget_device& gone);
  void down(const caf::actor_addr& who, bool by_a_defect);

private:
  struct child {
    device_actor actor;
    std::uint64_t life = 0;
    std::uint64_t touched = 0; ///< number of messages handed over to this life
    int crashes = 0;           ///< in a row
    time_ms crashed_at = 0;
  };
  child& of(const device_id& id);

  tenant_actor::pointer self_ = nullptr;
  const services* with_ = nullptr;
  tenant_key key_;
  controller_epoch fence_ = 0;
  std::unordered_map<device_id, child> devices_;
  std::uint64_t next_life_ = 1;
};

class controller_state {
public:
  static inline const char* name = "outband.controller";

  void start(controller_actor::pointer self, const services& with, controller_epoch epoch);
  ~controller_state();
  void on(const observed& seen);
  void on(const device_changed& changed);
  void on(const device_gone& gone); ///< nil: a tenant with all that it had
  void on(const resync& now);
  void on(const sweep_page& from);
  void on(const sweep_read& read);
  tenant_actor& of(const tenant_key& key);
  void down(const caf::actor_addr& who);

private:
  /// One walk at a time through each list; who asks meanwhile gets another one afterwards.
  struct sweep {
    bool running = false, again = false;
  };
  void begin(bool links);
  void forget(const tenant_key& tenant);

  controller_actor::pointer self_ = nullptr;
  const services* with_ = nullptr;
  controller_epoch epoch_ = 0;
  std::unordered_map<tenant_key, tenant_actor> tenants_;
  /// Removed, and nothing of them changed since: that their tunnels end is no news to anybody.
  std::unordered_set<tenant_key> gone_;
  sweep unsettled_, links_;
};

/// The role as the node sees it.
class controller {
public:
  controller(caf::actor_system& system, const services& with);
  ~controller();
  /// The lease is ours: spawns the actor, subscribes to observations and wake-ups, takes up what
  /// was left unsettled or untold. Every write carries the epoch.
  void start(controller_epoch epoch);
  /// The lease is not ours any more, or the process ends.
  void stop();
  /// Something may have been missed, or will be known after that time.
  void look_around(std::chrono::milliseconds after);
  void restart();
  caf::actor_addr address() const;

private:
  /// Numbers of one life of a terminator that were heard since we control.
  struct heard {
    uuid incarnation;
    std::uint64_t first = 0, last = 0;
  };
  static constexpr std::size_t max_terminators = 1024; ///< more are not told apart
  template <class Message> void tell(Message m);
  bool is_new(const std::string& instance, const uuid& incarnation, std::uint64_t number);

  caf::actor_system& system_;
  const services& with_;
  mutable std::mutex mutex_;
  controller_actor actor_;
  controller_epoch epoch_ = 0; ///< guarded by mutex_, as the following
  bool stopped_ = true;
  std::unordered_map<std::string, heard> heard_; ///< by instance
  std::vector<bus::subscription> subscriptions_;
  std::shared_ptr<gate> gate_ = std::make_shared<gate>();
};

} // namespace outband
