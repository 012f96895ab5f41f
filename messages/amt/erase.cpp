#include "messages/amt/erase.hpp"

#include "messages/amt/argument.hpp"
#include "messages/amt/boot.hpp"
#include "messages/amt/power.hpp"
#include "messages/amt/put_back.hpp"
#include "messages/amt/status.hpp"
#include "messages/amt/uefi_parameters.hpp"
#include "messages/wsman/readings.hpp"

#include <array>

namespace outband::amt {

namespace {

// Bits of AMT_BootCapabilities.PlatformErase and of the order's parameter.
constexpr std::uint32_t erase_supported = 0x1;
constexpr std::uint32_t erase_ssds = 0x4;
constexpr std::uint32_t erase_tpm = 0x40;
constexpr std::uint32_t erase_bios = 0x4000000;
constexpr int first_amt_major = 16;
constexpr std::size_t max_ssd_password = 64; // octets, REST contract of Console

constexpr std::uint32_t boot_service_idle = 32768;
constexpr std::uint32_t boot_service_erases = 32770; // RPE on, OCR off

struct named_target {
  const char* name;
  bool erase_targets::*member;
};
constexpr std::array<named_target, 4> targets{{{"secureEraseAllSSDs", &erase_targets::ssds},
                                               {"tpmClear", &erase_targets::tpm},
                                               {"restoreBIOSToEOM", &erase_targets::bios},
                                               {"unconfigureCSME", &erase_targets::csme}}};

failure cannot(std::string why, std::string field = {}) {
  return fail(problem::unsupported, std::move(why), std::move(field));
}

status check_firmware(wsman::talk& t) {
  auto items = t.list("CIM_SoftwareIdentity");
  if (!items)
    return items.error();
  auto software = wsman::read_software(**items);
  if (!software)
    return software.error();
  auto major = wsman::major_version(software->amt);
  if (!major)
    return major.error();
  if (*major < first_amt_major)
    return cannot("remote platform erase exists from AMT 16 on; this machine has AMT " +
                  software->amt);
  return success();
}

status check_targets(wsman::talk& t, const erase_targets& what) {
  auto can = get_erase_capabilities(t);
  if (!can)
    return can.error();
  for (const auto& [name, member] : targets)
    if (what.*member && !((*can).*member))
      return cannot("this machine's firmware does not offer it", name);
  return success();
}

/// Console's sparse Put: what identifies the instance, and the order.
std::string order_for(const wsman::node& read, const std::vector<new_value>& values) {
  std::string out;
  for (const auto* name : {"ElementName", "InstanceID", "OwningEntity"})
    out += wsman::property(name, read.child_text(name));
  for (const auto& v : values)
    out += wsman::property(v.name, v.value);
  return out;
}

result<int> power_code(wsman::talk& t) {
  auto items = t.list("CIM_ServiceAvailableToElement");
  if (!items)
    return items.error();
  auto state = wsman::read_power_state(**items);
  if (!state)
    return state.error();
  return static_cast<int>(level_of(*state) == power_level::off ? power_action::on
                                                               : power_action::cycle_soft);
}

/// What is half ordered must not happen at a later boot.
failure disarmed(wsman::talk& t, const wsman::node& read, failure why) {
  (void)t.put("AMT_BootSettingData",
              order_for(read, {{"ConfigurationDataReset", "false"}, {"PlatformErase", "false"}}));
  return why;
}

// -- JSON ---------------------------------------------------------------------------------------

result<json::value> capabilities(wsman::talk& t, const json::value&) {
  auto can = get_erase_capabilities(t);
  if (!can)
    return can.error();
  json::object out;
  for (const auto& [name, member] : targets)
    out.push_back({name, (*can).*member});
  return json::value(std::move(out));
}

erase_targets targets_in(const json::value& argument) {
  erase_targets out;
  for (const auto& [name, member] : targets)
    out.*member = boolean_at(argument, name).value_or(false);
  return out;
}

std::vector<rest::field_error> check(const json::value& argument) {
  argument_reader r(argument);
  for (const auto& target : targets)
    r.boolean(target.name, argument_reader::must::may_miss);
  r.text("ssdPassword", max_ssd_password, false);
  if (r.good() && !targets_in(argument).any())
    r.wrong("secureEraseAllSSDs", "at least one of secureEraseAllSSDs, tpmClear, "
                                  "restoreBIOSToEOM and unconfigureCSME must be true");
  return std::move(r).errors();
}

result<json::value> set(wsman::talk& t, const json::value& argument) {
  auto told = erase(t, targets_in(argument), text_at(argument, "ssdPassword"));
  if (!told)
    return told.error();
  return json::value(json::object{{"status", "SUCCESS"}, {"ReturnValue", 0}});
}

} // namespace

result<erase_targets> get_erase_capabilities(wsman::talk& t) {
  erase_targets out;
  auto can = t.get("AMT_BootCapabilities");
  if (!can)
    return t.is_absent() ? result<erase_targets>(out) : can.error();
  auto mask = wsman::number_or(**can, "PlatformErase", 0);
  if (!mask)
    return mask.error();
  auto csme = wsman::bool_or(**can, "ConfigurationDataReset", false);
  if (!csme)
    return csme.error();
  const bool erases = (*mask & erase_supported) != 0;
  out.ssds = erases && (*mask & erase_ssds) != 0;
  out.tpm = erases && (*mask & erase_tpm) != 0;
  out.bios = erases && (*mask & erase_bios) != 0;
  out.csme = *csme;
  return out;
}

status erase(wsman::talk& t, const erase_targets& what, const std::string& ssd_password) {
  if (auto fits = check_firmware(t); !fits)
    return fits;
  if (auto fits = check_targets(t, what); !fits)
    return fits;
  auto read = t.get("AMT_BootSettingData");
  if (!read)
    return read.error();
  auto enabled = wsman::bool_or(**read, "RPEEnabled", false);
  if (!enabled)
    return enabled.error();
  if (!*enabled)
    return cannot("remote platform erase is not enabled by the BIOS of this machine");
  auto power = power_code(t);
  if (!power)
    return power.error();

  const std::uint32_t mask =
      (what.ssds ? erase_ssds : 0U) | (what.tpm ? erase_tpm : 0U) | (what.bios ? erase_bios : 0U);
  // Idle, the flag, erasing, the order: some firmware refuses the one or the other of the first
  // three, which only matters if it then refuses the order.
  (void)request_state(t, "CIM_BootService", boot_service_idle);
  if (mask != 0)
    (void)t.put("AMT_BootSettingData", order_for(**read, {{"PlatformErase", "true"}}));
  else // a boot source of an earlier order would win over the reset of the engine
    (void)t.invoke("CIM_BootConfigSetting", "ChangeBootOrder");
  (void)request_state(t, "CIM_BootService", boot_service_erases);

  std::vector<new_value> order{{"ConfigurationDataReset", truth(what.csme)},
                               {"PlatformErase", truth(mask != 0)}};
  if (mask != 0) {
    uefi_parameters parameters;
    parameters.erase_mask(mask);
    order.push_back({"UefiBootParametersArray", parameters.base64()});
    order.push_back({"UefiBootNumberOfParams", std::to_string(parameters.count())});
  }
  if (!ssd_password.empty())
    order.push_back({"RSEPassword", ssd_password});
  if (auto put = t.put("AMT_BootSettingData", order_for(**read, order)); !put)
    return disarmed(t, **read, put.error());
  if (auto armed = use_boot_settings_once(t); !armed)
    return disarmed(t, **read, armed.error());
  auto told = request_power_state(t, *power);
  if (!told)
    return disarmed(t, **read, told.error());
  if (*told != 0)
    return disarmed(t, **read,
                    status_failure("the boot that erases (RequestPowerStateChange)", *told));
  return success();
}

std::vector<operation> erase_operations() {
  using namespace std::chrono_literals;
  using wsman::effect;
  operation write{"erase.set", effect::change, set, check};
  write.deadline = 40s;
  write.secret = true;
  write.look_after = "boot.state";
  return {{"erase.capabilities", effect::none, capabilities}, write};
}

} // namespace outband::amt
