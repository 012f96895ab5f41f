/// The controller role: tenants and their devices' actors, and what the bus brings for them.
///
/// One active per broker. Context: actor pool. See TENANT and CONTROLLER in interfaces.hpp.
#pragma once

#include "actors/interfaces.hpp"
#include "actors/services.hpp"

#include <caf/actor_system.hpp>

#include <mutex>
#include <unordered_map>
#include <vector>

namespace outband {

class tenant_state {
public:
  static inline const char* name = "outband.tenant";

  void start(tenant_actor::pointer self, const services& with, tenant_key key);
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
    std::uint64_t touched = 0; ///< number of messages handed over
    std::uint64_t asked_at = 0;
    int crashes = 0;
  };
  child& of(const device_id& id);

  tenant_actor::pointer self_ = nullptr;
  const services* with_ = nullptr;
  tenant_key key_;
  std::unordered_map<device_id, child> devices_;
  std::uint64_t next_life_ = 1;
};

class controller_state {
public:
  static inline const char* name = "outband.controller";

  void start(controller_actor::pointer self, const services& with);
  ~controller_state();
  void on(const observed& seen);
  void on(const device_changed& changed);
  void on(const device_gone& gone);
  void on(settle_former_links former);
  tenant_actor& of(const tenant_key& key);
  void down(const caf::actor_addr& who);

private:
  controller_actor::pointer self_ = nullptr;
  const services* with_ = nullptr;
  std::unordered_map<tenant_key, tenant_actor> tenants_;
};

/// The role as the node sees it.
class controller {
public:
  controller(caf::actor_system& system, const services& with);
  ~controller();
  /// Spawns the actor, subscribes to observations and wake-ups, takes up what was left unsettled.
  void start();
  void stop();
  void restart();
  caf::actor_addr address() const;

private:
  template <class Message> void tell(Message m);
  void take_up_unsettled(std::string after);
  void settle_former_links_of_this_node();

  caf::actor_system& system_;
  const services& with_;
  mutable std::mutex mutex_;
  controller_actor actor_;
  std::vector<bus::subscription> subscriptions_;
};

} // namespace outband
