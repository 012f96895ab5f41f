#include "tools/amtsim/classes.hpp"

#include "messages/wsman/envelope.hpp"
#include "tests/unit/tools/amtsim/bench_machine.hpp"

#include <doctest/doctest.h>

#include <map>

namespace outband::amtsim {
namespace {

using test::bench_machine;

/// The first instance as a client reads it.
wsman::node shown(const std::string& class_name, const device_model& model) {
  auto all = instances_of(class_name, model);
  REQUIRE(all.has_value());
  REQUIRE_FALSE(all->empty());
  const wsman::answer_header h{std::string(wsman::action::get), "0", wsman::class_uri(class_name)};
  auto read = wsman::parse_response(wsman::write_instance(h, all->front()));
  REQUIRE(read.ok());
  REQUIRE(read->body.children.size() == 1);
  return read->body.children.front();
}

std::string names(const wsman::node& n) {
  std::string out;
  for (const auto& c : n.children)
    out += (out.empty() ? "" : " ") + c.name;
  return out;
}

TEST_CASE("instances show the properties of captured devices in their order") {
  // Captured: AMT 12 and newer (go-wsman-messages pkg/wsman/wsmantesting/responses).
  const std::map<std::string, std::string> captured = {
      {"AMT_BootCapabilities",
       "BIOSPause BIOSReflash BIOSSecureBoot BIOSSetup ConfigurationDataReset ElementName "
       "ForceCDorDVDBoot ForceDiagnosticBoot ForceHardDriveBoot ForceHardDriveSafeModeBoot "
       "ForcePXEBoot ForcedProgressEvents IDER InstanceID KeyboardLock PowerButtonLock "
       "ResetButtonLock SOL SecureErase SleepButtonLock UserPasswordBypass VerbosityQuiet "
       "VerbosityScreenBlank VerbosityVerbose"},
      {"AMT_BootSettingData",
       "BIOSLastStatus BIOSLastStatus BIOSPause BIOSSetup BootMediaIndex BootguardStatus "
       "ConfigurationDataReset ElementName EnforceSecureBoot FirmwareVerbosity "
       "ForcedProgressEvents IDERBootDevice InstanceID LockKeyboard LockPowerButton "
       "LockResetButton LockSleepButton OptionsCleared OwningEntity PlatformErase RPEEnabled "
       "RSEPassword ReflashBIOS SecureBootControlEnabled SecureErase UEFIHTTPSBootEnabled "
       "UEFILocalPBABootEnabled UefiBootNumberOfParams UseIDER UseSOL UseSafeMode "
       "UserPasswordBypass WinREBootEnabled"},
      {"AMT_GeneralSettings",
       "AMTNetworkEnabled DDNSPeriodicUpdateInterval DDNSTTL DDNSUpdateByDHCPServerEnabled "
       "DDNSUpdateEnabled DHCPSyncRequiresHostname DHCPv6ConfigurationTimeout DigestRealm "
       "DomainName ElementName HostName HostOSFQDN IdleWakeTimeout InstanceID "
       "NetworkInterfaceEnabled PingResponseEnabled PowerSource PreferredAddressFamily "
       "PresenceNotificationInterval PrivacyLevel RmcpPingResponseEnabled SharedFQDN "
       "ThunderboltDockEnabled WsmanOnlyMode"},
      {"AMT_RedirectionService", "CreationClassName ElementName EnabledState ListenerEnabled Name "
                                 "SystemCreationClassName SystemName"},
      {"AMT_SetupAndConfigurationService",
       "CreationClassName ElementName EnabledState Name PasswordModel ProvisioningMode "
       "ProvisioningServerOTP ProvisioningState RequestedState SystemCreationClassName SystemName "
       "ZeroTouchConfigurationEnabled"},
      {"CIM_AssociatedPowerManagementService",
       "AvailableRequestedPowerStates AvailableRequestedPowerStates AvailableRequestedPowerStates "
       "AvailableRequestedPowerStates AvailableRequestedPowerStates AvailableRequestedPowerStates "
       "AvailableRequestedPowerStates AvailableRequestedPowerStates PowerState ServiceProvided "
       "UserOfService"},
      {"CIM_BootConfigSetting", "ElementName InstanceID"},
      {"CIM_BootService", "CreationClassName ElementName EnabledState Name OperationalStatus "
                          "RequestedState SystemCreationClassName SystemName"},
      {"CIM_BootSourceSetting", "ElementName FailThroughSupported InstanceID StructuredBootString"},
      {"CIM_ComputerSystemPackage", "Antecedent Dependent PlatformGUID"},
      {"CIM_KVMRedirectionSAP", "CreationClassName ElementName EnabledState KVMProtocol Name "
                                "RequestedState SystemCreationClassName SystemName"},
      {"CIM_PowerManagementService", "CreationClassName ElementName EnabledState Name "
                                     "RequestedState SystemCreationClassName SystemName"},
      {"CIM_SoftwareIdentity", "InstanceID IsEntity VersionString"},
      {"IPS_HostBasedSetupService",
       "AllowedControlModes AllowedControlModes CertChainStatus ConfigurationNonce "
       "CreationClassName CurrentControlMode ElementName Name SystemCreationClassName SystemName"},
      {"IPS_OptInService",
       "CanModifyOptInPolicy CreationClassName ElementName Name OptInCodeTimeout "
       "OptInDisplayTimeout OptInRequired OptInState SystemCreationClassName SystemName"},
      // (The published capture has OSPowerSavingState last: it was edited by hand.)
      {"IPS_PowerManagementService",
       "CreationClassName ElementName EnabledState Name OSPowerSavingState RequestedState "
       "SystemCreationClassName SystemName"},
  };
  auto old = test::exact();
  old.kind = *find_firmware("amt12"); // without what One Click Recovery adds
  bench_machine m(old);
  for (const auto& [class_name, expected] : captured) {
    CAPTURE(class_name);
    CHECK(names(shown(class_name, m.model)) == expected);
  }
}

TEST_CASE("newer firmware adds recovery sources each with its BIOS string") {
  bench_machine m;
  const auto sources = *instances_of("CIM_BootSourceSetting", m.model);
  CHECK(sources.size() == 6);
  for (std::size_t i = 3; i < sources.size(); ++i)
    CHECK(std::any_of(sources[i].fields.begin(), sources[i].fields.end(),
                      [](const wsman::field& f) { return f.name == "BIOSBootString"; }));
  CHECK(shown("AMT_BootCapabilities", m.model).child_text("PlatformErase") == "67108933");
}

TEST_CASE("state shows in the instances") {
  bench_machine m;
  CHECK(shown("CIM_ServiceAvailableToElement", m.model).name ==
        "CIM_AssociatedPowerManagementService");
  CHECK(shown("CIM_AssociatedPowerManagementService", m.model).child_text("PowerState") == "2");
  m.ask(8);
  m.after(100);
  const auto off = shown("CIM_AssociatedPowerManagementService", m.model);
  CHECK(off.child_text("PowerState") == "8");
  CHECK(off.child_text("AvailableRequestedPowerStates") == "2");
  CHECK(shown("CIM_ComputerSystemPackage", m.model).child_text("PlatformGUID") ==
        "78563412BC9AF0DE123456789ABCDEF0");
  CHECK(shown("AMT_GeneralSettings", m.model).child_text("DigestRealm") == test::who().realm);
  m.model.control_mode = 1;
  CHECK(shown("AMT_SetupAndConfigurationService", m.model).child_text("ProvisioningMode") == "4");
}

TEST_CASE("a class that this firmware lacks has no instances") {
  bench_machine m;
  CHECK_FALSE(instances_of("CIM_Toaster", m.model).has_value());
  CHECK_FALSE(instances_of("", m.model).has_value());
  auto lesser = test::exact();
  lesser.kind = *find_firmware("ism16");
  bench_machine standard(lesser);
  CHECK(instances_of("CIM_KVMRedirectionSAP", m.model).has_value());
  CHECK_FALSE(instances_of("CIM_KVMRedirectionSAP", standard.model).has_value());
}

/// Puts `inner` as an instance of that class; the fault, if there is one.
refusal put(bench_machine& m, const std::string& class_name, const std::string& inner) {
  auto body = wsman::parse_xml("<" + class_name + " xmlns='" + wsman::class_uri(class_name) + "'>" +
                               inner + "</" + class_name + ">");
  REQUIRE(body.ok());
  const auto* row = find_class(class_name, m.model);
  REQUIRE(row != nullptr);
  const bool writable = row->put != nullptr;
  REQUIRE(writable);
  context c{m.model, m.faults, m.now};
  return row->put(*body, row->list(m.model).front(), c);
}

TEST_CASE("a Put takes what may be written and ignores the rest") {
  bench_machine m;
  CHECK_FALSE(put(m, "AMT_BootSettingData",
                  "<UseIDER>1</UseIDER><BIOSSetup>true</BIOSSetup>"
                  "<IDERBootDevice>1</IDERBootDevice><BootguardStatus>x</BootguardStatus>")
                  .has_value());
  CHECK(m.model.boot.use_ider);
  CHECK(m.model.boot.bios_setup);
  CHECK(m.model.boot.ider_boot_device == 1);
  CHECK_FALSE(m.model.boot_options_cleared);
}

TEST_CASE("a Put with a bad value stores nothing") {
  bench_machine m;
  CHECK(put(m, "AMT_BootSettingData", "<UseIDER>true</UseIDER><UseSOL>maybe</UseSOL>") ==
        soap_fault::invalid_representation);
  CHECK_FALSE(m.model.boot.use_ider);
  CHECK(put(m, "AMT_RedirectionService", "<EnabledState>7</EnabledState>") ==
        soap_fault::invalid_representation);
  const bool none = find_class("CIM_BootService", m.model)->put == nullptr;
  CHECK(none);
}

TEST_CASE("enabling redirection with 2 or 3 keeps the features chosen before") {
  bench_machine m;
  m.model.feature.redirection = 32770;
  CHECK_FALSE(put(m, "AMT_RedirectionService",
                  "<EnabledState>2</EnabledState><ListenerEnabled>0</ListenerEnabled>")
                  .has_value());
  CHECK(m.model.feature.redirection == 32770);
  CHECK_FALSE(m.model.feature.listener);
}

TEST_CASE("selectors name an instance by texts and by references") {
  const wsman::instance pair{
      "AMT_X",
      {{"Name", "a"},
       {"Set", wsman::endpoint{"urn:rule", {{"CreationClassName", "R"}, {"Rule", "Periodic"}}}}}};
  CHECK(matches(pair, {}));
  CHECK(matches(pair, {{"Name", "a"}}));
  CHECK_FALSE(matches(pair, {{"Name", "b"}}));
  CHECK_FALSE(matches(pair, {{"Other", "a"}}));
  CHECK(matches(pair, {{"Set", "", "urn:rule", {{"Rule", "Periodic"}}}}));
  CHECK_FALSE(matches(pair, {{"Set", "", "urn:rule", {{"Rule", "Alert"}}}}));
  CHECK_FALSE(matches(pair, {{"Set", "", "urn:other", {{"Rule", "Periodic"}}}}));
  CHECK_FALSE(matches(pair, {{"Set", "Periodic"}}));
}

TEST_CASE("base64 goes both ways and refuses what is none") {
  for (const std::string octets : {"", "f", "fo", "foo", "foob", "fooba", "foobar"})
    CHECK(from_base64(base64(octets)) == octets);
  CHECK(base64("foobar") == "Zm9vYmFy");
  CHECK(base64("fo") == "Zm8=");
  CHECK(from_base64("Zm9v\n YmFy") == "foobar");
  for (const auto* bad : {"Zm9", "Zm9v=YmF", "Z===", "Zm9$", "="})
    CHECK_FALSE(from_base64(bad).has_value());
}

} // namespace
} // namespace outband::amtsim
