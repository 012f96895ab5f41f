#include "messages/amt/setup.hpp"

#include "messages/amt/base64.hpp"
#include "messages/http/digest.hpp"
#include "tests/unit/messages/amt/firmware.hpp"

namespace outband::amt {
namespace {

using namespace test;

const std::string host = "IPS_HostBasedSetupService";
const std::string service = "AMT_SetupAndConfigurationService";
const std::string ips = "http://intel.com/wbem/wscim/1/ips-schema/1/" + host;
const std::string realm = "Digest:A3829B3827DE4D33D4449B366831FD01";
const std::string ha1(32, 'a');
const setup_proof proof{std::string(20, '\1'), "signed"};

std::string host_properties(const std::string& mode, const std::string& nonce) {
  return "<AllowedControlModes>2</AllowedControlModes><AllowedControlModes>1</AllowedControlModes>"
         "<CertChainStatus>1</CertChainStatus>" +
         (nonce.empty() ? "" : "<ConfigurationNonce>" + nonce + "</ConfigurationNonce>") +
         "<CurrentControlMode>" + mode + "</CurrentControlMode>";
}

/// The Body of the one request that was sent.
std::string body(const firmware& f, std::size_t n = 0) {
  const auto& soap = f.soaps.at(n);
  const auto from = soap.find("<Body>") + 6;
  return soap.substr(from, soap.find("</Body>") - from);
}

/// A firmware whose method gives that value.
template <class Ask>
failure refusal_with(const std::string& cls, const std::string& method, int value, Ask ask) {
  firmware f;
  f.returns(cls, method, value);
  auto told = f.does(ask);
  REQUIRE_FALSE(told.ok());
  CHECK(f.times(cls + " " + method) == 1); // never again
  return told.error();
}

bool says(const failure& why, const char* text) {
  return why.detail.find(text) != std::string::npos;
}

TEST_CASE("a machine tells in which control mode it is and what it is to sign") {
  firmware f;
  f.has(host, host_properties("0", base64_encode(std::string(20, 'n'))));
  auto told = f.does(read_host_setup);
  REQUIRE(told.ok());
  CHECK(told->mode == control_mode::pre_provisioning);
  CHECK(told->allows(control_mode::client));
  CHECK(told->allows(control_mode::admin));
  CHECK_FALSE(told->allows(control_mode::pre_provisioning));
  CHECK(told->chain == chain_status::in_progress);
  CHECK(told->nonce == std::string(20, 'n'));
  CHECK(*f.does(read_control_mode) == control_mode::pre_provisioning);
  CHECK(to_string(control_mode::admin) == "admin control mode");
}

TEST_CASE("a nonce that is not of 20 octets is none") {
  for (const auto& nonce :
       {base64_encode(std::string(19, 'n')), base64_encode(std::string(21, 'n')),
        std::string("$$$"), std::string(4000, 'A'), std::string()}) {
    CAPTURE(nonce);
    firmware f;
    f.has(host, host_properties("1", nonce));
    auto told = f.does(read_host_setup);
    REQUIRE_FALSE(told.ok());
    CHECK(told.error().what == problem::device_protocol);
    CHECK(f.does(read_control_mode).ok()); // who only wants the mode does not mind
  }
  firmware f;
  f.has(host, host_properties("2", ""));
  CHECK(f.does(read_host_setup).ok());
}

TEST_CASE("an unknown control mode is not guessed") {
  for (const auto* mode : {"3", "", "admin"}) {
    firmware f;
    f.has(host, host_properties(mode, base64_encode(std::string(20, 'n'))));
    CHECK(f.does(read_control_mode).error().what == problem::device_protocol);
    CHECK(f.does(read_host_setup).error().what == problem::device_protocol);
  }
}

TEST_CASE("a realm that is none would make a password nobody knows") {
  firmware f;
  f.has("AMT_GeneralSettings", "<DigestRealm>" + realm + "</DigestRealm>");
  CHECK(*f.does(read_realm) == realm);
  for (const auto* wrong : {"", "Digest:", "Digest:A3829B3827DE4D33D4449B366831FD0",
                            "Digest:A3829B3827DE4D33D4449B366831FD011",
                            "Basic:", "Digest:G3829B3827DE4D33D4449B366831FD01"}) {
    firmware g;
    g.has("AMT_GeneralSettings", std::string("<DigestRealm>") + wrong + "</DigestRealm>");
    CHECK(g.does(read_realm).error().what == problem::device_protocol);
  }
}

TEST_CASE("the same digest is spelled in two ways") {
  const auto hex = admin_ha1(realm, "admin", "P@ssw0rd");
  CHECK(hex == http::md5_hex("admin:" + realm + ":P@ssw0rd"));
  CHECK(hex.size() == 32);
  const auto octets = base64_decode(admin_ha1_base64(realm, "admin", "P@ssw0rd"));
  REQUIRE(octets);
  std::string again;
  for (const char c : *octets) {
    constexpr char digits[] = "0123456789abcdef";
    again += digits[(static_cast<unsigned char>(c)) >> 4];
    again += digits[static_cast<unsigned char>(c) & 15];
  }
  CHECK(again == hex);
}

TEST_CASE("client control mode is asked for as wsman-messages asks") {
  firmware f;
  f.returns(host, "Setup", 0);
  CHECK(f.does([](wsman::talk& t) { return setup_client_mode(t, ha1); }).ok());
  CHECK(body(f) == "<h:Setup_INPUT xmlns:h=\"" + ips +
                       "\"><h:NetAdminPassEncryptionType>2</h:NetAdminPassEncryptionType>"
                       "<h:NetworkAdminPassword>" +
                       ha1 + "</h:NetworkAdminPassword></h:Setup_INPUT>");
  CHECK(f.changed);
}

TEST_CASE("admin control mode is asked for with a proof") {
  firmware f;
  f.returns(host, "AdminSetup", 0).returns(host, "UpgradeClientToAdmin", 0);
  CHECK(f.does([](wsman::talk& t) { return admin_setup(t, ha1, proof); }).ok());
  const std::string parameters = "<h:McNonce>AQEBAQEBAQEBAQEBAQEBAQEBAQE=</h:McNonce>"
                                 "<h:SigningAlgorithm>2</h:SigningAlgorithm>"
                                 "<h:DigitalSignature>c2lnbmVk</h:DigitalSignature>";
  CHECK(body(f) == "<h:AdminSetup_INPUT xmlns:h=\"" + ips +
                       "\"><h:NetAdminPassEncryptionType>2</h:NetAdminPassEncryptionType>"
                       "<h:NetworkAdminPassword>" +
                       ha1 + "</h:NetworkAdminPassword>" + parameters + "</h:AdminSetup_INPUT>");
  CHECK(f.does([](wsman::talk& t) { return upgrade_to_admin(t, proof); }).ok());
  CHECK(body(f) == "<h:UpgradeClientToAdmin_INPUT xmlns:h=\"" + ips + "\">" + parameters +
                       "</h:UpgradeClientToAdmin_INPUT>");
}

TEST_CASE("what cannot be right is not sent") {
  firmware f;
  for (const auto& wrong : {std::string(), std::string(31, 'a'), std::string(32, 'g')}) {
    CHECK(f.does([&](wsman::talk& t) { return setup_client_mode(t, wrong); }).error().what ==
          problem::malformed);
    CHECK(f.does([&](wsman::talk& t) { return admin_setup(t, wrong, proof); }).error().what ==
          problem::malformed);
  }
  for (const auto& wrong :
       {setup_proof{std::string(19, 'x'), "s"}, setup_proof{std::string(20, 'x'), ""},
        setup_proof{std::string(20, 'x'), std::string(1025, 's')}}) {
    CHECK(f.does([&](wsman::talk& t) { return admin_setup(t, ha1, wrong); }).error().field ==
          "signature");
    CHECK(f.does([&](wsman::talk& t) { return upgrade_to_admin(t, wrong); }).error().field ==
          "signature");
  }
  for (const auto& wrong : {std::vector<std::string>{}, std::vector<std::string>(9, "AAAA"),
                            std::vector<std::string>{"no base64!"}, std::vector<std::string>{""}})
    CHECK(f.does([&](wsman::talk& t) { return add_certificate_chain(t, wrong); }).error().field ==
          "certificateChain");
  CHECK_FALSE(f.does([](wsman::talk& t) { return set_admin_password(t, "admin", ha1); }).ok());
  CHECK_FALSE(f.does([](wsman::talk& t) { return set_admin_password(t, "", "AAAA"); }).ok());
  CHECK(f.requests.empty());
}

TEST_CASE("a chain goes from the leaf to the root") {
  firmware f;
  f.returns(host, "AddNextCertInChain", 0);
  CHECK(f.does([](wsman::talk& t) {
           return add_certificate_chain(t, {"bGVh\nZg==", "bWlk", "cm9vdA=="});
         }).ok());
  REQUIRE(f.requests.size() == 3);
  const auto one = [](const char* certificate, const char* leaf, const char* root) {
    return "<h:AddNextCertInChain_INPUT xmlns:h=\"" + ips + "\"><h:NextCertificate>" + certificate +
           "</h:NextCertificate><h:IsLeafCertificate>" + leaf +
           "</h:IsLeafCertificate><h:IsRootCertificate>" + root +
           "</h:IsRootCertificate></h:AddNextCertInChain_INPUT>";
  };
  CHECK(body(f, 0) == one("bGVhZg==", "true", "false"));
  CHECK(body(f, 1) == one("bWlk", "false", "false"));
  CHECK(body(f, 2) == one("cm9vdA==", "false", "true"));
}

TEST_CASE("a refused chain says at which certificate and why") {
  const auto ask = [](wsman::talk& t) {
    return add_certificate_chain(t, {"bGVh", "cm9v"});
  };
  firmware f;
  f.returns(host, "AddNextCertInChain", 0).returns(host, "AddNextCertInChain", 4);
  auto told = f.does(ask);
  REQUIRE_FALSE(told.ok());
  CHECK(told.error().field == "certificateChain");
  CHECK(says(told.error(), "certificate 2 of 2 (root)"));
  CHECK(says(told.error(), "does not trust the chain"));
  std::vector<std::string> texts;
  for (const int value : {1, 2, 3, 4, 5}) {
    const auto why = refusal_with(host, "AddNextCertInChain", value, ask);
    CHECK(why.field == "certificateChain");
    CHECK(std::find(texts.begin(), texts.end(), why.detail) == texts.end());
    texts.push_back(why.detail);
  }
  CHECK(refusal_with(host, "AddNextCertInChain", 3, ask).what == problem::transition_refused);
}

TEST_CASE("each refusal of a setup has its own meaning") {
  const auto setup = [](wsman::talk& t) {
    return setup_client_mode(t, ha1);
  };
  const auto admin = [](wsman::talk& t) {
    return admin_setup(t, ha1, proof);
  };
  const auto upgrade = [](wsman::talk& t) {
    return upgrade_to_admin(t, proof);
  };
  const std::pair<int, problem> meanings[] = {
      {1, problem::device_refused}, {2, problem::transition_refused}, {3, problem::device_refused},
      {4, problem::unsupported},    {5, problem::device_refused},     {6, problem::busy},
      {77, problem::device_refused}};
  for (const auto& [value, what] : meanings) {
    CAPTURE(value);
    CHECK(refusal_with(host, "Setup", value, setup).what == what);
    CHECK(refusal_with(host, "AdminSetup", value, admin).what == what);
    CHECK(refusal_with(host, "UpgradeClientToAdmin", value, upgrade).what == what);
  }
  CHECK(refusal_with(host, "AdminSetup", 5, admin).field == "signature");
  CHECK(says(refusal_with(host, "AdminSetup", 5, admin), "DNS suffix"));
  CHECK(says(refusal_with(host, "Setup", 77, setup), "(77)"));
}

TEST_CASE("passwords are set in the form that the firmware wants") {
  firmware f;
  f.returns("AMT_AuthorizationService", "SetAdminAclEntryEx", 0)
      .returns(service, "SetMEBxPassword", 0);
  const auto b64 = admin_ha1_base64(realm, "admin", "P@ssw0rd");
  CHECK(f.does([&](wsman::talk& t) { return set_admin_password(t, "admin", b64); }).ok());
  CHECK(body(f) == "<h:SetAdminAclEntryEx_INPUT xmlns:h=\"" + uri("AMT_AuthorizationService") +
                       "\"><h:Username>admin</h:Username><h:DigestPassword>" + b64 +
                       "</h:DigestPassword></h:SetAdminAclEntryEx_INPUT>");
  CHECK(f.does([](wsman::talk& t) { return set_mebx_password(t, "P@ss<w0rd"); }).ok());
  CHECK(body(f) == "<h:SetMEBxPassword_INPUT xmlns:h=\"" + uri(service) +
                       "\"><h:Password>P@ss&lt;w0rd</h:Password></h:SetMEBxPassword_INPUT>");
  for (const int value : {36, 2054}) {
    const auto why = refusal_with(service, "SetMEBxPassword", value,
                                  [](wsman::talk& t) { return set_mebx_password(t, "x"); });
    CHECK(why.field == "password");
    CHECK(says(why, "8 to 32 characters"));
    CHECK(
        refusal_with("AMT_AuthorizationService", "SetAdminAclEntryEx", value, [&](wsman::talk& t) {
          return set_admin_password(t, "admin", b64);
        }).field == "password");
  }
  CHECK(refusal_with(service, "SetMEBxPassword", 16, [](wsman::talk& t) {
          return set_mebx_password(t, "x");
        }).what == problem::transition_refused);
}

TEST_CASE("changes are committed and missing data is told apart") {
  firmware f;
  f.returns(service, "CommitChanges", 0);
  CHECK(f.does(commit_changes).ok());
  CHECK(body(f) ==
        "<h:CommitChanges_INPUT xmlns:h=\"" + uri(service) + "\"></h:CommitChanges_INPUT>");
  CHECK(refusal_with(service, "CommitChanges", 2057, commit_changes).what ==
        problem::transition_refused);
  CHECK(refusal_with(service, "CommitChanges", 38, commit_changes).what == problem::busy);
  CHECK(refusal_with(service, "CommitChanges", 1, commit_changes).what == problem::device_refused);
}

TEST_CASE("a machine is let go wholly or in part") {
  firmware f;
  f.returns(service, "Unprovision", 0).returns(service, "PartialUnprovision", 0);
  CHECK(f.does(unprovision).ok());
  CHECK(f.sent_text(service + " Unprovision", "ProvisioningMode") == "1");
  CHECK(f.does(partial_unprovision).ok());
  CHECK(f.order(service + " PartialUnprovision").empty());
  CHECK(refusal_with(service, "Unprovision", 2076, unprovision).what == problem::busy);
  CHECK(refusal_with(service, "PartialUnprovision", 16, partial_unprovision).what ==
        problem::transition_refused);
  CHECK_FALSE(refusal_with(service, "Unprovision", 36, unprovision).detail.empty());
}

TEST_CASE("an answer other than success is no success") {
  firmware f; // answers everything with a fault
  CHECK(f.does(unprovision).error().what == problem::device_refused);
  CHECK(f.does(commit_changes).error().what == problem::device_refused);
  CHECK(f.does([](wsman::talk& t) { return setup_client_mode(t, ha1); }).error().what ==
        problem::device_refused);
  CHECK(f.does(read_host_setup).error().what == problem::device_refused);
  firmware silent;
  silent.gives(host + " Setup", "");
  CHECK(silent.does([](wsman::talk& t) { return setup_client_mode(t, ha1); }).error().what ==
        problem::device_protocol);
}

} // namespace
} // namespace outband::amt
