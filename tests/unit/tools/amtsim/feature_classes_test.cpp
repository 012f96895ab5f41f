#include "tests/unit/tools/amtsim/bench_client.hpp"
#include "tools/amtsim/audit_state.hpp"
#include "tools/amtsim/screen_state.hpp"

namespace outband::amtsim {
namespace {

using namespace test;

TEST_CASE("KVM shows who is looking and who may") {
  bench_machine m;
  const auto state = [&] {
    return std::string(get(m, "CIM_KVMRedirectionSAP").child_text("EnabledState"));
  };
  CHECK(state() == "6");
  m.model.feature.kvm_session = true;
  CHECK(state() == "2");
  REQUIRE(returned(invoke(m, "CIM_KVMRedirectionSAP", "RequestStateChange",
                          wsman::property("RequestedState", "3"))) == "0");
  CHECK(state() == "3");
  CHECK(m.model.audit->records.back().substr(0, 4) == std::string("\0\x12\0\x0b", 4));
}

TEST_CASE("KVM settings are stored and the password is never shown") {
  bench_machine m;
  constexpr auto kvm = "IPS_KVMRedirectionSettingData";
  CHECK(put(m, kvm,
            wsman::property("DefaultScreen", "1") + wsman::property("RFBPassword", "P@ssw0rd") +
                wsman::property("Is5900PortEnabled", "true"))
            .http_status == 200);
  const auto now = get(m, kvm);
  CHECK(now.child_text("DefaultScreen") == "1");
  CHECK(now.child_text("Is5900PortEnabled") == "true");
  CHECK(now.child_text("RFBPassword").empty());
  CHECK(m.model.screens->rfb_password == "P@ssw0rd");
  CHECK(refused(put(m, kvm, wsman::property("RFBPassword", "short"))) == "InvalidRepresentation");
  CHECK(refused(put(m, kvm, wsman::property("DefaultScreen", "4"))) == "InvalidRepresentation");
}

TEST_CASE("screens come as arrays of four") {
  bench_machine m;
  const auto shown = get(m, "IPS_ScreenSettingData");
  for (const auto* name : {"IsActive", "ResolutionX", "ResolutionY", "UpperLeftX", "UpperLeftY"})
    CHECK(all_texts(shown, name).size() == 4);
  CHECK(all_texts(shown, "IsActive") == std::vector<std::string>{"true", "true", "false", "false"});
  CHECK(all_texts(shown, "UpperLeftX") == std::vector<std::string>{"0", "1920", "-1", "-1"});
}

} // namespace
} // namespace outband::amtsim
