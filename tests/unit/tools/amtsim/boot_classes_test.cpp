#include "tests/unit/tools/amtsim/bench_client.hpp"
#include "tools/amtsim/classes.hpp"

namespace outband::amtsim {
namespace {

using namespace test;

std::string source(const std::string& id) {
  return wsman::endpoint_parameter("Source", {wsman::class_uri("CIM_BootSourceSetting"),
                                              {{"InstanceID", "Intel(r) AMT: " + id}}});
}
wsman_reply change_order(bench_machine& m, const std::string& inner) {
  return serve(m, method("CIM_BootConfigSetting", "ChangeBootOrder", inner));
}
std::string setting(bench_machine& m, const char* name) {
  return std::string(get(m, "AMT_BootSettingData").child_text(name));
}
void reset(bench_machine& m) {
  REQUIRE(m.ask(10) == 0);
  m.after(100);
}

TEST_CASE("boot options last one boot") {
  bench_machine m;
  CHECK(put(m, "AMT_BootSettingData",
            wsman::property("UseIDER", "true") + wsman::property("IDERBootDevice", "1") +
                wsman::property("UseSOL", "1"))
            .http_status == 200);
  CHECK(setting(m, "OptionsCleared") == "false");
  CHECK(setting(m, "UseIDER") == "true");
  reset(m);
  CHECK(setting(m, "OptionsCleared") == "true");
  CHECK(setting(m, "UseIDER") == "false");
  CHECK(m.model.last_boot == "IDE-R CD, SOL");
  reset(m);
  CHECK(m.model.last_boot.empty());
}

TEST_CASE("a boot source is used by the next boot and then forgotten") {
  bench_machine m;
  CHECK(returned(change_order(m, source("Force PXE Boot"))) == "0");
  reset(m);
  CHECK(m.model.last_boot == "Intel(r) AMT: Force PXE Boot");
  CHECK(m.model.boot_source.empty());
}

TEST_CASE("a visit to the BIOS and a boot source exclude each other") {
  bench_machine m;
  REQUIRE(returned(change_order(m, source("Force PXE Boot"))) == "0");
  CHECK(refused(put(m, "AMT_BootSettingData", wsman::property("BIOSSetup", "true"))) ==
        "InvalidRepresentation");
  CHECK(returned(change_order(m, "")) == "0");
  CHECK(put(m, "AMT_BootSettingData", wsman::property("BIOSSetup", "true")).http_status == 200);
  CHECK(returned(change_order(m, source("Force PXE Boot"))) == "36");
}

TEST_CASE("choosing a boot source needs the consent that the policy demands") {
  bench_machine m;
  m.model.feature.opt_in_required = 1; // for KVM only
  CHECK(returned(change_order(m, source("Force PXE Boot"))) == "0");
  m.model.feature.opt_in_required = 0xFFFFFFFF;
  CHECK(refused(change_order(m, source("Force PXE Boot"))) == "AccessDenied");
  CHECK(returned(change_order(m, "")) == "0"); // clearing is always allowed
  m.model.consent.state = opt_in_state::received;
  CHECK(returned(change_order(m, source("Force PXE Boot"))) == "0");
  m.model.feature.opt_in_required = 0;
  m.model.consent = {};
  m.model.control_mode = 1;
  CHECK(refused(change_order(m, source("Force PXE Boot"))) == "AccessDenied");
}

TEST_CASE("UEFI parameters are counted and come back as they were given") {
  bench_machine m;
  // a URI and "sync root CAs"
  const std::string two("\x86\x80\x01\x00\x0f\x00\x00\x00https://s/a.efi"
                        "\x86\x80\x14\x00\x01\x00\x00\x00\x01",
                        32);
  const auto parameters = [](const std::string& list, const char* count) {
    return wsman::property("UefiBootParametersArray", base64(list)) +
           wsman::property("UefiBootNumberOfParams", count);
  };
  CHECK(put(m, "AMT_BootSettingData", parameters(two, "2")).http_status == 200);
  CHECK(setting(m, "UefiBootParametersArray") == base64(two));
  CHECK(refused(put(m, "AMT_BootSettingData", parameters(two, "3"))) == "InvalidRepresentation");
  CHECK(refused(put(m, "AMT_BootSettingData", parameters(two.substr(1), "2"))) ==
        "InvalidRepresentation");
  reset(m);
  CHECK(setting(m, "UefiBootNumberOfParams") == "0");
}

TEST_CASE("One Click Recovery obeys its switch") {
  bench_machine m;
  const auto switch_to = [&](const char* state) {
    return returned(invoke(m, "CIM_BootService", "RequestStateChange",
                           wsman::property("RequestedState", state)));
  };
  CHECK(returned(change_order(m, source("Force OCR UEFI HTTPS Boot"))) == "0");
  CHECK(switch_to("32768") == "0");
  CHECK(returned(change_order(m, source("Force OCR UEFI HTTPS Boot"))) == "16");
  CHECK(returned(change_order(m, source("Force PXE Boot"))) == "0");
  CHECK(switch_to("32772") == "36");
  auto old = exact();
  old.kind = *find_firmware("amt12");
  bench_machine without(old);
  CHECK(get(without, "CIM_BootService").child_text("EnabledState") == "2");
  CHECK(returned(change_order(without, source("Force OCR UEFI HTTPS Boot"))) == "36");
}

TEST_CASE("a platform is erased only where that is switched on") {
  bench_machine m;
  const auto erase = wsman::property("PlatformErase", "true");
  CHECK(refused(put(m, "AMT_BootSettingData", erase)) == "InvalidRepresentation");
  REQUIRE(returned(invoke(m, "CIM_BootService", "RequestStateChange",
                          wsman::property("RequestedState", "32770"))) == "0");
  CHECK(
      put(m, "AMT_BootSettingData", erase + wsman::property("RSEPassword", "secret")).http_status ==
      200);
  CHECK(setting(m, "RSEPassword").empty()); // write-only
  reset(m);
  CHECK(m.model.last_boot == "platform erase");
}

TEST_CASE("the role of a boot configuration is one of three") {
  bench_machine m;
  const auto role = [&](const char* r) {
    return returned(invoke(m, "CIM_BootService", "SetBootConfigRole",
                           wsman::endpoint_parameter("BootConfigSetting", {"x", {}}) +
                               wsman::property("Role", r)));
  };
  CHECK(role("1") == "0");
  CHECK(role("3") == "36");
}

} // namespace
} // namespace outband::amtsim
