#include "messages/amt/wifi.hpp"

#include "tests/unit/messages/amt/pki.hpp"
#include "tests/unit/messages/amt/script.hpp"

namespace outband::amt {
namespace {

using namespace script;

const std::string no_port;
std::string port(int state) {
  return item("CIM_WiFiPort", "<EnabledState>" + std::to_string(state) + "</EnabledState>");
}

std::string network(const std::string& name, int priority, const std::string& extra = {}) {
  return item("CIM_WiFiEndpointSettings",
              "<AuthenticationMethod>6</AuthenticationMethod><ElementName>" + name +
                  "</ElementName><EncryptionMethod>4</EncryptionMethod>"
                  "<InstanceID>Intel(r) AMT:WiFi Endpoint Settings " +
                  name + "</InstanceID><Priority>" + std::to_string(priority) +
                  "</Priority><SSID>" + name + "-net</SSID>" + extra);
}

std::string ieee8021x(const std::string& name, const std::string& id, const std::string& user) {
  return item("CIM_IEEE8021xSettings",
              "<AuthenticationProtocol>2</AuthenticationProtocol><ElementName>" + name +
                  "</ElementName><InstanceID>" + id + "</InstanceID><Password>secret</Password>" +
                  "<Username>" + user + "</Username>");
}

const std::string sync_service =
    "<CreationClassName>AMT_WiFiPortConfigurationService</CreationClassName>"
    "<LastConnectedSsidUnderMeControl></LastConnectedSsidUnderMeControl>"
    "<UEFIWiFiProfileShareEnabled>false</UEFIWiFiProfileShareEnabled>"
    "<localProfileSynchronizationEnabled>0</localProfileSynchronizationEnabled>";

void with_sync(firmware& f, const std::string& service, const char* uefi) {
  f.lists("CIM_WiFiPort", port(3));
  f.has("AMT_WiFiPortConfigurationService", service);
  f.has("AMT_BootCapabilities", "<UEFIWiFiCoExistenceAndProfileShare>" + std::string(uefi) +
                                    "</UEFIWiFiCoExistenceAndProfileShare>");
}

const std::string psk = R"({"profileName":"home","ssid":"home-net","priority":3,)"
                        R"("authenticationMethod":"wpa2psk","encryptionMethod":"CCMP",)"
                        R"("password":"a<b>&c\"d"})";

std::string enterprise(const std::string& more = {}) {
  return R"({"profileName":"corp","ssid":"corp-net","priority":"2",)"
         R"("authenticationMethod":"WPA2IEEE8021x","encryptionMethod":"CCMP",)"
         R"("ieee8021x":{"username":"pc","authenticationProtocol":0)" +
         more + "}}";
}

TEST_CASE("the radio's state has a word for each number") {
  for (const auto& [code, word] : {std::pair<int, std::string>{3, "WifiDisabled"},
                                   {32768, "WifiEnabledS0"},
                                   {32769, "WifiEnabledS0SxAC"}}) {
    firmware f;
    f.lists("CIM_WiFiPort", port(code));
    CHECK(f.shown("wifi.state.get") == "{\"state\":\"" + word + "\"}");
  }
  firmware odd;
  odd.lists("CIM_WiFiPort", port(7));
  CHECK(odd.fails("wifi.state.get") == problem::device_protocol);
  CHECK(odd.why.find('7') != std::string::npos);
  firmware none;
  none.lists("CIM_WiFiPort", no_port);
  CHECK(none.fails("wifi.state.get") == problem::not_found);
  firmware old;
  old.refuses("CIM_WiFiPort Enumerate", "DestinationUnreachable");
  CHECK(old.fails("wifi.state.get") == problem::not_found);
}

TEST_CASE("the radio is switched only if it is not so already") {
  firmware f;
  f.lists("CIM_WiFiPort", port(3));
  f.returns("CIM_WiFiPort", "RequestStateChange", 0);
  CHECK(f.shown("wifi.state.set", R"({"state":"wifienableds0sxac"})") ==
        R"({"state":"WifiEnabledS0SxAC"})");
  CHECK(f.sent(2) == "RequestedState=32769");
  firmware already;
  already.lists("CIM_WiFiPort", port(3));
  CHECK(already.shown("wifi.state.set", R"({"state":"WifiDisabled"})") ==
        R"({"state":"WifiDisabled"})");
  CHECK(already.asked.size() == 2);
  firmware refused;
  refused.lists("CIM_WiFiPort", port(3));
  refused.returns("CIM_WiFiPort", "RequestStateChange", 1);
  CHECK(refused.fails("wifi.state.set", R"({"state":"WifiEnabledS0"})") == problem::device_refused);
  CHECK(complaints("wifi.state.set", "{}") == questions{"state"});
  CHECK(complaints("wifi.state.set", R"({"state":3})") == questions{"state"});
  CHECK(complaints("wifi.state.set", R"({"state":"on"})") == questions{"state"});
}

