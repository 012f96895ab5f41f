#include "messages/amt/erase.hpp"

#include "tests/unit/messages/amt/captured.hpp"

namespace outband::amt {
namespace {

using namespace test;

const std::string put = "AMT_BootSettingData Put";
const std::string state = "CIM_BootService RequestStateChange";
const std::string role = "CIM_BootService SetBootConfigRole";
const std::string power = "CIM_PowerManagementService RequestPowerStateChange";

firmware machine(const std::string& version = "16.1.25", const std::string& power_state = "2",
                 const std::string& rpe = "true") {
  firmware f;
  f.lists("CIM_SoftwareIdentity", software("AMT", version))
      .has("AMT_BootCapabilities", recovery_boot_capabilities())
      .has("AMT_BootSettingData", boot_setting_data("false", rpe))
      .lists("CIM_ServiceAvailableToElement", association(power_state))
      .returns("CIM_BootService", "RequestStateChange", 0)
      .returns("CIM_BootService", "SetBootConfigRole", 0);
  return f;
}

TEST_CASE("what can be erased is what BIOS and firmware offer") {
  firmware f;
  f.has("AMT_BootCapabilities", recovery_boot_capabilities());
  CHECK(f.shown("erase.capabilities") == R"({"secureEraseAllSSDs":true,"tpmClear":true,)"
                                         R"("restoreBIOSToEOM":true,"unconfigureCSME":true})");
  const std::string nothing = R"({"secureEraseAllSSDs":false,"tpmClear":false,)"
                              R"("restoreBIOSToEOM":false,"unconfigureCSME":false})";
  firmware old;
  old.has("AMT_BootCapabilities", boot_capabilities());
  CHECK(old.shown("erase.capabilities") == nothing);
  CHECK(firmware().shown("erase.capabilities") == nothing);
  firmware bits; // targets without the bit that says that there is an erase at all
  bits.has("AMT_BootCapabilities", p("PlatformErase", "68"));
  CHECK(bits.shown("erase.capabilities") == nothing);
  firmware absurd;
  absurd.has("AMT_BootCapabilities", p("PlatformErase", "all"));
  CHECK(absurd.fails("erase.capabilities") == problem::device_protocol);
}

TEST_CASE("an erase is ordered as Console does and the machine booted") {
  auto f = machine();
  f.returns("CIM_PowerManagementService", "RequestPowerStateChange", 0);
  CHECK(f.shown("erase.set",
                R"({"secureEraseAllSSDs":true,"tpmClear":"true","ssdPassword":"disk"})") ==
        R"({"status":"SUCCESS","ReturnValue":0})");
  CHECK(f.asked == questions{"CIM_SoftwareIdentity Enumerate", "CIM_SoftwareIdentity Pull",
                             "AMT_BootCapabilities Get", "AMT_BootSettingData Get",
                             "CIM_ServiceAvailableToElement Enumerate",
                             "CIM_ServiceAvailableToElement Pull", state, put, state, put, role,
                             power});
  CHECK(f.sent_text(state, "RequestedState", 0) == "32768");
  CHECK(f.sent_text(state, "RequestedState", 1) == "32770");
  CHECK(f.sent_text(put, "PlatformErase", 0) == "true");
  CHECK(f.sent_text(put, "InstanceID", 0) == "Intel(r) AMT:BootSettingData 0");
  CHECK(f.sent_text(put, "UefiBootParametersArray", 1) == "hoABAAQAAABEAAAA");
  CHECK(f.sent_text(put, "UefiBootNumberOfParams", 1) == "1");
  CHECK(f.sent_text(put, "RSEPassword", 1) == "disk");
  CHECK(f.sent_text(put, "ConfigurationDataReset", 1) == "false");
  CHECK(f.sent_text(power, "PowerState") == "5");
}

TEST_CASE("a machine that is off is switched on to be erased") {
  auto f = machine("18.0.5", "8");
  f.returns("CIM_PowerManagementService", "RequestPowerStateChange", 0);
  REQUIRE(f.carry_out("erase.set", R"({"restoreBIOSToEOM":true})").ok());
  CHECK(f.sent_text(power, "PowerState") == "2");
  CHECK(f.sent_text(put, "RSEPassword", 1) == "(none)");
}

TEST_CASE("the management engine alone is reset without an erase of hardware") {
  auto f = machine();
  f.returns("CIM_PowerManagementService", "RequestPowerStateChange", 0)
      .returns("CIM_BootConfigSetting", "ChangeBootOrder", 0);
  REQUIRE(f.carry_out("erase.set", R"({"unconfigureCSME":true})").ok());
  CHECK(f.times("CIM_BootConfigSetting ChangeBootOrder") == 1);
  REQUIRE(f.times(put) == 1);
  CHECK(f.sent_text(put, "ConfigurationDataReset") == "true");
  CHECK(f.sent_text(put, "PlatformErase") == "false");
  CHECK(f.sent_text(put, "UefiBootParametersArray") == "(none)");
}

TEST_CASE("nothing is written to a machine that cannot erase") {
  const std::string wish = R"({"tpmClear":true})";
  auto old = machine("15.0.42");
  CHECK(old.fails("erase.set", wish) == problem::unsupported);
  CHECK(old.why.find("AMT 16") != std::string::npos);
  CHECK_FALSE(old.changed);

  auto off = machine("16.1.25", "2", "false");
  CHECK(off.fails("erase.set", wish) == problem::unsupported);
  CHECK(off.why.find("not enabled by the BIOS") != std::string::npos);
  CHECK_FALSE(off.changed);

  firmware lacks;
  lacks.lists("CIM_SoftwareIdentity", software("AMT", "16.1.25"))
      .has("AMT_BootCapabilities", p("PlatformErase", "5"));
  auto told = lacks.carry_out("erase.set", wish);
  REQUIRE_FALSE(told.ok());
  CHECK(told.error().field == "tpmClear");
  CHECK_FALSE(lacks.changed);
}

TEST_CASE("an erase that is refused on the way is taken back") {
  const std::string wish = R"({"tpmClear":true})";
  const auto taken_back = [](const firmware& f) {
    const auto last = f.times(put) - 1;
    CHECK(f.sent_text(put, "PlatformErase", last) == "false");
    CHECK(f.sent_text(put, "ConfigurationDataReset", last) == "false");
    CHECK(f.asked.back() == put);
  };
  auto f = machine();
  f.returns("CIM_PowerManagementService", "RequestPowerStateChange", 2);
  CHECK(f.fails("erase.set", wish) == problem::device_refused);
  CHECK(f.why.find("NOT_READY (2)") != std::string::npos);
  taken_back(f);

  auto stubborn = machine();
  stubborn.refuses(put, "InvalidRepresentation");
  CHECK(stubborn.fails("erase.set", wish) == problem::device_refused);
  CHECK(stubborn.times(power) == 0);
  taken_back(stubborn);

  firmware unarmed;
  unarmed.lists("CIM_SoftwareIdentity", software("AMT", "16.1.25"))
      .has("AMT_BootCapabilities", recovery_boot_capabilities())
      .has("AMT_BootSettingData", boot_setting_data())
      .lists("CIM_ServiceAvailableToElement", association("2"))
      .returns("CIM_BootService", "SetBootConfigRole", 36);
  CHECK(unarmed.fails("erase.set", wish) == problem::device_refused);
  CHECK(unarmed.times(power) == 0);
  taken_back(unarmed);
}

TEST_CASE("the argument of erase.set names at least one target") {
  CHECK(complaints("erase.set", R"({"tpmClear":true})").empty());
  CHECK(complaints("erase.set", "{}") == questions{"secureEraseAllSSDs"});
  CHECK(complaints("erase.set", R"({"tpmClear":false})") == questions{"secureEraseAllSSDs"});
  CHECK(complaints("erase.set", R"({"tpmClear":"yes","ssdPassword":7})") ==
        questions{"tpmClear", "ssdPassword"});
  CHECK(complaints("erase.set",
                   "{\"tpmClear\":true,\"ssdPassword\":" + json::quoted(std::string(65, 'x')) +
                       "}") == questions{"ssdPassword"});
  CHECK(find_operation("erase.set")->secret);
}

} // namespace
} // namespace outband::amt
