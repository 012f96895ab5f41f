#include "messages/amt/boot.hpp"

#include "messages/amt/base64.hpp"
#include "messages/amt/uefi_parameters.hpp"
#include "tests/unit/messages/amt/captured.hpp"

namespace outband::amt {
namespace {

using namespace test;

const std::string put = "AMT_BootSettingData Put";
const std::string order = "CIM_BootConfigSetting ChangeBootOrder";
const std::string power = "CIM_PowerManagementService RequestPowerStateChange";
const questions usual{"AMT_BootSettingData Get",           order, put,
                      "CIM_BootService SetBootConfigRole", order, power};

firmware machine() {
  firmware f;
  f.has("AMT_BootSettingData", boot_setting_data("true"))
      .has("AMT_BootCapabilities", recovery_boot_capabilities())
      .has("AMT_SetupAndConfigurationService", p("ProvisioningMode", "1"))
      .lists("CIM_BootSourceSetting", recovery_boot_sources())
      .lists("CIM_ServiceAvailableToElement", association("2"))
      .returns("CIM_BootConfigSetting", "ChangeBootOrder", 0)
      .returns("CIM_BootService", "SetBootConfigRole", 0)
      .returns("CIM_PowerManagementService", "RequestPowerStateChange", 0);
  return f;
}

/// InstanceID of the source in the n-th ChangeBootOrder; "(none)": it clears.
std::string source(const firmware& f, std::size_t n = 1) {
  const auto* to = f.sent(order, n).child("Source");
  if (to == nullptr)
    return "(none)";
  const auto read = wsman::read_endpoint(*to);
  REQUIRE(read.has_value());
  CHECK(read->resource_uri == uri("CIM_BootSourceSetting"));
  REQUIRE(read->selectors.size() == 1);
  CHECK(read->selectors.front().name == "InstanceID");
  return read->selectors.front().value;
}

std::string ask(int action, const std::string& rest = {}) {
  return "{\"action\":" + std::to_string(action) + ",\"useSOL\":true" + rest + "}";
}

TEST_CASE("a boot into BIOS setup is MPS's sequence and shape") {
  auto f = machine();
  auto told = f.carry_out("boot.set", ask(101));
  REQUIRE_MESSAGE(told.ok(), f.why);
  CHECK(f.asked == usual);
  CHECK(source(f, 0) == "(none)");
  CHECK(source(f, 1) == "(none)");
  CHECK(f.sent_text(put, "BIOSSetup") == "true");
  CHECK(f.sent_text(put, "UseSOL") == "true");
  CHECK(f.sent_text(put, "UseIDER") == "false"); // it was left from before
  CHECK(f.sent_text(put, "SecureErase") == "false");
  CHECK(f.sent_text(put, "EnforceSecureBoot") == "false"); // as it was
  CHECK(f.sent_text(put, "BootguardStatus") == "127");     // read-only, echoed as MPS does
  CHECK(f.sent_text("CIM_BootService SetBootConfigRole", "Role") == "1");
  const auto* config = f.sent("CIM_BootService SetBootConfigRole").child("BootConfigSetting");
  REQUIRE(config != nullptr);
  CHECK(wsman::read_endpoint(*config)->selectors.front().value ==
        "Intel(r) AMT: Boot Configuration 0");
  CHECK(f.sent_text(power, "PowerState") == "10");
  CHECK(json::dump(*told->find("Body")) == R"({"ReturnValue":0,"ReturnValueStr":"SUCCESS"})");
  CHECK(told->find("Header")->find("RelatesTo")->integer() != nullptr);
  CHECK(*told->find("ReturnValue")->integer() == 0);
  CHECK(f.changed);
}

TEST_CASE("every boot action has its power verb and its source") {
  struct row {
    int action;
    const char* verb;
    const char* source;
    const char* ider;
    const char* drive;
    const char* setup;
  };
  const std::string none = "(none)";
  for (const auto& r :
       {row{100, "2", "", "false", "0", "true"}, row{101, "10", "", "false", "0", "true"},
        row{200, "10", "", "true", "0", "false"}, row{201, "2", "", "true", "0", "false"},
        row{202, "10", "Force CD/DVD Boot", "true", "1", "false"},
        row{203, "2", "Force CD/DVD Boot", "true", "1", "false"},
        row{300, "2", "Force Diagnostic Boot", "false", "0", "false"},
        row{301, "10", "Force Diagnostic Boot", "false", "0", "false"},
        row{400, "10", "Force PXE Boot", "false", "0", "false"},
        row{401, "2", "Force PXE Boot", "false", "0", "false"}}) {
    CAPTURE(r.action);
    auto f = machine();
    REQUIRE(complaints("boot.set", ask(r.action)).empty());
    REQUIRE(f.carry_out("boot.set", ask(r.action)).ok());
    CHECK(f.asked == usual);
    CHECK(f.sent_text(power, "PowerState") == r.verb);
    CHECK(source(f) == (*r.source == '\0' ? none : std::string("Intel(r) AMT: ") + r.source));
    CHECK(f.sent_text(put, "UseIDER") == r.ider);
    CHECK(f.sent_text(put, "IDERBootDevice") == r.drive);
    CHECK(f.sent_text(put, "BIOSSetup") == r.setup);
    CHECK(f.sent_text(put, "UefiBootNumberOfParams") == "0");
    CHECK(f.sent_text(put, "UefiBootParametersArray") == "(none)");
  }
}

TEST_CASE("HTTPS boot tells the BIOS where to go") {
  auto f = machine();
  const auto argument = ask(105, R"(,"bootDetails":{"url":"https://s.example/a.efi"})");
  REQUIRE(complaints("boot.set", argument).empty());
  REQUIRE(f.carry_out("boot.set", argument).ok());
  CHECK(f.asked == usual);
  CHECK(source(f) == "Intel(r) AMT: Force OCR UEFI HTTPS Boot");
  CHECK(f.sent_text(put, "UefiBootNumberOfParams") == "2");
  uefi_parameters expected;
  expected.text(uefi_parameter::https_url, "https://s.example/a.efi");
  expected.flag(uefi_parameter::sync_root_ca, true);
  CHECK(f.sent_text(put, "UefiBootParametersArray") == expected.base64());
  CHECK(f.sent_text(put, "ForcedProgressEvents") == "true");
  CHECK(f.sent_text(put, "UseSOL") == "false");
  CHECK(f.sent_text(put, "UseIDER") == "false");
  CHECK(f.sent_text(put, "EnforceSecureBoot") == "true"); // nobody said otherwise
  CHECK(f.sent_text(put, "BIOSLastStatus") == "(none)");
  CHECK(f.sent_text(power, "PowerState") == "10");
}

TEST_CASE("HTTPS boot takes a user name and a password") {
  auto f = machine();
  REQUIRE(f.carry_out("boot.set", ask(106, R"(,"bootDetails":{"url":"https://s.example/a",)"
                                           R"("username":"boot","password":"geheim"})"))
              .ok());
  CHECK(f.sent_text(put, "UefiBootNumberOfParams") == "4");
  const auto octets = base64_decode(f.sent_text(put, "UefiBootParametersArray"));
  REQUIRE(octets.has_value());
  const std::string user("\x86\x80\x28\x00\x04\x00\x00\x00"
                         "boot",
                         12);
  const std::string password("\x86\x80\x29\x00\x06\x00\x00\x00"
                             "geheim",
                             14);
  CHECK(octets->substr(octets->size() - 26) == user + password);
  CHECK(f.sent_text(power, "PowerState") == "2");
}

TEST_CASE("UEFI parameters are what the peers send") {
  uefi_parameters https;
  https.text(uefi_parameter::https_url, "https://s/a.efi");
  https.flag(uefi_parameter::sync_root_ca, true);
  CHECK(https.base64() == "hoABAA8AAABodHRwczovL3MvYS5lZmmGgBQAAQAAAAE=");
  CHECK(https.count() == 2);
  uefi_parameters erase;
  erase.erase_mask(0x44);
  CHECK(erase.base64() == "hoABAAQAAABEAAAA");
  uefi_parameters path;
  path.text(uefi_parameter::file_device_path, "ab");
  path.number(uefi_parameter::device_path_length, 300);
  CHECK(path.octets() == std::string("\x86\x80\x02\x00\x02\x00\x00\x00"
                                     "ab\x86\x80\x03\x00\x02\x00\x00\x00\x2C\x01",
                                     20));
  CHECK(path.fits());
  path.text(uefi_parameter::https_password, std::string(17, 'x'));
  CHECK_FALSE(path.fits());
  CHECK(path.count() == 2);
}

TEST_CASE("WinRE and PBA find their source by kind or by path") {
  struct row {
    int action;
    std::string path;
    const char* source;
    std::string sent;
  };
  for (const auto& r :
       {row{109, "", "Option 1", winre_path}, row{107, "", "Option 2", pba_path},
        row{108, pba_path, "Option 2", pba_path}, row{110, winre_path, "Option 1", winre_path}}) {
    CAPTURE(r.action);
    auto f = machine();
    const auto argument =
        ask(r.action, ",\"bootDetails\":{\"bootPath\":" + json::quoted(r.path) + "}");
    REQUIRE(f.carry_out("boot.set", argument).ok());
    CHECK(f.asked.front() == "CIM_BootSourceSetting Enumerate");
    CHECK(source(f) == std::string("Intel(r) AMT: Force OCR UEFI Boot ") + r.source);
    uefi_parameters expected;
    expected.text(uefi_parameter::file_device_path, r.sent);
    expected.number(uefi_parameter::device_path_length, static_cast<std::uint16_t>(r.sent.size()));
    CHECK(f.sent_text(put, "UefiBootParametersArray") == expected.base64());
    CHECK(f.sent_text(put, "UefiBootNumberOfParams") == "2");
  }
}

TEST_CASE("a path that no source has is refused before anything is written") {
  auto f = machine();
  auto told = f.carry_out("boot.set", ask(107, R"(,"bootDetails":{"bootPath":"\\nowhere"})"));
  REQUIRE_FALSE(told.ok());
  CHECK(told.error().what == problem::malformed);
  CHECK(told.error().field == "bootDetails.bootPath");
  CHECK_FALSE(f.changed);

  firmware plain;
  plain.lists("CIM_BootSourceSetting", plain_boot_sources());
  CHECK(plain.fails("boot.set", ask(109)) == problem::unsupported);
  CHECK_FALSE(plain.changed);
}

TEST_CASE("secure boot is not lifted in client control mode") {
  const auto argument =
      ask(105, R"(,"bootDetails":{"url":"https://s.example/a","enforceSecureBoot":"false"})");
  firmware ccm;
  ccm.has("AMT_SetupAndConfigurationService", p("ProvisioningMode", "4"));
  auto told = ccm.carry_out("boot.set", argument);
  REQUIRE_FALSE(told.ok());
  CHECK(told.error().what == problem::malformed);
  CHECK(told.error().detail == "EnforceSecureBoot cannot be turned off in CCM");
  CHECK(ccm.asked == questions{"AMT_SetupAndConfigurationService Get"});

  auto acm = machine();
  REQUIRE(acm.carry_out("boot.set", argument).ok());
  CHECK(acm.asked.front() == "AMT_SetupAndConfigurationService Get");
  CHECK(acm.sent_text(put, "EnforceSecureBoot") == "false");
}

TEST_CASE("a boot that needs the user's consent says so and leaves nothing pending") {
  firmware f;
  f.has("AMT_BootSettingData", boot_setting_data())
      .returns("CIM_BootConfigSetting", "ChangeBootOrder", 0)
      .refuses(order, "AccessDenied")
      .returns("CIM_BootService", "SetBootConfigRole", 0);
  auto told = f.carry_out("boot.set", ask(202));
  REQUIRE_FALSE(told.ok());
  CHECK(told.error().what == problem::device_refused);
  CHECK(told.error().detail.find("request a consent code") != std::string::npos);
  REQUIRE(f.times(put) == 2);
  CHECK(f.sent_text(put, "UseIDER", 0) == "true");
  CHECK(f.sent_text(put, "UseIDER", 1) == "false");
  CHECK(f.sent_text(put, "IDERBootDevice", 1) == "0");
  CHECK(f.times(power) == 0);
}

TEST_CASE("a recovery boot without the feature says which feature") {
  firmware f;
  f.has("AMT_BootSettingData", boot_setting_data())
      .returns("CIM_BootConfigSetting", "ChangeBootOrder", 0)
      .returns("CIM_BootConfigSetting", "ChangeBootOrder", 16)
      .returns("CIM_BootService", "SetBootConfigRole", 0);
  auto told = f.carry_out("boot.set", ask(105, R"(,"bootDetails":{"url":"https://a.example/"})"));
  REQUIRE_FALSE(told.ok());
  CHECK(told.error().detail.find("One-Click Recovery") != std::string::npos);
  CHECK(f.times(power) == 0);
}

TEST_CASE("a source that the machine does not have is named") {
  firmware f;
  f.has("AMT_BootSettingData", boot_setting_data())
      .returns("CIM_BootConfigSetting", "ChangeBootOrder", 0)
      .returns("CIM_BootConfigSetting", "ChangeBootOrder", 36)
      .returns("CIM_BootService", "SetBootConfigRole", 0);
  auto told = f.carry_out("boot.set", ask(301));
  REQUIRE_FALSE(told.ok());
  CHECK(told.error().detail.find("Force Diagnostic Boot") != std::string::npos);
  CHECK(told.error().detail.find("INVALID_PARAMETER (36)") != std::string::npos);
}

TEST_CASE("a refusal of the power verb is MPS's 200 with the value") {
  firmware f;
  f.has("AMT_BootSettingData", boot_setting_data())
      .returns("CIM_BootConfigSetting", "ChangeBootOrder", 0)
      .returns("CIM_BootService", "SetBootConfigRole", 0)
      .returns("CIM_PowerManagementService", "RequestPowerStateChange", 2);
  auto told = f.carry_out("boot.set", ask(400));
  REQUIRE(told.ok());
  CHECK(*told->find("Body")->find("ReturnValue")->integer() == 2);
  CHECK(*told->find("Body")->find("ReturnValueStr")->text() == "NOT_READY");
  CHECK_FALSE(told->find("Body")->find("text")->text()->empty());
}

TEST_CASE("secure erase is an operation of its own and really erases") {
  CHECK(complaints("boot.set", ask(104)) == questions{"action"});
  CHECK(complaints("erase.secure", ask(104)).empty());
  CHECK(complaints("erase.secure", ask(100)) == questions{"action"});
  auto f = machine();
  REQUIRE(f.carry_out("erase.secure", ask(104, R"(,"bootDetails":{"password":"disk"})")).ok());
  CHECK(f.sent_text(put, "SecureErase") == "true");
  CHECK(f.sent_text(put, "RSEPassword") == "disk");
  CHECK(f.sent_text(power, "PowerState") == "10"); // it was on

  firmware off;
  off.has("AMT_BootSettingData", boot_setting_data())
      .has("AMT_BootCapabilities", recovery_boot_capabilities())
      .lists("CIM_ServiceAvailableToElement", association("8"))
      .returns("CIM_BootConfigSetting", "ChangeBootOrder", 0)
      .returns("CIM_BootService", "SetBootConfigRole", 0)
      .returns("CIM_PowerManagementService", "RequestPowerStateChange", 0);
  REQUIRE(off.carry_out("erase.secure", ask(104)).ok());
  CHECK(off.sent_text(power, "PowerState") == "2");

  firmware cannot;
  cannot.has("AMT_BootCapabilities", boot_capabilities());
  CHECK(cannot.fails("erase.secure", ask(104)) == problem::unsupported);
  CHECK_FALSE(cannot.changed);
}

TEST_CASE("the OS power actions reach the OS by way of boot options too") {
  firmware f;
  f.has("IPS_PowerManagementService", p("OSPowerSavingState", "2"))
      .returns("IPS_PowerManagementService", "RequestOSPowerSavingStateChange", 0);
  CHECK(f.shown("boot.set", ask(501)) ==
        R"({"Body":{"ReturnValue":0,"ReturnValueStr":"COMPLETED_WITH_NO_ERROR"},"ReturnValue":0})");
  CHECK(f.asked == questions{"IPS_PowerManagementService Get",
                             "IPS_PowerManagementService RequestOSPowerSavingStateChange"});
}

TEST_CASE("the argument of boot.set is checked as MPS does and where it would fail later") {
  CHECK(complaints("boot.set", R"({"action":"101","useSOL":"false","bootDetails":{}})").empty());
  CHECK(complaints("boot.set", "{}") == questions{"action", "action", "useSOL"});
  CHECK(complaints("boot.set", R"({"action":2,"useSOL":true})") == questions{"action"});
  CHECK(complaints("boot.set", ask(105)) == questions{"bootDetails.url"});
  const auto details = [](const std::string& d) {
    return complaints("boot.set",
                      ask(105, ",\"bootDetails\":{\"url\":\"https://a.example/x\"," + d + "}"));
  };
  CHECK(details(R"("username":"0123456789012345")").empty());
  CHECK(details(R"("username":"01234567890123456")") == questions{"bootDetails.username"});
  CHECK(details(R"("password":5,"bootPath":null,"enforceSecureBoot":"no")") ==
        questions{"bootDetails.password", "bootDetails.bootPath", "bootDetails.enforceSecureBoot"});
  const auto url = [](const std::string& u) {
    return complaints("boot.set", ask(105, ",\"bootDetails\":{\"url\":" + json::quoted(u) + "}"))
        .empty();
  };
  for (const auto* good : {"https://s.example/a.efi", "https://10.0.0.1:8443/a?b=c",
                           "https://user@s.example.org/", "https://[2001:db8::1]/a"})
    CHECK_MESSAGE(url(good), std::string(good));
  for (const auto* bad : {"", "http://s.example/a", "https://server/a", "ftp://s.example/",
                          "https://s.example:0/", "https://s.example:99999/", "https://.example/",
                          "https://s.example/a b", "javascript:alert(1)", "https://"})
    CHECK_MESSAGE(!url(bad), std::string(bad));
  CHECK_FALSE(url("https://s.example/" + std::string(300, 'a')));
}

TEST_CASE("a password is not told back by the check") {
  const auto* o = find_operation("boot.set");
  REQUIRE(o != nullptr);
  CHECK(o->secret);
  auto v = json::parse(
      ask(105, R"(,"bootDetails":{"url":"https://a.example/","password":"12345678901234567"})"));
  const auto errors = o->check(*v);
  REQUIRE(errors.size() == 1);
  CHECK_FALSE(errors.front().value.has_value());
}

TEST_CASE("boot sources are told in MPS's shape with both spellings") {
  firmware f;
  f.lists("CIM_BootSourceSetting",
          source_item("Force PXE Boot", "CIM:Network:1") +
              source_item("Force OCR UEFI Boot Option 1", "CIM:Hard-Disk:2",
                          p("BIOSBootString", "WinRe") + p("BootString", "path")));
  CHECK(f.shown("boot.sources") ==
        R"([{"biosBootString":"","bootString":"","elementName":"Intel(r) AMT: Boot Source",)"
        R"("failThroughSupported":2,"instanceID":"Intel(r) AMT: Force PXE Boot",)"
        R"("structuredBiosBootString":"CIM:Network:1","structuredBootString":"CIM:Network:1"},)"
        R"({"biosBootString":"WinRe","bootString":"path",)"
        R"("elementName":"Intel(r) AMT: Boot Source","failThroughSupported":2,)"
        R"("instanceID":"Intel(r) AMT: Force OCR UEFI Boot Option 1",)"
        R"("structuredBiosBootString":"CIM:Hard-Disk:2",)"
        R"("structuredBootString":"CIM:Hard-Disk:2"}])");
  firmware none;
  none.lists("CIM_BootSourceSetting", "");
  CHECK(none.shown("boot.sources") == "[]");
  firmware loud;
  loud.lists("CIM_BootSourceSetting",
             item("CIM_BootSourceSetting", p("BootString", std::string(2000, 'x'))));
  CHECK(loud.fails("boot.sources") == problem::device_protocol);
  std::string many;
  for (int i = 0; i < 101; ++i)
    many += item("CIM_BootSourceSetting", p("InstanceID", std::to_string(i)));
  firmware long_list;
  long_list.lists("CIM_BootSourceSetting", many);
  CHECK(long_list.fails("boot.sources") == problem::device_protocol);
}

TEST_CASE("the boot state tells what is pending") {
  firmware f;
  f.has("AMT_BootSettingData", boot_setting_data("true"));
  CHECK(f.shown("boot.state") ==
        R"({"optionsCleared":true,"biosSetup":false,"useSOL":false,"useIDER":true,)"
        R"("iderBootDevice":"floppy","secureErase":false,"platformErase":false,)"
        R"("enforceSecureBoot":false,"uefiParameters":0,"httpsBootEnabled":true,)"
        R"("winREBootEnabled":true,"localPBABootEnabled":true,"rpeEnabled":true,)"
        R"("biosLastStatus":"none"})");
  firmware odd;
  odd.has("AMT_BootSettingData",
          p("BIOSLastStatus", "1") + p("BIOSLastStatus", "2") + p("BIOSLastStatus", "3"));
  CHECK(odd.fails("boot.state") == problem::device_protocol);
  firmware absurd;
  absurd.has("AMT_BootSettingData", p("UefiBootNumberOfParams", "4000000000"));
  CHECK(absurd.fails("boot.state") == problem::device_protocol);
  CHECK(bios_status_text(0xFFFF) == "failed");
}

} // namespace
} // namespace outband::amt
