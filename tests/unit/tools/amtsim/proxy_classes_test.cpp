#include "tests/unit/tools/amtsim/bench_client.hpp"
#include "tools/amtsim/cira_state.hpp"
#include "tools/amtsim/classes.hpp"

namespace outband::amtsim {
namespace {

using namespace test;
using wsman::property;

const std::string point_class = "IPS_HTTPProxyAccessPoint";

std::string proxy(const std::string& host, const char* port = "8080") {
  return property("AccessInfo", host) + property("InfoFormat", "201") + property("Port", port) +
         property("NetworkDnsSuffix", "corp.example");
}
wsman_reply add(bench_machine& m, const std::string& input) {
  return serve(m, method("IPS_HTTPProxyService", "AddProxyAccessPoint", input));
}
std::string hosts(bench_machine& m) {
  std::string out;
  for (const auto& p : list(m, point_class))
    out += std::string(p.child_text("AccessInfo")) + " ";
  return out;
}
std::string name_of(int number) {
  return "Intel(r) ME:HTTP Proxy Access Point " + std::to_string(number);
}
wsman_reply prioritise(bench_machine& m, int number, const char* priority) {
  const auto uri = wsman::class_uri(point_class);
  return serve(m,
               wsman::write_request(
                   {uri + "/UpdatePriority", uri, 5, {{"Name", name_of(number)}}},
                   wsman::class_body("UpdatePriority_INPUT", uri, property("Priority", priority))));
}

TEST_CASE("proxies are added tried in order and removed") {
  bench_machine m;
  CHECK(list(m, point_class).empty());
  const auto added = body_of(add(m, proxy("a")));
  CHECK(returned(added) == "0");
  const auto to = wsman::read_endpoint(*added.child("ProxyAccessPoint"));
  CHECK(selector_of(*to, "Name") == name_of(0));
  CHECK(to->selectors.size() == 4);
  for (const auto* host : {"b", "c"})
    CHECK(returned(add(m, proxy(host))) == "0");
  CHECK(hosts(m) == "a b c ");
  CHECK(returned(prioritise(m, 2, "0")) == "0");
  CHECK(hosts(m) == "c a b ");
  CHECK(returned(prioritise(m, 2, "2")) == "0");
  CHECK(hosts(m) == "a b c ");
  CHECK(returned(prioritise(m, 2, "3")) == "36");
  CHECK(refused(prioritise(m, 9, "0")) == "DestinationUnreachable");
  // wsman-messages names none: the first is meant.
  CHECK(returned(serve(m, method(point_class, "UpdatePriority", property("Priority", "2")))) ==
        "0");
  CHECK(hosts(m) == "b c a ");
  CHECK(returned(prioritise(m, 0, "0")) == "0");
  CHECK(refused(remove(m, point_class, {{"Name", name_of(1)}})).empty());
  CHECK(hosts(m) == "a c ");
  CHECK(returned(add(m, proxy("d"))) == "0");
  CHECK(selector_of(*wsman::read_endpoint(*body_of(add(m, proxy("e"))).child("ProxyAccessPoint")),
                    "Name") == name_of(3));
}

TEST_CASE("the same proxy again is a duplicate that refers to nothing") {
  bench_machine m;
  add(m, proxy("a"));
  const auto reply = add(m, proxy("a"));
  CHECK(returned(reply) == "2058");
  CHECK(reply.xml.find("Address>default<") != std::string::npos);
  CHECK(returned(add(m, proxy("a", "3128"))) == "0");
}

TEST_CASE("fifteen proxies are all and each must be usable") {
  bench_machine m;
  CHECK(returned(add(m, proxy(""))) == "36");
  CHECK(returned(add(m, proxy("a", "0"))) == "36");
  CHECK(returned(add(m, property("AccessInfo", "a") + property("InfoFormat", "7"))) == "36");
  for (int i = 0; i < 15; ++i)
    CHECK(returned(add(m, proxy("h" + std::to_string(i)))) == "0");
  CHECK(returned(add(m, proxy("more"))) == "23");
}

TEST_CASE("Kerberos is switched on with a realm and a service and keeps its key to itself") {
  bench_machine m;
  const std::string name = "AMT_KerberosSettingData";
  CHECK(get(m, name).child_text("KrbEnabled") == "false");
  CHECK(get(m, name).child_text("InstanceID") == "Intel (r) AMT: Kerberos Settings");
  CHECK(refused(put(m, name, property("KrbEnabled", "true"))) == "InvalidRepresentation");
  const auto reply = put(m, name,
                         property("KrbEnabled", "true") + property("RealmName", "CORP.EXAMPLE") +
                             property("ServicePrincipalName", "HTTP/edge:16992") +
                             property("MasterKey", "c2VjcmV0LWtleQ=="));
  CHECK(body_of(reply).child_text("RealmName") == "CORP.EXAMPLE");
  CHECK(reply.xml.find("c2VjcmV0LWtleQ") == std::string::npos);
  CHECK(body_of(serve(m, method(name, "GetCredentialCacheState"))).child_text("Enabled") ==
        "false");
  CHECK(returned(invoke(m, name, "SetCredentialCacheState", property("Enabled", "true"))) == "0");
  CHECK(body_of(serve(m, method(name, "GetCredentialCacheState"))).child_text("Enabled") == "true");
  CHECK(refused(serve(m, method(name, "SetCredentialCacheState"))) == "SchemaValidationError");
}

TEST_CASE("proxies and Kerberos come back from flash") {
  bench_machine before;
  add(before, proxy("a"));
  add(before, proxy("b"));
  put(before, "AMT_KerberosSettingData", property("RealmName", "CORP"));
  kept_texts proxies;
  kept_texts kerberos;
  const auto rows = proxy_classes().flash;
  REQUIRE(rows.size() == 2);
  rows[0].save(before.model, proxies);
  rows[1].save(before.model, kerberos);
  bench_machine after;
  rows[0].load(proxies, after.model);
  rows[1].load(kerberos, after.model);
  CHECK(hosts(after) == "a b ");
  CHECK(get(after, "AMT_KerberosSettingData").child_text("RealmName") == "CORP");
}

TEST_CASE("every class that explorers ask for answers Enumerate and Pull") {
  bench_machine m;
  for (const auto* name : {"AMT_8021XProfile",
                           "AMT_8021xCredentialContext",
                           "AMT_AssetTable",
                           "AMT_AssetTableService",
                           "AMT_CryptographicCapabilities",
                           "AMT_EventLogEntry",
                           "AMT_Hdr8021Filter",
                           "AMT_RemoteAccessCapabilities",
                           "AMT_SystemPowerScheme",
                           "CIM_BIOSFeature",
                           "CIM_EthernetPort",
                           "CIM_PhysicalPackage",
                           "CIM_PowerManagementCapabilities",
                           "CIM_RedirectionService",
                           "CIM_WiFiEndpoint",
                           "CIM_WiFiEndpointCapabilities",
                           "CIM_WiFiPortCapabilities",
                           "IPS_8021xCredentialContext",
                           "IPS_HTTPProxyAccessPoint",
                           "IPS_HostBootReason",
                           "IPS_HostIPSettings",
                           "IPS_IPv6PortSettings",
                           "IPS_LANEndpoint",
                           "IPS_ProvisioningRecordLog",
                           "IPS_SecIOService"}) {
    CAPTURE(name);
    list(m, name); // checks the form
  }
  CHECK(list(m, "AMT_EventLogEntry").size() > 1);
  CHECK(list(m, "AMT_AssetTable").size() == 2);
}

} // namespace
} // namespace outband::amtsim
