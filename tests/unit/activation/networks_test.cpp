// 802.1x of a profile, wired and wireless: what the machine holds afterwards, and what is refused.
#include "tests/unit/activation/stage.hpp"
#include "tests/unit/activation/trust.hpp"
#include "tools/amtsim/certificate_state.hpp"
#include "tools/amtsim/network_state.hpp"
#include "tools/amtsim/wifi_state.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace outband;
using namespace outband::testing;

namespace {

ieee8021x_config& config(activation_stage& s, const char* name) {
  return s.rows.eap_rows.kept.at({activation_stage::tenant, name}).what;
}

std::shared_ptr<sim_wire> run(activation_stage& s, bench& m, const std::string& token) {
  auto wire = s.open(m, s.wish(m), token);
  s.settle();
  REQUIRE(wire->reports.size() == 1);
  return wire;
}

bool asked(const sim_wire& wire, const std::string& what) {
  return std::any_of(wire.asked.begin(), wire.asked.end(),
                     [&](const auto& a) { return a.find(what) != std::string::npos; });
}

/// The wired port's and the WiFi's, with the authority's certificate as a trusted root.
void has_both(const bench& m) {
  const auto& wired = m.model.network->ieee8021x;
  CHECK(wired.enabled == 2);
  CHECK(wired.protocol == 2);
  CHECK(wired.pxe_timeout == 60);
  CHECK(wired.available_in_s0);
  CHECK(wired.user == "cable-user");
  CHECK(wired.password == "cable-secret");
  CHECK(wired.domain == "CORP");
  CHECK(wired.roaming_identity == "anonymous@corp");
  CHECK(wired.server_name == "radius.corp");
  CHECK(wired.server_name_comparison == 2);
  REQUIRE(m.model.wifi->profiles.size() == 1);
  const auto& air = m.model.wifi->profiles.front();
  CHECK(air.ssid == "corp-net");
  CHECK(air.authentication == 7);
  CHECK(air.priority == 3);
  CHECK(air.passphrase.empty());
  REQUIRE(air.enterprise);
  CHECK(air.enterprise->protocol == 2);
  CHECK(air.enterprise->user == "radio-user");
  CHECK(air.enterprise->password == "radio-secret");
  CHECK(air.enterprise->server_name == "radius.corp");
  REQUIRE(air.enterprise->ca_cert);
  const auto& all = m.model.certificates->certificates;
  const auto ca = std::find_if(all.begin(), all.end(),
                               [&](const auto& c) { return c.handle == *air.enterprise->ca_cert; });
  REQUIRE(ca != all.end());
  CHECK(ca->trusted_root);
}

} // namespace

TEST_CASE("a machine gets the wired and the wireless 802.1x of its profile") {
  for (auto kind : {activation_kind::client_mode, activation_kind::admin_mode}) {
    activation_stage s;
    s.prepare_domain();
    s.prepare(kind);
    s.prepare_8021x();
    bench m;
    trust(m, s);
    const auto told = s.go(m);
    REQUIRE_MESSAGE(told.success, told.status);
    CHECK(told.network == "Wired Network Configured. Wireless Configured");
    has_both(m);
    // Another configuration replaces it.
    config(s, "cable").username = "other";
    config(s, "cable").ca_certificate.clear();
    config(s, "cable").server_name.clear();
    REQUIRE(s.go(m, provisioning_act::activate, true).success);
    CHECK(m.model.network->ieee8021x.user == "other");
    CHECK(m.model.network->ieee8021x.enabled == 6);
    CHECK(m.model.network->ieee8021x.server_name.empty());
    // And a profile without any switches it off.
    s.prepare(kind);
    REQUIRE(s.go(m, provisioning_act::activate, true).success);
    CHECK(m.model.network->ieee8021x.enabled == 3);
    CHECK(m.model.network->ieee8021x.password.empty());
    CHECK(m.model.wifi->profiles.empty());
  }
}

