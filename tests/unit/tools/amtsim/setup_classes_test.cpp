// Activation against the model: what a client sends, and what firmware thinks of it.
#include "messages/http/digest.hpp"
#include "tests/unit/tools/amtsim/bench_client.hpp"
#include "tests/unit/tools/amtsim/made_chain.hpp"
#include "tools/amtsim/account_state.hpp"
#include "tools/amtsim/cira_state.hpp"
#include "tools/amtsim/classes.hpp"
#include "tools/amtsim/lan_certificate.hpp"
#include "tools/amtsim/local_interface.hpp"
#include "tools/amtsim/on_die.hpp"
#include "tools/amtsim/provisioning_chain.hpp"
#include "tools/amtsim/tls_state.hpp"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <memory>

namespace outband::amtsim {
namespace {

using namespace test;

constexpr auto hbs = "IPS_HostBasedSetupService";
constexpr auto setup_name = "AMT_SetupAndConfigurationService";
const std::string mc_nonce(20, 'n');

settings new_settings(const char* profile = "amt16") {
  auto s = exact();
  s.kind = *find_firmware(profile);
  s.factory = true;
  s.dns_suffix = "example.org";
  return s;
}

/// A new machine that trusts the chain's root, and its configuration client.
struct activation {
  explicit activation(made_chain with = made_chain(), const char* profile = "amt16")
      : chain(std::move(with)), s(new_settings(profile)), m(s) {
    trust(*entries_of(chain.certificates.back()));
  }
  void trust(std::vector<trusted_hash> roots) {
    m.model.activation.change().hashes = std::move(roots);
  }

  std::string mode() { return std::string(get(m, hbs).child_text("CurrentControlMode")); }
  std::string chain_status() { return std::string(get(m, hbs).child_text("CertChainStatus")); }
  std::string nonce() { return from_base64(get(m, hbs).child_text("ConfigurationNonce")).value(); }
  std::string secret(const std::string& password) {
    return http::digest_ha1("admin", m.model.who().realm, password);
  }
  std::string credentials() {
    return wsman::property("NetAdminPassEncryptionType", "2") +
           wsman::property("NetworkAdminPassword", secret("N3w-secret"));
  }
  std::string add(std::size_t i, bool leaf, bool root) {
    return returned(invoke(m, hbs, "AddNextCertInChain",
                           wsman::property("NextCertificate", base64(chain.certificates.at(i))) +
                               wsman::property("IsLeafCertificate", leaf ? "true" : "false") +
                               wsman::property("IsRootCertificate", root ? "true" : "false")));
  }
  /// Of the first that is refused; of the last otherwise.
  std::string add_all() {
    std::string rv;
    for (std::size_t i = 0; i < chain.certificates.size(); ++i)
      if (rv = add(i, i == 0, i + 1 == chain.certificates.size()); rv != "0")
        break;
    return rv;
  }
  std::string proof(const std::string& over, const char* algorithm = "2",
                    const EVP_MD* with = EVP_sha256()) {
    return wsman::property("McNonce", base64(mc_nonce)) +
           wsman::property("SigningAlgorithm", algorithm) +
           wsman::property("DigitalSignature", base64(chain.sign(over, with)));
  }
  std::string admin_setup() {
    return returned(invoke(m, hbs, "AdminSetup", credentials() + proof(nonce() + mc_nonce)));
  }
  std::string setup() { return returned(invoke(m, hbs, "Setup", credentials())); }

