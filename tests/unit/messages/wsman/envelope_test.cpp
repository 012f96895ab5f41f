#include "messages/wsman/envelope.hpp"
#include "tests/unit/messages/wsman/device.hpp"

#include <doctest/doctest.h>

namespace outband::wsman {
namespace {

TEST_CASE("a Get is written as MPS writes it octet for octet") {
  CHECK(write_request({std::string(action::get), class_uri("AMT_GeneralSettings"), 7}, {}) ==
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><Envelope "
        "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
        "xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" "
        "xmlns:a=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" "
        "xmlns:w=\"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd\" "
        "xmlns=\"http://www.w3.org/2003/05/soap-envelope\"><Header>"
        "<a:Action>http://schemas.xmlsoap.org/ws/2004/09/transfer/Get</a:Action><a:To>/wsman</a:To>"
        "<w:ResourceURI>http://intel.com/wbem/wscim/1/amt-schema/1/AMT_GeneralSettings"
        "</w:ResourceURI><a:MessageID>7</a:MessageID><a:ReplyTo><a:Address>"
        "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address></a:ReplyTo>"
        "<w:OperationTimeout>PT60S</w:OperationTimeout></Header><Body></Body></Envelope>");
}

TEST_CASE("a class name gives its URI and back") {
  for (const auto* name : {"AMT_GeneralSettings", "CIM_Chip", "IPS_OptInService"})
    CHECK(class_of_uri(class_uri(name)) == name);
  CHECK(class_uri("XYZ_Chip").empty());
  CHECK(class_of_uri("http://intel.com/wbem/wscim/1/amt-schema/1/AMT_X/Method").empty());
  CHECK(class_of_uri("urn:other").empty());
}

TEST_CASE("a request that the client writes is read by the device as it was meant") {
  const endpoint sap{class_uri("AMT_ManagementPresenceRemoteSAP"), {{"Name", "MPS <0>"}}};
  request_header header{class_uri("AMT_RemoteAccessService") + "/AddRemoteAccessPolicyRule",
                        class_uri("AMT_RemoteAccessService"),
                        4294967295U,
                        {{"InstanceID", "a&b"},
                         {"PolicySet",
                          {},
                          class_uri("AMT_RemoteAccessPolicyRule"),
                          {{"PolicyRuleName", "Periodic"}}}}};
  const auto xml = write_request(
      header, class_body("AddRemoteAccessPolicyRule_INPUT", header.resource_uri,
                         property("Trigger", "2") + endpoint_parameter("MpServer", sap)));
  auto read = parse_request(xml);
  REQUIRE(read.ok());
  CHECK(read->action == header.action);
  CHECK(read->resource_uri == header.resource_uri);
  CHECK(read->message_id == "4294967295");
  REQUIRE(read->selectors.size() == 2);
  CHECK(read->selectors[0].value == "a&b");
  REQUIRE(read->selectors[1].reference.size() == 1);
  CHECK(read->selectors[1].reference[0].value == "Periodic");
  const auto* input = read->body.child("AddRemoteAccessPolicyRule_INPUT");
  REQUIRE(input != nullptr);
  CHECK(input->ns == header.resource_uri);
  CHECK(input->child_text("Trigger") == "2");
  auto epr = read_endpoint(*input->child("MpServer"));
  REQUIRE(epr.has_value());
  CHECK(epr->resource_uri == sap.resource_uri);
  CHECK(epr->selectors.at(0).value == "MPS <0>");
}

TEST_CASE("a fault is read with its subcode and its reason") {
  auto read = parse_response(test::refusal(3, "DestinationUnreachable", "No route."));
  REQUIRE(read.ok());
  CHECK(read->relates_to == "3");
  REQUIRE(read->refused.has_value());
  CHECK(read->refused->code == "Sender");
  CHECK(read->refused->subcode == "DestinationUnreachable");
  CHECK(read->refused->reason == "No route.");
}

TEST_CASE("what is no envelope is malformed and says why") {
  const auto says = [](const failure& f, std::string_view text) {
    return f.what == problem::malformed && f.detail.find(text) != std::string::npos;
  };
  CHECK(says(parse_response("<html/>").error(), "not a SOAP 1.2 envelope"));
  CHECK(says(parse_response("<Envelope xmlns='http://www.w3.org/2003/05/soap-envelope'/>").error(),
             "no Header"));
  CHECK(says(parse_request("<Envelope xmlns='http://www.w3.org/2003/05/soap-envelope'><Header/>"
                           "<Body/></Envelope>")
                 .error(),
             "no Action"));
  const auto other_soap = "<Envelope xmlns='http://schemas.xmlsoap.org/soap/envelope/'/>";
  CHECK(says(parse_request(other_soap).error(), "not a SOAP 1.2 envelope"));
}

TEST_CASE("a request with too long a header is refused") {
  request_header header{std::string(2000, 'x'), class_uri("CIM_Chip"), 1};
  auto read = parse_request(write_request(header, {}));
  REQUIRE_FALSE(read.ok());
  CHECK(read.error().what == problem::too_large);
  request_header many{std::string(action::get), class_uri("CIM_Chip"), 1};
  many.selectors.assign(17, {"Name", "x"});
  CHECK_FALSE(parse_request(write_request(many, {})).ok());
}

} // namespace
} // namespace outband::wsman
