#include "tests/unit/activation/stage.hpp"

#include "tests/unit/activation/trust.hpp"

#include <doctest/doctest.h>

using namespace outband;
using namespace outband::testing;

namespace {

enum class flow : std::uint8_t { client, admin, upgrade, again, deactivate };

/// A machine that stands before that flow, and the wish.
std::unique_ptr<bench> before(activation_stage& s, flow what) {
  s.prepare_domain();
  auto m = std::make_unique<bench>();
  trust(*m, s);
  const bool had = what == flow::upgrade || what == flow::again || what == flow::deactivate;
  if (had) {
    s.prepare(activation_kind::client_mode);
    REQUIRE(s.go(*m).success);
  }
  s.prepare(what == flow::admin || what == flow::upgrade ? activation_kind::admin_mode
                                                         : activation_kind::client_mode);
  return m;
}

provisioning_act act_of(flow what) {
  return what == flow::deactivate ? provisioning_act::deactivate : provisioning_act::activate;
}

int mode_after(flow what) {
  return what == flow::deactivate ? 0 : what == flow::admin || what == flow::upgrade ? 2 : 1;
}

/// How many exchanges that flow takes when nothing goes wrong.
int length_of(flow what) {
  activation_stage s;
  auto m = before(s, what);
  auto wire = s.open(*m, s.wish(*m, act_of(what)), s.token(m->model.who().guid, act_of(what)));
  s.settle();
  REQUIRE(wire->reports.size() == 1);
  REQUIRE_MESSAGE(wire->reports.front().success, wire->reports.front().status);
  return wire->exchanges;
}

void cut_everywhere(flow what) {
  const int length = length_of(what);
  REQUIRE(length > 1);
  for (auto when : {sim_wire::when::before, sim_wire::when::after})
    for (int at = 0; at < length; ++at) {
      CAPTURE(at);
      CAPTURE(static_cast<int>(when));
      activation_stage s;
      auto m = before(s, what);
      auto wire = s.open(*m, s.wish(*m, act_of(what)), s.token(m->model.who().guid, act_of(what)));
      wire->cut_at = at;
      wire->cut = when;
      s.settle();
      // The machine is activated with a password that the store has, or new and can be begun anew.
      if (m->model.control_mode != 0)
        REQUIRE(s.known_password(*m) != "none");
      // Doing it again ends as if nothing had happened. A machine that is new already, and one that
      // nobody knows any more, has nothing left to be deactivated.
      if (what == flow::deactivate && m->model.control_mode == 0)
        continue;
      const auto told = s.go(*m, act_of(what), true);
      REQUIRE_MESSAGE(told.success, told.status);
      CHECK(m->model.control_mode == mode_after(what));
      if (m->model.control_mode != 0) {
        CHECK(s.known_password(*m) == "active");
        CHECK(s.rows.activations[to_string(s.ref(*m))].state == activation_state::done);
      }
      const auto& counts = m->model.activation->counts;
      CHECK(counts.setups + counts.admin_setups <= 1);
      CHECK(counts.upgrades <= 1);
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
