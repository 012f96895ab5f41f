#include "tests/unit/activation/stage.hpp"

#include "actors/legacy_events.hpp"
#include "messages/provisioning/certificate.hpp"
#include "tests/unit/activation/trust.hpp"
#include "tools/amtsim/certificate_state.hpp"
#include "tools/amtsim/cira_state.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace outband;
using namespace outband::testing;

namespace {

/// Of firmware that has shown Intel's certificate first.
std::shared_ptr<sim_wire> activated_behind_tls(activation_stage& s, bench& m) {
  auto wire = s.open(m, s.wish(m), s.token());
  s.settle();
  REQUIRE(wire->reports.size() == 1);
  CHECK_MESSAGE(wire->reports.front().success, wire->reports.front().status);
  REQUIRE(wire->sessions.size() >= 3);
  CHECK(wire->sessions.front().how == firmware_trust::on_die);
  return wire;
}

} // namespace

TEST_CASE("a new machine is brought into client control mode and told whom to call") {
  activation_stage s;
  s.prepare(activation_kind::client_mode);
  bench m;
  const auto told = s.go(m);
  CHECK_MESSAGE(told.success, told.status);
  CHECK(told.status == "Client control mode.");
  CHECK(told.cira == "Configured");
  CHECK(m.model.control_mode == 1);
  CHECK(s.known_password(m) == "active");
  CHECK(!s.secret(m).pending);
  const auto home = amtsim::calls_home(m.model, "elsewhere.net");
  REQUIRE(home);
  CHECK(home->host == "mps.example.com");
  CHECK(home->user == "outband");
  // The password for calling home becomes the active one when the machine calls.
  const auto mps = s.secret(m, secret_name::mps_password);
  REQUIRE(mps.pending);
  CHECK(home->password == mps.pending->reveal());
  CHECK(s.store.of(s.ref(m)).row.record.mps_username == "outband");
}

TEST_CASE("a new machine is brought into admin control mode with the tenant's certificate") {
  activation_stage s;
  s.prepare_domain();
  s.prepare(activation_kind::admin_mode);
  bench m;
  trust(m, s);
  const auto told = s.go(m);
  CHECK_MESSAGE(told.success, told.status);
  CHECK(told.status == "Activated to admin control mode.");
  CHECK(m.model.control_mode == 2);
  CHECK(s.known_password(m) == "active");
  CHECK(s.secret(m, secret_name::mebx_password).active);
  CHECK(m.model.activation->counts.admin_setups == 1);
}

TEST_CASE("a machine in client control mode is brought into admin control mode") {
  activation_stage s;
  s.prepare_domain();
  s.prepare(activation_kind::client_mode);
  bench m;
  trust(m, s);
  REQUIRE(s.go(m).success);
  const auto before = *s.secret(m).active;
  s.prepare(activation_kind::admin_mode);
  const auto told = s.go(m, provisioning_act::activate, true);
  CHECK_MESSAGE(told.success, told.status);
  CHECK(told.status == "Upgraded to admin control mode.");
  CHECK(m.model.control_mode == 2);
  CHECK(m.model.activation->counts.upgrades == 1);
  CHECK(s.known_password(m) == "active");
  CHECK(!equal(before, s.secret(m).active->reveal()));
}

TEST_CASE("behind TLS only the certificate that this very machine was given is taken") {
  activation_stage s;
  s.prepare_domain();
  s.prepare(activation_kind::admin_mode);
  std::vector<std::string> pins;
  for (int number : {1, 2}) {
    bench m("19.0", number);
    trust(m, s);
    auto wire = activated_behind_tls(s, m);
    const auto& last = wire->sessions.back();
    CHECK(last.how == firmware_trust::pinned);
    bool given = false;
    for (const auto& c : m.model.certificates->certificates) {
      const auto read = provisioning::read_certificate(c.der);
      REQUIRE(read.ok());
      given = given || (!c.trusted_root && read->prints.sha256 == last.leaf_sha256);
    }
    CHECK(given);
    for (const auto& session : wire->sessions)
      CHECK((session.how == firmware_trust::pinned) == (session.leaf_sha256 == last.leaf_sha256));
    pins.push_back(last.leaf_sha256);
  }
  CHECK(pins[0] != pins[1]); // of one issuer
}

