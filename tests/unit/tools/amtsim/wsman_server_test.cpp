#include "tools/amtsim/wsman_server.hpp"

#include "messages/wsman/answers.hpp"
#include "messages/wsman/operations.hpp"
#include "tests/unit/tools/amtsim/bench_machine.hpp"

#include <doctest/doctest.h>

namespace outband::amtsim {
namespace {

using test::bench_machine;
namespace action = wsman::action;

wsman_reply serve(bench_machine& m, const std::string& soap) {
  return serve_wsman(soap, m.model, m.faults, m.now);
}

/// Client and device of this repository, mouth to mouth.
result<amt_outcome> carry_out(bench_machine& m, amt_operation op) {
  wsman::operation_run run{std::move(op)};
  while (auto soap = run.next_request()) {
    const auto reply = serve(m, *soap);
    run.feed(reply.http_status, reply.xml);
  }
  return run.outcome();
}

std::string request(std::string_view act, std::string_view class_name, const std::string& body = {},
                    std::vector<wsman::selector> selectors = {}) {
  return wsman::write_request(
      {std::string(act), wsman::class_uri(class_name), 5, std::move(selectors)}, body);
}

std::string method(std::string_view class_name, const std::string& name, const std::string& inner) {
  const auto uri = wsman::class_uri(class_name);
  return wsman::write_request({uri + "/" + name, uri, 5},
                              wsman::class_body(name + "_INPUT", uri, inner));
}

/// The subcode, or empty if it is no fault.
std::string refused(const wsman_reply& r) {
  auto read = wsman::parse_response(r.xml);
  REQUIRE(read.ok());
  CHECK((r.http_status == 400) == read->refused.has_value());
  return read->refused ? read->refused->subcode : "";
}

std::string returned(const wsman_reply& r) {
  auto read = wsman::parse_response(r.xml);
  REQUIRE(read.ok());
  REQUIRE(read->body.children.size() == 1);
  return std::string(read->body.children.front().child_text("ReturnValue"));
}

TEST_CASE("our client reads power, versions and capabilities from our simulator") {
  for (std::size_t batch : {0U, 1U, 4U}) {
    CAPTURE(batch);
    auto s = test::exact();
    s.batch = batch;
    bench_machine m(s);
    auto power = carry_out(m, amt::read_power{});
    REQUIRE(power.ok());
    CHECK(std::get<amt::power_reading>(*power).state == power_state::on);
    CHECK(std::get<amt::power_reading>(*power).os_power_saving == 2);
    if (batch == 1) // eleven items one by one are more Pulls than the client does
      continue;
    auto versions = carry_out(m, amt::read_versions{});
    REQUIRE(versions.ok());
    CHECK(std::get<amt::versions>(*versions).amt == "16.1.25");
    CHECK(std::get<amt::versions>(*versions).build == "2049");
    CHECK(std::get<amt::versions>(*versions).provisioning_mode == 1);
    auto can = carry_out(m, amt::read_capabilities{});
    REQUIRE(can.ok());
    CHECK(std::get<power_capabilities>(*can).amt_major == 16);
    CHECK(std::get<power_capabilities>(*can).bios_setup);
    CHECK(std::get<power_capabilities>(*can).available_now ==
          std::vector<int>{10, 8, 5, 11, 4, 7, 14, 12});
  }
}

TEST_CASE("our client switches our simulator off and on") {
  bench_machine m;
  m.model.boot.use_ider = true;
  auto off = carry_out(m, amt::request_power{power_action::off_soft_graceful});
  REQUIRE(off.ok());
  CHECK(std::get<amt::power_ack>(*off).return_value == 0);
  m.after(4100);
  auto power = carry_out(m, amt::read_power{});
  CHECK(std::get<amt::power_reading>(*power).state == power_state::off_soft);
  CHECK(std::get<amt::power_ack>(*carry_out(m, amt::request_power{power_action::reset}))
            .return_value == 2);
  CHECK_FALSE(m.model.boot.use_ider); // asked to boot, so left-over options were cleared
  auto on = carry_out(m, amt::request_power{power_action::on});
  CHECK(std::get<amt::power_ack>(*on).return_value == 0);
  m.after(100);
  CHECK(m.model.power() == power_state::on);
}

TEST_CASE("switching on a machine that saves power brings it to full power first") {
  bench_machine m;
  m.model.os_power_saving = 3;
  REQUIRE(carry_out(m, amt::request_power{power_action::on}).ok());
  CHECK(m.model.os_power_saving == 2);
}

TEST_CASE("ordered faults reach our client as failures") {
  bench_machine m;
  m.faults.add(fault_kind::wrong_relates_to, sim_time{0}, 1, m.now);
  CHECK(carry_out(m, amt::read_power{}).error().what == problem::device_protocol);
  m.faults.add(fault_kind::bad_xml, sim_time{0}, 1, m.now);
  CHECK(carry_out(m, amt::read_power{}).error().what == problem::device_protocol);
  m.faults.add(fault_kind::unknown_return_value, sim_time{0}, 1, m.now);
  CHECK(std::get<amt::power_ack>(*carry_out(m, amt::request_power{power_action::off_soft}))
            .return_value == 0x9999);
  CHECK(carry_out(m, amt::read_power{}).ok());
}

TEST_CASE("what does not exist is refused with the firmware's subcodes") {
  bench_machine m;
  CHECK(refused(serve(m, request(action::get, "CIM_Chip"))) == "DestinationUnreachable");
  CHECK(refused(serve(m, request(action::enumerate, "CIM_Chip"))) == "DestinationUnreachable");
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
