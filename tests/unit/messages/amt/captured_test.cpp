// The answers captured from devices, as a whole: OUTBAND_FIXTURES names their folder.
#include "tests/unit/messages/amt/captured.hpp"

namespace outband::amt {
namespace {

using namespace test;

TEST_CASE("captured features boot options and screens have the values they had" *
          doctest::skip(no_captures())) {
  firmware f;
  f.captured("AMT_RedirectionService Get", "amt/redirectionservice/get.xml")
      .captured("IPS_OptInService Get", "ips/optin/get.xml")
      .captured("CIM_KVMRedirectionSAP Get", "cim/kvm/get.xml")
      .captured("CIM_BootService Get", "cim/boot/service/get.xml")
      .captured_list("CIM_BootSourceSetting", "cim/boot/sourcesetting")
      .captured("AMT_BootCapabilities Get", "amt/boot/capabilities/get.xml")
      .captured("AMT_BootSettingData Get", "amt/boot/settingdata/get.xml");
  auto features = f.carry_out("features.get");
  REQUIRE_MESSAGE(features.ok(), f.why);
  CHECK(*features->find("userConsent")->text() == "none");
  CHECK(*features->find("SOL")->boolean());
  CHECK(*features->find("IDER")->boolean());
  CHECK(*features->find("kvmAvailable")->boolean());
  CHECK_FALSE(*features->find("ocr")->boolean());

  auto sources = f.carry_out("boot.sources");
  REQUIRE(sources.ok());
  REQUIRE(sources->items()->size() == 3);
  CHECK(*(*sources->items())[1].find("instanceID")->text() == "Intel(r) AMT: Force PXE Boot");
  CHECK(*(*sources->items())[1].find("structuredBootString")->text() == "CIM:Network:1");

  auto state = f.carry_out("boot.state");
  REQUIRE(state.ok());
  CHECK(*state->find("rpeEnabled")->boolean());
  CHECK(*state->find("biosLastStatus")->text() == "none");

  auto erases = f.carry_out("erase.capabilities");
  REQUIRE(erases.ok());
  CHECK_FALSE(*erases->find("tpmClear")->boolean());

  f.captured_list("IPS_ScreenSettingData", "ips/screensetting")
      .captured("IPS_KVMRedirectionSettingData Get", "ips/kvmredirection/settings/get.xml")
      .captured("IPS_KVMRedirectionSettingData Put", "ips/kvmredirection/settings/put.xml");
  auto displays = f.carry_out("displays.get");
  REQUIRE_MESSAGE(displays.ok(), f.why);
  const auto& screens = *displays->find("displays")->items();
  REQUIRE(screens.size() == 4);
  CHECK(*screens[1].find("upperLeftX")->integer() == 1920);
  CHECK(*screens[0].find("role")->text() == "primary");
  CHECK(*screens[0].find("isDefault")->boolean());
  auto chosen = f.carry_out("displays.set", R"({"displayIndex":1})");
  CHECK_MESSAGE(chosen.ok(), f.why);
}

TEST_CASE("captured answers of methods are understood" * doctest::skip(no_captures())) {
  firmware f;
  f.captured("IPS_OptInService StartOptIn", "ips/optin/startoptin.xml")
      .captured("IPS_OptInService SendOptInCode", "ips/optin/sendoptincode.xml")
      .captured("IPS_OptInService CancelOptIn", "ips/optin/canceloptin.xml");
  for (const auto* name : {"consent.request", "consent.send", "consent.cancel"}) {
    CAPTURE(name);
    auto told = f.carry_out(name, R"({"consentCode":1})");
    REQUIRE_MESSAGE(told.ok(), f.why);
    CHECK(*told->find("Body")->find("ReturnValueStr")->text() == "NOT_READY");
    CHECK(told->find("Header")->find("Action")->text()->find("Response") != std::string::npos);
  }
  f.captured("AMT_SetupAndConfigurationService Unprovision",
             "amt/setupandconfiguration/unprovision.xml");
  CHECK(f.shown("deactivate") == R"({"status":"SUCCESS"})");
  f.captured("AMT_AlarmClockService AddAlarm", "amt/alarmclock/addalarm.xml")
      .captured("IPS_AlarmClockOccurrence Delete", "ips/alarmclock/delete.xml")
      .captured_list("IPS_AlarmClockOccurrence", "ips/alarmclock");
  CHECK(f.shown("alarms.add", R"({"ElementName":"a","StartTime":"2030-01-01"})") ==
        R"({"status":"SUCCESS","ReturnValue":0})");
  CHECK(f.shown("alarms.remove", R"({"Name":"a"})") == R"({"status":"SUCCESS"})");
  auto alarms = f.carry_out("alarms.list");
  REQUIRE_MESSAGE(alarms.ok(), f.why);
  REQUIRE(alarms->items()->size() == 1);
  CHECK(*alarms->items()->front().find("InstanceID")->text() == "testalarm");

  f.captured("AMT_BootSettingData Get", "amt/boot/settingdata/get.xml")
      .captured("CIM_BootConfigSetting ChangeBootOrder",
                "cim/boot/configsetting/changebootorder.xml")
      .captured("CIM_BootService SetBootConfigRole", "cim/boot/service/setbootconfigrole.xml")
      .captured("CIM_PowerManagementService RequestPowerStateChange",
                "cim/power/managementservice/requestpowerstatechange.xml");
  auto boot = f.carry_out("boot.set", R"({"action":400,"useSOL":false})");
  REQUIRE_MESSAGE(boot.ok(), f.why);
  CHECK(*boot->find("Body")->find("ReturnValueStr")->text() == "SUCCESS");
  f.captured("IPS_PowerManagementService Get", "ips/power/managementservice/get.xml")
      .captured("IPS_PowerManagementService RequestOSPowerSavingStateChange",
                "ips/power/managementservice/requestospowersavingstatechange.xml");
  auto os = f.carry_out("power.os", R"({"action":501})");
  REQUIRE_MESSAGE(os.ok(), f.why);
  CHECK(*os->find("Body")->find("ReturnValue")->integer() == 0);
  f.captured("AMT_RedirectionService Get", "amt/redirectionservice/get.xml")
      .captured("IPS_OptInService Get", "ips/optin/get.xml")
      .captured("CIM_KVMRedirectionSAP Get", "cim/kvm/get.xml")
      .captured("AMT_RedirectionService RequestStateChange",
                "amt/redirectionservice/requeststatechange.xml")
      .captured("AMT_RedirectionService Put", "amt/redirectionservice/put.xml");
  auto kvm = f.carry_out("features.set", R"({"userConsent":"none","enableSOL":false,)"
                                         R"("enableIDER":false,"enableKVM":true})");
  CHECK_MESSAGE(kvm.ok(), f.why);
  CHECK(f.times("AMT_RedirectionService Put") == 1);
}

} // namespace
} // namespace outband::amt