TEST_CASE("activating again changes the password and configures anew") {
  activation_stage s;
  s.prepare(activation_kind::client_mode);
  bench m;
  REQUIRE(s.go(m).success);
  const auto before = *s.secret(m).active;
  const auto told = s.go(m, provisioning_act::activate, true);
  CHECK_MESSAGE(told.success, told.status);
  CHECK(m.model.activation->counts.setups == 1);
  CHECK(m.model.activation->counts.admin_passwords == 1);
  CHECK(s.known_password(m) == "active");
  CHECK(!equal(before, s.secret(m).active->reveal()));
}

TEST_CASE("a machine is deactivated and forgotten and can be activated again") {
  activation_stage s;
  s.prepare(activation_kind::client_mode);
  bench m;
  REQUIRE(s.go(m).success);
  const auto told = s.go(m, provisioning_act::deactivate, true);
  CHECK_MESSAGE(told.success, told.status);
  CHECK(told.status == "Deactivated");
  CHECK(m.model.control_mode == 0);
  CHECK(s.control.removed.size() == 1);
  CHECK(!s.secret(m).active);
  const auto again = s.go(m);
  CHECK_MESSAGE(again.success, again.status);
  CHECK(m.model.control_mode == 1);
}

TEST_CASE("a machine is removed only after its last word is stored") {
  activation_stage s;
  s.prepare(activation_kind::client_mode);
  bench m;
  REQUIRE(s.go(m).success);
  s.rows.slow_ends = true;
  auto wire = s.open(m, s.wish(m, provisioning_act::deactivate),
                     s.token(m.model.who().guid, provisioning_act::deactivate));
  s.settle();
  REQUIRE(s.rows.ends.size() == 1);
  CHECK(s.rows.notes.back().text == "Deactivated.");
  CHECK(s.control.removed.empty());
  CHECK(wire->reports.empty());
  s.rows.ends.front()(nothing{});
  s.settle();
  CHECK(s.control.removed.size() == 1);
  REQUIRE(wire->reports.size() == 1);
  CHECK(wire->reports.front().success);
}

TEST_CASE("an unprovision whose answer is lost is proven by the refused sign-in") {
  activation_stage s;
  s.prepare(activation_kind::client_mode);
  bench m;
  REQUIRE(s.go(m).success);
  m.faults.add(amtsim::fault_kind::unprovision_unanswered, amtsim::sim_time{0}, 1, m.now);
  const auto told = s.go(m, provisioning_act::deactivate, true);
  CHECK_MESSAGE(told.success, told.status);
  CHECK(m.model.control_mode == 0);
}

TEST_CASE("what the store has done and could not tell is not a failure") {
  activation_stage s;
  s.prepare(activation_kind::client_mode);
  bench m;
  REQUIRE(s.go(m).success);
  s.control.unheard = true;
  const auto told = s.go(m, provisioning_act::deactivate, true);
  CHECK_MESSAGE(told.success, told.status);
  CHECK(!s.control.unheard);
  CHECK(s.control.removed.size() == 2);
  const auto& row = s.rows.notes.back();
  CHECK(row.state == activation_state::done);
  CHECK(row.text == "Deactivated.");
}

TEST_CASE("a setup whose answer is lost is looked at and not sent again") {
  for (auto kind : {activation_kind::client_mode, activation_kind::admin_mode}) {
    activation_stage s;
    s.prepare_domain();
    s.prepare(kind);
    bench m;
    trust(m, s);
    m.faults.add(amtsim::fault_kind::setup_unanswered, amtsim::sim_time{0}, 1, m.now);
    const auto told = s.go(m);
    CHECK_MESSAGE(told.success, told.status);
    CHECK(m.model.activation->counts.setups + m.model.activation->counts.admin_setups == 1);
    CHECK(s.known_password(m) == "active");
  }
}

