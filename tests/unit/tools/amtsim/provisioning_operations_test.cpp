// As operations_test.cpp, for an activation: what our steps ask, the simulated firmware answers.
#include "messages/amt/base64.hpp"
#include "messages/amt/configure_8021x.hpp"
#include "messages/amt/configure_clear.hpp"
#include "messages/amt/configure_network.hpp"
#include "messages/amt/maintenance.hpp"
#include "messages/amt/setup.hpp"
#include "messages/wsman/conversation.hpp"
#include "tests/support/provisioning_pki.hpp"
#include "tests/unit/tools/amtsim/bench_client.hpp"
#include "tests/unit/tools/amtsim/made_certificates.hpp"
#include "tools/amtsim/account_state.hpp"
#include "tools/amtsim/activation_state.hpp"
#include "tools/amtsim/cira_state.hpp"
#include "tools/amtsim/network_state.hpp"
#include "tools/amtsim/provisioning_chain.hpp"
#include "tools/amtsim/setup_state.hpp"
#include "tools/amtsim/tls_state.hpp"
#include "tools/amtsim/wifi_state.hpp"

#include <openssl/pem.h>

#include <type_traits>

namespace outband::amtsim {
namespace {

using namespace test;
namespace ours = outband::amt;
using ours::base64_decode;
using ours::base64_encode;
using wsman::talk;

constexpr long now_s = 1'800'000'000; ///< for certificates; the firmware's own clock is set to it

template <class F> auto does(bench_machine& m, F f) {
  using told_type = std::invoke_result_t<F, talk&>;
  wsman::conversation<typename told_type::value_type> c{f, 300};
  while (auto soap = c.next_request()) {
    const auto reply = serve(m, *soap);
    c.feed(reply.http_status, reply.xml);
  }
  return c.outcome();
}

const outband::test::provisioning_pki& pki() {
  static const auto made = [] {
    outband::test::pki_options o;
    o.common_name = "setup.example.com";
    o.now_s = now_s;
    return outband::test::make_provisioning_pki(o);
  }();
  return made;
}

/// New, in a network of the certificate's domain, and it knows its root.
bench_machine factory_machine(const settings& s = exact()) {
  bench_machine m(s);
  leave_factory(m.model);
  REQUIRE(does(m, [](talk& t) { return ours::sync_time(t, now_s); }).ok());
  m.model.activation.change().dhcp_suffix = "example.com";
  const auto known = entries_of(pki().chain.back());
  REQUIRE(known.has_value());
  for (const auto& h : *known)
    change_trusted_hashes(m.model).push_back(h);
  return m;
}

std::string signature(const std::string& octets) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> in(
      BIO_new_mem_buf(pki().leaf_key_pem.data(), static_cast<int>(pki().leaf_key_pem.size())),
      BIO_free);
  const owned_key key(PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> c(EVP_MD_CTX_new(),
                                                                  EVP_MD_CTX_free);
  REQUIRE(EVP_DigestSignInit(c.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1);
  std::string out(512, '\0');
  std::size_t size = out.size();
  REQUIRE(EVP_DigestSign(c.get(), reinterpret_cast<unsigned char*>(out.data()), &size,
                         reinterpret_cast<const unsigned char*>(octets.data()),
                         octets.size()) == 1);
  out.resize(size);
  return out;
}

ours::setup_proof proof_for(const ours::host_setup& s) {
  ours::setup_proof p;
  p.our_nonce.assign(ours::nonce_size, 'm');
  p.signature = signature(s.nonce + p.our_nonce);
  return p;
}

std::vector<std::string> chain() {
  std::vector<std::string> out;
  for (const auto& der : pki().chain)
    out.push_back(base64_encode(der));
  return out;
}

std::string ha1_for(bench_machine& m, const std::string& password) {
  auto realm = does(m, ours::read_realm);
  REQUIRE(realm.ok());
  return ours::admin_ha1(*realm, "admin", password);
}

auto add_chain(std::vector<std::string> certificates) {
  return [certificates](talk& t) {
    return ours::add_certificate_chain(t, certificates);
  };
}

TEST_CASE("a new machine is brought into client control mode") {
  auto m = factory_machine();
  auto before = does(m, ours::read_host_setup);
  REQUIRE(before.ok());
  CHECK(before->mode == ours::control_mode::pre_provisioning);
  CHECK(before->allows(ours::control_mode::client));
  CHECK(before->allows(ours::control_mode::admin));
  const auto ha1 = ha1_for(m, "P@ssw0rd1");
  const auto setup = [&](talk& t) {
    return ours::setup_client_mode(t, ha1);
  };
  CHECK(does(m, setup).ok());
  CHECK(m.model.control_mode == 1);
  CHECK(m.model.accounts->admin_ha1 == ha1);
  CHECK(*does(m, ours::read_control_mode) == ours::control_mode::client);
  CHECK(does(m, setup).error().what == problem::transition_refused); // not twice
  CHECK(does(m, ours::partial_unprovision).error().what == problem::transition_refused);
  CHECK(does(m, [](talk& t) { return ours::set_mebx_password(t, "P@ssw0rd1"); }).error().what ==
        problem::transition_refused);
  CHECK(does(m, ours::unprovision).ok());
  CHECK(m.model.control_mode == 0);
}

TEST_CASE("a new machine is brought into admin control mode by who has the certificate") {
  auto m = factory_machine();
  const auto ha1 = ha1_for(m, "P@ssw0rd1");
  CHECK(does(m, add_chain(chain())).ok());
  auto state = does(m, ours::read_host_setup);
  REQUIRE(state.ok());
  CHECK(state->chain == ours::chain_status::complete);
  const auto proof = proof_for(*state);
  CHECK(does(m, [&](talk& t) { return ours::admin_setup(t, ha1, proof); }).ok());
  CHECK(m.model.control_mode == 2);
  CHECK(m.model.accounts->admin_ha1 == ha1);
  CHECK(does(m, [](talk& t) { return ours::set_mebx_password(t, "P@ssw0rd1"); }).ok());
  CHECK(does(m, [](talk& t) { return ours::set_mebx_password(t, "short"); }).error().field ==
        "password");
  auto realm = does(m, ours::read_realm);
  REQUIRE(realm.ok());
  const auto other = ours::admin_ha1_base64(*realm, "admin", "An0ther!pass");
  CHECK(does(m, [&](talk& t) { return ours::set_admin_password(t, "admin", other); }).ok());
  CHECK(m.model.accounts->admin_ha1 == ours::admin_ha1(*realm, "admin", "An0ther!pass"));
  CHECK(does(m, ours::partial_unprovision).ok());
  CHECK(m.model.control_mode == 0);
}

TEST_CASE("a machine in client control mode is upgraded and keeps its password") {
  auto m = factory_machine();
  const auto ha1 = ha1_for(m, "P@ssw0rd1");
  CHECK(does(m, [&](talk& t) { return ours::setup_client_mode(t, ha1); }).ok());
  CHECK(does(m, add_chain(chain())).ok());
  auto state = does(m, ours::read_host_setup);
  REQUIRE(state.ok());
  const auto proof = proof_for(*state);
  CHECK(does(m, [&](talk& t) { return ours::upgrade_to_admin(t, proof); }).ok());
  CHECK(m.model.control_mode == 2);
  CHECK(m.model.accounts->admin_ha1 == ha1);
}

TEST_CASE("a proof that is not one is refused and its nonce is used up") {
  auto m = factory_machine();
  const auto ha1 = ha1_for(m, "P@ssw0rd1");
  CHECK(does(m, add_chain(chain())).ok());
  auto state = does(m, ours::read_host_setup);
  REQUIRE(state.ok());
  auto wrong = proof_for(*state);
  wrong.signature.back() = static_cast<char>(wrong.signature.back() ^ 1);
  const auto told = does(m, [&](talk& t) { return ours::admin_setup(t, ha1, wrong); });
  CHECK(told.error().field == "signature");
  CHECK(m.model.control_mode == 0);
  auto again = does(m, ours::read_host_setup);
  REQUIRE(again.ok());
  CHECK(again->nonce != state->nonce);
  // Without a chain there is nobody to believe.
  const auto proof = proof_for(*again);
  CHECK(does(m, [&](talk& t) { return ours::admin_setup(t, ha1, proof); }).error().what ==
        problem::transition_refused);
}

TEST_CASE("a chain that the machine does not trust is refused where it breaks") {
  auto m = factory_machine();
  change_trusted_hashes(m.model).clear();
  auto told = does(m, add_chain(chain()));
  CHECK(told.error().field == "certificateChain");
  CHECK(told.error().detail.find("(root)") != std::string::npos);
  auto twisted = chain();
  std::swap(twisted.front(), twisted.back());
  auto n = factory_machine();
  told = does(n, add_chain(twisted));
  CHECK(told.error().field == "certificateChain");
  CHECK(told.error().detail.find("(leaf)") != std::string::npos);
  CHECK(does(n, add_chain(chain())).ok()); // in order, and nothing of the attempt is in the way
}

ours::cira_settings home(const std::string& root) {
  ours::cira_settings s;
  s.root_certificate = base64_encode(root);
  s.address = "mps.example.com";
  s.user = "device01";
  s.password = "P@ssw0rd12";
  s.inside = {"f00dcafe.com"};
  return s;
}

TEST_CASE("a machine calls home where it was told to") {
  bench_machine m;
  const auto root = made_root("MPS root");
  const auto wanted = home(root);
  const auto configure = [&](talk& t) {
    return ours::configure_cira(t, wanted);
  };
  auto first = does(m, configure);
  REQUIRE(first.ok());
  CHECK_FALSE(first->root_was_there);
  const auto call = calls_home(m.model, "corp.example");
  REQUIRE(call.has_value());
  CHECK(call->host == "mps.example.com");
  CHECK(call->port == 4433);
  CHECK(call->user == "device01");
  CHECK(call->password == "P@ssw0rd12");
  CHECK(call->interval_s == 25);
  CHECK(call->lifetime_s == 0);
  REQUIRE(call->trusted_roots.size() == 1);
  CHECK(call->trusted_roots[0] == root);
  CHECK_FALSE(calls_home(m.model, "f00dcafe.com").has_value()); // inside
  auto read = does(m, ours::read_cira);
  REQUIRE(read.ok());
  CHECK(read->calls_home());
  CHECK(read->rules.size() == 2);
  for (const auto& p : m.model.cira->policies)
    CHECK(p.servers.at(0).type == 2);

  auto again = does(m, configure); // as after a lost answer
  REQUIRE(again.ok());
  CHECK(again->root_was_there);
  CHECK(again->before.rules == 2);
  CHECK(again->before.servers == 1);
  CHECK(m.model.cira->servers.size() == 1);
  CHECK(m.model.cira->policies.size() == 2);

  REQUIRE(does(m, ours::clear_cira).ok());
  CHECK(*does(m, ours::clear_environment_detection));
  CHECK_FALSE(calls_home(m.model).has_value());
}

TEST_CASE("an address that is a number brings the name of the certificate") {
  bench_machine m;
  auto wanted = home(made_root("MPS root"));
  wanted.address = "192.0.2.7";
  wanted.format = ours::server_address::ipv4;
  wanted.common_name = "mps.example.com";
  REQUIRE(does(m, [&](talk& t) { return ours::configure_cira(t, wanted); }).ok());
  CHECK(calls_home(m.model)->common_name == "mps.example.com");
}

/// Key pair, leaf, credential context.
std::string give_certificate(bench_machine& m, const std::string& root) {
  auto key = does(m, [&](talk& t) { return ours::prepare_tls(t, base64_encode(root)); });
  REQUIRE(key.ok());
  const auto octets = base64_decode(key->public_key);
  REQUIRE(octets.has_value());
  const auto leaf = made_certificate("AMT-edge-0001", public_key(*octets), fresh_key());
  auto handle =
      does(m, [&](talk& t) { return ours::install_tls_certificate(t, base64_encode(leaf)); });
  REQUIRE(handle.ok());
  return *handle;
}

const settings& older() {
  static const settings s = [] {
    auto out = exact();
    out.kind = *find_firmware("amt12");
    return out;
  }();
  return s;
}

TEST_CASE("each mode of TLS comes into force with its commit") {
  for (const auto mode : {ours::tls_mode::server, ours::tls_mode::server_and_plain,
                          ours::tls_mode::mutual, ours::tls_mode::mutual_and_plain}) {
    bench_machine m(older());
    give_certificate(m, made_root("site root"));
    auto applied = does(m, [&](talk& t) { return ours::enable_tls(t, mode, {"mgmt"}); });
    REQUIRE(applied.ok());
    const auto& net = m.model.tls->in_force[0];
    CHECK(net.enabled);
    CHECK(net.accept_plain == ours::allows_plain(mode));
    CHECK(net.mutual == ours::is_mutual(mode));
    CHECK(net.trusted_names.empty() == !ours::is_mutual(mode));
    CHECK(m.model.tls->in_force[1].enabled);
    CHECK(m.model.tls->certificate.has_value());
  }
}

TEST_CASE("a newer firmware does not take plain connections back") {
  bench_machine m;
  give_certificate(m, made_root("site root"));
  auto applied =
      does(m, [](talk& t) { return ours::enable_tls(t, ours::tls_mode::server_and_plain); });
  REQUIRE(applied.ok());
  const bool fixed = !m.model.tls->in_force[0].accept_plain;
  CHECK(applied->plain == !fixed);
}

TEST_CASE("TLS without a certificate is not committed") {
  bench_machine m(older());
  auto told = does(m, [](talk& t) { return ours::enable_tls(t, ours::tls_mode::server); });
  CHECK(told.error().what == problem::transition_refused);
  CHECK_FALSE(m.model.tls->in_force[0].enabled);
}

ours::wifi_profile_request wifi(const std::string& name, std::uint32_t priority) {
  ours::wifi_profile_request p;
  p.name = p.ssid = name;
  p.priority = priority;
  p.password = "long & <enough>";
  return p;
}

/// Everything that a profile can order.
void configure_all(bench_machine& m) {
  CHECK(does(m, ours::configure_general_settings).ok());
  CHECK(does(m, [](talk& t) { return ours::configure_wired(t, {}); }).ok());
  ours::wireless_wish air;
  air.profiles = {wifi("home", 1), wifi("work", 2)};
  auto wireless = does(m, [&](talk& t) { return ours::configure_wireless(t, air); });
  REQUIRE(wireless.ok());
  CHECK(wireless->present);
  CHECK(wireless->profiles.added.size() == 2);
  CHECK(wireless->profiles.failed.empty());
  const std::vector<ours::proxy_point> proxies{
      {"cache.example.com", ours::server_address::fqdn, 8080, "example.com"},
      {"192.0.2.1", ours::server_address::ipv4, 3128, "example.com"}};
  auto points = does(m, [&](talk& t) { return ours::configure_proxies(t, proxies); });
  REQUIRE(points.ok());
  CHECK(points->added.size() == 2);
  ours::wired_8021x_settings x;
  x.profile = "corp";
  x.user = "pc";
  x.password = "secret";
  x.credentials.ca_certificate = base64_encode(made_root("radius root"));
  CHECK(does(m, [&](talk& t) { return ours::configure_wired_8021x(t, x); }).ok());
  const auto wanted = home(made_root("MPS root"));
  CHECK(does(m, [&](talk& t) { return ours::configure_cira(t, wanted); }).ok());
}

TEST_CASE("a profile's network is what the machine has afterwards") {
  bench_machine m;
  configure_all(m);
  CHECK(m.model.network->wired.dhcp);
  CHECK(m.model.network->wired.ip_sync);
  CHECK(m.model.network->wireless.console_retransmissions == 7);
  CHECK(m.model.wifi->profile_sync == 3);
  REQUIRE(m.model.wifi->profiles.size() == 2);
  CHECK(m.model.wifi->profiles[0].passphrase == "long & <enough>");
  CHECK(m.model.proxies->points.size() == 2);
  CHECK(m.model.network->ieee8021x.enabled == 2);
  CHECK(m.model.network->ieee8021x.protocol == 2);
  CHECK(m.model.network->ieee8021x.password == "secret");
  CHECK(*does(m, [](talk& t) { return ours::configure_wired(t, {}); }) ==
        ours::step_result::was_so);
  CHECK(*does(m, ours::configure_general_settings) == ours::step_result::was_so);
}

TEST_CASE("a wired port becomes static in both ways") {
  bench_machine m;
  ours::wired_wish shared;
  shared.dhcp = false;
  CHECK(*does(m, [&](talk& t) { return ours::configure_wired(t, shared); }) ==
        ours::step_result::done);
  CHECK(m.model.network->wired.shared_static);
  auto own = shared;
  own.ip_sync = false;
  own.ip_address = "192.0.2.9";
  own.subnet_mask = "255.255.255.0";
  CHECK(*does(m, [&](talk& t) { return ours::configure_wired(t, own); }) ==
        ours::step_result::done);
  CHECK(m.model.network->wired.address == "192.0.2.9");
  CHECK_FALSE(m.model.network->wired.shared_static);
  const ours::host_address host{"192.0.2.10", "", "192.0.2.1", "", ""};
  CHECK(*does(m, [&](talk& t) { return ours::sync_ip(t, host); }) == ours::synchronised::done);
  CHECK(m.model.network->wired.address == "192.0.2.10");
  CHECK(m.model.network->wired.mask == "255.255.255.0");
  CHECK(*does(m, [&](talk& t) { return ours::sync_ip(t, host); }) == ours::synchronised::was_so);
}

TEST_CASE("a configured machine is cleared of everything and can be configured again") {
  for (const auto* s : {&exact(), &older()}) {
    CAPTURE(s == &exact());
    bench_machine m(*s);
    for (int round = 0; round < 2; ++round) {
      configure_all(m);
      give_certificate(m, made_root("site root"));
      REQUIRE(does(m, [](talk& t) { return ours::enable_tls(t, ours::tls_mode::server); }).ok());
      auto cleared = does(m, [](talk& t) { return ours::clear_configuration(t, false); });
      REQUIRE(cleared.ok());
      for (const auto& l : cleared->settings.left)
        FAIL_CHECK(l);
      for (const auto& l : cleared->credentials.left)
        FAIL_CHECK(l);
      CHECK(cleared->settings.wifi_profiles == 2);
      CHECK(cleared->settings.proxies == 2);
      CHECK(cleared->settings.wired_8021x);
      CHECK(cleared->settings.detection);
      CHECK(m.model.wifi->profiles.empty());
      CHECK(m.model.proxies->points.empty());
      CHECK(m.model.network->ieee8021x.enabled == 3);
      CHECK(m.model.cira->servers.empty());
      CHECK(m.model.cira->policies.empty());
      CHECK_FALSE(calls_home(m.model).has_value());
      if (cleared->tls == ours::tls_off::kept) {
        CHECK(m.model.tls->in_force[0].enabled);
        CHECK(m.model.tls->certificate.has_value());
        break; // its certificate stays, so a second round is another story
      }
      CHECK_FALSE(m.model.tls->in_force[0].enabled);
      CHECK(m.model.certificates->keys.empty());
      CHECK_FALSE(m.model.tls->certificate.has_value());
    }
  }
}

TEST_CASE("features follow the profile as far as the control mode lets them") {
  bench_machine m;
  ours::feature_wish wish;
  wish.user_consent = ours::consent_policy::none;
  wish.sol = wish.ider = wish.kvm = true;
  auto told = does(m, [&](talk& t) { return ours::configure_features(t, wish); });
  REQUIRE(told.ok());
  CHECK_FALSE(told->consent_kept);
  CHECK(m.model.feature.opt_in_required == 0);
  bench_machine client;
  client.model.control_mode = 1;
  client.model.feature.opt_in_required = 0xFFFFFFFF;
  told = does(client, [&](talk& t) { return ours::configure_features(t, wish); });
  REQUIRE(told.ok());
  CHECK(told->consent_kept);
  CHECK(client.model.feature.opt_in_required == 0xFFFFFFFF);
  CHECK(client.model.feature.kvm);
}

TEST_CASE("clock and name are set") {
  bench_machine m;
  REQUIRE(does(m, [](talk& t) { return ours::sync_time(t, now_s); }).ok());
  auto then = does(m, [](talk& t) { return ours::sync_time(t, now_s); });
  REQUIRE(then.ok());
  CHECK(then->before >= now_s);
  CHECK(then->before < now_s + 60);
  const auto name = [](talk& t) {
    return ours::sync_hostname(t, "edge-7");
  };
  CHECK(*does(m, name) == ours::synchronised::done);
  CHECK(m.model.setup->host_name == "edge-7");
  CHECK(*does(m, name) == ours::synchronised::was_so);
}

} // namespace
} // namespace outband::amtsim
