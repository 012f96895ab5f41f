#include "messages/amt/configure_network.hpp"

#include "messages/amt/configure_8021x.hpp"
#include "tests/unit/messages/amt/firmware.hpp"
#include "tests/unit/messages/amt/pki.hpp"

namespace outband::amt {
namespace {

using namespace test;

const std::string general = "AMT_GeneralSettings";
const std::string ports = "AMT_EthernetPortSettings";
const std::string wifi_service = "AMT_WiFiPortConfigurationService";
const std::string proxy_service = "IPS_HTTPProxyService";
const std::string ieee = "IPS_IEEE8021xSettings";

std::string text(const std::string& name, const std::string& value) {
  return "<" + name + ">" + value + "</" + name + ">";
}
std::string flag(const std::string& name, bool value) {
  return text(name, value ? "true" : "false");
}
std::string wired_port(bool dhcp, bool sync, bool shared, const std::string& more = {},
                       const std::string& mac = "00-11") {
  return item(ports, flag("DHCPEnabled", dhcp) + text("ElementName", "E") +
                         text("InstanceID", "Intel(r) AMT Ethernet Port Settings 0") +
                         flag("IpSyncEnabled", sync) +
                         (mac.empty() ? "" : text("MACAddress", mac)) +
                         flag("SharedStaticIp", shared) + more);
}
std::string wireless_port(const std::string& retransmissions, bool dhcp = true) {
  return item(ports, text("ConsoleTcpMaxRetransmissions", retransmissions) +
                         flag("DHCPEnabled", dhcp) +
                         text("InstanceID", "Intel(r) AMT Ethernet Port Settings 1") +
                         text("IPAddress", "10.0.0.3") + text("MACAddress", "00-22"));
}

TEST_CASE("general settings are put only where they differ") {
  const auto settings = [](bool fqdn, const char* network, bool ping) {
    return text("AMTNetworkEnabled", network) + text("DigestRealm", "r") +
           flag("RmcpPingResponseEnabled", ping) + flag("SharedFQDN", fqdn);
  };
  firmware right;
  right.has(general, settings(true, "1", true));
  CHECK(*right.does(configure_general_settings) == step_result::was_so);
  CHECK(right.requests.size() == 1);
  for (const auto& wrong :
       {settings(false, "1", true), settings(true, "0", true), settings(true, "1", false)}) {
    firmware f;
    f.has(general, wrong);
    CHECK(*f.does(configure_general_settings) == step_result::done);
    const auto put = general + " Put";
    CHECK(f.order(put) == "AMTNetworkEnabled DigestRealm RmcpPingResponseEnabled SharedFQDN");
    CHECK(f.sent_text(put, "SharedFQDN") == "true");
    CHECK(f.sent_text(put, "AMTNetworkEnabled") == "1");
    CHECK(f.sent_text(put, "RmcpPingResponseEnabled") == "true");
  }
}

TEST_CASE("the wired port becomes what the profile says") {
  struct row {
    wired_wish wish;
    const char *dhcp, *sync, *shared;
  };
  wired_wish dhcp, shared, own;
  shared.dhcp = false;
  own.dhcp = own.ip_sync = false;
  own.ip_address = "10.0.0.7";
  own.subnet_mask = "255.0.0.0";
  const row rows[] = {{dhcp, "true", "true", "false"},
                      {shared, "false", "true", "true"},
                      {own, "false", "false", "false"}};
  for (const auto& r : rows) {
    firmware f;
    // Another port first: it is not the index that counts.
    f.lists(ports, wireless_port("7") +
                       wired_port(!r.wish.dhcp, false, r.wish.dhcp, text("IPAddress", "10.0.0.1")));
    auto told = f.does([&](wsman::talk& t) { return configure_wired(t, r.wish); });
    REQUIRE_MESSAGE(told.ok(), f.why);
    CHECK(*told == step_result::done);
    const auto put = ports + " Put";
    CHECK(f.requests.back().selectors.at(0).value == "Intel(r) AMT Ethernet Port Settings 0");
    CHECK(f.sent_text(put, "DHCPEnabled") == r.dhcp);
    CHECK(f.sent_text(put, "IpSyncEnabled") == r.sync);
    CHECK(f.sent_text(put, "SharedStaticIp") == r.shared);
    CHECK(f.sent_text(put, "IPAddress") ==
          (r.wish.ip_address.empty() ? "(none)" : r.wish.ip_address));
  }
}

TEST_CASE("a wired port that is as it should be is not touched") {
  firmware f;
  f.lists(ports, wired_port(true, true, false));
  CHECK(*f.does([](wsman::talk& t) { return configure_wired(t, {}); }) == step_result::was_so);
  CHECK(f.requests.size() == 2);
  for (const auto& none :
       {std::string(), wireless_port("7"), wired_port(true, true, false, "", "")}) {
    firmware g;
    g.lists(ports, none);
    CHECK(*g.does([](wsman::talk& t) { return configure_wired(t, {}); }) == step_result::absent);
  }
}

TEST_CASE("an own static address is the machine's if none is given and needs one") {
  wired_wish own;
  own.dhcp = own.ip_sync = false;
  const auto ask = [&](wsman::talk& t) {
    return configure_wired(t, own);
  };
  firmware f;
  f.lists(ports, wired_port(true, true, false,
                            text("IPAddress", "10.0.0.1") + text("SubnetMask", "255.0.0.0")));
  CHECK(*f.does(ask) == step_result::done);
  CHECK(f.sent_text(ports + " Put", "IPAddress") == "10.0.0.1");
  firmware none;
  none.lists(ports, wired_port(true, true, false));
  CHECK(none.does(ask).error().field == "ipAddress");
  CHECK(none.times(ports + " Put") == 0);
}

TEST_CASE("a firmware that echoes something else has not taken it over") {
  firmware f;
  f.lists(ports, wired_port(false, true, true));
  f.gives(ports + " Put", wired_port(true, true, true));
  CHECK(f.does([](wsman::talk& t) { return configure_wired(t, {}); }).error().what ==
        problem::device_refused);
}

/// With Wi-Fi; the radio off, nothing synchronised.
firmware wifi_machine(bool uefi) {
  firmware f;
  f.lists(ports, wireless_port("5"))
      .lists("CIM_WiFiPort", item("CIM_WiFiPort", text("EnabledState", "3")))
      .has(wifi_service, text("localProfileSynchronizationEnabled", "0") +
                             text("UEFIWiFiProfileShareEnabled", "0"))
      .has("AMT_BootCapabilities", flag("UEFIWiFiCoExistenceAndProfileShare", uefi))
      .returns("CIM_WiFiPort", "RequestStateChange", 0)
      .lists("CIM_WiFiEndpointSettings", "")
      .returns(wifi_service, "AddWiFiSettings", 0);
  return f;
}

wifi_profile_request profile(const std::string& name, std::uint32_t priority) {
  wifi_profile_request p;
  p.name = p.ssid = name;
  p.priority = priority;
  p.password = "long enough";
  return p;
}

TEST_CASE("the wireless port is prepared and then told its profiles") {
  auto f = wifi_machine(true);
  wireless_wish wish;
  wish.uefi_sync = true;
  wish.profiles = {profile("home", 1), profile("work", 2)};
  auto told = f.does([&](wsman::talk& t) { return configure_wireless(t, wish); });
  REQUIRE_MESSAGE(told.ok(), f.why);
  CHECK(told->present);
  CHECK_FALSE(told->uefi_unsupported);
  CHECK(told->profiles.added == questions{"home", "work"});
  CHECK(told->profiles.failed.empty());
  CHECK(f.sent_text(ports + " Put", "ConsoleTcpMaxRetransmissions") == "7");
  CHECK(f.sent_text(ports + " Put", "IPAddress") == "(none)");
  CHECK(f.sent_text(wifi_service + " Put", "localProfileSynchronizationEnabled") == "3");
  CHECK(f.sent_text(wifi_service + " Put", "UEFIWiFiProfileShareEnabled") == "1");
  CHECK(f.sent_text("CIM_WiFiPort RequestStateChange", "RequestedState") == "32769");
  CHECK(f.order(wifi_service + " AddWiFiSettings") == "WiFiEndpoint WiFiEndpointSettingsInput");
}

TEST_CASE("a profile that is refused does not keep the others out") {
  firmware g;
  g.returns(wifi_service, "AddWiFiSettings", 3); // the first one
  g.lists(ports, wireless_port("7"))
      .lists("CIM_WiFiPort", item("CIM_WiFiPort", text("EnabledState", "32769")))
      .has(wifi_service, text("localProfileSynchronizationEnabled", "3"))
      .has("AMT_BootCapabilities", "")
      .lists("CIM_WiFiEndpointSettings", "")
      .returns(wifi_service, "AddWiFiSettings", 0);
  wireless_wish wish;
  wish.uefi_sync = true;
  wish.profiles = {profile("home", 1), profile("work", 2)};
  auto told = g.does([&](wsman::talk& t) { return configure_wireless(t, wish); });
  REQUIRE_MESSAGE(told.ok(), g.why);
  CHECK(told->uefi_unsupported);
  CHECK(told->profiles.added == questions{"work"});
  REQUIRE(told->profiles.failed.size() == 1);
  CHECK(told->profiles.failed[0].name == "home");
  CHECK(told->profiles.failed[0].why.what == problem::device_refused);
  CHECK(g.times(ports + " Put") == 0); // was so
  CHECK(g.times(wifi_service + " Put") == 0);
}

TEST_CASE("a machine without Wi-Fi is told so") {
  firmware f;
  f.lists(ports, wired_port(true, true, false));
  auto told = f.does([](wsman::talk& t) { return configure_wireless(t, {}); });
  REQUIRE(told.ok());
  CHECK_FALSE(told->present);
  CHECK(f.requests.size() == 2);
  wireless_wish many;
  many.profiles.assign(9, profile("a", 1));
  CHECK(f.does([&](wsman::talk& t) { return configure_wireless(t, many); }).error().field ==
        "wifiConfigs");
}

TEST_CASE("proxies are added one by one and one that is there is no failure") {
  firmware f;
  f.returns(proxy_service, "AddProxyAccessPoint", 0)
      .returns(proxy_service, "AddProxyAccessPoint", 2058)
      .returns(proxy_service, "AddProxyAccessPoint", 36);
  const std::vector<proxy_point> wanted{{"a.example", server_address::fqdn, 8080, "corp"},
                                        {"10.0.0.1", server_address::ipv4, 3128, "corp"},
                                        {"bad", server_address::ipv6, 1, ""}};
  auto told = f.does([&](wsman::talk& t) { return configure_proxies(t, wanted); });
  REQUIRE(told.ok());
  CHECK(told->added == questions{"a.example", "10.0.0.1"});
  REQUIRE(told->failed.size() == 1);
  CHECK(told->failed[0].name == "bad");
  const auto add = proxy_service + " AddProxyAccessPoint";
  CHECK(f.order(add) == "AccessInfo InfoFormat Port NetworkDnsSuffix");
  CHECK(f.sent_text(add, "InfoFormat") == "201");
  CHECK(f.sent_text(add, "Port", 1) == "3128");
  const std::vector<proxy_point> many(16, wanted[0]);
  CHECK_FALSE(f.does([&](wsman::talk& t) { return configure_proxies(t, many); }).ok());
}

TEST_CASE("features that a machine cannot have are told and the rest is set") {
  firmware f;
  f.has("AMT_RedirectionService", text("EnabledState", "32768") + flag("ListenerEnabled", false))
      .has("IPS_OptInService", text("CanModifyOptInPolicy", "0") +
                                   text("OptInRequired", "4294967295") + text("OptInState", "0"))
      .returns("AMT_RedirectionService", "RequestStateChange", 0);
  feature_wish wish;
  wish.user_consent = consent_policy::none;
  wish.sol = wish.kvm = true;
  auto told = f.does([&](wsman::talk& t) { return configure_features(t, wish); });
  REQUIRE_MESSAGE(told.ok(), f.why);
  CHECK(told->consent_kept);
  CHECK(told->kvm_absent);
  CHECK(f.sent_text("AMT_RedirectionService RequestStateChange", "RequestedState") == "32770");
  CHECK(f.times("IPS_OptInService Put") == 0);
}

TEST_CASE("consent is the profile's where the firmware lets it be") {
  firmware f;
  f.has("AMT_RedirectionService", text("EnabledState", "32771") + flag("ListenerEnabled", true))
      .has("IPS_OptInService", text("CanModifyOptInPolicy", "1") +
                                   text("OptInRequired", "4294967295") + text("OptInState", "0"))
      .has("CIM_KVMRedirectionSAP", text("EnabledState", "2"));
  feature_wish wish{consent_policy::kvm, true, true, true, {}, {}};
  auto told = f.does([&](wsman::talk& t) { return configure_features(t, wish); });
  REQUIRE_MESSAGE(told.ok(), f.why);
  CHECK_FALSE(told->consent_kept);
  CHECK_FALSE(told->kvm_absent);
  CHECK(f.sent_text("IPS_OptInService Put", "OptInRequired") == "1");
}

const std::string disabled_8021x =
    flag("AvailableInS0", false) + text("ElementName", "Intel(r) AMT: 8021X Settings corp") +
    text("Enabled", "3") + text("InstanceID", "Intel(r) AMT: 8021X Settings") +
    text("PxeTimeout", "120");

TEST_CASE("wired 802.1x with a password needs no certificate of the machine") {
  firmware f;
  f.has(ieee, disabled_8021x);
  wired_8021x_settings wish;
  wish.profile = "corp";
  wish.user = "pc";
  wish.password = "secret";
  wish.pxe_timeout_s = 60;
  const auto ask = [&](wsman::talk& t) {
    return configure_wired_8021x(t, wish);
  };
  REQUIRE_MESSAGE(f.does(ask).ok(), f.why);
  const auto put = ieee + " Put";
  CHECK(f.asked == questions{ieee + " Get", put});
  CHECK(f.sent_text(put, "Enabled") == "6"); // without certificates
  CHECK(f.sent_text(put, "AvailableInS0") == "true");
  CHECK(f.sent_text(put, "AuthenticationProtocol") == "2");
  CHECK(f.sent_text(put, "Username") == "pc");
  CHECK(f.sent_text(put, "Password") == "secret");
  CHECK(f.sent_text(put, "PxeTimeout") == "60");
  CHECK(f.sent_text(put, "ElementName") == "Intel(r) AMT: 8021X Settings corp"); // not twice
  wish.password.clear();
  CHECK(f.does(ask).error().field == "password");
  wish.user.clear();
  CHECK(f.does(ask).error().field == "username");
  firmware none;
  wish.user = wish.password = "x";
  CHECK(none.does(ask).error().what == problem::unsupported);
}

std::string created(const std::string& handle) {
  return "<CreatedCertificate><b:Address>x</b:Address><b:ReferenceParameters><c:ResourceURI>y"
         "</c:ResourceURI><c:SelectorSet><c:Selector Name=\"InstanceID\">" +
         handle + "</c:Selector></c:SelectorSet></b:ReferenceParameters></CreatedCertificate>";
}
const std::string keys = "AMT_PublicKeyManagementService";

wired_8021x_settings peap() {
  wired_8021x_settings out;
  out.profile = "corp";
  out.user = "pc";
  out.password = "secret";
  return out;
}

TEST_CASE("wired 802.1x with an authority makes it a trusted root and tells whom to expect") {
  firmware f;
  f.lists(ports, wired_port(true, true, false))
      .has(ieee, disabled_8021x)
      .lists("AMT_PublicKeyCertificate", "")
      .returns(keys, "AddTrustedRootCertificate", 0, created("C 2"));
  auto wish = peap();
  wish.credentials.ca_certificate = pki::someone().certificate_pem;
  wish.identity = {"CORP", "anonymous@corp", "radius.corp"};
  const auto told = f.does([&](wsman::talk& t) { return configure_wired_access(t, wish); });
  REQUIRE_MESSAGE(told.ok(), f.why);
  CHECK(*told == step_result::done);
  const auto put = ieee + " Put";
  CHECK(f.sent_text(put, "Enabled") == "2"); // with certificates
  CHECK(f.sent_text(put, "Domain") == "CORP");
  CHECK(f.sent_text(put, "RoamingIdentity") == "anonymous@corp");
  CHECK(f.sent_text(put, "ServerCertificateName") == "radius.corp");
  CHECK(f.sent_text(put, "ServerCertificateNameComparison") == "2"); // in full
  CHECK(f.times(keys + " AddTrustedRootCertificate") == 1);
  CHECK(f.times(ieee + " SetCertificates") == 0); // as RPS: the machine has no certificate to name
}

TEST_CASE("what is left out of wired 802.1x does not stay from before") {
  firmware f;
  f.has(ieee, disabled_8021x + text("Domain", "OLD") + text("RoamingIdentity", "old") +
                  text("ServerCertificateName", "old") +
                  text("ServerCertificateNameComparison", "3"));
  REQUIRE(f.does([](wsman::talk& t) { return configure_wired_8021x(t, peap()); }).ok());
  for (const char* name :
       {"Domain", "RoamingIdentity", "ServerCertificateName", "ServerCertificateNameComparison"})
    CHECK(f.sent_text(ieee + " Put", name) == "(none)");
}

TEST_CASE("a profile for PEAP tells who the machine is and whom it expects") {
  firmware f;
  f.lists("CIM_WiFiPort", item("CIM_WiFiPort", text("EnabledState", "32769")))
      .lists("CIM_WiFiEndpointSettings", "")
      .returns("AMT_WiFiPortConfigurationService", "AddWiFiSettings", 0);
  wifi_profile_request wish;
  wish.name = "corp";
  wish.ssid = "corp-net";
  wish.priority = 1;
  wish.auth = authentication::wpa2_8021x;
  wifi_profile_request::enterprise who;
  who.user = "pc";
  who.password = "<secret>";
  who.protocol = 2;
  who.domain = "CORP";
  who.roaming_identity = "anonymous@corp";
  who.server_name = "radius.corp";
  wish.ieee8021x = who;
  REQUIRE(f.does([&](wsman::talk& t) -> result<bool> {
             auto ok = add_wifi_profile(t, wish);
             if (!ok)
               return ok.error();
             return true;
           }).ok());
  const auto& in = f.sent("AMT_WiFiPortConfigurationService AddWiFiSettings");
  const auto* told = in.child("IEEE8021xSettingsInput");
  REQUIRE(told != nullptr);
  CHECK(told->child_text("AuthenticationProtocol") == "2");
  CHECK(told->child_text("Username") == "pc");
  CHECK(told->child_text("Password") == "<secret>");
  CHECK(told->child_text("Domain") == "CORP");
  CHECK(told->child_text("RoamingIdentity") == "anonymous@corp");
  CHECK(told->child_text("ServerCertificateName") == "radius.corp");
  CHECK(told->child_text("ServerCertificateNameComparison") == "2");
  CHECK(in.child("CACredential") == nullptr);
}

TEST_CASE("a machine without a wired port has no use for wired 802.1x") {
  firmware f;
  f.lists(ports, wireless_port("7")).has(ieee, disabled_8021x);
  const auto told = f.does([](wsman::talk& t) { return configure_wired_access(t, peap()); });
  REQUIRE(told.ok());
  CHECK(*told == step_result::absent);
  CHECK(f.times(ieee + " Put") == 0);
}

TEST_CASE("a firmware that echoes 802.1x as it was has not taken it over") {
  firmware f;
  f.has(ieee, disabled_8021x).gives(ieee + " Put", item(ieee, disabled_8021x));
  CHECK(f.does([](wsman::talk& t) { return configure_wired_8021x(t, peap()); }).error().what ==
        problem::device_refused);
}

TEST_CASE("wired 802.1x with a certificate names both") {
  firmware f;
  f.has(ieee, disabled_8021x)
      .lists("AMT_PublicKeyCertificate", "")
      .lists("AMT_PublicPrivateKeyPair", "")
      .returns(keys, "AddKey", 0)
      .returns(keys, "AddCertificate", 0, created("C 1"))
      .returns(keys, "AddTrustedRootCertificate", 0, created("C 2"))
      .returns(ieee, "SetCertificates", 0);
  wired_8021x_settings wish;
  wish.protocol = eap::tls;
  wish.user = "pc";
  wish.credentials = {pki::someone().certificate_pem, base64_encode(pki::someone().key),
                      pki::someone().certificate_pem};
  auto told = f.does([&](wsman::talk& t) { return configure_wired_8021x(t, wish); });
  REQUIRE_MESSAGE(told.ok(), f.why);
  CHECK(told->client == "C 1");
  CHECK(told->ca == "C 2");
  const auto& set = f.sent(ieee + " SetCertificates");
  CHECK(f.order(ieee + " SetCertificates") == "ServerCertificateIssuer ClientCertificate");
  CHECK(wsman::read_endpoint(*set.child("ServerCertificateIssuer"))->selectors.at(0).value ==
        "C 2");
  CHECK(wsman::read_endpoint(*set.child("ClientCertificate"))->selectors.at(0).value == "C 1");
  CHECK(f.sent_text(ieee + " Put", "Password") == "(none)");
  wish.credentials.client_certificate.clear();
  CHECK(f.does([&](wsman::talk& t) { return configure_wired_8021x(t, wish); }).error().field ==
        "certificate");
}

} // namespace
} // namespace outband::amt