TEST_CASE("profile synchronisation is read whatever the firmware calls a boolean") {
  struct row {
    const char *local, *uefi, *supported, *shown;
  };
  const row rows[] = {
      {"0", "false", "false",
       R"({"localProfileSync":false,"uefiProfileSync":false,"uefiProfileSyncSupported":false})"},
      {"1", "1", "1",
       R"({"localProfileSync":true,"uefiProfileSync":true,"uefiProfileSyncSupported":true})"},
      {"true", "true", "true",
       R"({"localProfileSync":true,"uefiProfileSync":true,"uefiProfileSyncSupported":true})"},
      {"3", "0", "0",
       R"({"localProfileSync":true,"uefiProfileSync":false,"uefiProfileSyncSupported":false})"},
  };
  for (const auto& r : rows) {
    firmware f;
    with_sync(f,
              "<UEFIWiFiProfileShareEnabled>" + std::string(r.uefi) +
                  "</UEFIWiFiProfileShareEnabled><localProfileSynchronizationEnabled>" + r.local +
                  "</localProfileSynchronizationEnabled>",
              r.supported);
    CHECK(f.shown("wifi.sync.get") == r.shown);
  }
  firmware f;
  f.lists("CIM_WiFiPort", no_port);
  CHECK(f.fails("wifi.sync.get") == problem::not_found);
}

TEST_CASE("profile synchronisation is written back as a whole") {
  firmware f;
  with_sync(f, sync_service, "true");
  f.gives("AMT_WiFiPortConfigurationService Put",
          item("AMT_WiFiPortConfigurationService",
               "<UEFIWiFiProfileShareEnabled>1</UEFIWiFiProfileShareEnabled>"
               "<localProfileSynchronizationEnabled>3</localProfileSynchronizationEnabled>"));
  CHECK(f.shown("wifi.sync.set", R"({"localProfileSync":true,"uefiProfileSync":true})") ==
        R"({"localProfileSync":true,"uefiProfileSync":true,"uefiProfileSyncSupported":true})");
  CHECK(f.sent(4) == "CreationClassName=AMT_WiFiPortConfigurationService "
                     "LastConnectedSsidUnderMeControl= UEFIWiFiProfileShareEnabled=1 "
                     "localProfileSynchronizationEnabled=3");
  firmware same; // null keeps what is
  with_sync(same, sync_service, "true");
  CHECK(same.shown("wifi.sync.set", R"({"localProfileSync":null,"uefiProfileSync":false})") ==
        R"({"localProfileSync":false,"uefiProfileSync":false,"uefiProfileSyncSupported":true})");
  CHECK(same.asked.size() == 4);
}

TEST_CASE("UEFI synchronisation is refused where the machine has none") {
  firmware f;
  with_sync(f, sync_service, "false");
  CHECK(f.fails("wifi.sync.set", R"({"uefiProfileSync":true})") == problem::transition_refused);
  CHECK(explain(problem::transition_refused).status == 409);
  CHECK(f.asked.back() == "AMT_BootCapabilities Get");
  CHECK(complaints("wifi.sync.set", R"({"localProfileSync":"true","uefiProfileSync":1})") ==
        questions{"localProfileSync", "uefiProfileSync"});
}

