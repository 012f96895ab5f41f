#include "tests/unit/tools/amtsim/bench_client.hpp"
#include "tests/unit/tools/amtsim/made_certificates.hpp"
#include "tools/amtsim/classes.hpp"
#include "tools/amtsim/network_state.hpp"
#include "tools/amtsim/wifi_state.hpp"

#include <set>

namespace outband::amtsim {
namespace {

using namespace test;
using wsman::property;

const std::string port_class = "AMT_EthernetPortSettings";
const std::string wired = "Intel(r) AMT Ethernet Port Settings 0";
const std::string wireless = "Intel(r) AMT Ethernet Port Settings 1";
const std::string ieee_class = "IPS_IEEE8021xSettings";

std::string mode(const char* dhcp, const char* sync, const char* shared) {
  return property("DHCPEnabled", dhcp) + property("IpSyncEnabled", sync) +
         property("SharedStaticIp", shared);
}

wsman_reply set(bench_machine& m, const std::string& inner, const std::string& id = wired) {
  return put(m, port_class, inner, {{"InstanceID", id}});
}

wsman_reply prefer(bench_machine& m, const char* link, const char* seconds,
                   const std::string& port = wireless) {
  const auto uri = wsman::class_uri(port_class);
  return serve(m, wsman::write_request({uri + "/SetLinkPreference", uri, 5, {{"InstanceID", port}}},
                                       wsman::class_body("SetLinkPreference_INPUT", uri,
                                                         property("LinkPreference", link) +
                                                             property("Timeout", seconds))));
}

std::string link_control(bench_machine& m) {
  return std::string(get(m, port_class, {{"InstanceID", wireless}}).child_text("LinkControl"));
}

TEST_CASE("a machine shows its wired port and then its wireless one") {
  bench_machine m;
  const auto ports = list(m, port_class);
  REQUIRE(ports.size() == 2);
  CHECK(ports[0].child_text("InstanceID") == wired);
  CHECK(ports[0].child_text("DHCPEnabled") == "true");
  CHECK(ports[0].child("IPAddress") == nullptr);
  CHECK(all_texts(ports[0], "LinkPolicy") == std::vector<std::string>{"1", "14"});
  CHECK(ports[0].child_text("MACAddress").size() == 17);
  CHECK(ports[1].child_text("InstanceID") == wireless);
  CHECK(ports[1].child_text("PhysicalConnectionType") == "3");
  CHECK(ports[1].child_text("MACAddress") != ports[0].child_text("MACAddress"));
  auto lesser = test::exact();
  lesser.kind = *find_firmware("ism16");
  bench_machine alone(lesser);
  CHECK(list(alone, port_class).size() == 1);
  CHECK(refused(serve(alone, request(wsman::action::get, "CIM_WiFiPort"))) ==
        "DestinationUnreachable");
}

TEST_CASE("MAC addresses follow the GUID and differ") {
  std::set<std::string> seen;
  device_id guid;
  for (unsigned i = 0; i < 2000; ++i) {
    guid.bytes[3] = static_cast<std::uint8_t>(i);
    guid.bytes[9] = static_cast<std::uint8_t>(i >> 8U);
    seen.insert(mac_address(guid, 0));
    seen.insert(mac_address(guid, 1));
  }
  CHECK(seen.size() == 4000);
  CHECK(mac_address(guid, 0) == mac_address(guid, 0));
  CHECK(mac_address(guid, 0, false).size() == 12);
  CHECK(mac_address(guid, 0).substr(0, 3) == "02-");
}

TEST_CASE("an address of its own is stored and echoed") {
  bench_machine m;
  const auto echoed = body_of(
      set(m, mode("false", "false", "false") + property("IPAddress", "10.0.0.5") +
                 property("SubnetMask", "255.255.240.0") + property("PrimaryDNS", "10.0.0.1")));
  CHECK(echoed.child_text("DHCPEnabled") == "false");
  CHECK(echoed.child_text("IPAddress") == "10.0.0.5");
  CHECK(echoed.child_text("SubnetMask") == "255.255.240.0");
  CHECK(echoed.child_text("PrimaryDNS") == "10.0.0.1");
  CHECK(echoed.child("DefaultGateway") == nullptr);
  CHECK(list(m, port_class)[0].child_text("IPAddress") == "10.0.0.5");

  const auto shared = body_of(set(m, mode("false", "true", "true")));
  CHECK(shared.child_text("SharedStaticIp") == "true");
  CHECK(shared.child_text("IPAddress") != "10.0.0.5");
  const auto dhcp = body_of(set(m, mode("1", "1", "0")));
  CHECK(dhcp.child_text("DHCPEnabled") == "true");
  CHECK(dhcp.child("IPAddress") == nullptr);
}

TEST_CASE("addresses that contradict the mode are refused and nothing is stored") {
  bench_machine m;
  const std::string own = mode("false", "false", "false");
  const std::string address = property("IPAddress", "10.0.0.5");
  const std::string mask = property("SubnetMask", "255.255.255.0");
  for (const auto& bad :
       {own, own + address, own + mask, own + property("IPAddress", "10.0.0.256") + mask,
        own + property("IPAddress", "10.0.0") + mask,
        own + property("IPAddress", "10.0.0.5x") + mask,
        own + address + property("SubnetMask", "255.0.255.0"),
        own + address + property("SubnetMask", "0.0.0.0"),
        own + address + mask + property("PrimaryDNS", "dns"),
        mode("true", "true", "false") + address, mode("false", "true", "true") + address,
        mode("false", "true", "false"), mode("false", "false", "true"),
        mode("perhaps", "true", "true"), property("LinkPolicy", "3"),
        property("ConsoleTcpMaxRetransmissions", "9")}) {
    CAPTURE(bad);
    CHECK(refused(set(m, bad)) == "InvalidRepresentation");
  }
  CHECK_FALSE(m.model.network.changed());
}

TEST_CASE("an empty address makes the firmware store nothing") {
  bench_machine m;
  const auto echoed = body_of(set(m, mode("false", "false", "false") + property("IPAddress", "")));
  CHECK(echoed.child_text("DHCPEnabled") == "true");
}

TEST_CASE("the port that is meant is changed") {
  bench_machine m;
  const auto echoed = body_of(set(m, property("ConsoleTcpMaxRetransmissions", "7"), wireless));
  CHECK(echoed.child_text("InstanceID") == wireless);
  CHECK(echoed.child_text("ConsoleTcpMaxRetransmissions") == "7");
  // Without a selector the body says which.
  const auto by_body = body_of(
      put(m, port_class,
          property("InstanceID", wireless) + property("ConsoleTcpMaxRetransmissions", "6")));
  CHECK(by_body.child_text("ConsoleTcpMaxRetransmissions") == "6");
  CHECK(refused(set(m, mode("1", "1", "0"), "Intel(r) AMT Ethernet Port Settings 2")) ==
        "DestinationUnreachable");
  const auto policy = body_of(set(m, property("LinkPolicy", "1") + property("LinkPolicy", "14") +
                                         property("LinkPolicy", "16")));
  CHECK(all_texts(policy, "LinkPolicy").size() == 3);
}

TEST_CASE("the link belongs to the management engine until its time is over") {
  bench_machine m;
  CHECK(link_control(m) == "2");
  CHECK(returned(prefer(m, "1", "60")) == "0");
  CHECK(link_control(m) == "1");
  REQUIRE(m.model.next_due().has_value());
  CHECK(*m.model.next_due() == m.now + sim_time{60000});
  m.after(59999);
  CHECK(link_control(m) == "1");
  m.after(1);
  CHECK(link_control(m) == "2");
  CHECK_FALSE(m.model.next_due().has_value());

  CHECK(returned(prefer(m, "1", "60")) == "0");
  CHECK(returned(prefer(m, "2", "60")) == "0");
  CHECK(link_control(m) == "2");
  CHECK_FALSE(m.model.next_due().has_value());
  CHECK(returned(prefer(m, "3", "60")) == "36");
  CHECK(returned(prefer(m, "1", "60", wired)) == "36");
  CHECK(refused(prefer(m, "x", "60")) == "SchemaValidationError");
}

TEST_CASE("wired 802.1x keeps who it is and never shows the password") {
  bench_machine m;
  CHECK(get(m, ieee_class).child_text("Enabled") == "3");
  const auto reply = put(m, ieee_class,
                         property("Enabled", "2") + property("AuthenticationProtocol", "2") +
                             property("Username", "edge@corp") + property("Password", "s3cret!") +
                             property("PxeTimeout", "60") + property("AvailableInS0", "true"));
  CHECK(reply.xml.find("s3cret!") == std::string::npos);
  const auto shown = get(m, ieee_class);
  CHECK(shown.child_text("Enabled") == "2");
  CHECK(shown.child_text("Username") == "edge@corp");
  CHECK(shown.child_text("AuthenticationProtocol") == "2");
  CHECK(m.model.network->ieee8021x.password == "s3cret!");
  CHECK(refused(put(m, ieee_class, property("Enabled", "4"))) == "InvalidRepresentation");
  CHECK(body_of(put(m, ieee_class, property("Enabled", "3"))).child("Username") == nullptr);
  CHECK(m.model.network->ieee8021x.password.empty());
  CHECK(refused(put(m, ieee_class, property("Enabled", "2"))) == "InvalidRepresentation");
}

TEST_CASE("a server name of 802.1x needs to be told how it is compared") {
  bench_machine m;
  const auto peap = property("Enabled", "6") + property("AuthenticationProtocol", "2") +
                    property("Username", "edge") + property("Password", "s3cret!") +
                    property("Domain", "CORP") + property("RoamingIdentity", "anonymous") +
                    property("ServerCertificateName", "radius.corp");
  const auto compared = [&](const char* how) {
    return put(m, ieee_class, peap + property("ServerCertificateNameComparison", how));
  };
  CHECK(refused(put(m, ieee_class, peap)) == "InvalidRepresentation");
  CHECK(refused(compared("0")) == "InvalidRepresentation");
  CHECK(refused(compared("4")) == "InvalidRepresentation");
  CHECK(get(m, ieee_class).child_text("Enabled") == "3"); // nothing of it was kept
  const auto shown = body_of(compared("2"));
  CHECK(shown.child_text("Domain") == "CORP");
  CHECK(shown.child_text("RoamingIdentity") == "anonymous");
  CHECK(shown.child_text("ServerCertificateName") == "radius.corp");
  CHECK(shown.child_text("ServerCertificateNameComparison") == "2");
}

TEST_CASE("the certificates of wired 802.1x show as credential contexts") {
  bench_machine m;
  auto& store = m.model.certificates.change().certificates;
  for (std::uint32_t i = 0; i < 2; ++i) {
    store.push_back(*read_certificate(made_root("c" + std::to_string(i))));
    store.back().handle = i;
  }
  const auto set_certificates = [&](std::uint32_t root, std::uint32_t client) {
    return returned(
        invoke(m, ieee_class, "SetCertificates",
               wsman::endpoint_parameter("ServerCertificateIssuer", certificate_endpoint(root)) +
                   wsman::endpoint_parameter("ClientCertificate", certificate_endpoint(client))));
  };
  CHECK(set_certificates(0, 5) == "2053");
  CHECK(list(m, "CIM_CredentialContext").empty());
  CHECK(set_certificates(0, 1) == "0");
  const auto shown = list(m, "CIM_CredentialContext");
  REQUIRE(shown.size() == 2);
  CHECK(shown[0].name == "AMT_8021XWiredCredentialContext");
  CHECK(list(m, "IPS_8021xCredentialContext").size() == 2);
  CHECK(refused(remove(m, "AMT_PublicKeyCertificate", {{"InstanceID", certificate_id(1)}})) ==
        "AccessDenied");
  put(m, ieee_class, property("Enabled", "3"));
  CHECK(list(m, "CIM_CredentialContext").empty());
}

TEST_CASE("the older 802.1x profile is stored too") {
  bench_machine m;
  const auto echoed = body_of(
      put(m, "AMT_8021XProfile", property("ActiveInS0", "false") + property("PxeTimeout", "120")));
  CHECK(echoed.child_text("ActiveInS0") == "false");
  CHECK(echoed.child_text("PxeTimeout") == "120");
  CHECK(refused(put(m, "AMT_8021XProfile", property("Enabled", "true"))) ==
        "InvalidRepresentation");
}

TEST_CASE("network settings come back from flash and an unprovisioned machine forgets them") {
  bench_machine before;
  set(before, mode("false", "false", "false") + property("IPAddress", "10.0.0.5") +
                  property("SubnetMask", "255.255.255.0"));
  put(before, ieee_class, property("Enabled", "6") + property("Username", "u"));
  kept_texts kept;
  for (const auto& row : network_classes().flash)
    row.save(before.model, kept);
  bench_machine after;
  for (const auto& row : network_classes().flash)
    row.load(kept, after.model);
  CHECK(list(after, port_class)[0].child_text("IPAddress") == "10.0.0.5");
  CHECK(get(after, ieee_class).child_text("Username") == "u");
  after.model.unprovision();
  CHECK(list(after, port_class)[0].child_text("DHCPEnabled") == "true");
  CHECK_FALSE(after.model.network.changed());
}

} // namespace
} // namespace outband::amtsim