TEST_CASE("a machine whose local ports speak TLS only gets its 802.1x too") {
  activation_stage s;
  s.prepare(activation_kind::client_mode);
  s.prepare_8021x();
  bench m("19.0");
  const auto told = s.go(m);
  REQUIRE_MESSAGE(told.success, told.status);
  CHECK(told.network == "Wireless Configured. Wired Network Configured");
  has_both(m);
}

TEST_CASE("802.1x that needs an Enterprise Assistant is refused before anything is said") {
  for (const auto* name : {"cable", "radio"})
    for (int protocol : {0, 3, 10}) {
      CAPTURE(name);
      CAPTURE(protocol);
      activation_stage s;
      s.prepare(activation_kind::client_mode);
      s.prepare_8021x();
      config(s, name).protocol = protocol;
      bench m;
      const auto token = s.token();
      const auto wire = run(s, m, token);
      const auto& told = wire->reports.front();
      CHECK(!told.success);
      CHECK(told.status.find(std::string("'") + name + "': authenticationProtocol " +
                             std::to_string(protocol)) != std::string::npos);
      CHECK(told.status.find("Enterprise Assistant") != std::string::npos);
      CHECK(wire->exchanges == 0);
      CHECK(m.model.control_mode == 0);
      // The token is still good once the configuration is.
      config(s, name).protocol = 2;
      CHECK(run(s, m, token)->reports.front().success);
    }
}

TEST_CASE("802.1x without user name or password is refused and the field is named") {
  for (const auto* name : {"cable", "radio"}) {
    CAPTURE(name);
    activation_stage s;
    s.prepare(activation_kind::client_mode);
    s.prepare_8021x();
    bench m;
    config(s, name).username.clear();
    auto wire = run(s, m, s.token());
    CHECK(wire->reports.front().status.find("username is missing") != std::string::npos);
    CHECK(wire->exchanges == 0);
    config(s, name).username = "edge";
    s.rows.eap_rows.kept.at({activation_stage::tenant, name}).secrets.clear();
    wire = run(s, m, s.token());
    CHECK(wire->reports.front().status.find("password is missing") != std::string::npos);
    CHECK(wire->exchanges == 0);
    CHECK(m.model.control_mode == 0);
  }
}

TEST_CASE("802.1x that the firmware does not take makes the whole a failure") {
  activation_stage s;
  s.prepare(activation_kind::client_mode);
  s.prepare_8021x();
  bench m;
  config(s, "cable").server_name = std::string(81, 'x'); // more than firmware has room for
  const auto wire = run(s, m, s.token());
  const auto& told = wire->reports.front();
  CHECK(!told.success);
  CHECK(m.model.network->ieee8021x.enabled == 3);
  CHECK(m.model.control_mode == 1);
  CHECK(s.known_password(m) == "active");
  CHECK(s.rows.activations[to_string(s.ref(m))].state == activation_state::failed);
  CHECK(std::any_of(told.details.begin(), told.details.end(), [](const auto& d) {
    return d.what == component::wired_network && d.result == component_result::verdict::failure &&
           !d.details.empty();
  }));
  CHECK(asked(*wire, "IPS_IEEE8021xSettings/Put"));
  // What comes after it is done.
  CHECK(told.cira == "Configured");
}

TEST_CASE("whoever comes without a token gets no password of a network") {
  activation_stage s;
  s.prepare(activation_kind::client_mode);
  s.prepare_8021x();
  s.where.bare = true;
  bench m;
  s.store.add(s.ref(m));
  const auto wire = run(s, m, "");
  CHECK(!wire->reports.front().success);
  CHECK(m.model.control_mode == 1);
  CHECK(m.model.network->ieee8021x.enabled == 3);
  CHECK(m.model.wifi->profiles.empty());
  CHECK(wire->reports.front().network.find("needs a token") != std::string::npos);
}

TEST_CASE("no event of an activation has a password of 802.1x in it") {
  activation_stage s;
  s.prepare(activation_kind::client_mode);
  s.prepare_8021x();
  bench m;
  REQUIRE(s.go(m).success);
  bool told = false;
  for (const auto& n : s.rows.notes) {
    CHECK(n.text.find("-secret") == std::string::npos);
    told = told || n.step == "configure-8021x";
  }
  CHECK(told);
}