TEST_CASE("profiles are listed with what belongs to them and without secrets") {
  firmware f;
  f.lists("CIM_WiFiEndpointSettings", network("home", 1, "<PSKPassPhrase>secret</PSKPassPhrase>") +
                                          network("corp", 2) + network("named", 3) +
                                          network("alike", 4));
  f.lists("CIM_IEEE8021xSettings",
          ieee8021x("x", "settings of corp", "by association") +
              ieee8021x("y", "Intel(r) AMT:IEEE 802.1x Settings named", "by its id") +
              ieee8021x("ALIKE", "z", "by its name"));
  f.lists("CIM_ConcreteDependency",
          item("CIM_ConcreteDependency",
               reference("Antecedent", "CIM_IEEE8021xSettings", "InstanceID", "settings of corp") +
                   reference("Dependent", "CIM_WiFiEndpointSettings", "InstanceID",
                             "Intel(r) AMT:WiFi Endpoint Settings corp")) +
              item("CIM_ConcreteDependency", reference("Antecedent", "CIM_Role", "Name", "x")));
  auto told = f.shown("wifi.profiles.list");
  CHECK(told.find("secret") == std::string::npos);
  CHECK(told == R"([{"profileName":"home","ssid":"home-net","authenticationMethod":"WPA2PSK",)"
                R"("encryptionMethod":"CCMP","priority":1},)"
                R"({"profileName":"corp","ssid":"corp-net","authenticationMethod":"WPA2PSK",)"
                R"("encryptionMethod":"CCMP","priority":2,)"
                R"("ieee8021x":{"username":"by association","authenticationProtocol":2}},)"
                R"({"profileName":"named","ssid":"named-net","authenticationMethod":"WPA2PSK",)"
                R"("encryptionMethod":"CCMP","priority":3,)"
                R"("ieee8021x":{"username":"by its id","authenticationProtocol":2}},)"
                R"({"profileName":"alike","ssid":"alike-net","authenticationMethod":"WPA2PSK",)"
                R"("encryptionMethod":"CCMP","priority":4,)"
                R"("ieee8021x":{"username":"by its name","authenticationProtocol":2}}])");
  firmware none;
  for (const auto* cls :
       {"CIM_WiFiEndpointSettings", "CIM_IEEE8021xSettings", "CIM_ConcreteDependency"})
    none.refuses(std::string(cls) + " Enumerate", "DestinationUnreachable");
  CHECK(none.shown("wifi.profiles.list") == "[]");
}

TEST_CASE("a profile is added as one method with its passphrase escaped") {
  firmware f;
  f.lists("CIM_WiFiPort", port(32769));
  f.lists("CIM_WiFiEndpointSettings", network("other", 1));
  f.returns("AMT_WiFiPortConfigurationService", "AddWiFiSettings", 0);
  CHECK(f.shown("wifi.profiles.add", psk) == "null");
  CHECK(f.asked == questions{"CIM_WiFiPort Enumerate", "CIM_WiFiPort Pull",
                             "CIM_WiFiEndpointSettings Enumerate", "CIM_WiFiEndpointSettings Pull",
                             "AMT_WiFiPortConfigurationService AddWiFiSettings"});
  CHECK(f.sent(4) == "WiFiEndpoint WiFiEndpointSettingsInput");
  const auto& in = f.requests[4].body.children.front();
  auto endpoint = wsman::read_endpoint(in.children[0]);
  REQUIRE(endpoint.has_value());
  CHECK(endpoint->resource_uri == uri("CIM_WiFiEndpoint"));
  CHECK(endpoint->selectors.at(0).value == "WiFi Endpoint 0");
  const auto& settings = in.children[1];
  CHECK(settings.ns == uri("AMT_WiFiPortConfigurationService"));
  CHECK(settings.child("SSID")->ns == uri("CIM_WiFiEndpointSettings"));
  CHECK(settings.child_text("ElementName") == "home");
  CHECK(settings.child_text("InstanceID") == "Intel(r) AMT:WiFi Endpoint Settings home");
  CHECK(settings.child_text("AuthenticationMethod") == "6");
  CHECK(settings.child_text("EncryptionMethod") == "4");
  CHECK(settings.child_text("SSID") == "home-net");
  CHECK(settings.child_text("Priority") == "3");
  CHECK(settings.child_text("PSKPassPhrase") == "a<b>&c\"d");
}

TEST_CASE("a name or a priority that is taken and a ninth profile are conflicts") {
  struct row {
    std::string there;
    const char* why;
  };
  std::string eight;
  for (int i = 0; i < 8; ++i)
    eight += network("p" + std::to_string(i), 10 + i);
  for (const auto& r : {row{network("home", 1), "already exists: home"},
                        row{network("x", 3), "priority"}, row{eight, "Maximum number"}}) {
    firmware f;
    f.lists("CIM_WiFiPort", port(32769));
    f.lists("CIM_WiFiEndpointSettings", r.there);
    CHECK(f.fails("wifi.profiles.add", psk) == problem::already_exists);
    CHECK(f.why.find(r.why) != std::string::npos);
  }
  firmware none;
  none.lists("CIM_WiFiPort", no_port);
  CHECK(none.fails("wifi.profiles.add", psk) == problem::not_found);
}