TEST_CASE("firmware that is busy is shown the same proof again and not another one") {
  for (bool upgrade : {false, true}) {
    CAPTURE(upgrade);
    activation_stage s;
    s.prepare_domain();
    bench m;
    trust(m, s);
    if (upgrade) {
      s.prepare(activation_kind::client_mode);
      REQUIRE(s.go(m).success);
    }
    s.prepare(activation_kind::admin_mode);
    auto wire = s.open(m, s.wish(m), s.token(m.model.who().guid));
    wire->busy_on = upgrade ? "UpgradeClientToAdmin" : "AdminSetup";
    s.settle();
    REQUIRE(wire->reports.size() == 1);
    CHECK_MESSAGE(wire->reports.front().success, wire->reports.front().status);
    CHECK(wire->busy_on.empty());
    CHECK(m.model.control_mode == 2);
    CHECK(s.known_password(m) == "active");
  }
}

TEST_CASE("what is said after TLS was looked at is not taken for its end when it is lost") {
  activation_stage s;
  s.prepare(activation_kind::client_mode);
  bench m;
  auto wire = s.open(m, s.wish(m), s.token());
  wire->silent_on = "AMT_TLSCredentialContext";
  s.settle();
  REQUIRE(wire->reports.size() == 1);
  CHECK_MESSAGE(wire->reports.front().success, wire->reports.front().status);
  // The whole step is done again, not only what would follow the end of TLS.
  CHECK(std::count(wire->asked.begin(), wire->asked.end(), "AMT_TLSSettingData/Enumerate") == 2);
}

TEST_CASE("behind TLS the firmware shows Intel's certificate first and then the one it was given") {
  activation_stage s;
  s.prepare_domain();
  s.prepare(activation_kind::admin_mode);
  bench m("19.0");
  trust(m, s);
  auto wire = activated_behind_tls(s, m);
  CHECK(wire->sessions.back().how == firmware_trust::pinned);
  CHECK(wire->sessions.back().ca_pem == s.where.ca_certificate);
  CHECK(wire->sessions.back().leaf_sha256.size() == 64);
}

TEST_CASE("every step is told as an event and the last one is kept") {
  activation_stage s;
  s.prepare(activation_kind::client_mode);
  bench m;
  REQUIRE(s.go(m).success);
  REQUIRE(s.rows.notes.size() > 10);
  for (const auto& n : s.rows.notes) {
    CHECK(!n.text.empty());
    CHECK(!n.step.empty());
  }
  const auto& last = s.rows.activations[to_string(s.ref(m))];
  CHECK(last.state == activation_state::done);
  CHECK(last.mode == 1);
  CHECK(s.rows.published == 2 * s.rows.notes.size());
}

TEST_CASE("what activations come to is told on RPS's topic where that is switched on") {
  activation_stage s;
  legacy_events legacy{*s.internal, s.clock, {false, true}};
  const auto consumer = s.bus.attach({"consumer", 10'000});
  bus::subscribe_options at_most_once;
  at_most_once.qos = 0;
  std::vector<std::string> heard;
  const auto hearing = consumer->subscribe("rps/events", at_most_once, [&](const bus::message& m) {
    CHECK_FALSE(m.retain);
    heard.push_back(*m.payload);
  });
  s.bus.run();
  auto told = [&] {
    s.bus.run();
    return std::exchange(heard, {});
  };
  s.prepare(activation_kind::client_mode);
  bench quiet("16.1.25", 1), m("16.1.25", 2), cut("16.1.25", 3);
  REQUIRE(s.go(quiet).success);
  CHECK(told().empty());

  s.with.legacy = &legacy;
  REQUIRE(s.go(m).success);
  auto events = told();
  REQUIRE(events.size() == 1);
  CHECK(
      events[0].find(R"("type":"success","message":"Device activated in Client control mode.")") !=
      std::string::npos);
  CHECK(events[0].find(R"("guid":")" + to_string(s.ref(m).device) + '"') != std::string::npos);
  REQUIRE(s.go(m, provisioning_act::activate, true).success);
  CHECK(told().empty()); // it was in that mode already
  REQUIRE(s.go(m, provisioning_act::deactivate, true).success);
  CHECK(told().empty()); // RPS does not tell that

  auto wire = s.open(cut, s.wish(cut), s.token());
  wire->cut_at = 3;
  s.settle();
  events = told();
  REQUIRE(events.size() == 1);
  CHECK(events[0].find(R"("type":"fail","message":"Failed to activate")") != std::string::npos);
  s.open(cut, s.wish(cut), "guess"); // a GUID that anybody may claim
  s.settle();
  CHECK(told().empty());
}
