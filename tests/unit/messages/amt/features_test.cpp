#include "tests/unit/messages/amt/captured.hpp"

namespace outband::amt {
namespace {

using namespace test;

firmware modern() {
  firmware f;
  f.has("AMT_RedirectionService", redirection_service())
      .has("IPS_OptInService", opt_in_service("4294967295", "3"))
      .has("CIM_KVMRedirectionSAP", kvm_sap())
      .has("CIM_BootService", boot_service("32771"))
      .lists("CIM_BootSourceSetting", recovery_boot_sources())
      .has("AMT_BootCapabilities", recovery_boot_capabilities())
      .has("AMT_BootSettingData", boot_setting_data())
      .returns("AMT_RedirectionService", "RequestStateChange", 0)
      .returns("CIM_KVMRedirectionSAP", "RequestStateChange", 0)
      .returns("CIM_BootService", "RequestStateChange", 0);
  return f;
}

const questions read_order{"AMT_RedirectionService Get",      "IPS_OptInService Get",
                           "CIM_KVMRedirectionSAP Get",       "CIM_BootService Get",
                           "CIM_BootSourceSetting Enumerate", "CIM_BootSourceSetting Pull",
                           "AMT_BootCapabilities Get",        "AMT_BootSettingData Get"};
const questions three_reads(read_order.begin(), read_order.begin() + 3);

questions with(questions base, const questions& more) {
  base.insert(base.end(), more.begin(), more.end());
  return base;
}

TEST_CASE("features are read in MPS's order and told in its shape") {
  auto f = modern();
  auto told = f.carry_out("features.get");
  REQUIRE_MESSAGE(told.ok(), to_string(told.error()));
  CHECK(json::dump(*told) ==
        R"({"userConsent":"all","redirection":true,"KVM":true,"SOL":true,"IDER":true,)"
        R"("optInState":3,"kvmAvailable":true,"ocr":true,"httpsBootSupported":true,)"
        R"("winREBootSupported":true,"localPBABootSupported":true,"remoteErase":true,)"
        R"("rpe":true,"rpeSupported":true})");
  CHECK(f.asked == read_order);
  CHECK_FALSE(f.changed);
}

TEST_CASE("firmware of the recorded device has no recovery and says so") {
  firmware f;
  f.has("AMT_RedirectionService", redirection_service())
      .has("IPS_OptInService", opt_in_service())
      .has("CIM_KVMRedirectionSAP", kvm_sap("2"))
      .has("CIM_BootService", boot_service("2"))
      .lists("CIM_BootSourceSetting", plain_boot_sources())
      .has("AMT_BootCapabilities", boot_capabilities())
      .has("AMT_BootSettingData", boot_setting_data());
  auto told = f.carry_out("features.get");
  REQUIRE(told.ok());
  CHECK(json::dump(*told) ==
        R"({"userConsent":"none","redirection":true,"KVM":true,"SOL":true,"IDER":true,)"
        R"("optInState":0,"kvmAvailable":true,"ocr":false,"httpsBootSupported":false,)"
        R"("winREBootSupported":false,"localPBABootSupported":false,"remoteErase":false,)"
        R"("rpe":false,"rpeSupported":false})");
}

TEST_CASE("what a firmware does not have is off and not an error") {
  firmware f; // nothing but redirection
  f.has("AMT_RedirectionService", redirection_service("32769", "false"));
  auto told = f.carry_out("features.get");
  REQUIRE(told.ok());
  CHECK(json::dump(*told) ==
        R"({"redirection":false,"KVM":false,"SOL":false,"IDER":true,"optInState":0,)"
        R"("kvmAvailable":false,"ocr":false,"httpsBootSupported":false,)"
        R"("winREBootSupported":false,"localPBABootSupported":false,"remoteErase":false,)"
        R"("rpe":false,"rpeSupported":false})");
}

TEST_CASE("nonsense among the features ends the reading and is named") {
  struct row {
    const char* question;
    std::string body;
    const char* in_text;
  };
  for (const auto& r :
       {row{"AMT_RedirectionService Get", item("AMT_RedirectionService", ""),
            "EnabledState is missing"},
        row{"AMT_RedirectionService Get",
            item("AMT_RedirectionService", redirection_service("many")), "'many'"},
        row{"IPS_OptInService Get", item("IPS_OptInService", opt_in_service("0", "99")),
            "OptInState"},
        row{"CIM_KVMRedirectionSAP Get", item("CIM_KVMRedirectionSAP", kvm_sap("99999999999")),
            "EnabledState"},
        row{"AMT_BootCapabilities Get", item("CIM_Chip", ""), "holds no"},
        row{"AMT_BootCapabilities Get", item("AMT_BootCapabilities", p("PlatformErase", "-1")),
            "PlatformErase"},
        row{"AMT_BootSettingData Get",
            item("AMT_BootSettingData", p("WinREBootEnabled", "perhaps")), "WinREBootEnabled"}}) {
    CAPTURE(r.in_text);
    firmware f;
    f.gives(r.question, r.body); // comes before the good answer
    f.has("AMT_RedirectionService", redirection_service())
        .has("IPS_OptInService", opt_in_service())
        .has("CIM_KVMRedirectionSAP", kvm_sap())
        .has("CIM_BootService", boot_service("32768"))
        .has("AMT_BootCapabilities", boot_capabilities())
        .has("AMT_BootSettingData", boot_setting_data());
    auto told = f.carry_out("features.get");
    REQUIRE_FALSE(told.ok());
    CHECK(told.error().what == problem::device_protocol);
    CHECK(told.error().detail.find(r.in_text) != std::string::npos);
  }
}

TEST_CASE("nothing is written when everything is already so") {
  auto f = modern();
  auto told = f.carry_out("features.set", R"({"userConsent":"all","enableSOL":true,)"
                                          R"("enableIDER":true,"enableKVM":true})");
  REQUIRE(told.ok());
  CHECK(json::dump(*told) == R"({"status":"AMT Features updated"})");
  CHECK(f.asked == three_reads);
  CHECK_FALSE(f.changed);
}

TEST_CASE("only what changes is written and in MPS's order") {
  auto f = modern();
  auto told =
      f.carry_out("features.set", R"({"userConsent":"kvm","enableSOL":"false","enableIDER":true,)"
                                  R"("enableKVM":0,"ocr":false})");
  REQUIRE_MESSAGE(told.ok(), to_string(told.error()));
  CHECK(f.asked ==
        with(three_reads, {"CIM_BootService Get", "AMT_RedirectionService RequestStateChange",
                           "CIM_KVMRedirectionSAP RequestStateChange", "AMT_RedirectionService Put",
                           "IPS_OptInService Put", "CIM_BootService RequestStateChange"}));
  CHECK(f.sent_text("AMT_RedirectionService RequestStateChange", "RequestedState") == "32769");
  CHECK(f.sent_text("CIM_KVMRedirectionSAP RequestStateChange", "RequestedState") == "3");
  CHECK(f.sent_text("AMT_RedirectionService Put", "EnabledState") == "32769");
  CHECK(f.sent_text("AMT_RedirectionService Put", "ListenerEnabled") == "true");
  CHECK(f.sent_text("AMT_RedirectionService Put", "SystemName") == "Intel(r) AMT");
  CHECK(f.sent_text("IPS_OptInService Put", "OptInRequired") == "1");
  CHECK(f.sent_text("IPS_OptInService Put", "OptInCodeTimeout") == "120");
  // Remote erase stays on: only One-Click Recovery was asked about.
  CHECK(f.sent_text("CIM_BootService RequestStateChange", "RequestedState") == "32770");
  CHECK(f.changed);
}

TEST_CASE("KVM alone is one request and the listener follows the last feature") {
  auto f = modern();
  REQUIRE(f.carry_out("features.set", R"({"userConsent":"all","enableSOL":true,"enableIDER":true,)"
                                      R"("enableKVM":false})")
              .ok());
  CHECK(f.asked == with(three_reads, {"CIM_KVMRedirectionSAP RequestStateChange"}));
  REQUIRE(f.carry_out("features.set", R"({"userConsent":"all","enableSOL":false,)"
                                      R"("enableIDER":false,"enableKVM":false})")
              .ok());
  CHECK(f.sent_text("AMT_RedirectionService Put", "ListenerEnabled") == "false");
  CHECK(f.sent_text("AMT_RedirectionService Put", "EnabledState") == "32768");

  firmware closed;
  closed.has("AMT_RedirectionService", redirection_service("32771", "false"))
      .has("IPS_OptInService", opt_in_service());
  REQUIRE(closed
              .carry_out("features.set", R"({"userConsent":"none","enableSOL":true,)"
                                         R"("enableIDER":true,"enableKVM":false})")
              .ok());
  CHECK(closed.asked == with(three_reads, {"AMT_RedirectionService Put"}));
  CHECK(closed.sent_text("AMT_RedirectionService Put", "ListenerEnabled") == "true");
}

TEST_CASE("what this firmware cannot do is refused before anything is written") {
  const std::string base = R"({"userConsent":"none","enableSOL":false,"enableIDER":false,)";
  struct row {
    std::string rest;
    const char* field;
  };
  for (const auto& r :
       {row{R"("enableKVM":true})", "enableKVM"}, row{R"("enableKVM":false,"ocr":true})", "ocr"},
        row{R"("enableKVM":false,"rpe":true})", "rpe"}}) {
    CAPTURE(r.field);
    firmware f;
    f.has("AMT_RedirectionService", redirection_service())
        .has("IPS_OptInService", opt_in_service())
        .has("CIM_BootService", boot_service("2"));
    auto told = f.carry_out("features.set", base + r.rest);
    REQUIRE_FALSE(told.ok());
    CHECK(told.error().what == problem::unsupported);
    CHECK(told.error().field == r.field);
    CHECK_FALSE(f.changed);
  }
  firmware f; // recovery, but its BIOS erases nothing
  f.has("AMT_RedirectionService", redirection_service())
      .has("IPS_OptInService", opt_in_service())
      .has("CIM_BootService", boot_service("32769"))
      .has("AMT_BootCapabilities", boot_capabilities());
  auto told = f.carry_out("features.set", base + R"("enableKVM":false,"rpe":true})");
  REQUIRE_FALSE(told.ok());
  CHECK(told.error().field == "rpe");
  CHECK_FALSE(f.changed);
}

TEST_CASE("in client control mode the consent policy stays as it is") {
  const auto ask = [](const char* consent) {
    firmware f;
    f.has("AMT_RedirectionService", redirection_service("32768", "false"))
        .has("IPS_OptInService", opt_in_service("4294967295", "0", "0"));
    return f.carry_out("features.set", std::string(R"({"userConsent":")") + consent +
                                           R"(","enableSOL":false,"enableIDER":false,)"
                                           R"("enableKVM":false})");
  };
  CHECK(ask("all").ok());
  auto told = ask("none");
  REQUIRE_FALSE(told.ok());
  CHECK(told.error().what == problem::unsupported);
  CHECK(told.error().field == "userConsent");
}

TEST_CASE("a state that the firmware does not take is told with its name and what to do") {
  firmware f;
  f.has("AMT_RedirectionService", redirection_service("32768", "false"))
      .has("IPS_OptInService", opt_in_service())
      .returns("AMT_RedirectionService", "RequestStateChange", 16);
  auto told = f.carry_out("features.set", R"({"userConsent":"none","enableSOL":true,)"
                                          R"("enableIDER":false,"enableKVM":false})");
  REQUIRE_FALSE(told.ok());
  CHECK(told.error().what == problem::device_refused);
  CHECK(told.error().detail.find("NOT_PERMITTED (16)") != std::string::npos);
  CHECK(told.error().detail.find("admin control mode") != std::string::npos);
  CHECK(f.times("AMT_RedirectionService Put") == 0);
}

TEST_CASE("a started job counts as done") {
  firmware f;
  f.has("AMT_RedirectionService", redirection_service("32768", "false"))
      .has("IPS_OptInService", opt_in_service())
      .returns("AMT_RedirectionService", "RequestStateChange", 4096);
  CHECK(f.carry_out("features.set", R"({"userConsent":"none","enableSOL":true,)"
                                    R"("enableIDER":false,"enableKVM":false})")
            .ok());
}

TEST_CASE("the argument of features.set is checked as MPS does") {
  CHECK(complaints("features.set", R"({"userConsent":"kvm","enableSOL":"true","enableIDER":1,)"
                                   R"("enableKVM":false,"method":"x"})")
            .empty());
  CHECK(complaints("features.set", "{}") ==
        questions{"userConsent", "userConsent", "enableSOL", "enableIDER", "enableKVM"});
  CHECK(complaints("features.set", "[]").size() == 5);
  CHECK(complaints("features.set", R"({"userConsent":"KVM","enableSOL":"yes","enableIDER":2,)"
                                   R"("enableKVM":null,"ocr":null,"rpe":"off"})") ==
        questions{"userConsent", "enableSOL", "enableIDER", "enableKVM", "ocr", "rpe"});
}

} // namespace
} // namespace outband::amt