TEST_CASE("certificates and the key are there before the profile that needs them") {
  const auto& one = pki::someone();
  const auto ca = pki::make("root", 4102444800);
  const auto argument =
      enterprise(R"(,"password":"pw","clientCert":")" + base64_encode(one.certificate_pem) +
                 R"(","privateKey":")" + base64_encode(one.key_pkcs8) + R"(","caCert":")" +
                 base64_encode(ca.certificate) + "\"");
  firmware f;
  f.lists("CIM_WiFiPort", port(32769));
  f.lists("CIM_WiFiEndpointSettings", "");
  f.lists("AMT_PublicKeyCertificate", "");
  f.lists("AMT_PublicPrivateKeyPair", "");
  f.returns("AMT_PublicKeyManagementService", "AddKey", 0,
            reference("CreatedKey", "AMT_PublicPrivateKeyPair", "InstanceID", "key 0"));
  f.returns("AMT_PublicKeyManagementService", "AddCertificate", 0,
            reference("CreatedCertificate", "AMT_PublicKeyCertificate", "InstanceID", "handle 1"));
  f.returns("AMT_PublicKeyManagementService", "AddTrustedRootCertificate", 0,
            reference("CreatedCertificate", "AMT_PublicKeyCertificate", "InstanceID", "handle 2"));
  f.lists("AMT_PublicKeyCertificate", "");
  f.returns("AMT_WiFiPortConfigurationService", "AddWiFiSettings", 0);
  CHECK(f.shown("wifi.profiles.add", argument) == "null");
  CHECK(f.asked == questions{"CIM_WiFiPort Enumerate", "CIM_WiFiPort Pull",
                             "CIM_WiFiEndpointSettings Enumerate", "CIM_WiFiEndpointSettings Pull",
                             "AMT_PublicKeyCertificate Enumerate", "AMT_PublicKeyCertificate Pull",
                             "AMT_PublicPrivateKeyPair Enumerate", "AMT_PublicPrivateKeyPair Pull",
                             "AMT_PublicKeyManagementService AddKey",
                             "AMT_PublicKeyManagementService AddCertificate",
                             "AMT_PublicKeyManagementService AddTrustedRootCertificate",
                             "AMT_PublicKeyCertificate Enumerate", "AMT_PublicKeyCertificate Pull",
                             "AMT_WiFiPortConfigurationService AddWiFiSettings"});
  CHECK(f.sent(8) == "KeyBlob=" + base64_encode(one.key));
  CHECK(f.sent(9) == "CertificateBlob=" + base64_encode(one.certificate));
  CHECK(f.sent(10) == "CertificateBlob=" + base64_encode(ca.certificate));
  const auto& in = f.requests[13].body.children.front();
  CHECK(f.sent(13) == "WiFiEndpoint WiFiEndpointSettingsInput IEEE8021xSettingsInput "
                      "ClientCredential CACredential");
  CHECK(wsman::read_endpoint(in.children[3])->selectors.at(0).value == "handle 1");
  CHECK(wsman::read_endpoint(in.children[4])->selectors.at(0).value == "handle 2");
  const auto& x = in.children[2];
  CHECK(x.child("Username")->ns == uri("CIM_IEEE8021xSettings"));
  CHECK(x.child_text("ElementName") == "corp");
  CHECK(x.child_text("InstanceID") == "Intel(r) AMT:IEEE 802.1x Settings corp");
  CHECK(x.child_text("AuthenticationProtocol") == "0");
  CHECK(x.child_text("Username") == "pc");
  CHECK(x.child_text("Password") == "pw");
  CHECK(in.children[1].child("PSKPassPhrase") == nullptr);
}

