#include "messages/amt/certificates.hpp"

#include "tests/unit/messages/amt/pki.hpp"
#include "tests/unit/messages/amt/script.hpp"

namespace outband::amt {
namespace {

using namespace script;

std::string held(const std::string& handle, const std::string& name, bool root,
                 const std::string& extra = {}) {
  return item("AMT_PublicKeyCertificate",
              "<ElementName>Intel(r) AMT Certificate</ElementName><InstanceID>" + handle +
                  "</InstanceID><Issuer>CN=ca</Issuer><Subject>C=x,CN=" + name +
                  ",O=y</Subject><TrustedRootCertficate>" + (root ? "true" : "false") +
                  "</TrustedRootCertficate><X509Certificate>QUJD</X509Certificate>" + extra);
}
std::string key(const std::string& handle) {
  return item("AMT_PublicPrivateKeyPair", "<DERKey>S0VZ</DERKey><ElementName>Intel(r) AMT Key"
                                          "</ElementName><InstanceID>" +
                                              handle + "</InstanceID>");
}
std::string pair(const std::string& certificate, const std::string& key) {
  return item("CIM_ConcreteDependency",
              reference("Antecedent", "AMT_PublicKeyCertificate", "InstanceID", certificate) +
                  reference("Dependent", "AMT_PublicPrivateKeyPair", "InstanceID", key));
}
std::string context(const std::string& cls, const std::string& certificate,
                    const std::string& provider, const std::string& profile) {
  return item(cls,
              reference("ElementInContext", "AMT_PublicKeyCertificate", "InstanceID", certificate) +
                  reference("ElementProvidingContext", provider, "InstanceID", profile));
}

void with_store(firmware& f, const std::string& certificates, const std::string& keys = {},
                const std::string& pairs = {}, const std::string& contexts = {}) {
  f.lists("CIM_ConcreteDependency", pairs);
  f.lists("AMT_PublicKeyCertificate", certificates);
  f.lists("AMT_PublicPrivateKeyPair", keys);
  f.lists("CIM_CredentialContext", contexts);
}

const std::string wireless = "Intel(r) AMT:IEEE 802.1x Settings corp";

std::string created(const std::string& handle) {
  return reference("CreatedCertificate", "AMT_PublicKeyCertificate", "InstanceID", handle);
}

std::string adding(const std::string& der, const std::string& trusted = "true") {
  return R"({"cert":")" + base64_encode(der) + R"(","isTrusted":)" + trusted + "}";
}

TEST_CASE("certificates are told with their keys and with who uses them") {
  firmware f;
  with_store(f,
             held("c0", "root", true) +
                 held("c1", "client", false, "<ReadOnlyCertificate>true</ReadOnlyCertificate>"),
             key("k0"), pair("c1", "k0"),
             context("AMT_8021XCredentialContext", "c0", "CIM_IEEE8021xSettings", wireless) +
                 context("AMT_8021XCredentialContext", "c1", "CIM_IEEE8021xSettings", wireless) +
                 context("AMT_TLSCredentialContext", "c1", "AMT_TLSProtocolEndpointCollection",
                         "TLS Collection"));
  auto told = f.carry_out("certificates.list");
  REQUIRE(told.ok());
  CHECK(f.asked == questions{"CIM_ConcreteDependency Enumerate", "CIM_ConcreteDependency Pull",
                             "AMT_PublicKeyCertificate Enumerate", "AMT_PublicKeyCertificate Pull",
                             "AMT_PublicPrivateKeyPair Enumerate", "AMT_PublicPrivateKeyPair Pull",
                             "CIM_CredentialContext Enumerate", "CIM_CredentialContext Pull"});
  const std::string root =
      R"({"elementName":"Intel(r) AMT Certificate","instanceID":"c0","x509Certificate":"QUJD",)"
      R"("trustedRootCertificate":true,"issuer":"CN=ca","subject":"C=x,CN=root,O=y",)"
      R"("associatedProfiles":["Wireless - corp"],"displayName":"root"})";
  const std::string client =
      R"({"elementName":"Intel(r) AMT Certificate","instanceID":"c1","x509Certificate":"QUJD",)"
      R"("trustedRootCertificate":false,"issuer":"CN=ca","subject":"C=x,CN=client,O=y",)"
      R"("readOnlyCertificate":true,"publicKeyHandle":"k0",)"
      R"("associatedProfiles":["Wireless - corp","TLS"],"displayName":"client"})";
  const std::string pair_of_keys =
      R"({"elementName":"Intel(r) AMT Key","instanceID":"k0","derKey":"S0VZ",)"
      R"("certificateHandle":"c1"})";
  CHECK(json::dump(*told->find("certificates")) ==
        R"({"keyManagementItems":[],"publicKeyCertificateItems":[)" + root + "," + client + "]}");
  CHECK(json::dump(*told->find("publicKeys")) ==
        R"({"publicPrivateKeyPairItems":[)" + pair_of_keys + "]}");
  CHECK(json::dump(*told->find("profileAssociation")) ==
        R"([{"type":"TLS","profileID":"TLS Collection","clientCertificate":)" + client +
            R"(,"publicKey":)" + pair_of_keys +
            R"(},{"type":"Wireless","profileID":"corp","rootCertificate":)" + root +
            R"(,"clientCertificate":)" + client + R"(,"publicKey":)" + pair_of_keys + "}]");
}

TEST_CASE("certificates that nobody uses and names without CN are told plainly") {
  firmware f;
  with_store(f,
             item("AMT_PublicKeyCertificate", "<InstanceID>c9</InstanceID>"
                                              "<Subject>O=only</Subject>"),
             key("k1"), pair("c9", "k1"));
  auto told = f.carry_out("certificates.list");
  REQUIRE(told.ok());
  const auto& c = told->find("certificates")->find("publicKeyCertificateItems")->items()->front();
  CHECK(*c.find("displayName")->text() == "c9");
  CHECK(c.find("associatedProfiles")->items()->empty());
  CHECK(c.find("publicKeyHandle") == nullptr);
  CHECK(c.find("readOnlyCertificate") == nullptr);
  CHECK(told->find("profileAssociation")->items()->empty());
}

TEST_CASE("a use is known by its class or by who provides the context") {
  firmware f;
  with_store(f, held("c1", "n", false), {}, {},
             context("CIM_CredentialContext", "c1", "CIM_IEEE8021xSettings", wireless) +
                 context("AMT_8021XWiredCredentialContext", "c1", "IPS_IEEE8021xSettings", "w") +
                 context("CIM_CredentialContext", "c1", "CIM_Role", "r") +
                 item("AMT_TLSCredentialContext", ""));
  auto told = f.carry_out("certificates.list");
  REQUIRE(told.ok());
  const auto& all = *told->find("profileAssociation")->items();
  REQUIRE(all.size() == 2);
  CHECK(*all[0].find("type")->text() == "Wireless");
  CHECK(*all[0].find("profileID")->text() == "corp");
  CHECK(*all[1].find("type")->text() == "Wired");
}

TEST_CASE("a certificate is added as DER whatever it was wrapped in") {
  const auto& one = pki::someone();
  for (const auto& [trusted, method] :
       {std::pair<const char*, const char*>{"true", "AddTrustedRootCertificate"},
        {"false", "AddCertificate"}}) {
    firmware f;
    f.returns("AMT_PublicKeyManagementService", method, 0, created("handle 4"));
    CHECK(f.shown("certificates.add", adding(one.certificate_pem, trusted)) ==
          R"({"handle":"handle 4"})");
    CHECK(f.asked == questions{"AMT_PublicKeyManagementService " + std::string(method)});
    CHECK(f.sent(0) == "CertificateBlob=" + base64_encode(one.certificate));
  }
}

TEST_CASE("adding a certificate again gives the handle that it has") {
  const auto& one = pki::someone();
  const auto present = item("AMT_PublicKeyCertificate",
                            "<InstanceID>handle 2</InstanceID><TrustedRootCertficate>true</"
                            "TrustedRootCertficate><X509Certificate>" +
                                base64_encode(one.certificate) + "</X509Certificate>");
  firmware by_value;
  by_value.returns("AMT_PublicKeyManagementService", "AddTrustedRootCertificate", 2058);
  by_value.lists("AMT_PublicKeyCertificate", present);
  CHECK(by_value.shown("certificates.add", adding(one.certificate)) == R"({"handle":"handle 2"})");
  firmware by_fault;
  by_fault.refuses("AMT_PublicKeyManagementService AddTrustedRootCertificate", "AlreadyExists");
  by_fault.lists("AMT_PublicKeyCertificate", present);
  CHECK(by_fault.shown("certificates.add", adding(one.certificate)) == R"({"handle":"handle 2"})");
  firmware other_kind;
  other_kind.returns("AMT_PublicKeyManagementService", "AddCertificate", 2058);
  other_kind.lists("AMT_PublicKeyCertificate", present);
  CHECK(other_kind.fails("certificates.add", adding(one.certificate, "false")) ==
        problem::already_exists);
}

TEST_CASE("a certificate that the firmware does not take is not reported as added") {
  const auto& one = pki::someone();
  firmware refused;
  refused.returns("AMT_PublicKeyManagementService", "AddCertificate", 2063);
  CHECK(refused.fails("certificates.add", adding(one.certificate, "false")) ==
        problem::device_refused);
  CHECK(refused.why.find("INVALID_CERT") != std::string::npos);
  firmware silent;
  silent.returns("AMT_PublicKeyManagementService", "AddCertificate", 0);
  CHECK(silent.fails("certificates.add", adding(one.certificate, "false")) ==
        problem::device_protocol);
}

TEST_CASE("what is no certificate or has expired is refused before the machine is asked") {
  CHECK(complaints("certificates.add", "{}") == questions{"cert", "isTrusted"});
  CHECK(complaints("certificates.add", R"({"cert":"AAAA","isTrusted":"maybe"})") ==
        questions{"cert", "isTrusted"});
  const auto old = json::parse(adding(pki::make("old", 1000000000).certificate, "1"));
  REQUIRE(old.ok());
  const auto* add = find_operation("certificates.add");
  CHECK(mistakes(*add, *old, 1000000000000).empty());
  const auto wrong = mistakes(*add, *old, 1000000000001);
  REQUIRE(wrong.size() == 1);
  CHECK(wrong[0].path == "cert");
  CHECK(wrong[0].why == "must not have expired");
  CHECK(mistakes(*add, json::object{}, 0).size() == 2);
}

TEST_CASE("a certificate is removed when nothing needs it") {
  firmware f;
  with_store(f, held("c0", "a", true) + held("c1", "b", true));
  f.gives("AMT_PublicKeyCertificate Delete", "");
  CHECK(f.shown("certificates.remove", R"({"instanceId":"c1"})") ==
        R"({"message":"Certificate deleted successfully","handle":"c1"})");
  REQUIRE(f.asked.size() == 9);
  CHECK(f.requests[8].selectors.at(0).name == "InstanceID");
  CHECK(f.requests[8].selectors.at(0).value == "c1");
  firmware by_body;
  with_store(by_body, held("c1", "b", true));
  by_body.gives("AMT_PublicKeyCertificate Delete", "");
  CHECK(by_body.carry_out("certificates.remove", R"({"handle":"c1"})").ok());
}

TEST_CASE("a certificate that is unknown, read-only or in use stays") {
  struct row {
    std::string certificate, use;
    problem what;
    const char* why;
  };
  const row rows[] = {
      {held("c2", "a", true), "", problem::not_found, "not found"},
      {held("c1", "a", true, "<ReadOnlyCertificate>true</ReadOnlyCertificate>"), "",
       problem::malformed, "read-only"},
      {held("c1", "a", true),
       context("AMT_8021XCredentialContext", "c1", "CIM_IEEE8021xSettings", wireless) +
           context("AMT_TLSCredentialContext", "c1", "AMT_TLSProtocolEndpointCollection", ""),
       problem::transition_refused, "Wireless - corp, TLS - Unknown Profile"},
  };
  for (const auto& r : rows) {
    firmware f;
    with_store(f, r.certificate, {}, {}, r.use);
    CHECK(f.fails("certificates.remove", R"({"instanceId":"c1"})") == r.what);
    CHECK(f.why.find(r.why) != std::string::npos);
    CHECK(f.asked.size() == 8);
  }
  CHECK(complaints("certificates.remove", "{}") == questions{"instanceId"});
  CHECK(complaints("certificates.remove", R"({"instanceId":7})") == questions{"instanceId"});
}

TEST_CASE("a certificate of absurd length is nonsense") {
  firmware f;
  f.lists("CIM_ConcreteDependency", "");
  f.lists("AMT_PublicKeyCertificate",
          item("AMT_PublicKeyCertificate",
               "<X509Certificate>" + std::string(17000, 'A') + "</X509Certificate>"));
  CHECK(f.fails("certificates.list") == problem::device_protocol);
}

TEST_CASE("captured certificates are told" * doctest::skip(no_captures())) {
  firmware f;
  f.captured_list("CIM_ConcreteDependency", "cim/concrete/dependency");
  f.captured_list("AMT_PublicKeyCertificate", "amt/publickey/certificate");
  f.captured_list("AMT_PublicPrivateKeyPair", "amt/publicprivate");
  f.captured_list("CIM_CredentialContext", "cim/credential/context");
  auto told = f.carry_out("certificates.list");
  REQUIRE_MESSAGE(told.ok(), to_string(told.error()));
  const auto& all = *told->find("certificates")->find("publicKeyCertificateItems")->items();
  REQUIRE(all.size() == 3);
  CHECK(*all[0].find("displayName")->text() == "MPSRoot-0af1d5");
  CHECK(read_certificate(*all[0].find("x509Certificate")->text()).ok());
  CHECK(told->find("publicKeys")->find("publicPrivateKeyPairItems")->items()->size() == 2);
  const auto& used = *told->find("profileAssociation")->items();
  REQUIRE(used.size() == 1);
  CHECK(*used[0].find("type")->text() == "Wireless");
  f.captured("AMT_PublicKeyManagementService AddTrustedRootCertificate",
             "amt/publickey/management/addtrustedrootcertificate.xml");
  CHECK(f.shown("certificates.add", adding(pki::someone().certificate))
            .find("Intel(r) AMT Certificate: Handle: ") != std::string::npos);
}

} // namespace
} // namespace outband::amt
