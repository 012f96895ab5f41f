// A firmware that lies to the steps of an activation. First part: the name of a step; then the
// answers (lying_firmware.hpp). The conversation must end or wait, what it asks must be WS-MAN,
// what it fails with must say why, and what it tells must be within what the steps' headers
// promise.
#include "messages/amt/base64.hpp"
#include "messages/amt/cira.hpp"
#include "messages/amt/configure_8021x.hpp"
#include "messages/amt/configure_clear.hpp"
#include "messages/amt/configure_network.hpp"
#include "messages/amt/maintenance.hpp"
#include "messages/amt/peer_texts.hpp"
#include "messages/amt/setup.hpp"
#include "tests/fuzz/lying_firmware.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

using namespace outband;
using wsman::talk;

namespace {

void must(bool holds) {
  if (!holds)
    std::abort();
}

// The root of nobody: self-signed, P-256, no end of validity to speak of.
const std::string root =
    "MIIBdTCCARugAwIBAgIUW6263RomBO1D8LAqxXt9jrSVc0kwCgYIKoZIzj0EAwIwDzENMAsGA1UEAwwEZnV6ejAg"
    "Fw0yNjExMjExNTE4MDJaGA8yMTI2MTAyODE1MTgwMlowDzENMAsGA1UEAwwEZnV6ejBZMBMGByqGSM49AgEGCCqG"
    "SM49AwEHA0IABEzFFzsw6+8kE+kXxBNsZC4E8/ibvzAGlmIZXXUJfZdCRoqJvXOqy0nczgDRtyH+39LMUpQZE9kK"
    "hmRJSoPCwA2jUzBRMB0GA1UdDgQWBBQNaeOlm0FNKy0kFIHotIyrcsKGzDAfBgNVHSMEGDAWgBQNaeOlm0FNKy0k"
    "FIHotIyrcsKGzDAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIQDvvRFbFXWnGsu3caQ5XV6rlTyZ"
    "6qSBZx4HmcjkMB9LPAIgJuHajJolbn9gsbUv+e5c7o6EkGtLQZVCmJG/I8Mjpuw=";

amt::cira_settings home() {
  amt::cira_settings s;
  s.root_certificate = root;
  s.address = "mps.example.com";
  s.user = "device01";
  s.password = "P@ssw0rd12";
  s.inside = {"f00dcafe.com"};
  return s;
}

amt::wireless_wish air() {
  amt::wifi_profile_request p;
  p.name = p.ssid = "home";
  p.priority = 1;
  p.password = "long enough";
  return {true, true, {p}};
}

amt::wired_8021x_settings wired_8021x() {
  amt::wired_8021x_settings x;
  x.user = "pc";
  x.password = "secret";
  x.credentials.ca_certificate = root;
  return x;
}

template <class F> auto told(fuzz::lying_firmware& firmware, F step) {
  using told_type = std::invoke_result_t<F, talk&>;
  using value = typename told_type::value_type;
  wsman::conversation<value> c{step};
  std::optional<value> out;
  if (!firmware.answer(c))
    return out;
  must(!amt::peer_failure(amt::peer_step::cira, c.last_question()).empty());
  auto outcome = c.outcome();
  must(outcome.ok() || !outcome.error().detail.empty());
  if (outcome)
    out = std::move(*outcome);
  return out;
}

const std::string ha1(32, 'a');
const amt::setup_proof proof{std::string(amt::nonce_size, 'n'), "signature", 2};

void setup(std::string_view name, fuzz::lying_firmware& f) {
  if (name == "host_setup") {
    if (auto s = told(f, amt::read_host_setup)) {
      must(s->nonce.size() == amt::nonce_size || s->mode == amt::control_mode::admin);
      must(s->mode <= amt::control_mode::admin);
      must(s->allowed.size() <= 3);
      must(s->chain <= amt::chain_status::complete);
    }
  } else if (name == "realm") {
    if (auto r = told(f, amt::read_realm))
      must(r->size() == 39 && r->compare(0, 7, "Digest:") == 0);
  } else if (name == "chain") {
    (void)told(f, [](talk& t) { return amt::add_certificate_chain(t, {"bGVh", "cm9v"}); });
  } else if (name == "client") {
    (void)told(f, [](talk& t) { return amt::setup_client_mode(t, ha1); });
  } else if (name == "admin") {
    (void)told(f, [](talk& t) { return amt::admin_setup(t, ha1, proof); });
  } else if (name == "password") {
    (void)told(
        f, [](talk& t) { return amt::set_admin_password(t, "admin", "AAAAAAAAAAAAAAAAAAAAAA=="); });
  } else if (name == "commit") {
    (void)told(f, amt::commit_changes);
  } else if (name == "unprovision") {
    (void)told(f, amt::unprovision);
  }
}

void configure(std::string_view name, fuzz::lying_firmware& f) {
  if (name == "cira") {
    (void)told(f, [](talk& t) { return amt::configure_cira(t, home()); });
  } else if (name == "read_cira") {
    if (auto c = told(f, amt::read_cira))
      must(!c->calls_home() || (!c->servers.empty() && !c->inside.empty()));
  } else if (name == "clear") {
    if (auto c = told(f, [](talk& t) { return amt::clear_configuration(t, false); }))
      must(c->settings.wifi_profiles + c->settings.proxies + c->credentials.keys < 200);
  } else if (name == "clear_enforced") {
    if (auto c = told(f, [](talk& t) { return amt::clear_configuration(t, true); }))
      must(c->tls == amt::tls_off::kept && c->credentials.contexts == 0);
  } else if (name == "general") {
    (void)told(f, amt::configure_general_settings);
  } else if (name == "wired") {
    (void)told(f, [](talk& t) { return amt::configure_wired(t, {}); });
  } else if (name == "wired_8021x") {
    (void)told(f, [](talk& t) { return amt::configure_wired_8021x(t, wired_8021x()); });
  } else if (name == "wireless") {
    if (auto w = told(f, [](talk& t) { return amt::configure_wireless(t, air()); }))
      must(w->profiles.added.size() + w->profiles.failed.size() == (w->present ? 1U : 0U));
  } else if (name == "proxies") {
    const amt::proxy_point p{"cache.example.com", amt::server_address::fqdn, 8080, "corp"};
    if (auto a = told(f, [&](talk& t) { return amt::configure_proxies(t, {p, p}); }))
      must(a->added.size() + a->failed.size() == 2);
  } else if (name == "features") {
    (void)told(f, [](talk& t) { return amt::configure_features(t, {}); });
  } else if (name == "tls_key") {
    if (auto k = told(f, [](talk& t) { return amt::prepare_tls(t, root); }))
      must(!k->key.empty() && !k->public_key.empty());
  } else if (name == "tls_certificate") {
    if (auto h = told(f, [](talk& t) { return amt::install_tls_certificate(t, root); }))
      must(!h->empty());
  } else if (name == "tls") {
    if (auto a = told(f, [](talk& t) { return amt::enable_tls(t, amt::tls_mode::mutual, {"m"}); }))
      must(a->mutual);
  } else if (name == "time") {
    (void)told(f, [](talk& t) { return amt::sync_time(t, 1'800'000'000); });
  } else if (name == "ip") {
    (void)told(f, [](talk& t) { return amt::sync_ip(t, {"10.0.0.9", "", "", "", ""}); });
  } else if (name == "hostname") {
    (void)told(f, [](talk& t) { return amt::sync_hostname(t, "edge"); });
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (auto* group : {setup, configure}) {
    fuzz::lying_firmware firmware(text);
    const auto name = firmware.next();
    group(name, firmware);
  }
  return 0;
}