TEST_CASE("certificates and keys that the firmware holds are not added again") {
  const auto& one = pki::someone();
  const auto held = [&](const char* handle, const char* root) {
    return item("AMT_PublicKeyCertificate",
                "<InstanceID>" + std::string(handle) + "</InstanceID><TrustedRootCertficate>" +
                    root + "</TrustedRootCertficate><X509Certificate>" +
                    base64_encode(one.certificate) + "</X509Certificate>");
  };
  firmware f;
  f.lists("CIM_WiFiPort", port(32769));
  f.lists("CIM_WiFiEndpointSettings", "");
  f.lists("AMT_PublicKeyCertificate", held("root", "true") + held("own", "false"));
  f.lists("AMT_PublicPrivateKeyPair",
          item("AMT_PublicPrivateKeyPair", "<DERKey>" + base64_encode(one.public_key) +
                                               "</DERKey><InstanceID>key 3</InstanceID>"));
  f.returns("AMT_WiFiPortConfigurationService", "AddWiFiSettings", 0);
  const auto certificate = base64_encode(one.certificate);
  CHECK(f.shown("wifi.profiles.add", enterprise(R"(,"clientCert":")" + certificate +
                                                R"(","privateKey":")" + base64_encode(one.key) +
                                                R"(","caCert":")" + certificate + "\"")) == "null");
  CHECK(f.asked.size() == 9);
  const auto& in = f.requests[8].body.children.front();
  CHECK(wsman::read_endpoint(in.children[3])->selectors.at(0).value == "own");
  CHECK(wsman::read_endpoint(in.children[4])->selectors.at(0).value == "root");
}

TEST_CASE("what the firmware says to a profile is said in words") {
  for (const auto& [value, why] : {std::pair<int, const char*>{1, "does not support"},
                                   {2, "failed (2)"},
                                   {3, "values"},
                                   {4, "certificates"}}) {
    firmware f;
    f.lists("CIM_WiFiPort", port(32769));
    f.lists("CIM_WiFiEndpointSettings", "");
    f.returns("AMT_WiFiPortConfigurationService", "AddWiFiSettings", value);
    CHECK(f.fails("wifi.profiles.add", psk) == problem::device_refused);
    CHECK(f.why.find(why) != std::string::npos);
    CHECK(f.why.find("a<b>") == std::string::npos);
  }
}

TEST_CASE("a profile is updated by its own instance") {
  firmware f;
  f.lists("CIM_WiFiPort", port(32769));
  f.lists("CIM_WiFiEndpointSettings",
          item("CIM_WiFiEndpointSettings",
               "<ElementName>home</ElementName><InstanceID>theirs</InstanceID>"
               "<Priority>3</Priority>"));
  f.returns("AMT_WiFiPortConfigurationService", "UpdateWiFiSettings", 0);
  CHECK(f.shown("wifi.profiles.update", psk) == "null");
  const auto& in = f.requests[4].body.children.front();
  CHECK(in.children[0].name == "WiFiEndpointSettings");
  CHECK(wsman::read_endpoint(in.children[0])->selectors.at(0).value == "theirs");
  CHECK(in.children[1].child_text("InstanceID") == "theirs");
  firmware missing;
  missing.lists("CIM_WiFiPort", port(32769));
  missing.lists("CIM_WiFiEndpointSettings", network("other", 1));
  CHECK(missing.fails("wifi.profiles.update", psk) == problem::not_found);
  firmware taken;
  taken.lists("CIM_WiFiPort", port(32769));
  taken.lists("CIM_WiFiEndpointSettings", network("home", 1) + network("other", 3));
  CHECK(taken.fails("wifi.profiles.update", psk) == problem::already_exists);
}

TEST_CASE("a profile is removed by its own instance") {
  firmware f;
  f.lists("CIM_WiFiEndpointSettings", network("home", 1));
  f.gives("CIM_WiFiEndpointSettings Delete", "");
  CHECK(f.shown("wifi.profiles.remove", R"({"profileName":"home"})") == "null");
  CHECK(f.requests[2].selectors.at(0).value == "Intel(r) AMT:WiFi Endpoint Settings home");
  firmware missing;
  missing.lists("CIM_WiFiEndpointSettings", "");
  CHECK(missing.fails("wifi.profiles.remove", R"({"profileName":"home"})") == problem::not_found);
  CHECK(complaints("wifi.profiles.remove", R"({"profileName":"a b"})") == questions{"profileName"});
}

