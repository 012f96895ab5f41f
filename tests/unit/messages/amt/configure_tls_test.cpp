#include "messages/amt/configure_tls.hpp"

#include "tests/unit/messages/amt/firmware.hpp"
#include "tests/unit/messages/amt/pki.hpp"

namespace outband::amt {
namespace {

using namespace test;

const std::string setting = "AMT_TLSSettingData";
const std::string context = "AMT_TLSCredentialContext";
const std::string keys = "AMT_PublicKeyManagementService";
const std::string setup = "AMT_SetupAndConfigurationService";

std::string text(const std::string& name, const std::string& value) {
  return "<" + name + ">" + value + "</" + name + ">";
}
std::string created(const std::string& property, const std::string& handle) {
  return "<" + property +
         "><b:Address>x</b:Address><b:ReferenceParameters><c:ResourceURI>y</c:ResourceURI>"
         "<c:SelectorSet><c:Selector Name=\"InstanceID\">" +
         handle + "</c:Selector></c:SelectorSet></b:ReferenceParameters></" + property + ">";
}
std::string interface(const std::string& id, bool enabled, bool plain,
                      const std::string& more = {}) {
  return item(setting, text("AcceptNonSecureConnections", plain ? "true" : "false") +
                           text("ElementName", id) + text("Enabled", enabled ? "true" : "false") +
                           text("InstanceID", id) + text("MutualAuthentication", "false") + more);
}
const std::string network_id = "Intel(r) AMT 802.3 TLS Settings";
const std::string local_id = "Intel(r) AMT LMS TLS Settings";
/// The local one first: nothing may depend on the order.
std::string both(bool enabled, bool plain, const std::string& more = {}) {
  return interface(local_id, enabled, true) + interface(network_id, enabled, plain, more);
}
const std::string names = "<TrustedCN>a</TrustedCN>";
const std::string fixed = "<NonSecureConnectionsSupported>false</NonSecureConnectionsSupported>";

TEST_CASE("a key pair is made in the firmware and its public half told") {
  firmware f;
  f.lists("AMT_PublicKeyCertificate", "")
      .returns(keys, "AddTrustedRootCertificate", 0, created("CreatedCertificate", "C 0"))
      .returns(keys, "GenerateKeyPair", 0, created("KeyPair", "K 1"))
      .lists(
          "AMT_PublicPrivateKeyPair",
          item("AMT_PublicPrivateKeyPair", text("DERKey", "b2xk") + text("InstanceID", "K 0")) +
              item("AMT_PublicPrivateKeyPair", text("DERKey", "bmV3") + text("InstanceID", "K 1")));
  const auto ask = [](wsman::talk& t) {
    return prepare_tls(t, pki::someone().certificate_pem);
  };
  auto told = f.does(ask);
  REQUIRE_MESSAGE(told.ok(), f.why);
  CHECK(told->root == "C 0");
  CHECK(told->key == "K 1");
  CHECK(told->public_key == "bmV3");
  CHECK(f.order(keys + " GenerateKeyPair") == "KeyAlgorithm KeyLength");
  CHECK(f.sent_text(keys + " GenerateKeyPair", "KeyAlgorithm") == "0");
  CHECK(f.sent_text(keys + " GenerateKeyPair", "KeyLength") == "2048");
  CHECK(f.sent_text(keys + " AddTrustedRootCertificate", "CertificateBlob") ==
        base64_encode(pki::someone().certificate));

  CHECK(f.does([](wsman::talk& t) {
           return prepare_tls(t, pki::someone().certificate_pem, {1, 384});
         }).ok());
  CHECK(f.sent_text(keys + " GenerateKeyPair", "KeyAlgorithm") == "1");
  CHECK(f.sent_text(keys + " GenerateKeyPair", "KeyLength") == "384");

  for (const auto& out : {std::string(), created("KeyPair", ""), created("KeyPair", "K 7")}) {
    firmware odd;
    odd.lists("AMT_PublicKeyCertificate", "")
        .returns(keys, "AddTrustedRootCertificate", 0, created("CreatedCertificate", "C 0"))
        .returns(keys, "GenerateKeyPair", 0, out)
        .lists("AMT_PublicPrivateKeyPair", "");
    CHECK(odd.does(ask).error().what == problem::device_protocol);
  }
  firmware busy;
  busy.lists("AMT_PublicKeyCertificate", "")
      .returns(keys, "AddTrustedRootCertificate", 0, created("CreatedCertificate", "C 0"))
      .returns(keys, "GenerateKeyPair", 2061);
  CHECK(busy.does(ask).error().what == problem::device_refused);
  CHECK(busy.why.find("generating keys") != std::string::npos);
  CHECK(f.does([](wsman::talk& t) { return prepare_tls(t, "x"); }).error().field ==
        "rootCertificate");
}

TEST_CASE("a request is signed by the key that it names") {
  firmware f;
  f.returns(keys, "GeneratePKCS10RequestEx", 0, text("SignedCertificateRequest", "c2lnbmVk"));
  const auto ask = [](wsman::talk& t) {
    return sign_request(t, "K 1", "bnVsbA==");
  };
  CHECK(*f.does(ask) == "c2lnbmVk");
  const auto method = keys + " GeneratePKCS10RequestEx";
  CHECK(f.order(method) == "KeyPair SigningAlgorithm NullSignedCertificateRequest");
  CHECK(wsman::read_endpoint(*f.sent(method).child("KeyPair"))->selectors.at(0).value == "K 1");
  CHECK(f.sent_text(method, "SigningAlgorithm") == "1");
  firmware empty;
  empty.returns(keys, "GeneratePKCS10RequestEx", 0);
  CHECK(empty.does(ask).error().what == problem::device_protocol);
}

TEST_CASE("the leaf is what the web server shows") {
  const auto ask = [](wsman::talk& t) {
    return install_tls_certificate(t, pki::someone().certificate_pem);
  };
  const auto made = created("CreatedCertificate", "C 1");
  firmware fresh;
  fresh.returns(keys, "AddCertificate", 0, made)
      .lists(context, "")
      .gives(context + " Create", "<ResourceCreated><b:Address>x</b:Address><b:ReferenceParameters>"
                                  "<c:ResourceURI>y</c:ResourceURI></b:ReferenceParameters>"
                                  "</ResourceCreated>");
  auto told = fresh.does(ask);
  REQUIRE_MESSAGE(told.ok(), fresh.why);
  CHECK(*told == "C 1");
  const auto& body = fresh.sent(context + " Create");
  const auto shown = wsman::read_endpoint(*body.child("ElementInContext"));
  const auto by = wsman::read_endpoint(*body.child("ElementProvidingContext"));
  CHECK(fresh.order(context + " Create") == "ElementInContext ElementProvidingContext");
  CHECK(shown->selectors.at(0).value == "C 1");
  CHECK(by->selectors.at(0).value == "TLSProtocolEndpointInstances Collection");

  firmware again;
  again.returns(keys, "AddCertificate", 0, made).lists(context, item(context, ""));
  CHECK(again.does(ask).ok());
  CHECK(again.times(context + " Put") == 1);
  CHECK(again.times(context + " Create") == 0);

  firmware there;
  there.returns(keys, "AddCertificate", 0, made)
      .lists(context, "")
      .refuses(context + " Create", "AlreadyExists");
  CHECK(there.does(ask).ok());
  firmware denied;
  denied.returns(keys, "AddCertificate", 0, made)
      .lists(context, "")
      .refuses(context + " Create", "AccessDenied");
  CHECK(denied.does(ask).error().what == problem::device_refused);
}

TEST_CASE("each mode of TLS is what profiles mean by it") {
  const std::pair<tls_mode, std::pair<const char*, const char*>> modes[] = {
      {tls_mode::server, {"false", "false"}},
      {tls_mode::server_and_plain, {"true", "false"}},
      {tls_mode::mutual, {"false", "true"}},
      {tls_mode::mutual_and_plain, {"true", "true"}}};
  for (const auto& [mode, wanted] : modes) {
    firmware f;
    f.lists(setting, both(false, false)).returns(setup, "CommitChanges", 0);
    auto told = f.does([m = mode](wsman::talk& t) { return enable_tls(t, m, {"mgmt"}); });
    REQUIRE_MESSAGE(told.ok(), f.why);
    const auto put = setting + " Put";
    CHECK(f.asked == questions{setting + " Enumerate", setting + " Pull", put,
                               setting + " Enumerate", setting + " Pull", put,
                               setup + " CommitChanges"});
    CHECK(f.requests[2].selectors.at(0).value == network_id);
    CHECK(f.sent_text(put, "Enabled") == "true");
    CHECK(f.sent_text(put, "AcceptNonSecureConnections") == wanted.first);
    CHECK(f.sent_text(put, "MutualAuthentication") == wanted.second);
    CHECK(f.sent_text(put, "TrustedCN") == (is_mutual(mode) ? "mgmt" : "(none)"));
    CHECK(f.requests[5].selectors.at(0).value == local_id);
    CHECK(f.sent_text(put, "Enabled", 1) == "true");
    CHECK(f.sent_text(put, "AcceptNonSecureConnections", 1) == "true"); // as it was
    CHECK(told->plain == allows_plain(mode));
    CHECK(told->mutual == is_mutual(mode));
  }
}

TEST_CASE("a firmware that has no plain connections keeps its word on them") {
  firmware f;
  f.lists(setting, both(false, false, fixed));
  auto told = f.does([](wsman::talk& t) { return put_network_tls(t, tls_mode::server_and_plain); });
  REQUIRE(told.ok());
  CHECK_FALSE(told->plain);
  CHECK(f.sent_text(setting + " Put", "AcceptNonSecureConnections") == "false");
  CHECK(f.order(setting + " Put") ==
        "AcceptNonSecureConnections ElementName Enabled InstanceID MutualAuthentication "
        "NonSecureConnectionsSupported");
}

TEST_CASE("a commit that lacks its certificate does not count") {
  firmware f;
  f.lists(setting, both(false, false)).returns(setup, "CommitChanges", 2057);
  CHECK(f.does([](wsman::talk& t) { return enable_tls(t, tls_mode::server); }).error().what ==
        problem::transition_refused);
  firmware none;
  CHECK(none.does([](wsman::talk& t) { return enable_tls(t, tls_mode::server); }).error().what ==
        problem::unsupported);
  CHECK(none.does(put_local_tls).ok());
}

TEST_CASE("TLS is switched off where the firmware lets go of it") {
  firmware off;
  off.lists(setting, both(false, true));
  CHECK(*off.does(disable_tls) == tls_off::was_off);
  CHECK(off.requests.size() == 2);

  firmware on;
  on.lists(setting, both(true, false, names)).returns(setup, "CommitChanges", 0);
  CHECK(*on.does(disable_tls) == tls_off::done);
  const auto put = setting + " Put";
  CHECK(on.requests[2].selectors.at(0).value == network_id);
  CHECK(on.sent_text(put, "Enabled") == "false");
  CHECK(on.sent_text(put, "AcceptNonSecureConnections") == "true");
  CHECK(on.sent_text(put, "MutualAuthentication") == "false");
  CHECK(on.sent_text(put, "TrustedCN") == "(none)");
  CHECK(on.requests[3].selectors.at(0).value == local_id);
  CHECK(on.asked.back() == setup + " CommitChanges");

  firmware newer;
  newer.lists(setting, both(true, false, fixed));
  CHECK(*newer.does(disable_tls) == tls_off::kept);
  CHECK(newer.times(put) == 0);
  firmware stubborn;
  stubborn.lists(setting, both(true, false)).refuses(put, "AccessDenied");
  CHECK(*stubborn.does(disable_tls) == tls_off::kept);
  CHECK(stubborn.times(setup + " CommitChanges") == 0);
  firmware none;
  CHECK(*none.does(disable_tls) == tls_off::was_off);
}

} // namespace
} // namespace outband::amt
