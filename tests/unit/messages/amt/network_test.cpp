#include "messages/amt/network.hpp"

#include "messages/amt/forms.hpp"
#include "tests/unit/messages/amt/script.hpp"

namespace outband::amt {
namespace {

using namespace script;

const std::string wired_port =
    "<DHCPEnabled>true</DHCPEnabled><DefaultGateway>192.168.6.1</DefaultGateway>"
    "<ElementName>Intel(r) AMT Ethernet Port Settings</ElementName>"
    "<InstanceID>Intel(r) AMT Ethernet Port Settings 0</InstanceID>"
    "<IpSyncEnabled>true</IpSyncEnabled><LinkIsUp>true</LinkIsUp><LinkPolicy>1</LinkPolicy>"
    "<LinkPolicy>14</LinkPolicy><LinkPolicy>7</LinkPolicy>"
    "<MACAddress>00-be-43-d8-22-a4</MACAddress><PhysicalConnectionType>0</PhysicalConnectionType>"
    "<SharedDynamicIP>true</SharedDynamicIP><SharedMAC>true</SharedMAC>"
    "<SharedStaticIp>false</SharedStaticIp><SubnetMask>255.255.255.0</SubnetMask>";
const std::string wireless_port =
    "<ConsoleTcpMaxRetransmissions>5</ConsoleTcpMaxRetransmissions><DHCPEnabled>true</DHCPEnabled>"
    "<InstanceID>Intel(r) AMT Ethernet Port Settings 1</InstanceID><LinkControl>2</LinkControl>"
    "<LinkPreference>1</LinkPreference><PhysicalConnectionType>3</PhysicalConnectionType>"
    "<WLANLinkProtectionLevel>0</WLANLinkProtectionLevel>";

std::string ports(const std::string& a, const std::string& b = {}) {
  return item("AMT_EthernetPortSettings", a) +
         (b.empty() ? "" : item("AMT_EthernetPortSettings", b));
}

/// The wired port as the firmware echoes it after a Put.
std::string echo(const std::string& dhcp, const std::string& sync) {
  return item("AMT_EthernetPortSettings",
              "<DHCPEnabled>" + dhcp + "</DHCPEnabled><IpSyncEnabled>" + sync + "</IpSyncEnabled>");
}

TEST_CASE("the wired port is told in MPS's words") {
  firmware f;
  f.lists("AMT_EthernetPortSettings", ports(wired_port));
  f.has("IPS_IEEE8021xSettings", "<AvailableInS0>true</AvailableInS0><Enabled>6</Enabled>"
                                 "<PxeTimeout>120</PxeTimeout>");
  CHECK(f.shown("wired.get") ==
        R"({"elementName":"Intel(r) AMT Ethernet Port Settings",)"
        R"("instanceID":"Intel(r) AMT Ethernet Port Settings 0","vlanTag":0,"sharedMAC":true,)"
        R"("macAddress":"00-be-43-d8-22-a4","linkIsUp":true,)"
        R"("linkPolicy":["S0 AC","Sx AC","Unknown"],"sharedStaticIP":false,)"
        R"("sharedDynamicIP":true,"ipSyncEnabled":true,"dhcpEnabled":true,"ipAddress":"",)"
        R"("subnetMask":"255.255.255.0","defaultGateway":"192.168.6.1","primaryDNS":"",)"
        R"("secondaryDNS":"","physicalConnectionType":"Integrated LAN NIC",)"
        R"("physicalNICMedium":"","ieee8021x":{"enabled":"EnabledWithoutCertificates",)"
        R"("availableInS0":true,"pxeTimeout":120}})");
  CHECK(f.asked == questions{"AMT_EthernetPortSettings Enumerate", "AMT_EthernetPortSettings Pull",
                             "IPS_IEEE8021xSettings Get"});
}

TEST_CASE("the network is what wired and wireless are") {
  firmware f;
  f.lists("AMT_EthernetPortSettings", ports(wired_port, wireless_port));
  f.refuses("IPS_IEEE8021xSettings Get", "DestinationUnreachable");
  f.lists("CIM_WiFiEndpointSettings",
          item("CIM_WiFiEndpointSettings",
               "<AuthenticationMethod>6</AuthenticationMethod><BSSType>3</BSSType>"
               "<ElementName>home</ElementName><EncryptionMethod>4</EncryptionMethod>"
               "<InstanceID>Intel(r) AMT:WiFi Endpoint Settings home</InstanceID>"
               "<PSKPassPhrase>secret</PSKPassPhrase><Priority>1</Priority><SSID>0815</SSID>") +
              item("CIM_WiFiEndpointSettings",
                   "<ElementName>theirs</ElementName>"
                   "<InstanceID>Intel(r) AMT:WiFi Endpoint User Settings theirs</InstanceID>"));
  f.lists("CIM_IEEE8021xSettings",
          item("CIM_IEEE8021xSettings",
               "<AuthenticationProtocol>2</AuthenticationProtocol><ElementName>corp</ElementName>"
               "<InstanceID>x</InstanceID><Password>secret</Password><Username>pc</Username>"));
  f.has("AMT_WiFiPortConfigurationService",
        "<EnabledState>5</EnabledState><HealthState>5</HealthState>"
        "<UEFIWiFiProfileShareEnabled>1</UEFIWiFiProfileShareEnabled>"
        "<localProfileSynchronizationEnabled>3</localProfileSynchronizationEnabled>");
  auto told = f.carry_out("network.get");
  REQUIRE(told.ok());
  CHECK(f.asked == questions{"AMT_EthernetPortSettings Enumerate", "AMT_EthernetPortSettings Pull",
                             "IPS_IEEE8021xSettings Get", "CIM_WiFiEndpointSettings Enumerate",
                             "CIM_WiFiEndpointSettings Pull", "CIM_IEEE8021xSettings Enumerate",
                             "CIM_IEEE8021xSettings Pull", "AMT_WiFiPortConfigurationService Get"});
  CHECK(json::dump(*told).find("secret") == std::string::npos);
  CHECK(json::dump(*told->find("wired")->find("ieee8021x")) ==
        R"({"enabled":"","availableInS0":false,"pxeTimeout":0})");
  const auto& w = *told->find("wireless");
  CHECK(*w.find("consoleTCPMaxRetransmissions")->integer() == 5);
  CHECK(*w.find("linkPreference")->text() == "Management Engine");
  CHECK(*w.find("linkControl")->text() == "Host");
  CHECK(*w.find("wlanLinkProtectionLevel")->text() == "Override");
  CHECK(*w.find("physicalConnectionType")->text() == "Wireless LAN");
  CHECK(json::dump(*w.find("wifiNetworks")) ==
        R"([{"elementName":"home","ssid":"0815","authenticationMethod":"WPA2PSK",)"
        R"("encryptionMethod":"CCMP","priority":1,"bsstype":"Infrastructure"}])");
  CHECK(json::dump(*w.find("ieee8021xSettings")) ==
        R"([{"authenticationProtocol":2,"roamingIdentity":"","serverCertificateName":"",)"
        R"("serverCertificateNameComparison":0,"username":"pc","domain":""}])");
  const auto& s = *w.find("wifiPortConfigService");
  CHECK(*s.find("uefiWiFiProfileShareEnabled")->boolean());
  CHECK(*s.find("localProfileSynchronizationEnabled")->integer() == 3);
}

TEST_CASE("a machine without Wi-Fi has null there and one without both is not found") {
  firmware wired;
  wired.lists("AMT_EthernetPortSettings", ports(wired_port));
  wired.has("IPS_IEEE8021xSettings", "<Enabled>3</Enabled>");
  auto told = wired.carry_out("network.get");
  REQUIRE(told.ok());
  CHECK(told->find("wireless")->is_null());
  CHECK(*told->find("wired")->find("ieee8021x")->find("enabled")->text() == "Disabled");
  firmware none;
  none.lists("AMT_EthernetPortSettings", "");
  CHECK(none.fails("network.get") == problem::not_found);
  none.lists("AMT_EthernetPortSettings", ports(wireless_port));
  CHECK(none.fails("wired.get") == problem::not_found);
}

TEST_CASE("a firmware's absurd port settings are named") {
  for (const auto& [from, to] :
       {std::pair<std::string, std::string>{"<LinkIsUp>true", "<LinkIsUp>yes"},
        {"<LinkPolicy>14", "<LinkPolicy>x"},
        {"<PhysicalConnectionType>0", "<PhysicalConnectionType>-1"},
        {"00-be-43-d8-22-a4", std::string(2000, 'a')}}) {
    CAPTURE(to.substr(0, 40));
    auto port = wired_port;
    port.replace(port.find(from), from.size(), to);
    firmware f;
    f.lists("AMT_EthernetPortSettings", ports(port));
    CHECK(f.fails("wired.get") == problem::device_protocol);
    CHECK(f.why.find("AMT_EthernetPortSettings.") != std::string::npos);
  }
}

TEST_CASE("DHCP leaves every address out") {
  firmware f;
  f.lists("AMT_EthernetPortSettings", ports(wired_port));
  f.gives("AMT_EthernetPortSettings Put", echo("true", "true"));
  CHECK(f.shown("wired.set", R"({"dhcpEnabled":true,"ipAddress":""})") == "null");
  CHECK(f.asked == questions{"AMT_EthernetPortSettings Enumerate", "AMT_EthernetPortSettings Pull",
                             "AMT_EthernetPortSettings Put"});
  CHECK(f.sent(2) == "ElementName=Intel(r) AMT Ethernet Port Settings "
                     "InstanceID=Intel(r) AMT Ethernet Port Settings 0 SharedMAC=true "
                     "SharedStaticIp=false IpSyncEnabled=true DHCPEnabled=true");
  REQUIRE(f.requests[2].selectors.size() == 1);
  CHECK(f.requests[2].selectors[0].name == "InstanceID");
  CHECK(f.requests[2].selectors[0].value == "Intel(r) AMT Ethernet Port Settings 0");
}

TEST_CASE("static addresses are sent and switch synchronisation off") {
  firmware f;
  f.lists("AMT_EthernetPortSettings", ports(wired_port));
  f.gives("AMT_EthernetPortSettings Put", echo("false", "false"));
  CHECK(f.shown("wired.set", R"({"dhcpEnabled":"false","ipAddress":"10.0.0.7",)"
                             R"("subnetMask":"255.0.0.0","defaultGateway":"10.0.0.1",)"
                             R"("primaryDNS":"10.0.0.2"})") == "null");
  CHECK(f.sent(2).find("SharedStaticIp=false IpSyncEnabled=false DHCPEnabled=false "
                       "IPAddress=10.0.0.7 SubnetMask=255.0.0.0 DefaultGateway=10.0.0.1 "
                       "PrimaryDNS=10.0.0.2") != std::string::npos);
  CHECK(f.sent(2).find("SecondaryDNS") == std::string::npos);
}

TEST_CASE("a static address can be the host's") {
  firmware f;
  f.lists("AMT_EthernetPortSettings", ports(wired_port));
  f.gives("AMT_EthernetPortSettings Put", ""); // echoes nothing
  CHECK(f.shown("wired.set", R"({"dhcpEnabled":false,"ipSyncEnabled":true})") == "null");
  CHECK(f.sent(2).find("SharedStaticIp=true IpSyncEnabled=true DHCPEnabled=false") !=
        std::string::npos);
}

TEST_CASE("settings that the firmware swallows are not reported as set") {
  firmware f;
  f.lists("AMT_EthernetPortSettings", ports(wired_port));
  f.gives("AMT_EthernetPortSettings Put", echo("false", "true"));
  CHECK(f.fails("wired.set", R"({"dhcpEnabled":true})") == problem::device_refused);
  firmware refused;
  refused.lists("AMT_EthernetPortSettings", ports(wired_port));
  refused.refuses("AMT_EthernetPortSettings Put", "AccessDenied");
  CHECK(refused.fails("wired.set", R"({"dhcpEnabled":true})") == problem::device_refused);
  CHECK(refused.why.find("AccessDenied") != std::string::npos);
}

TEST_CASE("wired settings that contradict themselves are refused before anything is asked") {
  struct row {
    const char* argument;
    problem what;
    const char* why;
  };
  const row rows[] = {
      {R"({"dhcpEnabled":true,"ieee8021x":{}})", problem::unsupported, "802.1X"},
      {R"({"dhcpEnabled":true,"ipAddress":"10.0.0.7"})", problem::malformed, "DHCP is enabled"},
      {R"({"dhcpEnabled":false,"ipSyncEnabled":true,"primaryDNS":"10.0.0.2"})", problem::malformed,
       "IP sync is enabled"},
      {R"({"dhcpEnabled":false})", problem::malformed, "must enable DHCP"},
      {R"({"dhcpEnabled":false,"ipAddress":"10.0.0.7"})", problem::malformed,
       "subnetMask is required"},
      {R"({"dhcpEnabled":false,"ipAddress":"10.0.0.7","subnetMask":"255.0.0.0",)"
       R"("defaultGateway":"10.0.0.1"})",
       problem::malformed, "primaryDNS is required"},
  };
  for (const auto& r : rows) {
    CAPTURE(r.argument);
    firmware f;
    CHECK(f.fails("wired.set", r.argument) == r.what);
    CHECK(f.why.find(r.why) != std::string::npos);
    CHECK(f.asked.empty());
  }
}

TEST_CASE("wired arguments are checked as MPS checks them") {
  CHECK(complaints("wired.set", "{}") == questions{"dhcpEnabled"});
  CHECK(complaints("wired.set", R"({"dhcpEnabled":"yes","ipSyncEnabled":2})") ==
        questions{"dhcpEnabled", "ipSyncEnabled"});
  CHECK(
      complaints("wired.set", R"({"dhcpEnabled":1,"ipAddress":null,"subnetMask":false})").empty());
  CHECK(complaints("wired.set", R"({"dhcpEnabled":false,"ipAddress":"10.0.0","subnetMask":7,)"
                                R"("defaultGateway":"10.0.0.256","primaryDNS":"a.b.c.d",)"
                                R"("secondaryDNS":"::1"})") ==
        questions{"ipAddress", "subnetMask", "defaultGateway", "primaryDNS", "secondaryDNS"});
}

TEST_CASE("IPv4 addresses are told from what looks like them") {
  for (const auto* good : {"0.0.0.0", "255.255.255.255", "10.0.0.7"})
    CHECK(is_ipv4(good));
  for (const auto* bad : {"", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.", ".1.2.3",
                          "1.2.3.-4", "1.2.3.4 ", "1.2.3.0004"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_ipv4(bad));
  }
}

TEST_CASE("the link preference is asked of the wireless port") {
  firmware f;
  f.lists("AMT_EthernetPortSettings", ports(wired_port, wireless_port));
  f.returns("AMT_EthernetPortSettings", "SetLinkPreference", 0);
  CHECK(f.shown("link_preference.set", R"({"linkPreference":1,"timeout":"300"})") ==
        R"({"ReturnValue":0,"ReturnValueStr":"SUCCESS"})");
  CHECK(f.sent(2) == "LinkPreference=1 Timeout=300");
  CHECK(f.requests[2].selectors.at(0).value == "Intel(r) AMT Ethernet Port Settings 1");
  firmware without;
  without.lists("AMT_EthernetPortSettings", ports(wired_port));
  CHECK(without.fails("link_preference.set", R"({"linkPreference":2,"timeout":0})") ==
        problem::not_found);
  firmware refused;
  refused.lists("AMT_EthernetPortSettings", ports(wireless_port));
  refused.returns("AMT_EthernetPortSettings", "SetLinkPreference", 16);
  CHECK(refused.fails("link_preference.set", R"({"linkPreference":2,"timeout":0})") ==
        problem::device_refused);
  CHECK(refused.why.find("NOT_PERMITTED (16)") != std::string::npos);
  CHECK(complaints("link_preference.set", R"({"linkPreference":3,"timeout":-1})") ==
        questions{"linkPreference", "timeout"});
  CHECK(complaints("link_preference.set", "{}") == questions{"linkPreference", "timeout"});
}

TEST_CASE("captured network settings are told" * doctest::skip(no_captures())) {
  firmware f;
  f.captured_list("AMT_EthernetPortSettings", "amt/ethernetport");
  f.captured("IPS_IEEE8021xSettings Get", "ips/ieee8021x/settings/get.xml");
  f.captured_list("CIM_WiFiEndpointSettings", "cim/wifi/endpointsettings");
  f.captured_list("CIM_IEEE8021xSettings", "cim/ieee8021x/settings");
  f.lists("CIM_IEEE8021xSettings", ""); // the captured batch says that there is more
  f.captured("AMT_WiFiPortConfigurationService Get", "amt/wifiportconfiguration/get.xml");
  auto told = f.carry_out("network.get");
  REQUIRE_MESSAGE(told.ok(), to_string(told.error()));
  CHECK(*told->find("wired")->find("macAddress")->text() == "00-be-43-d8-22-a4");
  CHECK(*told->find("wired")->find("ieee8021x")->find("pxeTimeout")->integer() == 120);
  const auto& w = *told->find("wireless");
  CHECK(*w.find("wlanLinkProtectionLevel")->text() == "None");
  CHECK(json::dump(*w.find("wifiNetworks")) ==
        R"([{"elementName":"Test","ssid":"testSSID","authenticationMethod":"OpenSystem",)"
        R"("encryptionMethod":"WEP","priority":1,"bsstype":"Infrastructure"}])");
  CHECK(*w.find("ieee8021xSettings")->items()->front().find("username")->text() == "iME$amt16$");
  CHECK(*w.find("wifiPortConfigService")->find("requestedState")->integer() == 12);
}

} // namespace
} // namespace outband::amt
