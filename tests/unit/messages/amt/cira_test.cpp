#include "messages/amt/cira.hpp"

#include "tests/unit/messages/amt/firmware.hpp"
#include "tests/unit/messages/amt/pki.hpp"

namespace outband::amt {
namespace {

using namespace test;

const std::string sap = "AMT_ManagementPresenceRemoteSAP";
const std::string rule = "AMT_RemoteAccessPolicyRule";
const std::string use = "AMT_RemoteAccessPolicyAppliesToMPS";
const std::string service = "AMT_RemoteAccessService";
const std::string user_service = "AMT_UserInitiatedConnectionService";
const std::string detection = "AMT_EnvironmentDetectionSettingData";
const std::string keys = "AMT_PublicKeyManagementService";
const std::string server_name = "Intel(r) AMT:Management Presence Server 0";

std::string text(const std::string& name, const std::string& value) {
  return "<" + name + ">" + value + "</" + name + ">";
}

std::string reference(const std::string& property, const std::string& cls, const std::string& key,
                      const std::string& value) {
  return "<" + property + "><b:Address>x</b:Address><b:ReferenceParameters><c:ResourceURI>" +
         uri(cls) + "</c:ResourceURI><c:SelectorSet><c:Selector Name=\"CreationClassName\">" + cls +
         "</c:Selector><c:Selector Name=\"" + key + "\">" + value +
         "</c:Selector><c:Selector Name=\"SystemCreationClassName\">CIM_ComputerSystem</c:Selector>"
         "<c:Selector Name=\"SystemName\">Intel(r) AMT</c:Selector></c:SelectorSet>"
         "</b:ReferenceParameters></" +
         property + ">";
}

std::string server_item(const std::string& name, const std::string& address) {
  return item(sap, text("AccessInfo", address) + text("CN", "") + text("InfoFormat", "201") +
                       text("Name", name) + text("Port", "4433"));
}
std::string rule_item(const std::string& name, const std::string& trigger) {
  return item(rule, text("ExtendedData", "AAAAAAAAABk=") + text("PolicyRuleName", name) +
                        text("Trigger", trigger) + text("TunnelLifeTime", "0"));
}
std::string use_item(const std::string& name, const std::string& server = server_name) {
  return item(use, reference("ManagedElement", sap, "Name", server) + text("MpsType", "0") +
                       text("OrderOfAccess", "0") +
                       reference("PolicySet", rule, "PolicyRuleName", name));
}
const std::string root_created =
    "<CreatedCertificate><b:Address>x</b:Address><b:ReferenceParameters><c:ResourceURI>y"
    "</c:ResourceURI><c:SelectorSet><c:Selector Name=\"InstanceID\">H 0</c:Selector>"
    "</c:SelectorSet></b:ReferenceParameters></CreatedCertificate>";

cira_settings wanted() {
  cira_settings s;
  s.root_certificate = pki::someone().certificate_pem;
  s.address = "mps.example";
  s.user = "admin1";
  s.password = "P@ssw0rd&";
  s.inside = {"f00d.com"};
  return s;
}

/// New, and ready to be configured.
firmware fresh() {
  firmware f;
  f.lists(rule, "")
      .lists(sap, "")
      .lists(sap, server_item("other", "old.example") + server_item(server_name, "mps.example"))
      .lists("AMT_PublicKeyCertificate", "")
      .returns(keys, "AddTrustedRootCertificate", 0, root_created)
      .returns(service, "AddMpServer", 0)
      .returns(service, "AddRemoteAccessPolicyRule", 0)
      .lists(use, use_item("Periodic") + use_item("Periodic", "other") + use_item("User Initiated"))
      .returns(user_service, "RequestStateChange", 0)
      .has(detection,
           text("DetectionAlgorithm", "0") + text("ElementName", "E") + text("InstanceID", "I"));
  return f;
}

auto configure(const cira_settings& s) {
  return [s](wsman::talk& t) {
    return configure_cira(t, s);
  };
}

TEST_CASE("a machine tells how it calls home") {
  firmware f;
  f.lists(sap, server_item(server_name, "mps.example"))
      .lists(rule, rule_item("Periodic", "2") + rule_item("User Initiated", "0"))
      .has(detection, text("DetectionStrings", "a.com") + text("DetectionStrings", "b.com"))
      .has(service, text("IsRemoteTunnelConnected", "true"));
  auto told = f.does(read_cira);
  REQUIRE(told.ok());
  REQUIRE(told->servers.size() == 1);
  CHECK(told->servers[0].name == server_name);
  CHECK(told->servers[0].address == "mps.example");
  CHECK(told->servers[0].format == 201);
  CHECK(told->servers[0].port == 4433);
  REQUIRE(told->rules.size() == 2);
  CHECK(told->rules[0].extended_data == periodic_data(25));
  CHECK(told->inside == questions{"a.com", "b.com"});
  CHECK(told->connected);
  CHECK(told->calls_home());
  auto inside = *told;
  inside.inside.clear();
  CHECK_FALSE(inside.calls_home());
  auto alone = *told;
  alone.rules.erase(alone.rules.begin());
  CHECK_FALSE(alone.calls_home());
  firmware none; // a firmware without any of it
  auto nothing_there = none.does(read_cira);
  REQUIRE(nothing_there.ok());
  CHECK_FALSE(nothing_there->calls_home());
}

TEST_CASE("an interval is told in network order") {
  CHECK(periodic_data(25) == "AAAAAAAAABk=");
  CHECK(periodic_data(0x01020304) == "AAAAAAECAwQ=");
}

TEST_CASE("a machine learns to call home in the order that RPS uses") {
  auto f = fresh();
  auto told = f.does(configure(wanted()));
  REQUIRE_MESSAGE(told.ok(), f.why);
  CHECK(told->server == server_name);
  CHECK(told->root == "H 0");
  CHECK_FALSE(told->root_was_there);
  CHECK(f.asked ==
        questions{rule + " Enumerate", rule + " Pull", sap + " Enumerate", sap + " Pull",
                  "AMT_PublicKeyCertificate Enumerate", "AMT_PublicKeyCertificate Pull",
                  keys + " AddTrustedRootCertificate", service + " AddMpServer", sap + " Enumerate",
                  sap + " Pull", service + " AddRemoteAccessPolicyRule",
                  service + " AddRemoteAccessPolicyRule", use + " Enumerate", use + " Pull",
                  use + " Put", use + " Put", user_service + " RequestStateChange",
                  detection + " Get", detection + " Put"});
  CHECK(f.sent_text(keys + " AddTrustedRootCertificate", "CertificateBlob") ==
        base64_encode(pki::someone().certificate));
  const auto add = service + " AddMpServer";
  CHECK(f.order(add) == "AccessInfo InfoFormat Port AuthMethod Username Password"); // no CN
  CHECK(f.sent_text(add, "InfoFormat") == "201");
  CHECK(f.sent_text(add, "AuthMethod") == "2");
  CHECK(f.sent_text(add, "Password") == "P@ssw0rd&");
  const auto policy = service + " AddRemoteAccessPolicyRule";
  CHECK(f.order(policy) == "Trigger TunnelLifeTime ExtendedData MpServer");
  CHECK(f.sent_text(policy, "Trigger") == "2");
  CHECK(f.sent_text(policy, "TunnelLifeTime") == "0");
  CHECK(f.sent_text(policy, "ExtendedData") == "AAAAAAAAABk=");
  CHECK(f.sent_text(policy, "Trigger", 1) == "0");
  CHECK(f.sent_text(policy, "TunnelLifeTime", 1) == "300");
  CHECK(f.sent_text(policy, "ExtendedData", 1).empty());
  const auto to = wsman::read_endpoint(*f.sent(policy).child("MpServer"));
  REQUIRE(to);
  CHECK(to->resource_uri == uri(sap));
  CHECK(to->selectors.at(0).value == server_name);
  CHECK(f.sent_text(user_service + " RequestStateChange", "RequestedState") == "32771");
  CHECK(f.order(detection + " Put") ==
        "DetectionAlgorithm DetectionStrings ElementName InstanceID");
  CHECK(f.sent_text(detection + " Put", "DetectionStrings") == "f00d.com");
  CHECK(f.changed);
}

TEST_CASE("a policy is put with both its keys as references") {
  auto f = fresh();
  REQUIRE(f.does(configure(wanted())).ok());
  const auto put = use + " Put";
  CHECK(f.order(put) == "ManagedElement MpsType OrderOfAccess PolicySet");
  CHECK(f.sent_text(put, "MpsType") == "2");
  CHECK(f.sent_text(put, "OrderOfAccess") == "0");
  std::vector<std::string> policies;
  for (std::size_t i = 0; i < f.asked.size(); ++i) {
    if (f.asked[i] != put)
      continue;
    const auto& s = f.requests[i].selectors;
    REQUIRE(s.size() == 2);
    CHECK(s[0].name == "ManagedElement");
    CHECK(s[0].resource_uri == uri(sap));
    REQUIRE(s[0].reference.size() == 4);
    CHECK(s[0].reference[1].value == server_name); // the other server's is left alone
    CHECK(s[1].name == "PolicySet");
    REQUIRE(s[1].reference.size() == 4);
    policies.push_back(s[1].reference[1].value);
  }
  CHECK(policies == questions{"Periodic", "User Initiated"});
}

TEST_CASE("a common name goes with addresses only") {
  auto s = wanted();
  s.address = "mps.example";
  s.format = server_address::ipv4;
  s.common_name = "mps.example";
  auto f = fresh();
  REQUIRE(f.does(configure(s)).ok());
  CHECK(f.order(service + " AddMpServer") ==
        "AccessInfo InfoFormat Port AuthMethod Username Password CN");
  s.common_name.clear();
  REQUIRE(fresh().does(configure(s)).ok());
}

TEST_CASE("a root that is there already is used") {
  firmware h;
  h.lists("AMT_PublicKeyCertificate",
          item("AMT_PublicKeyCertificate",
               text("InstanceID", "H 3") + text("TrustedRootCertficate", "true") +
                   text("X509Certificate", base64_encode(pki::someone().certificate))))
      .lists(rule, "")
      .lists(sap, server_item(server_name, "mps.example"))
      .returns(service, "AddMpServer", 0)
      .returns(service, "AddRemoteAccessPolicyRule", 0)
      .lists(use, use_item("Periodic"))
      .returns(user_service, "RequestStateChange", 0)
      .has(detection, text("InstanceID", "I"));
  h.gives(sap + " Delete", "");
  auto told = h.does(configure(wanted()));
  REQUIRE_MESSAGE(told.ok(), h.why);
  CHECK(told->root_was_there);
  CHECK(told->root == "H 3");
  CHECK(told->before.servers == 1);
  CHECK(h.times(keys + " AddTrustedRootCertificate") == 0);
}

TEST_CASE("what was configured before goes first") {
  firmware f;
  f.lists(rule, rule_item("Periodic", "2") + rule_item("Alert", "1"))
      .lists(sap, server_item("a", "x") + server_item("b", "y"))
      .gives(rule + " Delete", "")
      .gives(sap + " Delete", "");
  auto told = f.does(clear_cira);
  REQUIRE(told.ok());
  CHECK(told->rules == 2);
  CHECK(told->servers == 2);
  REQUIRE(f.requests.size() == 8);
  CHECK(f.requests[2].selectors.at(0).name == "PolicyRuleName");
  CHECK(f.requests[2].selectors.at(0).value == "Periodic");
  CHECK(f.requests[7].selectors.at(0).name == "Name");
  CHECK(f.requests[7].selectors.at(0).value == "b");

  firmware none;
  CHECK(none.does(clear_cira).ok());
  firmware gone; // listed, and not there any more
  gone.lists(rule, rule_item("Periodic", "2")).lists(sap, "");
  CHECK(gone.does(clear_cira)->rules == 0);
  firmware stubborn;
  stubborn.lists(rule, rule_item("Periodic", "2")).refuses(rule + " Delete", "AccessDenied");
  CHECK(stubborn.does(clear_cira).error().what == problem::device_refused);
}

TEST_CASE("each refusal ends the configuration and is told") {
  const std::pair<std::string, int> refusals[] = {{"AddMpServer", 36},
                                                  {"AddMpServer", 23},
                                                  {"AddRemoteAccessPolicyRule", 2058},
                                                  {"AddRemoteAccessPolicyRule", 38}};
  for (const auto& [method, value] : refusals) {
    CAPTURE(method);
    firmware f;
    f.returns(service, method, value); // comes first
    f.lists(rule, "")
        .lists(sap, "")
        .lists(sap, server_item(server_name, "mps.example"))
        .lists("AMT_PublicKeyCertificate", "")
        .returns(keys, "AddTrustedRootCertificate", 0, root_created)
        .returns(service, "AddMpServer", 0);
    auto told = f.does(configure(wanted()));
    REQUIRE_FALSE(told.ok());
    CHECK((told.error().what == problem::device_refused ||
           told.error().what == problem::already_exists));
    CHECK(f.times(service + " " + method) == 1);
    CHECK(f.times(detection + " Put") == 0); // it must not believe to be configured
  }
}

TEST_CASE("a firmware that forgets what it took is not believed") {
  firmware no_server;
  no_server.lists(rule, "")
      .lists(sap, "")
      .lists("AMT_PublicKeyCertificate", "")
      .returns(keys, "AddTrustedRootCertificate", 0, root_created)
      .returns(service, "AddMpServer", 0);
  CHECK(no_server.does(configure(wanted())).error().what == problem::device_protocol);
  firmware no_use;
  no_use.lists(rule, "")
      .lists(sap, "")
      .lists(sap, server_item(server_name, "mps.example"))
      .lists("AMT_PublicKeyCertificate", "")
      .returns(keys, "AddTrustedRootCertificate", 0, root_created)
      .returns(service, "AddMpServer", 0)
      .returns(service, "AddRemoteAccessPolicyRule", 0)
      .lists(use, "");
  CHECK(no_use.does(configure(wanted())).error().what == problem::device_protocol);
}

TEST_CASE("settings that cannot be right are named and nothing is asked") {
  const auto field_of = [](auto change) {
    auto s = wanted();
    change(s);
    auto f = fresh();
    auto told = f.does(configure(s));
    REQUIRE_FALSE(told.ok());
    CHECK(f.requests.empty());
    return told.error().field;
  };
  CHECK(field_of([](auto& s) { s.address.clear(); }) == "address");
  CHECK(field_of([](auto& s) { s.address.assign(257, 'a'); }) == "address");
  CHECK(field_of([](auto& s) { s.port = 0; }) == "port");
  CHECK(field_of([](auto& s) { s.user.clear(); }) == "user");
  CHECK(field_of([](auto& s) { s.password.assign(17, 'a'); }) == "password");
  CHECK(field_of([](auto& s) { s.common_name.assign(257, 'a'); }) == "commonName");
  CHECK(field_of([](auto& s) { s.interval_s = 0; }) == "interval");
  CHECK(field_of([](auto& s) { s.inside.clear(); }) == "inside");
  CHECK(field_of([](auto& s) { s.inside.assign(6, "a.com"); }) == "inside");
  CHECK(field_of([](auto& s) { s.inside = {std::string(193, 'a')}; }) == "inside");
  CHECK(field_of([](auto& s) { s.root_certificate = "x"; }) == "rootCertificate");
}

TEST_CASE("a machine without suffixes believes to be inside everywhere") {
  firmware f;
  f.has(detection, text("DetectionAlgorithm", "0") + text("DetectionStrings", "a.com") +
                       text("DetectionStrings", "b.com") + text("ElementName", "E") +
                       text("InstanceID", "I"));
  CHECK(*f.does(clear_environment_detection));
  CHECK(f.order(detection + " Put") == "DetectionAlgorithm ElementName InstanceID");
  CHECK(f.requests.back().selectors.at(0).value == "I");
  firmware clear;
  clear.has(detection, text("InstanceID", "I"));
  CHECK_FALSE(*clear.does(clear_environment_detection));
  CHECK(clear.requests.size() == 1);
  firmware none;
  CHECK_FALSE(*none.does(clear_environment_detection));
}

} // namespace
} // namespace outband::amt
