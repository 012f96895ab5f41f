#include "tests/unit/tools/amtsim/bench_client.hpp"
#include "tests/unit/tools/amtsim/made_certificates.hpp"
#include "tools/amtsim/classes.hpp"
#include "tools/amtsim/network_state.hpp"
#include "tools/amtsim/wifi_state.hpp"

namespace outband::amtsim {
namespace {

using namespace test;
using wsman::property;

const std::string service_class = "AMT_WiFiPortConfigurationService";
const std::string profile_class = "CIM_WiFiEndpointSettings";

wsman::endpoint radio(const std::string& name = "WiFi Endpoint 0") {
  return {wsman::class_uri("CIM_WiFiEndpoint"), {{"Name", name}}};
}
std::string id_of(const std::string& name) {
  return "Intel(r) AMT:WiFi Endpoint Settings " + name;
}

struct profile {
  std::string name = "home";
  std::string priority = "1";
  std::string authentication = "6";
  std::string encryption = "4";
  std::string passphrase = "correct horse";
  std::string ssid = "home net";

  std::string settings() const {
    std::string out = "<h:WiFiEndpointSettingsInput>" + property("ElementName", name) +
                      property("InstanceID", id_of(name)) +
                      property("AuthenticationMethod", authentication) +
                      property("EncryptionMethod", encryption) + property("SSID", ssid) +
                      property("Priority", priority);
    if (!passphrase.empty())
      out += property("PSKPassPhrase", passphrase);
    return out + "</h:WiFiEndpointSettingsInput>";
  }
};

std::string add(bench_machine& m, const profile& p, const std::string& more = {}) {
  return returned(invoke(m, service_class, "AddWiFiSettings",
                         wsman::endpoint_parameter("WiFiEndpoint", radio()) + p.settings() + more));
}
std::string update(bench_machine& m, const std::string& id, const std::string& settings,
                   const std::string& more = {}) {
  return returned(
      invoke(m, service_class, "UpdateWiFiSettings",
             wsman::endpoint_parameter("WiFiEndpointSettings",
                                       {wsman::class_uri(profile_class), {{"InstanceID", id}}}) +
                 settings + more));
}

std::string enterprise(const char* protocol, const char* password = nullptr,
                       const std::string& more = {}) {
  std::string out = "<h:IEEE8021xSettingsInput>" + property("ElementName", "corp") +
                    property("InstanceID", "Intel(r) AMT:IEEE 802.1x Settings corp") +
                    property("AuthenticationProtocol", protocol) + property("Username", "edge");
  if (password != nullptr)
    out += property("Password", password);
  return out + more + "</h:IEEE8021xSettingsInput>";
}
const profile corp{"corp", "2", "7", "4", "", "corp net"};

void with_certificates(bench_machine& m) {
  auto& store = m.model.certificates.change().certificates;
  for (std::uint32_t i = 0; i < 2; ++i) {
    store.push_back(*read_certificate(made_root("c" + std::to_string(i))));
    store.back().handle = i;
  }
}
std::string credentials(std::uint32_t client, std::uint32_t ca) {
  return wsman::endpoint_parameter("ClientCredential", certificate_endpoint(client)) +
         wsman::endpoint_parameter("CACredential", certificate_endpoint(ca));
}

TEST_CASE("the radio is switched on and off") {
  bench_machine m;
  const auto ask = [&](const char* state) {
    return returned(
        invoke(m, "CIM_WiFiPort", "RequestStateChange", property("RequestedState", state)));
  };
  CHECK(get(m, "CIM_WiFiPort").child_text("EnabledState") == "3");
  CHECK(ask("32769") == "0");
  CHECK(get(m, "CIM_WiFiPort").child_text("EnabledState") == "32769");
  CHECK(get(m, "CIM_WiFiPort").child_text("RequestedState") == "32769");
  CHECK(ask("2") == "36");
  CHECK(ask("3") == "0");
  CHECK(get(m, "CIM_WiFiPort").child_text("EnabledState") == "3");
}

TEST_CASE("a profile is stored and its passphrase never shown") {
  bench_machine m;
  CHECK(list(m, profile_class).empty());
  CHECK(add(m, {}) == "0");
  const auto reply =
      serve(m, request(wsman::action::get, profile_class, {}, {{"InstanceID", id_of("home")}}));
  CHECK(reply.xml.find("correct horse") == std::string::npos);
  const auto shown = body_of(reply);
  CHECK(shown.child_text("SSID") == "home net");
  CHECK(shown.child_text("Priority") == "1");
  CHECK(shown.child_text("AuthenticationMethod") == "6");
  CHECK(shown.child_text("BSSType") == "3");
  CHECK(shown.child("PSKPassPhrase") == nullptr);
  CHECK(m.model.wifi->profiles.front().passphrase == "correct horse");
  CHECK(refused(remove(m, profile_class, {{"InstanceID", id_of("home")}})).empty());
  CHECK(list(m, profile_class).empty());
  CHECK(refused(remove(m, profile_class, {{"InstanceID", id_of("home")}})) ==
        "DestinationUnreachable");
}

TEST_CASE("names and priorities are unique and eight profiles are all") {
  bench_machine m;
  CHECK(add(m, {}) == "0");
  CHECK(add(m, {"home", "2"}) == "3");
  CHECK(add(m, {"other", "1"}) == "3");
  CHECK(add(m, {"other", "0"}) == "3");
  CHECK(add(m, {"other", "256"}) == "3");
  for (int i = 2; i <= 8; ++i)
    CHECK(add(m, {"p" + std::to_string(i), std::to_string(i)}) == "0");
  CHECK(add(m, {"nine", "9"}) == "2");
  CHECK(list(m, profile_class).size() == 8);
}

TEST_CASE("security that does not fit together is an invalid parameter") {
  bench_machine m;
  for (const auto& bad :
       {profile{"a", "1", "6", "4", "short"}, profile{"a", "1", "6", "4", ""},
        profile{"a", "1", "6", "4", std::string(64, 'g')},
        profile{"a", "1", "6", "4", std::string(65, 'a')}, profile{"a", "1", "6", "2"},
        profile{"a", "1", "9", "4"}, profile{"a", "1", "7", "4", ""}, profile{"", "1"},
        profile{"a", "1", "6", "4", "correct horse", ""},
        profile{"a", "1", "6", "4", "correct horse", std::string(33, 's')}}) {
    CAPTURE(bad.settings());
    CHECK(add(m, bad) == "3");
  }
  CHECK(add(m, {"hex", "1", "6", "4", std::string(64, 'a')}) == "0");
  CHECK(add(m, {"wpa3", "2", "32768", "4"}) == "0");
  auto old = test::exact();
  old.kind = *find_firmware("amt12");
  bench_machine before_wpa3(old);
  CHECK(add(before_wpa3, {"wpa3", "2", "32768", "4"}) == "3");
}

TEST_CASE("a profile is for the one radio there is") {
  bench_machine m;
  CHECK(returned(invoke(m, service_class, "AddWiFiSettings",
                        wsman::endpoint_parameter("WiFiEndpoint", radio("WiFi Endpoint 1")) +
                            profile{}.settings())) == "4");
  CHECK(refused(serve(m, method(service_class, "AddWiFiSettings",
                                wsman::endpoint_parameter("WiFiEndpoint", radio())))) ==
        "SchemaValidationError");
}

TEST_CASE("an update changes what it names and keeps the rest") {
  bench_machine m;
  CHECK(add(m, {}) == "0");
  CHECK(add(m, {"other", "2"}) == "0");
  CHECK(update(m, id_of("home"),
               "<h:WiFiEndpointSettingsInput>" + property("Priority", "5") +
                   property("SSID", "new net") + "</h:WiFiEndpointSettingsInput>") == "0");
  const auto& p = m.model.wifi->profiles.front();
  CHECK(p.priority == 5);
  CHECK(p.ssid == "new net");
  CHECK(p.passphrase == "correct horse");
  CHECK(update(m, id_of("home"), profile{"home", "2"}.settings()) == "3");
  CHECK(update(m, id_of("nobody"), profile{"home", "3"}.settings()) == "4");
  CHECK(m.model.wifi->profiles.front().priority == 5);
}

TEST_CASE("an enterprise profile brings its 802.1x settings and certificates") {
  bench_machine m;
  with_certificates(m);
  CHECK(add(m, corp) == "3");
  CHECK(add(m, corp, enterprise("0")) == "3");
  CHECK(add(m, corp, enterprise("0") + credentials(0, 7)) == "4");
  CHECK(add(m, corp, enterprise("0") + credentials(1, 0)) == "0");
  const auto settings = list(m, "CIM_IEEE8021xSettings");
  REQUIRE(settings.size() == 1);
  CHECK(settings[0].child_text("Username") == "edge");
  CHECK(settings[0].child_text("InstanceID") == "Intel(r) AMT:IEEE 802.1x Settings corp");
  const auto contexts = list(m, "CIM_CredentialContext");
  REQUIRE(contexts.size() == 2);
  CHECK(contexts[0].name == "AMT_8021XCredentialContext");
  CHECK(selector_of(*wsman::read_endpoint(*contexts[0].child("ElementInContext")), "InstanceID") ==
        certificate_id(1));
  CHECK(list(m, "CIM_ConcreteDependency").size() == 2);
  CHECK(refused(remove(m, "AMT_PublicKeyCertificate", {{"InstanceID", certificate_id(0)}})) ==
        "AccessDenied");
  CHECK(refused(remove(m, profile_class, {{"InstanceID", id_of("corp")}})).empty());
  CHECK(list(m, "CIM_IEEE8021xSettings").empty());
  CHECK(list(m, "CIM_CredentialContext").empty());
  CHECK(
      refused(remove(m, "AMT_PublicKeyCertificate", {{"InstanceID", certificate_id(0)}})).empty());
}

TEST_CASE("PEAP wants a password and does not show it") {
  bench_machine m;
  CHECK(add(m, corp, enterprise("2")) == "3");
  CHECK(add(m, corp, enterprise("2", "p4ss")) == "0");
  const auto opened = body_of(serve(
      m, request(wsman::action::enumerate, "CIM_IEEE8021xSettings", wsman::enumerate_body())));
  CHECK(serve(m, request(wsman::action::pull, "CIM_IEEE8021xSettings",
                         wsman::pull_body(opened.child_text("EnumerationContext"))))
            .xml.find("p4ss") == std::string::npos);
  // Back to a passphrase: the 802.1x part goes.
  CHECK(update(m, id_of("corp"), profile{"corp", "2", "6", "4"}.settings()) == "0");
  CHECK(list(m, "CIM_IEEE8021xSettings").empty());
}

TEST_CASE("an enterprise profile keeps who it is and whom it expects") {
  bench_machine m;
  const auto server = property("ServerCertificateName", "radius.corp");
  CHECK(add(m, corp, enterprise("2", "p4ss", server)) == "3");
  CHECK(add(m, corp,
            enterprise("2", "p4ss",
                       server + property("ServerCertificateNameComparison", "3") +
                           property("Domain", "CORP") +
                           property("RoamingIdentity", "anonymous"))) == "0");
  kept_texts kept;
  for (const auto& row : wifi_classes().flash)
    row.save(m.model, kept);
  bench_machine after;
  for (const auto& row : wifi_classes().flash)
    row.load(kept, after.model);
  const auto shown = list(after, "CIM_IEEE8021xSettings");
  REQUIRE(shown.size() == 1);
  CHECK(shown[0].child_text("Domain") == "CORP");
  CHECK(shown[0].child_text("RoamingIdentity") == "anonymous");
  CHECK(shown[0].child_text("ServerCertificateName") == "radius.corp");
  CHECK(shown[0].child_text("ServerCertificateNameComparison") == "3");
}

TEST_CASE("while profiles are synchronised the user's own one shows and stays") {
  bench_machine m;
  CHECK(get(m, service_class).child_text("localProfileSynchronizationEnabled") == "0");
  const auto echoed = body_of(put(m, service_class,
                                  property("localProfileSynchronizationEnabled", "3") +
                                      property("UEFIWiFiProfileShareEnabled", "1")));
  CHECK(echoed.child_text("localProfileSynchronizationEnabled") == "3");
  CHECK(echoed.child_text("UEFIWiFiProfileShareEnabled") == "true");
  const auto shown = list(m, profile_class);
  REQUIRE(shown.size() == 1);
  CHECK(shown[0].child_text("Priority") == "0");
  CHECK(refused(remove(m, profile_class,
                       {{"InstanceID", std::string(shown[0].child_text("InstanceID"))}})) ==
        "AccessDenied");
  CHECK(refused(put(m, service_class, property("localProfileSynchronizationEnabled", "4"))) ==
        "InvalidRepresentation");
  body_of(put(m, service_class, property("localProfileSynchronizationEnabled", "0")));
  CHECK(list(m, profile_class).empty());
}

TEST_CASE("firmware without UEFI sharing ignores the property") {
  auto old = test::exact();
  old.kind = *find_firmware("amt12");
  bench_machine m(old);
  CHECK(get(m, service_class).child("UEFIWiFiProfileShareEnabled") == nullptr);
  CHECK(refused(put(m, service_class, property("UEFIWiFiProfileShareEnabled", "true"))).empty());
  CHECK_FALSE(m.model.wifi->uefi_share);
}

TEST_CASE("under its own control the firmware joins the network of the best profile") {
  bench_machine m;
  add(m, {"low", "9", "6", "4", "correct horse", "far"});
  add(m, {"high", "3", "6", "4", "correct horse", "near"});
  CHECK(joined_network(m.model) == nullptr);
  m.model.wifi.change().port = 32769;
  m.model.network.change().link_preference = 1;
  CHECK(get(m, service_class).child_text("LastConnectedSsidUnderMeControl") == "near");
  CHECK(list(m, "AMT_EthernetPortSettings")[1].child_text("LinkIsUp") == "true");
}

TEST_CASE("profiles come back from flash with their secrets") {
  bench_machine before;
  add(before, {});
  add(before, corp, enterprise("2", "p4ss"));
  kept_texts kept;
  for (const auto& row : wifi_classes().flash)
    row.save(before.model, kept);
  bench_machine after;
  for (const auto& row : wifi_classes().flash)
    row.load(kept, after.model);
  REQUIRE(after.model.wifi->profiles.size() == 2);
  CHECK(after.model.wifi->profiles[0].passphrase == "correct horse");
  CHECK_FALSE(after.model.wifi->profiles[0].enterprise.has_value());
  REQUIRE(after.model.wifi->profiles[1].enterprise.has_value());
  CHECK(after.model.wifi->profiles[1].enterprise->password == "p4ss");
}

} // namespace
} // namespace outband::amtsim
