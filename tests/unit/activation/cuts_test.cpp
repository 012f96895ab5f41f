#include "tests/unit/activation/stage.hpp"

#include "tests/unit/activation/trust.hpp"
#include "tools/amtsim/certificate_state.hpp"
#include "tools/amtsim/network_state.hpp"
#include "tools/amtsim/wifi_state.hpp"

#include <doctest/doctest.h>

#include <cstdlib>

using namespace outband;
using namespace outband::testing;

namespace {

enum class flow : std::uint8_t {
  client,
  admin,
  upgrade,
  again,
  deactivate,
  behind_tls, ///< local ports speak TLS only; admin control mode
  tunnel,     ///< rpc goes over to the TLS port; admin control mode
  with_tls,   ///< the profile wants TLS on the network
  password,   ///< maintenance
  networks,   ///< the profile has 802.1x, wired and wireless
};

int mode_after(flow what) {
  switch (what) {
  case flow::deactivate:
    return 0;
  case flow::client:
  case flow::again:
  case flow::password:
  case flow::networks:
    return 1;
  default:
    return 2;
  }
}

/// A machine that stands before that flow, and the wish.
std::unique_ptr<bench> before(activation_stage& s, flow what) {
  s.prepare_domain();
  auto m = std::make_unique<bench>(what == flow::behind_tls ? "19.0" : "16.1");
  trust(*m, s);
  const bool had = what == flow::upgrade || what == flow::again || what == flow::deactivate ||
                   what == flow::password;
  if (had) {
    s.prepare(activation_kind::client_mode);
    REQUIRE(s.go(*m).success);
  }
  auto& p =
      s.prepare(mode_after(what) == 2 ? activation_kind::admin_mode : activation_kind::client_mode);
  if (what == flow::with_tls) {
    p.tls_mode = 2;
    p.cira_config.reset();
  }
  if (what == flow::networks)
    s.prepare_8021x();
  return m;
}

provisioning_act act_of(flow what) {
  return what == flow::deactivate ? provisioning_act::deactivate
         : what == flow::password ? provisioning_act::maintain
                                  : provisioning_act::activate;
}

provisioning_wish wish_of(const activation_stage& s, const bench& m, flow what) {
  auto w = s.wish(m, act_of(what));
  w.machine.tls_tunnel = what == flow::tunnel;
  if (what == flow::password)
    w.task = maintenance_task::change_password;
  return w;
}

std::shared_ptr<sim_wire> begin(activation_stage& s, bench& m, flow what) {
  return s.open(m, wish_of(s, m, what), s.token(m.model.who().guid, act_of(what)));
}

/// How many exchanges that flow takes when nothing goes wrong.
int length_of(flow what) {
  activation_stage s;
  auto m = before(s, what);
  auto wire = begin(s, *m, what);
  s.settle();
  REQUIRE(wire->reports.size() == 1);
  REQUIRE_MESSAGE(wire->reports.front().success, wire->reports.front().status);
  return wire->exchanges;
}

/// Once each, however often it was begun: with the certificate, and with CIRA's.
void in_both_networks(const bench& m) {
  CHECK(m.model.network->ieee8021x.enabled == 2);
  CHECK(m.model.network->ieee8021x.user == "cable-user");
  REQUIRE(m.model.wifi->profiles.size() == 1);
  REQUIRE(m.model.wifi->profiles.front().enterprise);
  CHECK(m.model.wifi->profiles.front().enterprise->ca_cert.has_value());
  CHECK(m.model.certificates->certificates.size() == 2);
}

/// The machines make a real RSA key in each run with TLS, which takes most of the time: there every
/// fourth exchange is cut, and every single one with OUTBAND_FULL, as in ./tools/test --full.
int stride_of(flow what) {
  const bool makes_keys =
      what == flow::behind_tls || what == flow::tunnel || what == flow::with_tls;
  return makes_keys && std::getenv("OUTBAND_FULL") == nullptr ? 4 : 1;
}

void cut_everywhere(flow what) {
  const int length = length_of(what);
  REQUIRE(length > 1);
  for (auto when : {sim_wire::when::before, sim_wire::when::after})
    for (int at = 0; at < length; at += stride_of(what)) {
      CAPTURE(at);
      CAPTURE(static_cast<int>(when));
      activation_stage s;
      auto m = before(s, what);
      auto wire = begin(s, *m, what);
      wire->cut_at = at;
      wire->cut = when;
      s.settle();
      if (when == sim_wire::when::before)
        REQUIRE(s.rows.activations[to_string(s.ref(*m))].state == activation_state::interrupted);
      // The machine is activated with a password that the store has, or new and can be begun anew.
      if (m->model.control_mode != 0)
        REQUIRE(s.known_password(*m) != "none");
      // Doing it again ends as if nothing had happened. A machine that is new already, and one that
      // nobody knows any more, has nothing left to be deactivated.
      if (what == flow::deactivate && m->model.control_mode == 0)
        continue;
      auto second = begin(s, *m, what);
      s.settle();
      REQUIRE(second->reports.size() == 1);
      const auto told = second->reports.front();
      REQUIRE_MESSAGE(told.success, told.status);
      CHECK(m->model.control_mode == mode_after(what));
      if (m->model.control_mode != 0) {
        CHECK(s.known_password(*m) == "active");
        CHECK(s.rows.activations[to_string(s.ref(*m))].state == activation_state::done);
      }
      const auto& counts = m->model.activation->counts;
      CHECK(counts.setups + counts.admin_setups <= 1);
      CHECK(counts.upgrades <= 1);
      if (what == flow::networks)
        in_both_networks(*m);
    }
}

} // namespace

TEST_CASE("client control mode cut at every exchange ends managed or can be begun again") {
  cut_everywhere(flow::client);
}
TEST_CASE("admin control mode cut at every exchange ends managed or can be begun again") {
  cut_everywhere(flow::admin);
}
TEST_CASE("the upgrade cut at every exchange ends managed or can be begun again") {
  cut_everywhere(flow::upgrade);
}
TEST_CASE("activating again cut at every exchange ends managed or can be begun again") {
  cut_everywhere(flow::again);
}
TEST_CASE("deactivation cut at every exchange ends done or can be begun again") {
  cut_everywhere(flow::deactivate);
}
TEST_CASE(
    "admin control mode behind TLS cut at every exchange ends managed or can be begun again") {
  cut_everywhere(flow::behind_tls);
}
TEST_CASE("the TLS tunnel cut at every exchange ends managed or can be begun again") {
  cut_everywhere(flow::tunnel);
}
TEST_CASE("a profile with TLS cut at every exchange ends managed or can be begun again") {
  cut_everywhere(flow::with_tls);
}
TEST_CASE("a profile with 802.1x cut at every exchange ends in both networks once begun again") {
  cut_everywhere(flow::networks);
}
TEST_CASE("a change of password cut at every exchange leaves one that the store has") {
  cut_everywhere(flow::password);
}
