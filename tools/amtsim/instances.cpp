#include "tools/amtsim/instances.hpp"

#include <array>
#include <string>
#include <utility>

namespace outband::amtsim {

namespace {

using wsman::endpoint;
using wsman::field;
using wsman::instance;
using instances = std::vector<instance>;

const std::string amt_system = "Intel(r) AMT";

std::string text(bool b) {
  return b ? "true" : "false";
}
std::string text(std::uint32_t n) {
  return std::to_string(n);
}

/// What every service has.
instance service(std::string class_name, const std::string& name,
                 const std::string& system = amt_system) {
  instance out{class_name,
               {{"ElementName", name},
                {"Name", name},
                {"SystemCreationClassName", "CIM_ComputerSystem"},
                {"SystemName", system}}};
  out.fields.push_back({"CreationClassName", std::move(class_name)});
  return out;
}

instance with(instance base, std::vector<field> more) {
  for (auto& f : more)
    base.fields.push_back(std::move(f));
  return base;
}

endpoint computer_system() {
  return {wsman::class_uri("CIM_ComputerSystem"),
          {{"CreationClassName", "CIM_ComputerSystem"}, {"Name", "ManagedSystem"}}};
}

instances associated_power(const device_model& d) {
  instance out{"CIM_AssociatedPowerManagementService", {}};
  for (const int state : d.available_states())
    out.fields.push_back({"AvailableRequestedPowerStates", std::to_string(state)});
  return {with(std::move(out),
               {{"PowerState", text(static_cast<std::uint32_t>(d.power()))},
                {"ServiceProvided", endpoint{wsman::class_uri("CIM_PowerManagementService"),
                                             {{"CreationClassName", "CIM_PowerManagementService"},
                                              {"Name", "Intel(r) AMT Power Management Service"},
                                              {"SystemCreationClassName", "CIM_ComputerSystem"},
                                              {"SystemName", amt_system}}}},
                {"UserOfService", computer_system()}})};
}

instances power_service(const device_model&) {
  return {with(service("CIM_PowerManagementService", "Intel(r) AMT Power Management Service"),
               {{"EnabledState", "5"}, {"RequestedState", "12"}})};
}

instances os_power_service(const device_model& d) {
  return {with(service("IPS_PowerManagementService", "Intel(r) AMT Power Management Service"),
               {{"EnabledState", "5"},
                {"RequestedState", "12"},
                {"OSPowerSavingState", std::to_string(d.os_power_saving)}})};
}

instances setup_service(const device_model& d) {
  return {with(
      service("AMT_SetupAndConfigurationService", "Intel(r) AMT Setup and Configuration Service"),
      {{"EnabledState", "5"},
       {"PasswordModel", "1"},
       {"ProvisioningMode", d.control_mode == 2 ? "1" : "4"},
       {"ProvisioningServerOTP", std::string(43, 'A') + "="},
       {"ProvisioningState", "2"},
       {"RequestedState", "12"},
       {"ZeroTouchConfigurationEnabled", "true"}})};
}

instances host_based_setup(const device_model& d) {
  return {with(service("IPS_HostBasedSetupService", "Intel(r) AMT Host Based Setup Service"),
               {{"AllowedControlModes", "2"},
                {"AllowedControlModes", "1"},
                {"CertChainStatus", "0"},
                {"ConfigurationNonce", std::string(27, 'A') + "="},
                {"CurrentControlMode", std::to_string(d.control_mode)}})};
}

instances general_settings(const device_model& d) {
  return {{"AMT_GeneralSettings",
           {{"AMTNetworkEnabled", "1"},
            {"DDNSPeriodicUpdateInterval", "1440"},
            {"DDNSTTL", "900"},
            {"DDNSUpdateByDHCPServerEnabled", "true"},
            {"DDNSUpdateEnabled", "false"},
            {"DHCPSyncRequiresHostname", "1"},
            {"DHCPv6ConfigurationTimeout", "0"},
            {"DigestRealm", d.who().realm},
            {"DomainName", ""},
            {"ElementName", "Intel(r) AMT: General Settings"},
            {"HostName", d.who().hostname},
            {"HostOSFQDN", d.who().hostname},
            {"IdleWakeTimeout", "1"},
            {"InstanceID", "Intel(r) AMT: General Settings"},
            {"NetworkInterfaceEnabled", "true"},
            {"PingResponseEnabled", "true"},
            {"PowerSource", "0"},
            {"PreferredAddressFamily", "0"},
            {"PresenceNotificationInterval", "0"},
            {"PrivacyLevel", "0"},
            {"RmcpPingResponseEnabled", "true"},
            {"SharedFQDN", "true"},
            {"ThunderboltDockEnabled", "0"},
            {"WsmanOnlyMode", "false"}}}};
}

instances software_identity(const device_model& d) {
  const auto& kind = d.shared().kind;
  const std::pair<const char*, std::string> rows[] = {{"Flash", kind.version},
                                                      {"Netstack", kind.version},
                                                      {"AMTApps", kind.version},
                                                      {"AMT", kind.version},
                                                      {"Sku", kind.sku},
                                                      {"VendorID", "8086"},
                                                      {"Build Number", kind.build},
                                                      {"Recovery Version", kind.version},
                                                      {"Recovery Build Num", kind.build},
                                                      {"Legacy Mode", "False"},
                                                      {"AMT FW Core Version", kind.version}};
  instances out;
  for (const auto& [id, version] : rows)
    out.push_back({"CIM_SoftwareIdentity",
                   {{"InstanceID", id}, {"IsEntity", "true"}, {"VersionString", version}}});
  return out;
}

instances system_package(const device_model& d) {
  static constexpr std::string_view hex = "0123456789ABCDEF";
  std::string guid; // SMBIOS order
  for (const auto octet : swap_smbios(d.who().guid).bytes) {
    guid += hex[octet >> 4U];
    guid += hex[octet & 15U];
  }
  return {
      {"CIM_ComputerSystemPackage",
       {{"Antecedent", endpoint{wsman::class_uri("CIM_Chassis"),
                                {{"CreationClassName", "CIM_Chassis"}, {"Tag", "CIM_Chassis"}}}},
        {"Dependent", computer_system()},
        {"PlatformGUID", guid}}}};
}

instances redirection(const device_model& d) {
  return {with(service("AMT_RedirectionService", "Intel(r) AMT Redirection Service"),
               {{"EnabledState", text(d.feature.redirection)},
                {"ListenerEnabled", text(d.feature.listener)}})};
}

instances kvm_sap(const device_model& d) {
  return {with(
      service("CIM_KVMRedirectionSAP", "KVM Redirection Service Access Point", "ManagedSystem"),
      {{"EnabledState", d.feature.kvm ? "6" : "3"},
       {"KVMProtocol", "4"},
       {"RequestedState", d.feature.kvm ? "2" : "3"}})};
}

instances opt_in(const device_model& d) {
  return {with(service("IPS_OptInService", "Intel(r) AMT OptIn Service"),
               {{"CanModifyOptInPolicy", d.control_mode == 2 ? "1" : "0"},
                {"OptInCodeTimeout", text(d.feature.opt_in_code_timeout)},
                {"OptInDisplayTimeout", text(d.feature.opt_in_display_timeout)},
                {"OptInRequired", text(d.feature.opt_in_required)},
                {"OptInState", "0"}})};
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
    return instance{"CIM_BootSourceSetting",
                    {{"ElementName", "Intel(r) AMT: Boot Source"},
                     {"FailThroughSupported", "2"},
                     {"InstanceID", "Intel(r) AMT: " + std::move(id)},
                     {"StructuredBootString", "CIM:" + std::move(boot_string)}}};
  };
  instances out{source("Force Hard-drive Boot", "Hard-Disk:1"),
                source("Force PXE Boot", "Network:1"), source("Force CD/DVD Boot", "CD/DVD:1")};
  if (!d.shared().kind.ocr)
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
  instance out{"AMT_BootCapabilities",
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
  if (d.shared().kind.ocr) {
    for (const auto* can : {"AMTSecureBootControl", "ForceUEFIHTTPSBoot", "ForceUEFIPBABoot",
                            "ForceWinREBoot", "UEFIWiFiCoExistenceAndProfileShare"})
      out.fields.push_back({can, "true"});
    out.fields.push_back({"PlatformErase", "67108933"});
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
  const bool ocr = d.shared().kind.ocr;
  instance out{"AMT_BootSettingData",
               {{"BIOSLastStatus", "2"},
                {"BIOSLastStatus", "0"},
                {"BootguardStatus", "127"},
                {"ElementName", "Intel(r) AMT Boot Configuration Settings"},
                {"InstanceID", "Intel(r) AMT:BootSettingData 0"},
                {"OptionsCleared", text(d.boot_options_cleared)},
                {"OwningEntity", amt_system},
                {"RPEEnabled", text(ocr)},
                {"RSEPassword", ""},
                {"SecureBootControlEnabled", text(ocr)},
                {"UEFIHTTPSBootEnabled", text(ocr)},
                {"UEFILocalPBABootEnabled", text(ocr)},
                {"UefiBootNumberOfParams", "0"},
                {"WinREBootEnabled", text(ocr)}}};
  for (const auto& f : flags)
    out.fields.push_back({f.name, text(d.boot.*f.member)});
  for (const auto& n : numbers)
    out.fields.push_back({n.name, text(d.boot.*n.member)});
  return {out};
}

// -- Put --------------------------------------------------------------------------------------

/// Absent properties stay as they are; one that does not parse spoils the whole Put.
bool take(const wsman::node& from, const char* name, bool& into) {
  const auto* found = from.child(name);
  if (found == nullptr)
    return true;
  const auto value = wsman::to_bool(found->value());
  into = value.value_or(into);
  return value.has_value();
}
bool take(const wsman::node& from, const char* name, std::uint32_t& into) {
  const auto* found = from.child(name);
  if (found == nullptr)
    return true;
  const auto value = wsman::to_number(found->value());
  into = value.value_or(into);
  return value.has_value();
}

bool put_boot_settings(const wsman::node& from, device_model& d) {
  auto next = d.boot;
  bool good = true;
  for (const auto& f : flags)
    good = take(from, f.name, next.*f.member) && good;
  for (const auto& n : numbers)
    good = take(from, n.name, next.*n.member) && good;
  if (!good)
    return false;
  d.boot = next;
  d.boot_options_cleared = false;
  return true;
}

bool put_redirection(const wsman::node& from, device_model& d) {
  auto next = d.feature;
  if (!take(from, "EnabledState", next.redirection) ||
      !take(from, "ListenerEnabled", next.listener))
    return false;
  // rpc-go puts 2 or 3 (enabled, disabled); that keeps the SOL and IDE-R bits.
  if (next.redirection == 2 || next.redirection == 3)
    next.redirection = d.feature.redirection;
  if (next.redirection < 32768 || next.redirection > 32771)
    return false;
  d.feature = next;
  return true;
}

bool put_opt_in(const wsman::node& from, device_model& d) {
  auto next = d.feature;
  if (!take(from, "OptInRequired", next.opt_in_required) ||
      !take(from, "OptInCodeTimeout", next.opt_in_code_timeout) ||
      !take(from, "OptInDisplayTimeout", next.opt_in_display_timeout))
    return false;
  if (d.control_mode != 2) // client control mode cannot lift consent
    next.opt_in_required = d.feature.opt_in_required;
  d.feature = next;
  return true;
}

} // namespace

std::optional<instances> instances_of(std::string_view class_name, const device_model& device) {
  using maker = instances (*)(const device_model&);
  static constexpr std::array<std::pair<std::string_view, maker>, 18> table{{
      {"AMT_BootCapabilities", boot_capabilities},
      {"AMT_BootSettingData", boot_settings},
      {"AMT_GeneralSettings", general_settings},
      {"AMT_RedirectionService", redirection},
      {"AMT_SetupAndConfigurationService", setup_service},
      {"CIM_AssociatedPowerManagementService", associated_power},
      {"CIM_BootConfigSetting", boot_config},
      {"CIM_BootService", boot_service},
      {"CIM_BootSourceSetting", boot_sources},
      {"CIM_ComputerSystemPackage", system_package},
      {"CIM_KVMRedirectionSAP", kvm_sap},
      {"CIM_PowerManagementService", power_service},
      {"CIM_ServiceAvailableToElement", associated_power},
      {"CIM_SoftwareIdentity", software_identity},
      {"CIM_SystemPackaging", system_package},
      {"IPS_HostBasedSetupService", host_based_setup},
      {"IPS_OptInService", opt_in},
      {"IPS_PowerManagementService", os_power_service},
  }};
  for (const auto& [name, make] : table)
    if (name == class_name)
      return make(device);
  return std::nullopt;
}

put_result put_instance(const wsman::node& body, device_model& device) {
  using storer = bool (*)(const wsman::node&, device_model&);
  static constexpr std::array<std::pair<std::string_view, storer>, 3> table{{
      {"AMT_BootSettingData", put_boot_settings},
      {"AMT_RedirectionService", put_redirection},
      {"IPS_OptInService", put_opt_in},
  }};
  for (const auto& [name, store] : table)
    if (name == body.name && body.ns == wsman::class_uri(name))
      return store(body, device) ? put_result::stored : put_result::bad_value;
  return put_result::not_supported;
}

} // namespace outband::amtsim
