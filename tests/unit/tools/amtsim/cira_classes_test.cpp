#include "tests/unit/tools/amtsim/bench_client.hpp"
#include "tests/unit/tools/amtsim/made_certificates.hpp"
#include "tools/amtsim/cira_state.hpp"
#include "tools/amtsim/classes.hpp"

namespace outband::amtsim {
namespace {

using namespace test;
using wsman::property;

const std::string service_class = "AMT_RemoteAccessService";
const std::string sap_class = "AMT_ManagementPresenceRemoteSAP";
const std::string rule_class = "AMT_RemoteAccessPolicyRule";
const std::string applies_class = "AMT_RemoteAccessPolicyAppliesToMPS";
const std::string detection_class = "AMT_EnvironmentDetectionSettingData";
const std::string server0 = "Intel(r) AMT:Management Presence Server 0";
const std::string every_25_s = "AAAAAAAAABk=";

std::string server(const std::string& host, const char* port = "4433",
                   const char* password = "P@ssw0rdP@ssw0rd") {
  return property("AccessInfo", host) + property("InfoFormat", "201") + property("Port", port) +
         property("AuthMethod", "2") + property("Username", "admin") +
         property("Password", password) + property("CN", host);
}

wsman::endpoint sap(const std::string& name) {
  return service_endpoint(sap_class, "Name", name);
}
wsman::endpoint rule(const std::string& name) {
  return service_endpoint(rule_class, "PolicyRuleName", name);
}

std::string add_rule(bench_machine& m, const char* trigger, const std::string& extended,
                     const std::string& to = server0) {
  return returned(invoke(
      m, service_class, "AddRemoteAccessPolicyRule",
      property("Trigger", trigger) + property("TunnelLifeTime", "0") +
          property("ExtendedData", extended) +
          wsman::endpoint_parameter("MpServer", {wsman::class_uri(sap_class), {{"Name", to}}})));
}

std::vector<wsman::selector> selectors(const std::string& server, const std::string& policy) {
  return {{"ManagedElement", {}, wsman::class_uri(sap_class), sap(server).selectors},
          {"PolicySet", {}, wsman::class_uri(rule_class), rule(policy).selectors}};
}
std::string applies_body(const std::string& policy, const char* type) {
  return wsman::endpoint_parameter("ManagedElement", sap(server0)) + property("MpsType", type) +
         property("OrderOfAccess", "0") + wsman::endpoint_parameter("PolicySet", rule(policy));
}

/// What RPS writes, in its order.
void configure(bench_machine& m) {
  CHECK(returned(invoke(m, service_class, "AddMpServer", server("mps.example"))) == "0");
  CHECK(add_rule(m, "2", every_25_s) == "0");
  CHECK(add_rule(m, "0", "") == "0");
  for (const auto* policy : {"Periodic", "User Initiated"})
    CHECK(refused(put(m, applies_class, applies_body(policy, "2"), selectors(server0, policy)))
              .empty());
  CHECK(refused(put(m, detection_class, property("DetectionStrings", "b1f0.com"),
                    {{"InstanceID", "Intel(r) AMT Environment Detection Settings"}}))
            .empty());
}

TEST_CASE("without a configuration a machine knows no server and calls nobody") {
  bench_machine m;
  for (const auto& name : {sap_class, rule_class, applies_class})
    CHECK(list(m, name).empty());
  CHECK(refused(remove(m, rule_class, {{"PolicyRuleName", "Periodic"}})) ==
        "DestinationUnreachable");
  CHECK(get(m, detection_class).child("DetectionStrings") == nullptr);
  CHECK_FALSE(calls_home(m.model).has_value());
  const auto limits = get(m, "AMT_RemoteAccessCapabilities");
  CHECK(limits.child_text("MaxMpsPerPolicy") == "2");
  CHECK(limits.child_text("MaxTotalMpServers") == "6");
  CHECK(limits.child_text("MaxTotalPolicies") == "3");
  CHECK(limits.child_text("MaxTotalProxyEntryPoints") == "15");
}

TEST_CASE("what a provisioning server writes makes the machine call home") {
  bench_machine m;
  m.model.certificates.change().certificates.push_back(*read_certificate(made_root("MPS")));
  m.model.certificates.change().certificates.front().trusted_root = true;
  configure(m);
  const auto shown = list(m, sap_class);
  REQUIRE(shown.size() == 1);
  CHECK(shown[0].child_text("Name") == server0);
  CHECK(shown[0].child_text("AccessInfo") == "mps.example");
  CHECK(shown[0].child_text("Port") == "4433");
  const auto associations = list(m, applies_class);
  REQUIRE(associations.size() == 2);
  for (const auto& a : associations) {
    CHECK(a.child_text("MpsType") == "2");
    CHECK(wsman::read_endpoint(*a.child("PolicySet"))->selectors.size() == 4);
    CHECK(wsman::read_endpoint(*a.child("ManagedElement"))->selectors.size() == 4);
  }
  const auto home = calls_home(m.model);
  REQUIRE(home.has_value());
  CHECK(home->host == "mps.example");
  CHECK(home->port == 4433);
  CHECK(home->common_name == "mps.example");
  CHECK(home->user == "admin");
  CHECK(home->password == "P@ssw0rdP@ssw0rd");
  CHECK(home->interval_s == 25);
  CHECK(home->trusted_roots.size() == 1);
}

TEST_CASE("inside the enterprise and without a periodic policy it stays silent") {
  bench_machine m;
  configure(m);
  CHECK_FALSE(calls_home(m.model, "b1f0.com").has_value());
  CHECK_FALSE(calls_home(m.model, "lab.b1f0.com").has_value());
  CHECK(calls_home(m.model, "xb1f0.com").has_value());
  CHECK(calls_home(m.model, "com").has_value());
  CHECK(
      refused(put(m, applies_class, applies_body("Periodic", "1"), selectors(server0, "Periodic")))
          .empty());
  CHECK_FALSE(calls_home(m.model).has_value()); // a server for inside only
  put(m, applies_class, applies_body("Periodic", "0"), selectors(server0, "Periodic"));
  CHECK(calls_home(m.model).has_value());
  CHECK(body_of(put(m, detection_class, property("DetectionAlgorithm", "0")))
            .child("DetectionStrings") == nullptr);
  CHECK_FALSE(calls_home(m.model).has_value()); // inside everywhere
  put(m, detection_class, property("DetectionStrings", "b1f0.com"));
  CHECK(refused(remove(m, rule_class, {{"PolicyRuleName", "Periodic"}})).empty());
  CHECK_FALSE(calls_home(m.model).has_value());
}

TEST_CASE("a server that the firmware cannot use is an invalid parameter") {
  bench_machine m;
  const auto add = [&](const std::string& input) {
    return returned(invoke(m, service_class, "AddMpServer", input));
  };
  CHECK(add(server("")) == "36");
  CHECK(add(server(std::string(257, 'a'))) == "36");
  CHECK(add(server("a", "0")) == "36");
  CHECK(add(server("a", "70000")) == "36");
  CHECK(add(server("a", "4433", "")) == "36");
  CHECK(add(server("a", "4433", "seventeen letters")) == "36");
  CHECK(add(property("AccessInfo", "a") + property("InfoFormat", "5")) == "36");
  CHECK(add(property("AccessInfo", "a") + property("AuthMethod", "1")) == "36");
  CHECK_FALSE(m.model.cira.changed());
  CHECK(add(server("a")) == "0");
  CHECK(add(server("a")) == "2058");
  for (const auto* host : {"b", "c", "d", "e", "f"})
    CHECK(add(server(host)) == "0");
  CHECK(add(server("g")) == "23");
}

TEST_CASE("a policy is added once per trigger for servers that exist") {
  bench_machine m;
  CHECK(add_rule(m, "2", every_25_s) == "36");
  invoke(m, service_class, "AddMpServer", server("a"));
  CHECK(add_rule(m, "2", "") == "36");
  CHECK(add_rule(m, "2", "AAAAAAAAAAA=") == "36"); // every 0 seconds
  CHECK(add_rule(m, "2", "???") == "36");
  CHECK(add_rule(m, "4", "") == "36");
  CHECK(add_rule(m, "2", "AAAAAQAAABcAAAA7") == "0"); // daily at 23:59
  CHECK(add_rule(m, "2", every_25_s) == "2058");
  CHECK(add_rule(m, "1", "") == "0");
  CHECK(add_rule(m, "0", "") == "0");
  CHECK(add_rule(m, "3", "") == "23");
  const auto all = list(m, rule_class);
  REQUIRE(all.size() == 3);
  CHECK(all[0].child_text("PolicyRuleName") == "User Initiated");
  CHECK(all[1].child_text("PolicyRuleName") == "Alert");
  CHECK(all[2].child_text("PolicyRuleName") == "Periodic");
  CHECK(all[2].child_text("ElementName") == "Inte(r) AMT:Remote Access Policy");
  CHECK(list(m, applies_class).front().child_text("MpsType") == "0");
}

TEST_CASE("a policy is changed by its name") {
  bench_machine m;
  configure(m);
  const auto echoed =
      body_of(put(m, rule_class,
                  property("PolicyRuleName", "Periodic") +
                      property("ExtendedData", "AAAAAAAAAA8=") + property("TunnelLifeTime", "60")));
  CHECK(echoed.child_text("PolicyRuleName") == "Periodic");
  CHECK(echoed.child_text("ExtendedData") == "AAAAAAAAAA8=");
  CHECK(calls_home(m.model)->interval_s == 15);
  CHECK(calls_home(m.model)->lifetime_s == 60);
  CHECK(refused(put(m, rule_class,
                    property("PolicyRuleName", "Periodic") + property("ExtendedData", ""))) ==
        "InvalidRepresentation");
}

TEST_CASE("a server goes after its policies") {
  bench_machine m;
  configure(m);
  CHECK(refused(remove(m, sap_class, {{"Name", server0}})) == "AccessDenied");
  for (const auto* policy : {"User Initiated", "Periodic"})
    CHECK(refused(remove(m, rule_class, {{"PolicyRuleName", policy}})).empty());
  CHECK(list(m, applies_class).empty());
  CHECK(refused(remove(m, sap_class, {{"Name", server0}})).empty());
  CHECK(list(m, sap_class).empty());
  CHECK(list(m, "AMT_MPSUsernamePassword").empty());
}

TEST_CASE("an association is put made and removed by its two ends") {
  bench_machine m;
  configure(m);
  // Without a header the body says which one; with one, the header does, whatever the body says.
  CHECK(put(m, applies_class, applies_body("User Initiated", "1")).http_status == 200);
  CHECK(list(m, applies_class)[0].child_text("MpsType") == "1");
  CHECK(put(m, applies_class, applies_body("User Initiated", "0"), selectors(server0, "Periodic"))
            .http_status == 200);
  CHECK(list(m, applies_class)[0].child_text("MpsType") == "1");
  CHECK(list(m, applies_class)[1].child_text("MpsType") == "0");
  CHECK(
      body_of(put(m, applies_class, applies_body("Periodic", "2"), selectors(server0, "Periodic")))
          .name.empty());
  CHECK(refused(put(m, applies_class, applies_body("Periodic", "3"),
                    selectors(server0, "Periodic"))) == "InvalidRepresentation");

  const auto create = [&](const std::string& policy) {
    return serve(m, request(wsman::action::create, applies_class,
                            wsman::class_body(applies_class, wsman::class_uri(applies_class),
                                              applies_body(policy, "2"))));
  };
  CHECK(refused(create("Periodic")) == "AlreadyExists");
  CHECK(refused(create("Alert")) == "InvalidRepresentation");
  CHECK(refused(remove(m, applies_class, selectors(server0, "Periodic"))).empty());
  CHECK(list(m, applies_class).size() == 1);
  CHECK(body_of(create("Periodic")).name == "ResourceCreated");
  CHECK(list(m, applies_class).size() == 2);
}

TEST_CASE("the password for the server is replaced and never shown") {
  bench_machine m;
  configure(m);
  const auto shown = get(m, "AMT_MPSUsernamePassword");
  CHECK(shown.child_text("RemoteID") == "admin");
  CHECK(shown.child("Secret") == nullptr);
  const auto reply = put(m, "AMT_MPSUsernamePassword",
                         property("InstanceID", "Intel(r) AMT:MPS Username Password 0") +
                             property("RemoteID", "edge7") + property("Secret", "n3w s3cret"));
  CHECK(body_of(reply).name.empty());
  CHECK(calls_home(m.model)->user == "edge7");
  CHECK(calls_home(m.model)->password == "n3w s3cret");
}

TEST_CASE("a user may ask for the connection when it is allowed") {
  bench_machine m;
  const auto ask = [&](const char* state) {
    return returned(invoke(m, "AMT_UserInitiatedConnectionService", "RequestStateChange",
                           property("RequestedState", state)));
  };
  CHECK(get(m, "AMT_UserInitiatedConnectionService").child_text("EnabledState") == "32771");
  CHECK(ask("32769") == "0");
  CHECK(get(m, "AMT_UserInitiatedConnectionService").child_text("EnabledState") == "32769");
  CHECK(ask("2") == "36");
  m.model.unprovision();
  CHECK(get(m, "AMT_UserInitiatedConnectionService").child_text("EnabledState") == "32768");
}

settings told_its_server() {
  auto out = test::exact();
  out.server_host = "10.1.2.3";
  out.server_port = 4434;
  return out;
}

TEST_CASE("a machine that was told its server looks configured until it is unprovisioned") {
  const auto s = told_its_server();
  bench_machine m(s);
  CHECK_FALSE(m.model.cira.changed());
  const auto shown = list(m, sap_class);
  REQUIRE(shown.size() == 1);
  CHECK(shown[0].child_text("AccessInfo") == "10.1.2.3");
  CHECK(shown[0].child_text("InfoFormat") == "3");
  CHECK(shown[0].child_text("Port") == "4434");
  CHECK(list(m, rule_class).size() == 2);
  CHECK(calls_home(m.model)->user == "cira1");
  CHECK(refused(remove(m, rule_class, {{"PolicyRuleName", "Periodic"}})).empty());
  CHECK(list(m, rule_class).size() == 1);
  CHECK(list(m, sap_class).size() == 1);
  m.model.unprovision();
  m.model.control_mode = 1;
  CHECK(list(m, sap_class).empty());
  CHECK(get(m, detection_class).child("DetectionStrings") == nullptr);
}

TEST_CASE("whether the tunnel is up shows") {
  bench_machine m;
  CHECK(get(m, service_class).child_text("IsRemoteTunnelConnected") == "false");
  m.model.tunnel_up = true;
  CHECK(get(m, service_class).child_text("IsRemoteTunnelConnected") == "true");
}

TEST_CASE("environment detection is bounded") {
  bench_machine m;
  std::string six;
  for (int i = 0; i < 6; ++i)
    six += property("DetectionStrings", "a.com");
  CHECK(refused(put(m, detection_class, six)) == "InvalidRepresentation");
  CHECK(refused(put(m, detection_class, property("DetectionStrings", std::string(193, 'a')))) ==
        "InvalidRepresentation");
  CHECK_FALSE(m.model.cira.changed());
}

TEST_CASE("how to call home comes back from flash") {
  bench_machine before;
  configure(before);
  kept_texts kept;
  for (const auto& row : cira_classes().flash)
    row.save(before.model, kept);
  bench_machine after;
  for (const auto& row : cira_classes().flash)
    row.load(kept, after.model);
  const auto home = calls_home(after.model);
  REQUIRE(home.has_value());
  CHECK(home->password == "P@ssw0rdP@ssw0rd");
  CHECK(home->interval_s == 25);
  CHECK(list(after, applies_class).size() == 2);
}

} // namespace
} // namespace outband::amtsim
