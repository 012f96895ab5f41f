#include "messages/amt/operation_run.hpp"

#include "messages/wsman/envelope.hpp"
#include "tests/unit/messages/wsman/device.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace outband::wsman {
namespace {

using namespace test;
using outband::amt::operation_run;

/// Class and verb of the request that the run wants to send now: "CIM_Chip Get".
std::string asks(operation_run& run) {
  auto soap = run.next_request();
  if (!soap)
    return "nothing";
  auto read = parse_request(*soap);
  REQUIRE(read.ok());
  return std::string(class_of_uri(read->resource_uri)) + " " +
         read->action.substr(read->action.rfind('/') + 1);
}

request asked(operation_run& run) {
  auto read = parse_request(run.next_request().value());
  REQUIRE(read.ok());
  return *read;
}

std::string change(std::uint32_t id, const std::string& value) {
  return test::returned(id, cim + "CIM_PowerManagementService", "RequestPowerStateChange", value);
}

std::string boot_settings(std::uint32_t id, const std::string& use_ider) {
  return envelope(id,
                  instance(test::amt, "AMT_BootSettingData",
                           "<BIOSLastStatus>2</BIOSLastStatus><BIOSLastStatus>0</BIOSLastStatus>"
                           "<InstanceID>Intel(r) AMT:BootSettingData 0</InstanceID>"
                           "<RSEPassword></RSEPassword><UseIDER>" +
                               use_ider + "</UseIDER>"));
}

TEST_CASE("reading power asks for the OS state and then for the association") {
  operation_run run{outband::amt::read_power{}, 40};
  CHECK(asks(run) == "IPS_PowerManagementService Get");
  CHECK(asks(run) == "IPS_PowerManagementService Get"); // the same until it is answered
  CHECK_FALSE(run.change_sent());
  run.feed(200, os_power(40, "3"));
  CHECK(asks(run) == "CIM_ServiceAvailableToElement Enumerate");
  run.feed(200, context(41, "DD020000-0000-0000-0000-000000000000"));
  CHECK(asks(run) == "CIM_ServiceAvailableToElement Pull");
  CHECK(asked(run).body.find({"Pull", "EnumerationContext"})->text ==
        "DD020000-0000-0000-0000-000000000000");
  CHECK_FALSE(run.outcome().ok());
  run.feed(200, pulled(42, association("2")));
  CHECK(run.finished());
  CHECK(asks(run) == "nothing");
  auto told = run.outcome();
  REQUIRE(told.ok());
  CHECK(std::get<outband::amt::power_reading>(*told).state == power_state::on);
  CHECK(std::get<outband::amt::power_reading>(*told).os_power_saving == 3);
}

TEST_CASE("firmware without IPS_PowerManagementService is read all the same") {
  operation_run run{outband::amt::read_power{}};
  run.feed(400, refusal(0, "DestinationUnreachable"));
  run.feed(200, context(1, "A1020000-0000-0000-0000-000000000000"));
  run.feed(200, pulled(2, association("8")));
  auto told = run.outcome();
  REQUIRE(told.ok());
  CHECK(std::get<outband::amt::power_reading>(*told).state == power_state::off_soft);
  CHECK(std::get<outband::amt::power_reading>(*told).os_power_saving == 0);
}

TEST_CASE("pulls go on while there is a context and no end") {
  operation_run run{outband::amt::read_versions{}};
  run.feed(200, context(0, "one"));
  run.feed(200, pulled(1, software("AMT", "16.1.25"), "two"));
  CHECK(asks(run) == "CIM_SoftwareIdentity Pull");
  CHECK(asked(run).body.find({"Pull", "EnumerationContext"})->text == "two");
  run.feed(200, pulled(2, software("Build Number", "1424") + software("Sku", "16392")));
  CHECK(asks(run) == "AMT_SetupAndConfigurationService Get");
  run.feed(200, envelope(3, instance(test::amt, "AMT_SetupAndConfigurationService",
                                     "<ProvisioningMode>1</ProvisioningMode>")));
  auto told = run.outcome();
  REQUIRE(told.ok());
  const auto& v = std::get<outband::amt::versions>(*told);
  CHECK(v.amt == "16.1.25");
  CHECK(v.build == "1424");
  CHECK(v.sku == "16392");
  CHECK(v.provisioning_mode == 1);
}

TEST_CASE("a list without end is given up") {
  operation_run run{outband::amt::read_versions{}};
  run.feed(200, context(0, "c"));
  std::uint32_t id = 1;
  while (!run.finished() && id < 50)
    run.feed(200, pulled(id++, software("AMT", "1.2.3"), "c"));
  CHECK(id == 11);
  auto told = run.outcome();
  REQUIRE_FALSE(told.ok());
  CHECK(told.error().what == problem::device_protocol);
}

TEST_CASE("capabilities come from version, boot capabilities and the association") {
  operation_run run{outband::amt::read_capabilities{}};
  run.feed(200, context(0, "c"));
  run.feed(200, pulled(1, software("AMT", "12.0.67")));
  CHECK(asks(run) == "AMT_BootCapabilities Get");
  run.feed(200, envelope(2, instance(test::amt, "AMT_BootCapabilities",
                                     "<BIOSSetup>true</BIOSSetup><SecureErase>0</SecureErase>")));
  run.feed(200, context(3, "c"));
  run.feed(200, pulled(4, association("2")));
  auto told = run.outcome();
  REQUIRE(told.ok());
  const auto& can = std::get<power_capabilities>(*told);
  CHECK(can.amt_major == 12);
  CHECK(can.bios_setup);
  CHECK_FALSE(can.secure_erase);
  CHECK_FALSE(can.force_diagnostic_boot);
  CHECK(can.available_now == std::vector<int>{8, 12});
}

TEST_CASE("capabilities without boot classes or association are still told") {
  operation_run run{outband::amt::read_capabilities{}};
  run.feed(200, context(0, "c"));
  run.feed(200, pulled(1, software("AMT", "9.5.1")));
  run.feed(400, refusal(2, "DestinationUnreachable"));
  run.feed(400, refusal(3, "DestinationUnreachable"));
  auto told = run.outcome();
  REQUIRE(told.ok());
  CHECK(std::get<power_capabilities>(*told).amt_major == 9);
  CHECK(std::get<power_capabilities>(*told).available_now.empty());
}

TEST_CASE("an action that boots clears left-over boot options first") {
  operation_run run{outband::amt::request_power{power_action::reset}};
  CHECK(asks(run) == "AMT_BootSettingData Get");
  run.feed(200, boot_settings(0, "true"));
  CHECK(asks(run) == "AMT_BootSettingData Put");
  CHECK_FALSE(run.change_sent());
  const auto put = asked(run);
  const auto* sent = put.body.child("AMT_BootSettingData");
  REQUIRE(sent != nullptr);
  CHECK(sent->ns == test::amt + "AMT_BootSettingData");
  CHECK(sent->child_text("UseIDER") == "false");
  CHECK(sent->child_text("BootMediaIndex") == "0"); // was not told and is set as MPS does
  CHECK(sent->child_text("InstanceID") == "Intel(r) AMT:BootSettingData 0");
  CHECK(sent->children[0].text == "2");
  CHECK(sent->children[1].text == "0");
  run.feed(200, boot_settings(1, "false"));
  CHECK(asks(run) == "CIM_PowerManagementService RequestPowerStateChange");
  CHECK(run.change_sent());
  run.feed(200, change(2, "0"));
  CHECK_FALSE(run.change_sent());
  REQUIRE(run.outcome().ok());
  CHECK(std::get<outband::amt::power_ack>(*run.outcome()).return_value == 0);
}

TEST_CASE("boot options that stay set are a reason not to boot") {
  operation_run set{outband::amt::request_power{power_action::reset}};
  set.feed(200, boot_settings(0, "true"));
  set.feed(400, refusal(1, "AccessDenied"));
  REQUIRE(set.finished());
  CHECK(set.outcome().error().what == problem::device_refused);

  operation_run clear{outband::amt::request_power{power_action::reset}};
  clear.feed(200, boot_settings(0, "false"));
  clear.feed(400, refusal(1, "AccessDenied"));
  CHECK(asks(clear) == "CIM_PowerManagementService RequestPowerStateChange");

  operation_run without{outband::amt::request_power{power_action::reset}};
  without.feed(400, refusal(0, "DestinationUnreachable"));
  CHECK(asks(without) == "CIM_PowerManagementService RequestPowerStateChange");
}

TEST_CASE("an action that does not boot is one request as MPS words it") {
  for (auto action :
       {power_action::off_soft, power_action::off_hard, power_action::sleep_deep,
        power_action::hibernate, power_action::off_soft_graceful, power_action::nmi}) {
    operation_run run{outband::amt::request_power{action}};
    CHECK(asks(run) == "CIM_PowerManagementService RequestPowerStateChange");
  }
  operation_run run{outband::amt::request_power{power_action::off_soft}};
  const auto soap = run.next_request().value();
  CHECK(soap.find(
            "<Body><h:RequestPowerStateChange_INPUT "
            "xmlns:h=\"http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_PowerManagementService"
            "\"><h:PowerState>8</h:PowerState><h:ManagedElement><Address "
            "xmlns=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\">"
            "http://schemas.xmlsoap.org/ws/2004/08/addressing</Address><ReferenceParameters "
            "xmlns=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\"><ResourceURI "
            "xmlns=\"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd\">"
            "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ComputerSystem</ResourceURI>"
            "<SelectorSet xmlns=\"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd\"><Selector "
            "Name=\"CreationClassName\">CIM_ComputerSystem</Selector><Selector "
            "Name=\"Name\">ManagedSystem</Selector></SelectorSet></ReferenceParameters>"
            "</h:ManagedElement></h:RequestPowerStateChange_INPUT></Body></Envelope>") !=
        std::string::npos);
}

TEST_CASE("a machine whose OS saves power is brought to full power before it is switched on") {
  operation_run run{outband::amt::request_power{power_action::on}};
  run.feed(200, boot_settings(0, "false"));
  run.feed(200, boot_settings(1, "false"));
  CHECK(asks(run) == "IPS_PowerManagementService Get");
  run.feed(200, os_power(2, "3"));
  CHECK(asks(run) == "IPS_PowerManagementService RequestOSPowerSavingStateChange");
  CHECK(run.change_sent());
  run.feed(200, test::returned(3, ips + "IPS_PowerManagementService",
                               "RequestOSPowerSavingStateChange", "4"));
  CHECK(asks(run) == "CIM_PowerManagementService RequestPowerStateChange");
  run.feed(200, change(4, "2"));
  CHECK(std::get<outband::amt::power_ack>(*run.outcome()).return_value == 2);

  for (const auto* answer : {"2", "0", "17", "x"}) {
    CAPTURE(answer);
    operation_run awake{outband::amt::request_power{power_action::on}};
    awake.feed(400, refusal(0, "DestinationUnreachable"));
    awake.feed(200, os_power(1, answer));
    CHECK(asks(awake) == "CIM_PowerManagementService RequestPowerStateChange");
  }
}

TEST_CASE("what the firmware says wrong ends the run in words that name it") {
  struct row {
    int status;
    std::string body;
    problem what;
    std::string says;
  };
  // The run has asked for the list of software, message 1.
  const row rows[] = {
      {401, "<html></html>", problem::device_auth, "password"},
      {503, "", problem::device_protocol, "503"},
      {400, "", problem::device_refused, "HTTP 400"},
      {400, refusal(1, "AccessDenied", "Not you."), problem::device_refused,
       "AccessDenied: Not you."},
      {200, refusal(1, "InternalError"), problem::device_refused, "InternalError"},
      {400, pulled(1, software("AMT", "1.2.3")), problem::device_protocol, "without a SOAP fault"},
      {200, "", problem::device_protocol, "empty"},
      {200, "<html>", problem::device_protocol, "XML"},
      {200, pulled(9, software("AMT", "1.2.3")), problem::device_protocol, "'9', not to 1"},
      {200, context(1, "again"), problem::device_protocol, "no PullResponse"},
      {200, pulled(1, ""), problem::device_protocol, "'AMT' among 0"},
      {200, pulled(1, instance(test::amt, "CIM_SoftwareIdentity", "")), problem::device_protocol,
       "no CIM_SoftwareIdentity"},
      {200, pulled(1, software("AMT", "sixteen")), problem::device_protocol, "'sixteen'"},
      {200, pulled(1, software("AMT", "9999.1")), problem::device_protocol, "'9999.1'"},
      {200, pulled(1, software("AMT", std::string(65, '1'))), problem::device_protocol, "64"},
  };
  for (const auto& r : rows) {
    CAPTURE(r.says);
    operation_run run{outband::amt::read_versions{}};
    run.feed(200, context(0, "c"));
    run.feed(r.status, r.body);
    REQUIRE(run.finished());
    auto told = run.outcome();
    REQUIRE_FALSE(told.ok());
    CHECK(told.error().what == r.what);
    CAPTURE(told.error().detail);
    CHECK(told.error().detail.find("CIM_SoftwareIdentity Pull: ") == 0);
    CHECK(told.error().detail.find(r.says) != std::string::npos);
    run.feed(200, pulled(1, software("AMT", "1.2.3"))); // too late: the word is final
    CHECK_FALSE(run.outcome().ok());
  }
}

TEST_CASE("an absurd or missing power state is not taken for a state") {
  for (const auto& items :
       {association("0"), association("17"), association("4294967298"), association("on"),
        association(""), instance(cim, "CIM_AssociatedPowerManagementService", ""),
        instance(cim, "CIM_ServiceAvailableToElement", "<PowerState>2</PowerState>"),
        instance(test::amt, "CIM_AssociatedPowerManagementService", "<PowerState>2</PowerState>"),
        std::string{}}) {
    CAPTURE(items);
    operation_run run{outband::amt::read_power{}};
    run.feed(200, os_power(0, "2"));
    run.feed(200, context(1, "c"));
    run.feed(200, pulled(2, items));
    REQUIRE(run.finished());
    CHECK(run.outcome().error().what == problem::device_protocol);
  }
}

TEST_CASE("a power change without a ReturnValue is not taken for success") {
  for (const auto& body :
       {envelope(0, ""), change(0, "x"),
        test::returned(0, cim + "CIM_PowerManagementService", "RequestStateChange", "0"),
        test::returned(0, cim + "CIM_Other", "RequestPowerStateChange", "0")}) {
    operation_run run{outband::amt::request_power{power_action::off_soft}};
    run.feed(200, body);
    REQUIRE(run.finished());
    CHECK(run.outcome().error().what == problem::device_protocol);
  }
}

} // namespace
} // namespace outband::wsman
