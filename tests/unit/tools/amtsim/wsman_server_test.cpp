#include "tools/amtsim/wsman_server.hpp"

#include "messages/wsman/answers.hpp"
#include "tests/unit/tools/amtsim/bench_client.hpp"

namespace outband::amtsim {
namespace {

using namespace test;
namespace action = wsman::action;

const auto system_reference = wsman::endpoint_parameter(
    "ManagedElement", {wsman::class_uri("CIM_ComputerSystem"), {{"Name", "ManagedSystem"}}});

std::string ask_power(bench_machine& m, int state) {
  return returned(invoke(m, "CIM_PowerManagementService", "RequestPowerStateChange",
                         wsman::property("PowerState", std::to_string(state)) + system_reference));
}

TEST_CASE("however small the batches a client gets the same items") {
  for (std::size_t batch : {0U, 1U, 4U}) {
    CAPTURE(batch);
    auto s = test::exact();
    s.batch = batch;
    bench_machine m(s);
    const auto versions = list(m, "CIM_SoftwareIdentity");
    REQUIRE(versions.size() == 11);
    CHECK(versions[3].child_text("InstanceID") == "AMT");
    CHECK(versions[3].child_text("VersionString") == "16.1.25");
    const auto power = list(m, "CIM_ServiceAvailableToElement");
    REQUIRE(power.size() == 1);
    CHECK(power[0].name == "CIM_AssociatedPowerManagementService");
    CHECK(all_texts(power[0], "AvailableRequestedPowerStates") ==
          std::vector<std::string>{"10", "8", "5", "11", "4", "7", "14", "12"});
  }
}

TEST_CASE("a machine is switched off and on") {
  bench_machine m;
  CHECK(ask_power(m, 12) == "0");
  m.after(4100);
  CHECK(list(m, "CIM_ServiceAvailableToElement").front().child_text("PowerState") == "8");
  CHECK(ask_power(m, 10) == "2");
  CHECK(ask_power(m, 2) == "0");
  m.after(100);
  CHECK(m.model.power() == power_state::on);
}

TEST_CASE("ordered faults show in the answer") {
  bench_machine m;
  m.faults.add(fault_kind::wrong_relates_to, sim_time{0}, 1, m.now);
  const auto astray = serve(m, request(action::get, "CIM_BootService"));
  CHECK(wsman::parse_response(astray.xml)->relates_to == "57");
  m.faults.add(fault_kind::bad_xml, sim_time{0}, 1, m.now);
  CHECK_FALSE(wsman::parse_response(serve(m, request(action::get, "CIM_BootService")).xml).ok());
  m.faults.add(fault_kind::unknown_return_value, sim_time{0}, 1, m.now);
  CHECK(ask_power(m, 8) == "39321");
  CHECK(refused(serve(m, request(action::get, "CIM_BootService"))).empty());
}

TEST_CASE("what does not exist is refused with the firmware's subcodes") {
  bench_machine m;
  CHECK(refused(serve(m, request(action::get, "CIM_Toaster"))) == "DestinationUnreachable");
  CHECK(refused(serve(m, request(action::enumerate, "CIM_Toaster"))) == "DestinationUnreachable");
  CHECK(refused(serve(m, wsman::write_request({std::string(action::get), "urn:other", 5}, {}))) ==
        "DestinationUnreachable");
  CHECK(refused(serve(m, request(action::get, "CIM_SoftwareIdentity", "",
                                 {{"InstanceID", "nonsense"}}))) == "DestinationUnreachable");
  CHECK(refused(serve(m, request(action::get, "CIM_SoftwareIdentity", "", {{"InstanceID", "AMT"}})))
            .empty());
  CHECK(refused(serve(m, method("CIM_BootService", "Dance", ""))) == "ActionNotSupported");
  CHECK(refused(serve(m, request(action::delete_, "CIM_BootService"))) == "ActionNotSupported");
  CHECK(refused(serve(m, request("urn:what", "CIM_BootService"))) == "ActionNotSupported");
  CHECK(refused(serve(m, request(action::put, "CIM_BootService",
                                 wsman::class_body("CIM_BootService",
                                                   wsman::class_uri("CIM_BootService"), "")))) ==
        "ActionNotSupported");
  CHECK(refused(serve(m, request(action::pull, "CIM_BootService",
                                 wsman::pull_body("FF000000-0000-0000-0000-000000000000")))) ==
        "InvalidEnumerationContext");
  CHECK(refused(serve(m, request(action::pull, "CIM_BootService"))) == "SchemaValidationError");
  CHECK(refused(serve(m, method("CIM_PowerManagementService", "RequestPowerStateChange", ""))) ==
        "SchemaValidationError");
  CHECK(refused(serve(m, "<html/>")) == "SchemaValidationError");
  CHECK(refused(serve(m, "")) == "SchemaValidationError");
}

TEST_CASE("an unknown power state is an invalid parameter and no fault") {
  bench_machine m;
  const auto inner =
      wsman::property("PowerState", "17") + wsman::endpoint_parameter("ManagedElement", {"x", {}});
  CHECK(returned(serve(
            m, method("CIM_PowerManagementService", "RequestPowerStateChange", inner))) == "36");
}

TEST_CASE("features are set by state changes") {
  bench_machine m;
  const auto state = [](const char* v) {
    return wsman::property("RequestedState", v);
  };
  CHECK(returned(serve(
            m, method("AMT_RedirectionService", "RequestStateChange", state("32769")))) == "0");
  CHECK(m.model.feature.redirection == 32769);
  CHECK(returned(serve(m, method("AMT_RedirectionService", "RequestStateChange", state("2")))) ==
        "36");
  CHECK(returned(serve(m, method("CIM_KVMRedirectionSAP", "RequestStateChange", state("3")))) ==
        "0");
  CHECK_FALSE(m.model.feature.kvm);
  CHECK(returned(serve(m, method("CIM_BootService", "RequestStateChange", state("32768")))) == "0");
  CHECK(m.model.feature.boot_service == 32768);
}

TEST_CASE("the boot order takes a known source or none") {
  bench_machine m;
  const auto change = [](const std::string& id) {
    return method("CIM_BootConfigSetting", "ChangeBootOrder",
                  wsman::endpoint_parameter(
                      "Source", {wsman::class_uri("CIM_BootSourceSetting"), {{"InstanceID", id}}}));
  };
  CHECK(returned(serve(m, change("Intel(r) AMT: Force PXE Boot"))) == "0");
  CHECK(m.model.boot_source == "Intel(r) AMT: Force PXE Boot");
  CHECK(returned(serve(m, change("Intel(r) AMT: Force Toaster"))) == "36");
  CHECK(returned(serve(m, method("CIM_BootConfigSetting", "ChangeBootOrder", ""))) == "0");
  CHECK(m.model.boot_source.empty());
}

TEST_CASE("requests are counted under class and operation") {
  bench_machine m;
  CHECK(serve(m, request(action::get, "CIM_BootService")).what == "CIM_BootService/Get");
  CHECK(serve(m, method("CIM_BootService", "Dance", "")).what == "CIM_BootService/Dance");
  CHECK(serve(m, "x").what == "malformed");
}

} // namespace
} // namespace outband::amtsim
