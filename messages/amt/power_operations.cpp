#include "messages/amt/argument.hpp"
#include "messages/amt/catalogue.hpp"
#include "messages/amt/power.hpp"

namespace outband::amt {

namespace {

result<json::value> state(wsman::talk& t, const json::value&) {
  auto told = get_power(t);
  if (!told)
    return told.error();
  return json::value(json::object{{"powerstate", static_cast<int>(told->state)},
                                  {"OSPowerSavingState", told->os_power_saving}});
}

/// Labels and their order: MPS src/routes/amt/powerCapabilities.ts.
result<json::value> capabilities(wsman::talk& t, const json::value&) {
  auto can = get_power_capabilities(t);
  if (!can)
    return can.error();
  json::object out;
  const auto add = [&](const char* label, int code) {
    out.push_back({label, code});
  };
  add("Power up", 2);
  add("Power cycle", 5);
  add("Power down", 8);
  add("Reset", 10);
  if (can->graceful()) {
    add("Soft-off", 12);
    add("Soft-reset", 14);
    add("Sleep", 4);
    add("Hibernate", 7);
  }
  if (can->bios_setup) {
    add("Power up to BIOS", 100);
    add("Reset to BIOS", 101);
  }
  if (can->secure_erase)
    add("Reset to Secure Erase", 104);
  add("Reset to IDE-R Floppy", 200);
  add("Power on to IDE-R Floppy", 201);
  add("Reset to IDE-R CDROM", 202);
  add("Power on to IDE-R CDROM", 203);
  if (can->force_diagnostic_boot) {
    add("Power on to diagnostic", 300);
    add("Reset to diagnostic", 301);
  }
  add("Reset to PXE", 400);
  add("Power on to PXE", 401);
  return json::value(std::move(out));
}

std::vector<rest::field_error> check_os(const json::value& argument) {
  argument_reader r(argument);
  r.number_of("action", {500, 501});
  return std::move(r).errors();
}

result<json::value> set_os(wsman::talk& t, const json::value& argument) {
  return change_os_power(t,
                         integer_at(argument, "action") == 501 ? os_power::saving : os_power::full);
}

std::string_view os_power_text(std::int64_t value) {
  switch (value) {
  case 0:
    return "COMPLETED_WITH_NO_ERROR";
  case 1:
    return "NOT_SUPPORTED";
  case 2:
    return "UNKNOWN_OR_UNSPECIFIED_ERROR";
  case 3:
    return "CANNOT_COMPLETE_WITHIN_TIMEOUT_PERIOD";
  case 4:
    return "FAILED";
  case 5:
    return "INVALID_PARAMETER";
  case 6:
    return "IN_USE";
  case 4096:
    return "METHOD_PARAMETERS_CHECKED_JOB_STARTED";
  case 4097:
    return "INVALID_STATE_TRANSITION";
  case 4098:
    return "USE_OF_TIMEOUT_PARAMETER_NOT_SUPPORTED";
  case 4099:
    return "BUSY";
  default:
    return "UNKNOWN_ERROR";
  }
}

json::value os_answer(std::int64_t value, std::string_view text) {
  return json::value(
      json::object{{"Body", json::object{{"ReturnValue", value}, {"ReturnValueStr", text}}},
                   {"ReturnValue", value}});
}

} // namespace

result<json::value> change_os_power(wsman::talk& t, os_power wanted) {
  const int now = get_os_power_saving(t);
  if (now == 0)
    return os_answer(1, "OS_POWER_STATE_UNKNOWN");
  if (now == 1)
    return os_answer(2, "OS_POWER_STATE_UNSUPPORTED");
  if (now == static_cast<int>(wanted))
    return os_answer(0, os_power_text(0));
  auto told = set_os_power_saving(t, static_cast<int>(wanted));
  if (!told) // a fault; whatever else goes wrong ends the conversation before
    return os_answer(-1, os_power_text(-1));
  return os_answer(*told, os_power_text(*told));
}

std::vector<operation> power_operations() {
  using wsman::effect;
  return {{"power.state", effect::none, state},
          {"power.capabilities", effect::none, capabilities},
          {"power.os", effect::change, set_os, check_os}};
}

} // namespace outband::amt
