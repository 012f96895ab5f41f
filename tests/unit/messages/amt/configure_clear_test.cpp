#include "messages/amt/configure_clear.hpp"

#include "tests/unit/messages/amt/firmware.hpp"

namespace outband::amt {
namespace {

using namespace test;

const std::string ieee = "IPS_IEEE8021xSettings";
const std::string wifi = "CIM_WiFiEndpointSettings";
const std::string proxy = "IPS_HTTPProxyAccessPoint";
const std::string sap = "AMT_ManagementPresenceRemoteSAP";
const std::string rule = "AMT_RemoteAccessPolicyRule";
const std::string detection = "AMT_EnvironmentDetectionSettingData";
const std::string tls = "AMT_TLSSettingData";
const std::string context = "AMT_TLSCredentialContext";
const std::string cert = "AMT_PublicKeyCertificate";
const std::string key = "AMT_PublicPrivateKeyPair";

std::string text(const std::string& name, const std::string& value) {
  return "<" + name + ">" + value + "</" + name + ">";
}
std::string reference(const std::string& property, const std::string& cls,
                      const std::string& value) {
  return "<" + property + "><b:Address>x</b:Address><b:ReferenceParameters><c:ResourceURI>" +
         uri(cls) + "</c:ResourceURI><c:SelectorSet><c:Selector Name=\"InstanceID\">" + value +
         "</c:Selector></c:SelectorSet></b:ReferenceParameters></" + property + ">";
}
std::string network(const std::string& name, const std::string& priority) {
  return item(wifi, text("ElementName", name) + text("InstanceID", "W " + name) +
                        text("Priority", priority));
}
std::string certificate_item(const std::string& id, const std::string& subject,
                             const std::string& issuer, bool root, bool read_only = false) {
  return item(cert, text("InstanceID", id) + text("Issuer", issuer) + text("Subject", subject) +
                        text("TrustedRootCertficate", root ? "true" : "false") +
                        (read_only ? text("ReadOnlyCertificate", "true") : ""));
}
std::string key_item(const std::string& id) {
  return item(key, text("InstanceID", id));
}
std::string use_of(const std::string& id) {
  return item(context,
              reference("ElementInContext", cert, id) +
                  reference("ElementProvidingContext", "AMT_TLSProtocolEndpointCollection", "all"));
}
std::string pair_of(const std::string& certificate, const std::string& of) {
  return item("CIM_ConcreteDependency",
              reference("Antecedent", cert, certificate) + reference("Dependent", key, of));
}
std::string tls_setting(bool on, const std::string& more = {}) {
  return item(tls, text("Enabled", on ? "true" : "false") +
                       text("InstanceID", "Intel(r) AMT 802.3 TLS Settings") + more);
}

/// The InstanceID or Name of each instance of the class that was deleted.
questions deleted(const firmware& f, const std::string& cls) {
  questions out;
  for (std::size_t i = 0; i < f.asked.size(); ++i)
    if (f.asked[i] == cls + " Delete")
      out.push_back(f.requests[i].selectors.at(0).value);
  return out;
}

firmware configured() {
  firmware f;
  f.has(ieee, text("AuthenticationProtocol", "2") + text("Enabled", "6") + text("InstanceID", "I") +
                  text("Username", "u"))
      .lists(wifi, network("home", "1") + network("user", "0") + network("work", "2"))
      .gives(wifi + " Delete", "")
      .lists(proxy, item(proxy, text("Name", "P 1")) + item(proxy, text("Name", "P 2")))
      .gives(proxy + " Delete", "")
      .lists(rule, item(rule, text("PolicyRuleName", "Periodic")))
      .gives(rule + " Delete", "")
      .lists(sap, item(sap, text("Name", "S 0")))
      .gives(sap + " Delete", "")
      .has(detection, text("DetectionStrings", "a.com") + text("InstanceID", "D"))
      .lists(tls, tls_setting(true))
      .returns("AMT_SetupAndConfigurationService", "CommitChanges", 0)
      .lists(context, use_of("C 1"))
      .gives(context + " Delete", "")
      .lists("CIM_ConcreteDependency", pair_of("C 1", "K 0"))
      .lists(cert, certificate_item("C 0", "CN=root", "CN=root", true) +
                       certificate_item("C 1", "CN=leaf", "CN=root", false) +
                       certificate_item("C 2", "CN=other", "CN=other", true) +
                       certificate_item("C 3", "CN=fixed", "CN=fixed", true, true))
      .gives(cert + " Delete", "")
      .lists(key, key_item("K 0") + key_item("K 1"))
      .gives(key + " Delete", "");
  return f;
}

auto clear(bool enforced) {
  return [enforced](wsman::talk& t) {
    return clear_configuration(t, enforced);
  };
}

TEST_CASE("nothing of an old configuration stays") {
  auto f = configured();
  f.lists("CIM_CredentialContext", "");
  auto told = f.does(clear(false));
  REQUIRE_MESSAGE(told.ok(), f.why);
  CHECK(told->settings.wired_8021x);
  CHECK(f.sent_text(ieee + " Put", "Enabled") == "3");
  CHECK(f.order(ieee + " Put") == "Enabled InstanceID");
  CHECK(told->settings.wifi_profiles == 2);
  CHECK(deleted(f, wifi) == questions{"W home", "W work"}); // not the user's
  CHECK(told->settings.proxies == 2);
  CHECK(deleted(f, proxy) == questions{"P 1", "P 2"});
  CHECK(told->settings.cira.rules == 1);
  CHECK(told->settings.cira.servers == 1);
  CHECK(told->settings.detection);
  CHECK(told->settings.left.empty());
  CHECK(told->tls == tls_off::done);
  CHECK(told->credentials.contexts == 1);
  CHECK(told->credentials.keys == 2);
  CHECK(told->credentials.certificates == 3);
  CHECK(deleted(f, cert) == questions{"C 0", "C 1", "C 2"});
  CHECK(told->credentials.kept == 1); // the read-only one
  CHECK(told->credentials.left.empty());
  // Two references are the context's keys.
  for (std::size_t i = 0; i < f.asked.size(); ++i)
    if (f.asked[i] == context + " Delete") {
      REQUIRE(f.requests[i].selectors.size() == 2);
      CHECK(f.requests[i].selectors[0].name == "ElementInContext");
      CHECK(f.requests[i].selectors[0].reference.at(0).value == "C 1");
      CHECK(f.requests[i].selectors[1].name == "ElementProvidingContext");
    }
}

TEST_CASE("TLS that is enforced keeps what it lives on") {
  auto f = configured();
  f.lists("CIM_CredentialContext", use_of("C 1"));
  auto told = f.does(clear(true));
  REQUIRE_MESSAGE(told.ok(), f.why);
  CHECK(told->tls == tls_off::kept);
  CHECK(f.times(tls + " Put") == 0);
  CHECK(f.times(context + " Delete") == 0);
  CHECK(deleted(f, key) == questions{"K 1"});
  CHECK(deleted(f, cert) == questions{"C 2"}); // not the leaf and not its root
  CHECK(told->credentials.kept == 3);
}

TEST_CASE("a firmware with nothing of it has nothing to clear") {
  firmware f;
  auto told = f.does(clear(false));
  REQUIRE_MESSAGE(told.ok(), f.why);
  CHECK_FALSE(told->settings.wired_8021x);
  CHECK_FALSE(told->settings.detection);
  CHECK(told->tls == tls_off::was_off);
  CHECK(told->settings.left.empty());
  CHECK_FALSE(f.changed);
}

TEST_CASE("what the firmware does not let go is told and the rest goes") {
  firmware f;
  f.refuses(wifi + " Delete", "AccessDenied").refuses(proxy + " Enumerate", "InternalError");
  f.refuses(cert + " Delete", "AccessDenied").refuses(ieee + " Put", "AccessDenied");
  f.has(ieee, text("Enabled", "2"))
      .lists(wifi, network("home", "1") + network("work", "2"))
      .gives(wifi + " Delete", "")
      .lists(rule, "")
      .lists(sap, "")
      .lists("CIM_ConcreteDependency", "")
      .lists("CIM_CredentialContext", "")
      .lists(key, key_item("K 0")) // listed, and gone when it is to go
      .lists(cert, certificate_item("C 0", "CN=a", "CN=b", false));
  auto told = f.does(clear(false));
  REQUIRE_MESSAGE(told.ok(), f.why);
  CHECK(told->settings.wifi_profiles == 1);
  REQUIRE(told->settings.left.size() == 3);
  CHECK(told->settings.left[0].find("wired 802.1x: ") == 0);
  CHECK(told->settings.left[1].find("Wi-Fi profile 'home': ") == 0);
  CHECK(told->settings.left[2].find("proxies: ") == 0);
  CHECK(told->credentials.keys == 0);
  REQUIRE(told->credentials.left.size() == 1);
  CHECK(told->credentials.left[0].find("certificate 'C 0': ") == 0);
}

TEST_CASE("a way home that does not go ends the clearing") {
  firmware f;
  f.lists(rule, item(rule, text("PolicyRuleName", "Periodic")))
      .refuses(rule + " Delete", "AccessDenied");
  CHECK(f.does(clear(false)).error().what == problem::device_refused);
  CHECK(f.asked.back() == rule + " Delete");
}

} // namespace
} // namespace outband::amt