  made_chain chain;
  settings s;
  bench_machine m;
};

TEST_CASE("a new machine knows only its local account and only at its local ports") {
  activation a;
  const auto lsa = local_system_account(a.m.model);
  CHECK(lsa.user == "$$OsAdmin");
  CHECK(lsa.password.size() >= 16);
  CHECK_FALSE(secret_of(a.m.model, "$$OsAdmin", origin::local).empty());
  CHECK(secret_of(a.m.model, "$$OsAdmin", origin::network).empty());
  CHECK(secret_of(a.m.model, "admin", origin::local).empty());
  CHECK(a.mode() == "0");
  CHECK_FALSE(calls_home(a.m.model));
  identity other = who();
  other.guid.bytes[0] ^= 1;
  CHECK(local_system_account(device_model(other, &a.s, 7)).password != lsa.password);
}

TEST_CASE("setup gives client control mode with consent for everything") {
  activation a;
  CHECK(a.setup() == "0");
  CHECK(a.mode() == "1");
  CHECK(secret_of(a.m.model, "admin", origin::network) == a.secret("N3w-secret"));
  CHECK(get(a.m, setup_name).child_text("ProvisioningMode") == "4");
  CHECK(get(a.m, "IPS_OptInService").child_text("OptInRequired") == "4294967295");
  CHECK(get(a.m, "IPS_OptInService").child_text("CanModifyOptInPolicy") == "0");
  CHECK(a.setup() == "2"); // invalid state: it is set up
  CHECK(a.m.model.activation->counts.setups == 1);
}

TEST_CASE("setup refuses passwords that are no hash and a BIOS that forbids it") {
  activation a;
  CHECK(returned(invoke(a.m, hbs, "Setup",
                        wsman::property("NetAdminPassEncryptionType", "2") +
                            wsman::property("NetworkAdminPassword", "P@ssw0rd"))) == "3");
  CHECK(returned(invoke(a.m, hbs, "Setup",
                        wsman::property("NetAdminPassEncryptionType", "0") +
                            wsman::property("NetworkAdminPassword", a.secret("x")))) == "3");
  a.m.model.activation.change().host_based = false;
  CHECK(a.setup() == "4");
  CHECK(a.mode() == "0");
}

TEST_CASE("a BIOS that forbids setup by the host takes no chain and no admin setup") {
  activation a;
  REQUIRE(a.add_all() == "0");
  a.m.model.activation.change().host_based = false;
  CHECK(get(a.m, hbs).child_text("AllowedControlModes").empty());
  CHECK(a.admin_setup() == "2");
  CHECK(a.add(0, true, false) == "3");
  CHECK(a.mode() == "0");
}

TEST_CASE("a chain in order and a signature over both nonces give admin control mode") {
  activation a;
  CHECK(a.chain_status() == "0");
  CHECK(a.add(0, true, false) == "0");
  CHECK(a.chain_status() == "1");
  CHECK(a.add(1, false, false) == "0");
  CHECK(a.add(2, false, true) == "0");
  CHECK(a.chain_status() == "2");
  const auto before = a.nonce();
  CHECK(a.admin_setup() == "0");
  CHECK(a.mode() == "2");
  CHECK(a.nonce() != before);
  CHECK(is_admin_password(a.m.model, "N3w-secret"));
  CHECK_FALSE(is_admin_password(a.m.model, "another"));
  CHECK(get(a.m, setup_name).child_text("ProvisioningState") == "2");
  CHECK(get(a.m, "IPS_OptInService").child_text("CanModifyOptInPolicy") == "1");
}

TEST_CASE("admin setup without a whole chain is of the wrong state") {
  activation a;
  CHECK(a.admin_setup() == "2");
  CHECK(a.add(0, true, false) == "0");
  CHECK(a.admin_setup() == "2");
  CHECK(a.mode() == "0");
}

TEST_CASE("a chain out of order is refused and a new leaf begins anew") {
  activation a;
  CHECK(a.add(1, false, false) == "3"); // no leaf yet
  CHECK(a.add(0, true, false) == "0");
  CHECK(a.add(2, false, true) == "4"); // did not sign the leaf
  CHECK(a.chain_status() == "0");
  CHECK(a.add_all() == "0");
  CHECK(a.add(2, false, true) == "3"); // it is complete
  CHECK(a.add(0, true, false) == "0");
  CHECK(a.chain_status() == "1");
}

TEST_CASE("roots that are unknown or switched off are refused") {
  activation a;
  auto roots = *entries_of(a.chain.certificates.back());
  for (auto& r : roots)
    r.active = false;
  a.trust(roots);
  CHECK(a.add_all() == "4");
  a.trust({});
  CHECK(a.add_all() == "4");
}

TEST_CASE("certificates are judged by purpose time and strength") {
  auto other_purpose = made_chain::leaf("vpro.example.org");
  other_purpose.purpose = "1.3.6.1.5.5.7.3.1";
  CHECK(activation(made_chain(other_purpose)).add_all() == "4");
  auto by_unit = other_purpose;
  by_unit.unit = "Intel(R) Client Setup Certificate";
  CHECK(activation(made_chain(by_unit)).add_all() == "0");
  by_unit.unit_too = "Domain Control Validated";
  CHECK(activation(made_chain(by_unit)).add_all() == "0");
  auto expired = made_chain::leaf("vpro.example.org");
  expired.to_s = -10;
  CHECK(activation(made_chain(expired)).add_all() == "4");
  auto early = made_chain::leaf("vpro.example.org");
  early.from_s = 600;
  activation not_yet{made_chain(early)};
  CHECK(not_yet.add_all() == "4");
  not_yet.m.model.adjust_clock(1200); // what counts is the firmware's own clock
  CHECK(not_yet.add_all() == "0");
  wanted_certificate sha1{"Between"};
  sha1.hash = EVP_sha1();
  CHECK(activation(made_chain(made_chain::leaf("vpro.example.org"), sha1)).add_all() == "4");
  CHECK(activation(made_chain(made_chain::leaf("vpro.example.org"), sha1), "amt12").add_all() ==
        "0");
  wanted_certificate no_authority{"Between"};
  no_authority.authority = false;
  CHECK(activation(made_chain(made_chain::leaf("vpro.example.org"), no_authority)).add_all() ==
        "4");
}

TEST_CASE("AMT 22 wants no SHA-256 and no RSA of 2048 bits") {
  CHECK(activation(made_chain(), "amt22").add_all() == "4");
  auto leaf = made_chain::leaf("vpro.example.org");
  leaf.hash = EVP_sha384();
  wanted_certificate between{"Between"};
  between.hash = EVP_sha384();
  CHECK(activation(made_chain(leaf, between), "amt22").add_all() == "4"); // the keys
  device_model d(who(), &exact(), 7);
  CHECK(signing_hash("2", d) == hash_algorithm::sha256);
  CHECK_FALSE(signing_hash("3", d));
  const auto s = new_settings("amt22");
  device_model hardened(who(), &s, 7);
  CHECK_FALSE(signing_hash("2", hardened));
  CHECK(signing_hash("3", hardened) == hash_algorithm::sha384);
  CHECK(watchdog(hardened).octet() == (1 | 2 | 16 | 64 | 128));
}

TEST_CASE("a chain of more than four certificates is too long") {
  activation a;
  const auto& key = made_chain::key(0);
  a.chain.certificates = {issue(made_chain::leaf("vpro.example.org"), key, "A", key)};
  for (const char* name : {"A", "B", "C", "D"}) {
    const std::string next(1, static_cast<char>(name[0] + 1));
    a.chain.certificates.push_back(issue({name}, key, next, key));
  }
  CHECK(a.add_all() == "5");
}

TEST_CASE("a wrong signature or a used nonce is no proof") {
  activation a;
  REQUIRE(a.add_all() == "0");
  const auto try_with = [&](const std::string& proof) {
    return returned(invoke(a.m, hbs, "AdminSetup", a.credentials() + proof));
  };
  const auto old = a.nonce();
  CHECK(try_with(a.proof(mc_nonce + old)) == "5"); // the wrong way round
  CHECK(a.nonce() != old);
  CHECK(a.chain_status() == "0");
  REQUIRE(a.add_all() == "0");
  CHECK(try_with(a.proof(old + mc_nonce)) == "5");
  REQUIRE(a.add_all() == "0");
  CHECK(try_with(a.proof(a.nonce() + mc_nonce, "3", EVP_sha384())) == "3"); // not before AMT 21
  CHECK(try_with(wsman::property("McNonce", base64("short")) +
                 wsman::property("SigningAlgorithm", "2") +
                 wsman::property("DigitalSignature", base64("x"))) == "3");
  CHECK(a.admin_setup() == "0");
}

TEST_CASE("the leaf must belong to the machine's domain") {
  const auto tried = [](const std::string& name, const char* dhcp, const char* pki, bool link) {
    activation a{made_chain(made_chain::leaf(name))};
    auto& state = a.m.model.activation.change();
    state.dhcp_suffix = dhcp;
    state.pki_suffix = pki;
    state.wired_link = link;
    REQUIRE(a.add_all() == "0");
    return a.admin_setup();
  };
  CHECK(tried("vpro.example.org", "example.org", "", true) == "0");
  CHECK(tried("vpro.example.org", "EXAMPLE.org", "", true) == "0");
  CHECK(tried("vpro.example.org", "other.org", "", true) == "5");
  CHECK(tried("vpro.example.org", "sub.example.org", "", true) == "5");
  CHECK(tried("vpro.example.com", "sub.example.com", "", true) == "0");
  CHECK(tried("vpro.example.org", "example.org", "", false) == "5"); // nobody says where it is
  CHECK(tried("vpro.example.org", "other.org", "example.org", false) == "0");
  CHECK(tried("vpro.example.org", "example.org", "other.org", true) == "5");
  CHECK(tried("vpro.example.org", "example.org", ".", true) == "0");
}

TEST_CASE("an upgrade keeps the password and lets consent be chosen") {
  activation a;
  REQUIRE(a.setup() == "0");
  CHECK(returned(invoke(a.m, hbs, "UpgradeClientToAdmin", a.proof(a.nonce() + mc_nonce))) == "2");
  REQUIRE(a.add_all() == "0");
  CHECK(returned(invoke(a.m, hbs, "UpgradeClientToAdmin", a.proof(a.nonce() + mc_nonce))) == "0");
  CHECK(a.mode() == "2");
  CHECK(is_admin_password(a.m.model, "N3w-secret"));
  CHECK(put(a.m, "IPS_OptInService", wsman::property("OptInRequired", "0")).http_status == 200);
  CHECK(get(a.m, "IPS_OptInService").child_text("OptInRequired") == "0");
  CHECK(a.m.model.activation->counts.upgrades == 1);
}

TEST_CASE("firmware is busy after a setup but not after an upgrade") {
  activation a;
  a.s.times.setup_busy = sim_time{1000};
  REQUIRE(a.setup() == "0");
  CHECK(is_busy(a.m.model, a.m.now));
  a.m.model.activation.change().busy_until = sim_time{0};
  REQUIRE(a.add_all() == "0");
  CHECK(returned(invoke(a.m, hbs, "UpgradeClientToAdmin", a.proof(a.nonce() + mc_nonce))) == "0");
  CHECK_FALSE(is_busy(a.m.model, a.m.now));
}

TEST_CASE("admin setup protects the screen only") {
  activation a;
  REQUIRE(a.add_all() == "0");
  REQUIRE(a.admin_setup() == "0");
  CHECK(get(a.m, "IPS_OptInService").child_text("OptInRequired") == "1");
}

TEST_CASE("the local port shows the on-die chain until the first commit") {
  activation a(made_chain(), "amt19");
  a.s.on_die = std::make_shared<const on_die_authority>();
  lan_certificate local(1);
  const auto is_self_signed = [&] {
    auto* context = local.context(a.m.model);
    REQUIRE(context != nullptr);
    auto* shown = SSL_CTX_get0_certificate(context);
    return X509_check_issued(shown, shown) == X509_V_OK;
  };
  CHECK_FALSE(is_self_signed());
  REQUIRE(a.setup() == "0");
  CHECK(provisioning_state(a.m.model) == 1);
  CHECK_FALSE(is_self_signed());
  REQUIRE(returned(invoke(a.m, setup_name, "CommitChanges")) == "0");
  CHECK(provisioning_state(a.m.model) == 2);
  CHECK(is_self_signed());
}

TEST_CASE("whoever is not permitted is denied") {
  activation a;
  const caller lsa{local_user, origin::local};
  const auto ask = [&](const std::string& soap) {
    return serve_wsman(soap, a.m.model, a.m.faults, a.m.now, lsa);
  };
  const auto boot = method("CIM_PowerManagementService", "RequestPowerStateChange",
                           wsman::property("PowerState", "8"));
  CHECK(refused(ask(boot)) == "AccessDenied"); // new: nothing but setup
  CHECK(returned(ask(method(hbs, "Setup", a.credentials()))) == "0");
  const auto unprovision =
      method(setup_name, "Unprovision", wsman::property("ProvisioningMode", "1"));
  CHECK(refused(ask(unprovision)) == "AccessDenied"); // active: it only reads
  CHECK(refused(ask(request(wsman::action::get, "AMT_GeneralSettings"))).empty());
  CHECK(a.mode() == "1");
}

TEST_CASE("a life ends with unprovisioning and begins again") {
  activation a;
  auto added = *entries_of(a.chain.certificates.back());
  for (auto& r : added)
    r.is_default = false;
  REQUIRE(a.add_all() == "0");
  REQUIRE(a.admin_setup() == "0");
  a.trust(added);
  const auto realm = a.m.model.who().realm;
  CHECK(returned(invoke(a.m, setup_name, "PartialUnprovision")) == "0");
  CHECK(a.mode() == "0");
  CHECK(a.m.model.who().realm != realm);
  CHECK(trusted_hashes(a.m.model).size() == added.size()); // kept
  REQUIRE(a.add_all() == "0");
  CHECK(a.admin_setup() == "0");
  CHECK(returned(invoke(a.m, setup_name, "Unprovision",
                        wsman::property("ProvisioningMode", "1"))) == "0");
  CHECK(trusted_hashes(a.m.model).empty()); // what was added is lost
  CHECK(returned(invoke(a.m, setup_name, "Unprovision",
                        wsman::property("ProvisioningMode", "1"))) == "16");
  CHECK(a.setup() == "0");
  CHECK(returned(invoke(a.m, setup_name, "PartialUnprovision")) == "16"); // of admin mode only
  CHECK(a.m.model.activation->counts.unprovisions == 2);
}

TEST_CASE("what is carried out can stay unanswered or be answered wrongly") {
  activation a;
  a.m.faults.add(fault_kind::setup_refused, sim_time{0}, 1, a.m.now);
  CHECK(a.setup() == "1");
  CHECK(a.mode() == "0");
  a.m.faults.add(fault_kind::setup_error, sim_time{0}, 1, a.m.now);
  CHECK(a.setup() == "1");
  CHECK(a.mode() == "1");
  REQUIRE(a.add_all() == "0");
  a.m.faults.add(fault_kind::setup_unanswered, sim_time{0}, 1, a.m.now);
  CHECK(serve(a.m, method(hbs, "UpgradeClientToAdmin", a.proof(a.nonce() + mc_nonce))).cut);
  CHECK(a.mode() == "2");
  a.m.faults.add(fault_kind::commit_unanswered, sim_time{0}, 1, a.m.now);
  CHECK(serve(a.m, method(setup_name, "CommitChanges")).cut);
  a.m.faults.add(fault_kind::unprovision_unanswered, sim_time{0}, 1, a.m.now);
  CHECK(
      serve(a.m, method(setup_name, "Unprovision", wsman::property("ProvisioningMode", "1"))).cut);
  CHECK(a.mode() == "0");
}

TEST_CASE("the host ends client control mode but not admin control mode") {
  activation a;
  CHECK(host_unprovision(a.m.model, a.m.now) == host_status::success);
  REQUIRE(a.setup() == "0");
  CHECK(host_unprovision(a.m.model, a.m.now) == host_status::success);
  CHECK(a.mode() == "0");
  REQUIRE(a.add_all() == "0");
  REQUIRE(a.admin_setup() == "0");
  CHECK(host_unprovision(a.m.model, a.m.now) == host_status::invalid_mode);
  CHECK(a.mode() == "2");
}

TEST_CASE("what a machine became survives its restart") {
  activation a;
  REQUIRE(a.add_all() == "0");
  REQUIRE(a.admin_setup() == "0");
  a.m.model.activation.change().pki_suffix = "corp.example";
  bench_machine again(a.s);
  write_flash(read_flash(a.m.model), again.model);
  CHECK(again.model.control_mode == 2);
  CHECK(is_admin_password(again.model, "N3w-secret"));
  CHECK(pki_suffix(again.model) == "corp.example");
  CHECK(trusted_hashes(again.model).size() == 2);
  CHECK(again.model.activation->counts.admin_setups == 1);
  CHECK_FALSE(calls_home(again.model));
}

TEST_CASE(
    "a machine that stopped between setup and commit is still in provisioning after a restart") {
  activation a(made_chain(), "amt19");
  REQUIRE(a.setup() == "0");
  REQUIRE(provisioning_state(a.m.model) == 1);
  bench_machine again(a.s);
  write_flash(read_flash(a.m.model), again.model);
  CHECK(provisioning_state(again.model) == 1);
  CHECK(returned(invoke(again, setup_name, "CommitChanges")) == "0");
  CHECK(provisioning_state(again.model) == 2);
}

TEST_CASE("a secure configuration whose commit is refused changes nothing") {
  activation a(made_chain(), "amt19");
  REQUIRE(start_configuration_hbased(a.m.model, hash_algorithm::sha256, std::string(32, 'h'), {},
                                     a.m.now)
              .status == host_status::success);
  a.m.model.activation.change().pending_admin_ha1 = a.secret("N3w-secret");
  a.m.model.accounts.change().mebx_set = 1;
  a.m.model.tls.change().stored[0].enabled = true; // without a certificate
  CHECK(returned(invoke(a.m, setup_name, "CommitChanges")) == "2057");
  CHECK(a.mode() == "0");
  a.m.model.tls.change().stored[0].enabled = false;
  CHECK(returned(invoke(a.m, setup_name, "CommitChanges")) == "0");
  CHECK(a.mode() == "2");
}

} // namespace
} // namespace outband::amtsim
