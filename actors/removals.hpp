/// Machines that are to go: deactivated through their link, then removed, and not before.
///
/// A wish is stored (removal_rows) and outlives everything; it is tried when it is made, when the
/// machine calls, and when a node takes control. Nothing polls. Only the firmware's success counts:
/// another answer keeps the machine, with the reason. A machine that was only registered has
/// nothing to be deactivated. Whoever forces it does not come here (REST removes at once).
/// Tenants that are to go do so when their last machine has.
/// Context: controller role; any thread, nothing blocks.
#pragma once

#include "actors/gate.hpp"
#include "actors/ports/control.hpp"
#include "actors/ports/removal.hpp"
#include "actors/services.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace outband {

class removals {
public:
  removals(const services& with, control_port& control);
  ~removals();
  /// This node controls from now on.
  void start();
  void stop();

private:
  void load(device_ref after);
  void look_at(const device_ref& ref);
  void hear(const bus::message& m);
  void attempt(const device_ref& ref);
  void answered(const device_ref& ref, const result<amt_outcome>& outcome);
  void again(const device_ref& ref, std::function<void(const kept_removal&)> then);
  void finish(removal now, const std::string& how);
  void gone(const device_ref& ref);
  void stays(const device_ref& ref, removal_state state, failure why);
  void empty_tenants();
  bool forget(const device_ref& ref); ///< false: it was not wanted
  void forget_all_of(const tenant_key& tenant);
  void tell(const removal& r, const audit_outcome& outcome);

  const services& with_;
  control_port& control_;
  std::mutex mutex_;
  struct entry {
    removal what;
    bool asked = false;  ///< the firmware is being asked
    bool called = false; ///< the machine called meanwhile: a failure may be about its former tunnel
    bool clean = false;  ///< it has told of success; what is left is the store's part
  };
  std::unordered_map<device_ref, entry> wanted_;
  std::vector<bus::subscription> subscriptions_;
  std::shared_ptr<gate> gate_ = std::make_shared<gate>();
};

} // namespace outband
