#include "messages/amt/power.hpp"

#include "messages/wsman/readings.hpp"

namespace outband::amt {

namespace {

using wsman::effect;

/// Does the machine run through its BIOS after it? Then boot options left over from an earlier
/// session (IDE-R, BIOS setup) must not take effect.
bool boots(power_action a) {
  switch (a) {
  case power_action::on:
  case power_action::cycle_soft:
  case power_action::cycle_hard:
  case power_action::reset:
  case power_action::reset_graceful:
  case power_action::cycle_soft_graceful:
  case power_action::cycle_hard_graceful:
    return true;
  default:
    return false;
  }
}

std::string managed_system() {
  return wsman::endpoint_parameter(
      "ManagedElement", {wsman::class_uri("CIM_ComputerSystem"),
                         {{"CreationClassName", "CIM_ComputerSystem"}, {"Name", "ManagedSystem"}}});
}

/// Reads CIM_SoftwareIdentity and the major version among it.
result<versions> get_software(wsman::talk& t, int& major) {
  auto items = t.list("CIM_SoftwareIdentity");
  if (!items)
    return items.error();
  auto told = wsman::read_software(**items);
  if (!told)
    return told.error();
  auto number = wsman::major_version(told->amt);
  if (!number)
    return number.error();
  major = *number;
  return told;
}

} // namespace

int get_os_power_saving(wsman::talk& t) {
  auto service = t.get("IPS_PowerManagementService"); // not on every generation
  return service ? wsman::read_os_power_saving(**service) : 0;
}

result<power_reading> get_power(wsman::talk& t) {
  power_reading out;
  out.os_power_saving = get_os_power_saving(t);
  auto items = t.list("CIM_ServiceAvailableToElement");
  if (!items)
    return items.error();
  auto state = wsman::read_power_state(**items);
  if (!state)
    return state.error();
  out.state = *state;
  return out;
}

result<power_capabilities> get_power_capabilities(wsman::talk& t) {
  int major = 0;
  auto software = get_software(t, major);
  if (!software)
    return software.error();
  power_capabilities out;
  auto can = t.get("AMT_BootCapabilities");
  if (can) {
    auto told = wsman::read_boot_capabilities(**can);
    if (!told)
      return told.error();
    out = std::move(*told);
  } else if (!t.refused_with("DestinationUnreachable")) {
    return can.error();
  }
  out.amt_major = major;
  if (auto items = t.list("CIM_ServiceAvailableToElement")) { // a list that is good to have
    auto states = wsman::read_available_states(**items);
    if (!states)
      return states.error();
    out.available_now = std::move(*states);
  }
  return out;
}

result<versions> get_versions(wsman::talk& t) {
  int major = 0;
  auto out = get_software(t, major);
  if (!out)
    return out;
  auto setup = t.get("AMT_SetupAndConfigurationService");
  if (!setup)
    return setup.error();
  auto mode = wsman::number_in(**setup, "ProvisioningMode", 255);
  if (!mode)
    return mode.error();
  out->provisioning_mode = static_cast<int>(*mode);
  return out;
}

status clear_boot_settings(wsman::talk& t) {
  auto settings = t.get("AMT_BootSettingData");
  if (!settings)
    return t.refused_with("DestinationUnreachable") ? success() : status(settings.error());
  const auto cleared = wsman::clear_boot_settings(**settings);
  auto stored = t.put("AMT_BootSettingData", cleared.xml, {}, effect::none);
  if (!stored && !cleared.was_clear_already)
    return stored.error();
  return success();
}

result<std::uint32_t> set_os_power_saving(wsman::talk& t, int state) {
  auto told =
      t.invoke("IPS_PowerManagementService", "RequestOSPowerSavingStateChange",
               wsman::property("OSPowerSavingState", std::to_string(state)) + managed_system());
  if (!told)
    return told.error();
  return told->value;
}

result<std::uint32_t> request_power_state(wsman::talk& t, int state) {
  auto told = t.invoke("CIM_PowerManagementService", "RequestPowerStateChange",
                       wsman::property("PowerState", std::to_string(state)) + managed_system());
  if (!told)
    return told.error();
  return told->value;
}

result<power_ack> set_power(wsman::talk& t, power_action action) {
  if (boots(action))
    if (auto cleared = clear_boot_settings(t); !cleared)
      return cleared.error();
  // Only a machine whose OS saves power is asked to come to full power first; whether it did
  // changes nothing of what follows (MPS logs it and powers on all the same).
  if (action == power_action::on && get_os_power_saving(t) == 3)
    (void)set_os_power_saving(t, 2);
  auto value = request_power_state(t, static_cast<int>(action));
  if (!value)
    return value.error();
  return power_ack{*value};
}

} // namespace outband::amt
