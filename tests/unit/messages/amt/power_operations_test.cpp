#include "messages/amt/status.hpp"
#include "messages/domain/amt.hpp"

#include "tests/unit/messages/amt/captured.hpp"

namespace outband::amt {
namespace {

using namespace test;

const std::string change = "IPS_PowerManagementService RequestOSPowerSavingStateChange";

firmware os_is(const std::string& state) {
  firmware f;
  f.has("IPS_PowerManagementService", p("OSPowerSavingState", state));
  return f;
}

std::string body(const std::string& value, const std::string& text) {
  return "{\"Body\":{\"ReturnValue\":" + value + ",\"ReturnValueStr\":\"" + text +
         "\"},\"ReturnValue\":" + value + "}";
}

TEST_CASE("the OS is brought to full power or to saving") {
  for (const auto& [action, now, wanted] :
       {std::tuple{"500", "3", "2"}, std::tuple{"\"501\"", "2", "3"}}) {
    auto f = os_is(now);
    f.returns("IPS_PowerManagementService", "RequestOSPowerSavingStateChange", 0);
    const auto argument = std::string("{\"action\":") + action + "}";
    CHECK(complaints("power.os", argument).empty());
    CHECK(f.shown("power.os", argument) == body("0", "COMPLETED_WITH_NO_ERROR"));
    CHECK(f.asked == questions{"IPS_PowerManagementService Get", change});
    CHECK(f.sent_text(change, "OSPowerSavingState") == wanted);
  }
}

TEST_CASE("an OS that is there already or cannot is told without asking for it") {
  auto f = os_is("2");
  CHECK(f.shown("power.os", R"({"action":500})") == body("0", "COMPLETED_WITH_NO_ERROR"));
  CHECK(f.times(change) == 0);
  f = os_is("1");
  CHECK(f.shown("power.os", R"({"action":500})") == body("2", "OS_POWER_STATE_UNSUPPORTED"));
  f = os_is("0");
  CHECK(f.shown("power.os", R"({"action":501})") == body("1", "OS_POWER_STATE_UNKNOWN"));
  f = os_is("99"); // outside the enumeration
  CHECK(f.shown("power.os", R"({"action":501})") == body("1", "OS_POWER_STATE_UNKNOWN"));
  CHECK(firmware().shown("power.os", R"({"action":501})") == body("1", "OS_POWER_STATE_UNKNOWN"));
}

TEST_CASE("what the OS power request returns has a name") {
  struct row {
    int value;
    const char* text;
  };
  for (const auto& r :
       {row{1, "NOT_SUPPORTED"}, row{6, "IN_USE"}, row{4099, "BUSY"},
        row{4096, "METHOD_PARAMETERS_CHECKED_JOB_STARTED"}, row{77, "UNKNOWN_ERROR"}}) {
    auto f = os_is("3");
    f.returns("IPS_PowerManagementService", "RequestOSPowerSavingStateChange", r.value);
    CHECK(f.shown("power.os", R"({"action":500})") == body(std::to_string(r.value), r.text));
  }
  auto f = os_is("3");
  f.refuses(change, "AccessDenied");
  CHECK(f.shown("power.os", R"({"action":500})") == body("-1", "UNKNOWN_ERROR"));
  f = os_is("3");
  f.gives(change, item("CIM_Chip", ""));
  CHECK(f.fails("power.os", R"({"action":500})") == problem::device_protocol);
}

TEST_CASE("the OS power actions are two") {
  CHECK(complaints("power.os", R"({"action":2})") == questions{"action"});
  CHECK(complaints("power.os", "{}") == questions{"action", "action"});
}

TEST_CASE("power capabilities have MPS's labels in its order") {
  firmware f;
  f.lists("CIM_SoftwareIdentity", software("AMT", "12.0.67"))
      .has("AMT_BootCapabilities", boot_capabilities())
      .lists("CIM_ServiceAvailableToElement", association("2"));
  CHECK(f.shown("power.capabilities") ==
        R"({"Power up":2,"Power cycle":5,"Power down":8,"Reset":10,"Soft-off":12,)"
        R"("Soft-reset":14,"Sleep":4,"Hibernate":7,"Power up to BIOS":100,"Reset to BIOS":101,)"
        R"("Reset to IDE-R Floppy":200,"Power on to IDE-R Floppy":201,)"
        R"("Reset to IDE-R CDROM":202,"Power on to IDE-R CDROM":203,"Reset to PXE":400,)"
        R"("Power on to PXE":401})");
  firmware old;
  old.lists("CIM_SoftwareIdentity", software("AMT", "9.5.22"))
      .has("AMT_BootCapabilities", p("SecureErase", "true") + p("ForceDiagnosticBoot", "true"));
  CHECK(old.shown("power.capabilities") ==
        R"({"Power up":2,"Power cycle":5,"Power down":8,"Reset":10,"Reset to Secure Erase":104,)"
        R"("Reset to IDE-R Floppy":200,"Power on to IDE-R Floppy":201,)"
        R"("Reset to IDE-R CDROM":202,"Power on to IDE-R CDROM":203,"Power on to diagnostic":300,)"
        R"("Reset to diagnostic":301,"Reset to PXE":400,"Power on to PXE":401})");
}

TEST_CASE("the power state is told in MPS's shape") {
  firmware f;
  f.has("IPS_PowerManagementService", p("OSPowerSavingState", "3"))
      .lists("CIM_ServiceAvailableToElement", association("2"));
  CHECK(f.shown("power.state") == R"({"powerstate":2,"OSPowerSavingState":3})");
}

TEST_CASE("every refusal has a sentence for the person who asked") {
  CHECK(status_text(0).empty());
  for (std::uint32_t value = 1; value < 5000; ++value) {
    CAPTURE(value);
    CHECK_FALSE(status_text(value).empty());
  }
  const auto why = status_failure("AddAlarm", 2081);
  CHECK(why.what == problem::device_refused);
  CHECK(why.detail == "AddAlarm was refused with USER_CONSENT_REQUIRED (2081): the user at the "
                      "machine has to consent first: request a consent code");
}

} // namespace
} // namespace outband::amt
