#include "messages/amt/boot.hpp"

#include "messages/amt/power.hpp"
#include "messages/amt/put_back.hpp"
#include "messages/amt/status.hpp"
#include "messages/amt/uefi_parameters.hpp"
#include "messages/wsman/readings.hpp"

#include <algorithm>
#include <array>

namespace outband::amt {

namespace {

constexpr std::uint32_t client_control_mode = 4; // AMT_SetupAndConfigurationService
constexpr std::size_t max_sources = 100;

enum class via : std::uint8_t { none, source, https, pba, winre };

struct plan {
  boot_action action;
  power_action power;
  via how;
  std::string_view source = {};
};

constexpr std::string_view https_source = "Intel(r) AMT: Force OCR UEFI HTTPS Boot";
constexpr std::string_view option_source = "Intel(r) AMT: Force OCR UEFI Boot Option";
constexpr std::string_view cd_source = "Intel(r) AMT: Force CD/DVD Boot";
constexpr std::string_view pxe_source = "Intel(r) AMT: Force PXE Boot";
constexpr std::string_view diagnostic_source = "Intel(r) AMT: Force Diagnostic Boot";

constexpr std::array<plan, 17> plans{{
    {boot_action::on_to_bios, power_action::on, via::none},
    {boot_action::reset_to_bios, power_action::reset, via::none},
    {boot_action::secure_erase, power_action::reset, via::none},
    {boot_action::reset_to_https, power_action::reset, via::https, https_source},
    {boot_action::on_to_https, power_action::on, via::https, https_source},
    {boot_action::reset_to_pba, power_action::reset, via::pba},
    {boot_action::on_to_pba, power_action::on, via::pba},
    {boot_action::reset_to_winre, power_action::reset, via::winre},
    {boot_action::on_to_winre, power_action::on, via::winre},
    {boot_action::reset_to_ider_floppy, power_action::reset, via::none},
    {boot_action::on_to_ider_floppy, power_action::on, via::none},
    {boot_action::reset_to_ider_cd, power_action::reset, via::source, cd_source},
    {boot_action::on_to_ider_cd, power_action::on, via::source, cd_source},
    {boot_action::on_to_diagnostic, power_action::on, via::source, diagnostic_source},
    {boot_action::reset_to_diagnostic, power_action::reset, via::source, diagnostic_source},
    {boot_action::reset_to_pxe, power_action::reset, via::source, pxe_source},
    {boot_action::on_to_pxe, power_action::on, via::source, pxe_source},
}};

const plan& plan_of(boot_action a) {
  return *std::find_if(plans.begin(), plans.end(), [&](const plan& p) { return p.action == a; });
}

bool recovers(const plan& p) {
  return p.how == via::https || p.how == via::pba || p.how == via::winre;
}

/// What the order amounts to on this machine.
struct target {
  std::string source;    ///< empty: none
  std::string boot_path; ///< of a PBA or WinRE source
};

result<target> resolve(wsman::talk& t, const plan& p, const boot_order& order) {
  if (p.how != via::pba && p.how != via::winre)
    return target{std::string(p.source), {}};
  auto sources = get_boot_sources(t);
  if (!sources)
    return sources.error();
  const std::string_view kind = p.how == via::pba ? "PBA" : "WinRe";
  for (const auto& s : *sources) {
    const bool option = s.instance_id.substr(0, option_source.size()) == option_source;
    const bool found = order.boot_path.empty()
                           ? option && s.bios_boot_string.find(kind) != std::string::npos
                           : s.boot_string == order.boot_path;
    if (found)
      return target{s.instance_id, s.boot_string};
  }
  if (order.boot_path.empty())
    return fail(problem::unsupported,
                "the machine's BIOS registered no " + std::string(kind) + " boot source",
                "bootDetails.bootPath");
  return fail(problem::malformed,
              "no boot source of this machine has that path; its boot sources list them",
              "bootDetails.bootPath");
}

result<uefi_parameters> parameters_for(const plan& p, const boot_order& order,
                                       const target& where) {
  uefi_parameters out;
  if (p.how == via::https) {
    out.text(uefi_parameter::https_url, order.url);
    out.flag(uefi_parameter::sync_root_ca, true);
    if (!order.user.empty())
      out.text(uefi_parameter::https_user, order.user);
    if (!order.password.empty())
      out.text(uefi_parameter::https_password, order.password);
  } else if (recovers(p)) {
    out.text(uefi_parameter::file_device_path, where.boot_path);
    out.number(uefi_parameter::device_path_length,
               static_cast<std::uint16_t>(where.boot_path.size()));
  }
  if (!out.fits())
    return fail(problem::too_large,
                "the BIOS takes URLs and paths of 300 octets, user names and passwords of 16",
                "bootDetails");
  return out;
}

/// AMT_BootSettingData for the order, everything else that a boot could do switched off.
std::string settings_for(const wsman::node& read, const plan& p, const boot_order& order,
                         const uefi_parameters& parameters) {
  const auto code = static_cast<int>(p.action);
  const bool recovery = recovers(p);
  const bool ider = code >= 200 && code < 300;
  const bool cd =
      p.action == boot_action::reset_to_ider_cd || p.action == boot_action::on_to_ider_cd;
  std::vector<new_value> next{{"BIOSPause", "false"},
                              {"BIOSSetup", truth(code < 104)},
                              {"BootMediaIndex", "0"},
                              {"ConfigurationDataReset", "false"},
                              {"FirmwareVerbosity", "0"},
                              {"ForcedProgressEvents", truth(recovery)},
                              {"IDERBootDevice", cd ? "1" : "0"},
                              {"LockKeyboard", "false"},
                              {"LockPowerButton", "false"},
                              {"LockResetButton", "false"},
                              {"LockSleepButton", "false"},
                              {"ReflashBIOS", "false"},
                              {"UseIDER", truth(ider)},
                              {"UseSOL", truth(order.use_sol && !recovery)},
                              {"UseSafeMode", "false"},
                              {"UserPasswordBypass", "false"},
                              {"SecureErase", truth(p.action == boot_action::secure_erase)},
                              {"PlatformErase", "false", false}};
  std::vector<std::string_view> without;
  if (recovery) {
    next.push_back({"EnforceSecureBoot", truth(order.enforce_secure_boot)});
    next.push_back({"UefiBootNumberOfParams", std::to_string(parameters.count())});
    next.push_back({"UefiBootParametersArray", parameters.base64()});
    without.push_back("BIOSLastStatus"); // as MPS does for these
  } else {                               // what an earlier order left must not reach the BIOS
    next.push_back({"UefiBootNumberOfParams", "0", false});
    without.push_back("UefiBootParametersArray");
  }
  if (p.action == boot_action::secure_erase && !order.password.empty())
    next.push_back({"RSEPassword", order.password});
  return put_back(read, next, without);
}

std::string source_parameter(std::string_view source) {
  return wsman::endpoint_parameter("Source", {wsman::class_uri("CIM_BootSourceSetting"),
                                              wsman::named("InstanceID", std::string(source))});
}

status clear_boot_order(wsman::talk& t) {
  return done(t.invoke("CIM_BootConfigSetting", "ChangeBootOrder"),
              "CIM_BootConfigSetting.ChangeBootOrder");
}

status change_boot_order(wsman::talk& t, const plan& p, const std::string& source) {
  if (source.empty())
    return clear_boot_order(t);
  auto told = t.invoke("CIM_BootConfigSetting", "ChangeBootOrder", source_parameter(source));
  if (!told && t.refused_with("AccessDenied"))
    return fail(problem::device_refused, "the user at the machine has to consent to a boot from '" +
                                             source + "': request a consent code first");
  if (told && told->value == 16 && recovers(p)) // NOT_PERMITTED
    return fail(problem::device_refused,
                "the firmware does not permit a boot from '" + source +
                    "' (NOT_PERMITTED, 16): switch One-Click Recovery (ocr) on in its features");
  if (told && told->value != 0)
    return fail(problem::device_refused,
                "the firmware does not take '" + source + "' as boot source: " +
                    status_failure("CIM_BootConfigSetting.ChangeBootOrder", told->value).detail);
  return done(told, "CIM_BootConfigSetting.ChangeBootOrder");
}

status check_control_mode(wsman::talk& t, const boot_order& order) {
  if (order.enforce_secure_boot)
    return success();
  auto setup = t.get("AMT_SetupAndConfigurationService");
  if (!setup)
    return setup.error();
  auto mode = wsman::number_in(**setup, "ProvisioningMode", 255);
  if (!mode)
    return mode.error();
  if (*mode == client_control_mode)
    return fail(problem::malformed, "EnforceSecureBoot cannot be turned off in CCM",
                "bootDetails.enforceSecureBoot");
  return success();
}

status check_secure_erase(wsman::talk& t) {
  auto can = t.get("AMT_BootCapabilities");
  if (!can && !t.is_absent())
    return can.error();
  auto erases = can ? wsman::bool_or(**can, "SecureErase", false) : result<bool>(false);
  if (!erases)
    return erases.error();
  if (!*erases)
    return fail(problem::unsupported, "this machine's firmware offers no secure erase", "action");
  return success();
}

/// A machine that is off is switched on, any other is reset: else it would erase only when somebody
/// boots it next.
result<power_action> power_for(wsman::talk& t, const plan& p) {
  if (p.action != boot_action::secure_erase)
    return p.power;
  auto items = t.list("CIM_ServiceAvailableToElement");
  if (!items)
    return items.error();
  auto state = wsman::read_power_state(**items);
  if (!state)
    return state.error();
  return level_of(*state) == power_level::off ? power_action::on : power_action::reset;
}

} // namespace

std::optional<boot_action> boot_action_from_code(std::int64_t code) {
  for (const auto& p : plans)
    if (static_cast<std::int64_t>(p.action) == code)
      return p.action;
  return std::nullopt;
}

result<std::vector<boot_source>> get_boot_sources(wsman::talk& t) {
  auto items = t.list("CIM_BootSourceSetting");
  if (!items)
    return items.error();
  std::vector<boot_source> out;
  for (const auto* i : wsman::instances(**items, "CIM_BootSourceSetting")) {
    if (out.size() == max_sources)
      return fail(problem::device_protocol, "the firmware lists more than 100 boot sources");
    boot_source s;
    for (const auto& [name, into] :
         {std::pair<std::string_view, std::string*>{"InstanceID", &s.instance_id},
          {"ElementName", &s.element_name},
          {"BIOSBootString", &s.bios_boot_string},
          {"BootString", &s.boot_string},
          {"StructuredBootString", &s.structured_boot_string}}) {
      auto text = wsman::text_in(*i, name);
      if (!text)
        return text.error();
      *into = std::move(*text);
    }
    auto through = wsman::number_or(*i, "FailThroughSupported", 0);
    if (!through)
      return through.error();
    s.fail_through_supported = *through;
    out.push_back(std::move(s));
  }
  return out;
}

status use_boot_settings_once(wsman::talk& t) {
  const auto config = wsman::endpoint_parameter(
      "BootConfigSetting", {wsman::class_uri("CIM_BootConfigSetting"),
                            wsman::named("InstanceID", "Intel(r) AMT: Boot Configuration 0")});
  return done(
      t.invoke("CIM_BootService", "SetBootConfigRole", config + wsman::property("Role", "1")),
      "CIM_BootService.SetBootConfigRole");
}

result<std::uint32_t> set_boot(wsman::talk& t, const boot_order& order) {
  const auto& p = plan_of(order.action);
  if (auto allowed = check_control_mode(t, order); !allowed)
    return allowed.error();
  if (p.action == boot_action::secure_erase)
    if (auto can = check_secure_erase(t); !can)
      return can.error();
  const auto where = resolve(t, p, order);
  if (!where)
    return where.error();
  const auto parameters = parameters_for(p, order, *where);
  if (!parameters)
    return parameters.error();
  const auto power = power_for(t, p);
  if (!power)
    return power.error();
  auto read = t.get("AMT_BootSettingData");
  if (!read)
    return read.error();
  if (auto cleared = clear_boot_order(t); !cleared)
    return cleared.error();
  if (auto put = t.put("AMT_BootSettingData", settings_for(**read, p, order, *parameters)); !put)
    return put.error();

  auto armed = use_boot_settings_once(t);
  if (armed)
    armed = change_boot_order(t, p, where->source);
  if (!armed) {
    // As far as it goes: the next boot, whenever it is, must not surprise anybody.
    (void)t.put("AMT_BootSettingData", wsman::clear_boot_settings(**read).xml);
    return armed.error();
  }
  return request_power_state(t, static_cast<int>(*power));
}

} // namespace outband::amt
