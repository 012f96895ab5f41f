#include "tools/amtsim/classes.hpp"

#include <array>

namespace outband::amtsim {

namespace {

constexpr std::uint32_t invalid_parameter = 36;
constexpr std::uint32_t not_permitted = 16;
const std::string ocr_prefix = "Intel(r) AMT: Force OCR";

bool has_recovery(const device_model& d) {
  return d.shared().kind.ocr;
}

instances boot_service(const device_model& d) {
  return {with(service("CIM_BootService", "Intel(r) AMT Boot Service"),
               {{"EnabledState", text(d.feature.boot_service)},
                {"OperationalStatus", "0"},
                {"RequestedState", "12"}})};
}

instances boot_config(const device_model&) {
  return {{"CIM_BootConfigSetting",
           {{"ElementName", "Intel(r) AMT: Boot Configuration"},
            {"InstanceID", "Intel(r) AMT: Boot Configuration 0"}}}};
}

instances boot_sources(const device_model& d) {
  const auto source = [](std::string id, std::string boot_string) {
    return wsman::instance{"CIM_BootSourceSetting",
                           {{"ElementName", "Intel(r) AMT: Boot Source"},
                            {"FailThroughSupported", "2"},
                            {"InstanceID", "Intel(r) AMT: " + std::move(id)},
                            {"StructuredBootString", "CIM:" + std::move(boot_string)}}};
  };
  instances out{source("Force Hard-drive Boot", "Hard-Disk:1"),
                source("Force PXE Boot", "Network:1"), source("Force CD/DVD Boot", "CD/DVD:1")};
  if (!has_recovery(d))
    return out;
  // MPS expects BIOSBootString on every One Click Recovery source.
  out.push_back(with(source("Force OCR UEFI HTTPS Boot", "Network:2"),
                     {{"BIOSBootString", "UEFI HTTPS Boot"}, {"BootString", ""}}));
  out.push_back(
      with(source("Force OCR UEFI Boot Option 1", "Hard-Disk:2"),
           {{"BIOSBootString", "WinRe"}, {"BootString", "\\EFI\\Microsoft\\Boot\\bootmgfw.efi"}}));
  out.push_back(with(source("Force OCR UEFI Boot Option 2", "Hard-Disk:3"),
                     {{"BIOSBootString", "PBA"}, {"BootString", "\\EFI\\OEM\\pba.efi"}}));
  return out;
}

instances boot_capabilities(const device_model& d) {
  wsman::instance out{"AMT_BootCapabilities",
                      {{"ElementName", "Intel(r) AMT: Boot Capabilities"},
                       {"InstanceID", "Intel(r) AMT:BootCapabilities 0"}}};
  for (const auto* can : {"BIOSReflash", "BIOSSecureBoot", "BIOSSetup", "ForceCDorDVDBoot",
                          "ForceHardDriveBoot", "ForcePXEBoot", "ForcedProgressEvents", "IDER",
                          "KeyboardLock", "SOL", "UserPasswordBypass"})
    out.fields.push_back({can, "true"});
  for (const auto* cannot :
       {"BIOSPause", "ConfigurationDataReset", "ForceDiagnosticBoot", "ForceHardDriveSafeModeBoot",
        "PowerButtonLock", "ResetButtonLock", "SecureErase", "SleepButtonLock", "VerbosityQuiet",
        "VerbosityScreenBlank", "VerbosityVerbose"})
    out.fields.push_back({cannot, "false"});
  if (has_recovery(d)) {
    for (const auto* can : {"AMTSecureBootControl", "ForceUEFIHTTPSBoot", "ForceUEFIPBABoot",
                            "ForceWinREBoot", "UEFIWiFiCoExistenceAndProfileShare"})
      out.fields.push_back({can, "true"});
    out.fields.push_back({"PlatformErase", "67108933"}); // RPE, SSDs, TPM, BIOS golden image
  }
  return {out};
}

/// The flags of AMT_BootSettingData that may be written, for reading and writing alike.
struct flag {
  const char* name;
  bool boot_options::*member;
};
constexpr std::array<flag, 16> flags{{
    {"BIOSPause", &boot_options::bios_pause},
    {"BIOSSetup", &boot_options::bios_setup},
    {"ConfigurationDataReset", &boot_options::configuration_data_reset},
    {"EnforceSecureBoot", &boot_options::enforce_secure_boot},
    {"ForcedProgressEvents", &boot_options::forced_progress_events},
    {"LockKeyboard", &boot_options::lock_keyboard},
    {"LockPowerButton", &boot_options::lock_power_button},
    {"LockResetButton", &boot_options::lock_reset_button},
    {"LockSleepButton", &boot_options::lock_sleep_button},
    {"PlatformErase", &boot_options::platform_erase},
    {"ReflashBIOS", &boot_options::reflash_bios},
    {"SecureErase", &boot_options::secure_erase},
    {"UseIDER", &boot_options::use_ider},
    {"UseSOL", &boot_options::use_sol},
    {"UseSafeMode", &boot_options::use_safe_mode},
    {"UserPasswordBypass", &boot_options::user_password_bypass},
}};
struct number {
  const char* name;
  std::uint32_t boot_options::*member;
};
constexpr std::array<number, 3> numbers{{
    {"BootMediaIndex", &boot_options::boot_media_index},
    {"FirmwareVerbosity", &boot_options::firmware_verbosity},
    {"IDERBootDevice", &boot_options::ider_boot_device},
}};

instances boot_settings(const device_model& d) {
  const bool ocr = has_recovery(d);
  wsman::instance out{"AMT_BootSettingData",
                      {{"BIOSLastStatus", "2"},
                       {"BIOSLastStatus", "0"},
                       {"BootguardStatus", "127"},
                       {"ElementName", "Intel(r) AMT Boot Configuration Settings"},
                       {"InstanceID", "Intel(r) AMT:BootSettingData 0"},
                       {"OptionsCleared", text(d.boot_options_cleared)},
                       {"OwningEntity", "Intel(r) AMT"},
                       {"RPEEnabled", text(ocr)},
                       {"RSEPassword", ""}, // write-only
                       {"SecureBootControlEnabled", text(ocr)},
                       {"UEFIHTTPSBootEnabled", text(ocr)},
                       {"UEFILocalPBABootEnabled", text(ocr)},
                       {"UefiBootNumberOfParams", text(d.boot.uefi_parameters)},
                       {"WinREBootEnabled", text(ocr)}}};
  if (!d.boot.uefi_parameter_array.empty())
    out.fields.push_back({"UefiBootParametersArray", base64(d.boot.uefi_parameter_array)});
  for (const auto& f : flags)
    out.fields.push_back({f.name, text(d.boot.*f.member)});
  for (const auto& n : numbers)
    out.fields.push_back({n.name, text(d.boot.*n.member)});
  return {out};
}

/// How many parameters a list holds: u16 vendor 0x8086, u16 type, u32 length, value; all
/// little-endian. nullopt: it is no such list. Source: MPS src/amt/utils (UefiBootParameters).
std::optional<std::uint32_t> count_parameters(std::string_view list) {
  std::uint32_t count = 0;
  while (!list.empty()) {
    if (list.size() < 8 || list[0] != '\x86' || list[1] != '\x80')
      return std::nullopt;
    std::uint32_t length = 0;
    for (unsigned i = 0; i < 4; ++i)
      length |= static_cast<std::uint32_t>(static_cast<std::uint8_t>(list[4 + i])) << 8U * i;
    if (length > list.size() - 8)
      return std::nullopt;
    list.remove_prefix(8 + length);
    ++count;
  }
  return count;
}

bool take_parameters(const wsman::node& from, boot_options& into) {
  if (const auto* coded = from.child("UefiBootParametersArray")) {
    auto list = from_base64(coded->value());
    if (!list || list->size() > 4096)
      return false;
    into.uefi_parameter_array = std::move(*list);
  }
  if (!take(from, "UefiBootNumberOfParams", into.uefi_parameters))
    return false;
  if (into.uefi_parameters == 0)
    into.uefi_parameter_array.clear();
  return count_parameters(into.uefi_parameter_array) == into.uefi_parameters;
}

refusal put_boot_settings(const wsman::node& from, const wsman::instance&, context& c) {
  auto& d = c.device;
  auto next = d.boot;
  bool good = take_parameters(from, next);
  for (const auto& f : flags)
    good = take(from, f.name, next.*f.member) && good;
  for (const auto& n : numbers)
    good = take(from, n.name, next.*n.member) && good;
  std::string password;
  good = take(from, "RSEPassword", password, 32) && good;
  // A boot source and a visit to the BIOS exclude each other (CIM_BootConfigSetting's notes).
  if (!d.boot_source.empty() && (next.bios_setup || next.bios_pause || next.reflash_bios))
    good = false;
  // Erasing needs the feature of AMT 16, switched on.
  if (next.platform_erase && !d.boot.platform_erase &&
      !(has_recovery(d) && d.feature.boot_service >= 32770))
    good = false;
  if (!good)
    return soap_fault::invalid_representation;
  d.boot = std::move(next);
  d.boot_options_cleared = false;
  record_audit(c, 17, 4, std::string(7, '\0'));
  return {};
}

outcome request_boot_service(const wsman::node& input, context& c) {
  std::uint32_t state = 0;
  if (input.child("RequestedState") == nullptr || !take(input, "RequestedState", state))
    return soap_fault::schema_validation_error;
  if (state < 32768 || state > 32771 || !has_recovery(c.device))
    return invalid_parameter;
  c.device.feature.boot_service = state;
  return 0;
}

outcome set_boot_role(const wsman::node& input, context&) {
  std::uint32_t role = 0;
  if (input.child("Role") == nullptr || !take(input, "Role", role))
    return soap_fault::schema_validation_error;
  return role <= 2 ? 0U : invalid_parameter;
}

outcome change_boot_order(const wsman::node& input, context& c) {
  auto& d = c.device;
  if (input.child("Source") == nullptr) { // clearing is always allowed
    d.boot_source.clear();
    return 0;
  }
  const auto to = endpoint_of(input, "Source");
  if (!to || to->selectors.empty())
    return soap_fault::schema_validation_error;
  if (d.consent_needed_to_boot() && !d.consent_given())
    return soap_fault::access_denied;
  const auto id = selector_of(*to, "InstanceID");
  bool known = false;
  for (const auto& source : boot_sources(d))
    known = known || text_of(source, "InstanceID") == id;
  if (!known || d.boot.bios_setup || d.boot.bios_pause || d.boot.reflash_bios)
    return invalid_parameter;
  // 32769 and 32771: One Click Recovery is on.
  if (id.rfind(ocr_prefix, 0) == 0 && (d.feature.boot_service & 1U) == 0)
    return not_permitted;
  d.boot_source = id;
  record_audit(c, 17, 4, std::string(7, '\0'));
  return 0;
}

/// What is pending for the next boot survives a power cut.
void save(const device_model& d, kept_texts& to) {
  if (!d.boot_source.empty())
    to["source"] = d.boot_source;
  for (const auto& f : flags)
    if (d.boot.*f.member)
      to[f.name] = "1";
  for (const auto& n : numbers)
    if (d.boot.*n.member != 0)
      to[n.name] = text(d.boot.*n.member);
  if (d.boot.uefi_parameters != 0) {
    to["parameters"] = text(d.boot.uefi_parameters);
    to["parameter_array"] = base64(d.boot.uefi_parameter_array);
  }
  if (!d.boot_options_cleared)
    to["pending"] = "1";
}

void load(const kept_texts& from, device_model& d) {
  const auto find = [&](const char* name) {
    const auto at = from.find(name);
    return at == from.end() ? std::string{} : at->second;
  };
  d.boot_source = find("source");
  for (const auto& f : flags)
    d.boot.*f.member = find(f.name) == "1";
  for (const auto& n : numbers)
    d.boot.*n.member = wsman::to_number(find(n.name)).value_or(0);
  const auto array = from_base64(find("parameter_array")).value_or("");
  if (count_parameters(array) == wsman::to_number(find("parameters"))) {
    d.boot.uefi_parameter_array = array;
    d.boot.uefi_parameters = wsman::to_number(find("parameters")).value_or(0);
  }
  d.boot_options_cleared = find("pending").empty();
}

} // namespace

class_table boot_classes() {
  return {{{"AMT_BootCapabilities", boot_capabilities},
           {"AMT_BootSettingData", boot_settings, put_boot_settings},
           {"CIM_BootConfigSetting", boot_config},
           {"CIM_BootService", boot_service},
           {"CIM_BootSourceSetting", boot_sources}},
          {{"CIM_BootConfigSetting", "ChangeBootOrder", change_boot_order},
           {"CIM_BootService", "RequestStateChange", request_boot_service},
           {"CIM_BootService", "SetBootConfigRole", set_boot_role}},
          {},
          {{"boot", save, load}}};
}

} // namespace outband::amtsim