TEST_CASE("profile arguments are checked as MPS checks them") {
  CHECK(complaints("wifi.profiles.add", "{}") ==
        questions{"profileName", "ssid", "priority", "authenticationMethod", "encryptionMethod"});
  CHECK(complaints("wifi.profiles.add", psk).empty());
  CHECK(complaints("wifi.profiles.update", enterprise()).empty());
  CHECK(complaints("wifi.profiles.add",
                   R"({"profileName":"a-b","ssid":"","priority":256,"authenticationMethod":6,)"
                   R"("encryptionMethod":"CCMP","password":5,"ieee8021x":{"username":"",)"
                   R"("authenticationProtocol":3,"privateKey":7}})") ==
        questions{"profileName", "ssid", "priority", "authenticationMethod", "password",
                  "ieee8021x.username", "ieee8021x.authenticationProtocol",
                  "ieee8021x.privateKey"});
}

TEST_CASE("no secret of a profile is repeated to who sent it") {
  const auto* known = find_operation("wifi.profiles.add");
  REQUIRE(known != nullptr);
  CHECK(known->secret);
  CHECK(find_operation("wifi.profiles.update")->secret);
  auto argument = json::parse(R"({"profileName":"a","password":["hush"],"ieee8021x":["hush"]})");
  REQUIRE(argument.ok());
  const auto wrong = known->check(*argument);
  CHECK(wrong.size() >= 5);
  CHECK(rest::errors_body(wrong).find("hush") == std::string::npos);
}

TEST_CASE("profiles that contradict themselves are refused before anything is asked") {
  const auto with = [](const std::string& auth, const std::string& more) {
    return R"({"profileName":"home","ssid":"s","priority":3,"encryptionMethod":"CCMP",)"
           R"("authenticationMethod":")" +
           auth + "\"" + more + "}";
  };
  const std::string x = R"(,"ieee8021x":{"username":"u","authenticationProtocol":)";
  for (const auto& argument :
       {with("nonsense", ""), with("WPA3SAE", ""), with("WPA2PSK", ""),
        with("WPA2PSK", R"(,"password":"short")"),
        with("WPA2PSK", R"(,"password":")" + std::string(64, 'x') + "\""),
        with("WPA2PSK", R"(,"password":"long enough")" + x + "0}"), with("WPAIEEE8021x", ""),
        with("WPA2IEEE8021x", R"(,"password":"long enough")" + x + "0}"),
        with("WPA2IEEE8021x", x + "1}"), with("WPA2IEEE8021x", x + R"(0,"clientCert":"AAAA"})"),
        with("WPA2IEEE8021x", x + R"(0,"privateKey":"AAAA"})")}) {
    CAPTURE(argument);
    firmware f;
    CHECK(f.fails("wifi.profiles.add", argument) == problem::malformed);
    CHECK(f.asked.empty());
    CHECK(f.why.find("long enough") == std::string::npos);
  }
}

TEST_CASE("captured Wi-Fi settings are told" * doctest::skip(no_captures())) {
  firmware f;
  f.captured_list("CIM_WiFiPort", "cim/wifi/port");
  CHECK(f.shown("wifi.state.get") == R"({"state":"WifiDisabled"})");
  f.captured_list("CIM_WiFiPort", "cim/wifi/port");
  f.captured("AMT_WiFiPortConfigurationService Get", "amt/wifiportconfiguration/get.xml");
  f.captured("AMT_BootCapabilities Get", "amt/boot/capabilities/get.xml");
  CHECK(f.shown("wifi.sync.get").find(R"("localProfileSync":false,"uefiProfileSync":false)") !=
        std::string::npos);
  f.captured_list("CIM_WiFiEndpointSettings", "cim/wifi/endpointsettings");
  f.captured_list("CIM_IEEE8021xSettings", "cim/ieee8021x/settings");
  f.lists("CIM_IEEE8021xSettings", "");
  f.captured_list("CIM_ConcreteDependency", "cim/concrete/dependency");
  CHECK(f.shown("wifi.profiles.list") ==
        R"([{"profileName":"Test","ssid":"testSSID","authenticationMethod":"OpenSystem",)"
        R"("encryptionMethod":"WEP","priority":1}])");
  f.captured_list("CIM_WiFiPort", "cim/wifi/port");
  f.lists("CIM_WiFiEndpointSettings", "");
  f.captured("AMT_WiFiPortConfigurationService AddWiFiSettings",
             "amt/wifiportconfiguration/addwifisettings.xml");
  CHECK(f.carry_out("wifi.profiles.add", psk).ok());
}

} // namespace
} // namespace outband::amt
