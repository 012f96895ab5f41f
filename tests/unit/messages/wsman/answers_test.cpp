#include "messages/wsman/answers.hpp"

#include <doctest/doctest.h>

namespace outband::wsman {
namespace {

answer_header header_for(std::string action, std::string_view class_name) {
  return {std::move(action), "5", class_uri(class_name), 0x2E4};
}

TEST_CASE("an instance is written as the firmware writes it octet for octet") {
  // AMT 12.0.67, CIM_BIOSElement, shortened to the kinds of value it has.
  const instance bios{"CIM_BIOSElement",
                      {{"Version", "QN"},
                       {"ReleaseDate", datetime{"2020-08-10T00:00:00Z"}},
                       {"OperationalStatus", "0"},
                       {"OperationalStatus", "2"},
                       {"Manufacturer", ""}}};
  CHECK(write_instance(header_for(std::string(action::get), "CIM_BIOSElement"), bios) ==
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
        "<a:Envelope xmlns:a=\"http://www.w3.org/2003/05/soap-envelope\""
        " xmlns:b=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\""
        " xmlns:c=\"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd\""
        " xmlns:d=\"http://schemas.xmlsoap.org/ws/2005/02/trust\""
        " xmlns:e=\"http://docs.oasis-open.org/wss/2004/01/"
        "oasis-200401-wss-wssecurity-secext-1.0.xsd\""
        " xmlns:f=\"http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd\""
        " xmlns:g=\"http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_BIOSElement\""
        " xmlns:h=\"http://schemas.dmtf.org/wbem/wscim/1/common\""
        " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">"
        "<a:Header><b:To>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</b:To>"
        "<b:RelatesTo>5</b:RelatesTo><b:Action a:mustUnderstand=\"true\">"
        "http://schemas.xmlsoap.org/ws/2004/09/transfer/GetResponse</b:Action>"
        "<b:MessageID>uuid:00000000-8086-8086-8086-0000000002E4</b:MessageID>"
        "<c:ResourceURI>http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_BIOSElement"
        "</c:ResourceURI></a:Header><a:Body><g:CIM_BIOSElement><g:Manufacturer></g:Manufacturer>"
        "<g:OperationalStatus>0</g:OperationalStatus><g:OperationalStatus>2</g:OperationalStatus>"
        "<g:ReleaseDate><h:Datetime>2020-08-10T00:00:00Z</h:Datetime></g:ReleaseDate>"
        "<g:Version>QN</g:Version></g:CIM_BIOSElement></a:Body></a:Envelope>");
}

TEST_CASE("a list of subclasses declares each namespace on the envelope") {
  const auto xml = write_items(header_for(std::string(action::pull), "CIM_PhysicalPackage"),
                               {{"CIM_Card", {{"Tag", "1"}}}, {"CIM_Chassis", {{"Tag", "2"}}}});
  CHECK(xml.find(" xmlns:i=\"" + class_uri("CIM_Chassis") + "\"") < xml.find("<a:Header>"));
  CHECK(xml.find("<a:Body><g:PullResponse><g:Items><h:CIM_Card><h:Tag>1</h:Tag></h:CIM_Card>"
                 "<i:CIM_Chassis><i:Tag>2</i:Tag></i:CIM_Chassis></g:Items>"
                 "<g:EndOfSequence></g:EndOfSequence></g:PullResponse></a:Body>") !=
        std::string::npos);
}

TEST_CASE("a batch that is not the last carries a context and no end of sequence") {
  auto read = parse_response(write_items(header_for(std::string(action::pull), "CIM_Chip"), {},
                                         "CA000000-0000-0000-0000-000000000000"));
  REQUIRE(read.ok());
  const auto* pull = read->body.child("PullResponse");
  REQUIRE(pull != nullptr);
  CHECK(pull->child_text("EnumerationContext") == "CA000000-0000-0000-0000-000000000000");
  CHECK(pull->child("EndOfSequence") == nullptr);
}

TEST_CASE("a method's result keeps its order and ends with ReturnValue") {
  const auto xml =
      write_method(header_for(class_uri("AMT_PublicKeyManagementService") + "/AddCertificate",
                              "AMT_PublicKeyManagementService"),
                   "AddCertificate",
                   {{"Z", "1"},
                    {"CreatedCertificate", endpoint{class_uri("AMT_PublicKeyCertificate"),
                                                    {{"InstanceID", "Handle: <2>"}}}}},
                   2058);
  auto read = parse_response(xml);
  REQUIRE(read.ok());
  const auto* out = read->body.child("AddCertificate_OUTPUT");
  REQUIRE(out != nullptr);
  REQUIRE(out->children.size() == 3);
  CHECK(out->children[0].name == "Z");
  auto epr = read_endpoint(out->children[1]);
  REQUIRE(epr.has_value());
  CHECK(epr->selectors.at(0).value == "Handle: <2>");
  CHECK(out->children[2].name == "ReturnValue");
  CHECK(out->children[2].value() == "2058");
  CHECK(read->action == class_uri("AMT_PublicKeyManagementService") + "/AddCertificateResponse");
}

TEST_CASE("what was created and what was subscribed to is a reference with references in it") {
  const endpoint inner{class_uri("AMT_PublicKeyCertificate"), {{"InstanceID", "Handle: 0"}}};
  const endpoint made{class_uri("AMT_TLSCredentialContext"),
                      {{"ElementInContext", {}, inner.resource_uri, inner.selectors}}};
  const auto check = [&](const std::string& xml, const char* element, const char* child) {
    CAPTURE(element);
    auto read = parse_response(xml);
    REQUIRE(read.ok());
    const auto* body = read->body.child(element);
    REQUIRE(body != nullptr);
    const auto* from = child == nullptr ? body : body->child(child);
    REQUIRE(from != nullptr);
    const auto to = read_endpoint(*from);
    REQUIRE(to.has_value());
    CHECK(to->resource_uri == made.resource_uri);
    REQUIRE(to->selectors.size() == 1);
    CHECK(to->selectors[0].resource_uri == inner.resource_uri);
    REQUIRE(to->selectors[0].reference.size() == 1);
    CHECK(to->selectors[0].reference[0].value == "Handle: 0");
  };
  const auto h = header_for(std::string(action::create), "AMT_TLSCredentialContext");
  check(write_created(h, made), "ResourceCreated", nullptr);
  check(write_subscribed(h, made), "SubscribeResponse", "SubscriptionManager");
}

TEST_CASE("every kind of fault is read back by the client with its subcode") {
  for (auto kind : {fault_kind::destination_unreachable, fault_kind::action_not_supported,
                    fault_kind::access_denied, fault_kind::already_exists, fault_kind::quota_limit,
                    fault_kind::invalid_enumeration_context, fault_kind::invalid_selectors,
                    fault_kind::invalid_representation, fault_kind::schema_validation_error,
                    fault_kind::timed_out, fault_kind::internal_error}) {
    CAPTURE(to_string(kind));
    auto read = parse_response(write_fault(header_for(std::string(action::get), "CIM_Chip"), kind));
    REQUIRE(read.ok());
    REQUIRE(read->refused.has_value());
    CHECK(read->refused->subcode == to_string(kind));
    CHECK_FALSE(read->refused->reason.empty());
    CHECK(read->relates_to == "5");
    CHECK(read->resource_uri.empty());
  }
}

TEST_CASE("what a request said cannot break the answer's XML") {
  auto h = header_for("a\"><x/>", "CIM_Chip");
  h.relates_to = "</b:RelatesTo>&";
  h.resource_uri = "\" xmlns:y=\"z";
  auto read = parse_response(write_nothing(h));
  REQUIRE(read.ok());
  CHECK(read->relates_to == h.relates_to);
  CHECK(read->resource_uri == h.resource_uri);
}

} // namespace
} // namespace outband::wsman
