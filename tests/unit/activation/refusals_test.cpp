#include "tests/unit/activation/stage.hpp"

#include "tests/unit/activation/trust.hpp"
#include "tests/unit/actors/memory_removals.hpp"

#include <doctest/doctest.h>

using namespace outband;
using namespace outband::testing;

namespace {

struct outcome {
  provisioning_report report;
  int exchanges = 0;
};

outcome run(activation_stage& s, bench& m, provisioning_wish w, const std::string& token) {
  auto wire = s.open(m, std::move(w), token);
  s.settle();
  REQUIRE(wire->reports.size() == 1);
  return {wire->reports.front(), wire->exchanges};
}

/// Nothing was said to the machine, nothing of it is kept.
void nothing_happened(activation_stage& s, bench& m, const outcome& o) {
  CHECK(!o.report.success);
  CHECK(o.exchanges == 0);
  CHECK(m.model.control_mode == 0);
  CHECK(!s.secret(m).active);
  CHECK(!s.secret(m).pending);
}

} // namespace

TEST_CASE("a token that is unknown or used or expired gets nothing and is told one thing") {
  activation_stage s;
  s.prepare(activation_kind::client_mode);
  bench m;
  const auto unknown = run(s, m, s.wish(m), "guess");
  nothing_happened(s, m, unknown);
  const auto late = s.token();
  s.rows.tokens.begin()->second.expires = s.clock.now();
  const auto expired = run(s, m, s.wish(m), late);
  nothing_happened(s, m, expired);
  const auto text = s.token();
  for (auto& [hash, t] : s.rows.tokens)
    t.used = 1;
  const auto used = run(s, m, s.wish(m), text);
  nothing_happened(s, m, used);
  CHECK(unknown.report.status == expired.report.status);
  CHECK(unknown.report.status == used.report.status);
}

TEST_CASE("a token that was used cannot be replayed by the same machine or another") {
  activation_stage s;
  s.prepare(activation_kind::client_mode);
  bench first("16.1.25", 1);
  bench second("16.1.25", 2);
  const auto text = s.token();
  REQUIRE(run(s, first, s.wish(first), text).report.success);
  nothing_happened(s, second, run(s, second, s.wish(second), text));
  CHECK(run(s, first, s.wish(first), text).exchanges == 0);
}

TEST_CASE("two that come with one token at once are not both served") {
  activation_stage s;
  s.prepare(activation_kind::client_mode);
  bench first("16.1.25", 1);
  bench second("16.1.25", 2);
  const auto text = s.token();
  auto a = s.open(first, s.wish(first), text);
  auto b = s.open(second, s.wish(second), text);
  s.settle();
  REQUIRE(a->reports.size() == 1);
  REQUIRE(b->reports.size() == 1);
  CHECK(a->reports.front().success != b->reports.front().success);
  CHECK((first.model.control_mode == 0) != (second.model.control_mode == 0));
}

TEST_CASE("a client that picks another tenant or profile or machine than its token gets nothing") {
  activation_stage s;
  s.prepare(activation_kind::client_mode);
  bench m;
  auto w = s.wish(m);
  w.tenant = "other";
  nothing_happened(s, m, run(s, m, w, s.token()));
  w = s.wish(m);
  w.profile = "p2";
  nothing_happened(s, m, run(s, m, w, s.token()));
  const auto another = *parse_uuid("99999999-9abc-def0-1234-56789abcdef0");
  nothing_happened(s, m, run(s, m, s.wish(m), s.token(another)));
  w = s.wish(m, provisioning_act::deactivate);
  nothing_happened(s, m, run(s, m, w, s.token()));
}

TEST_CASE("a machine of another tenant is refused") {
  activation_stage s;
  s.prepare(activation_kind::client_mode);
  bench m;
  s.store.add({"other", m.model.who().guid});
  s.store.refuse_foreign = true;
  const auto o = run(s, m, s.wish(m), s.token());
  CHECK(o.report.status.find("Device belongs to another tenant.") != std::string::npos);
  nothing_happened(s, m, o);
}

TEST_CASE("a managed machine that claims to be new needs a token that names it") {
  activation_stage s;
  s.prepare(activation_kind::client_mode);
  bench m;
  REQUIRE(s.go(m).success);
  const auto kept = *s.secret(m).active;
  bench impostor; // the same GUID, and new
  const auto o = run(s, impostor, s.wish(impostor), s.token());
  CHECK(!o.report.success);
  CHECK(o.exchanges == 0);
  CHECK(equal(kept, s.secret(m).active->reveal()));
  CHECK(!s.secret(m).pending);
}

TEST_CASE(
    "a password that a cut activation may have set survives who says that the machine is new") {
  for (bool fixed : {false, true}) {
    CAPTURE(fixed);
    activation_stage s;
    s.prepare(activation_kind::client_mode);
    bench m;
    auto wire = s.open(m, s.wish(m), s.token());
    wire->cut = sim_wire::when::after;
    wire->cut_on = "IPS_HostBasedSetupService/Setup";
    s.settle();
    REQUIRE(m.model.control_mode == 1);
    REQUIRE(s.known_password(m) == "pending");
    auto& p = s.prepare(activation_kind::client_mode);
    if (fixed) {
      p.random_amt_password = false;
      s.rows.profile_rows.kept.begin()->second.secrets["amt_password"] = *s.secrets.seal_named(
          "acme", secret_label(object_kind::profile, "p1", "amt_password"), "Other123!");
    }
    bench impostor; // the same GUID, and new
    run(s, impostor, s.wish(impostor), s.token());
    CHECK(s.known_password(m) != "none");
    const auto told = s.go(m, provisioning_act::activate, true);
    CHECK_MESSAGE(told.success, told.status);
    CHECK(s.known_password(m) == "active");
  }
}

TEST_CASE("a machine that was deauthorized does not come back before somebody authorises it") {
  activation_stage s;
  s.prepare(activation_kind::client_mode);
  bench m;
  memory_removals removals([&] { return std::vector<device_ref>{s.ref(m)}; });
  s.with.removals = &removals;
  s.store.add(s.ref(m));
  auto wish_of = [&](removal_kind kind) {
    removal r;
    r.device = s.ref(m);
    r.kind = kind;
    return r;
  };
  const auto text = s.token(m.model.who().guid); // not even with a token for this very machine
  for (auto state : {removal_state::waiting, removal_state::done}) {
    CAPTURE(to_string(state));
    auto row = wish_of(removal_kind::deauthorize);
    removals.begin(row, [](const result<kept_removal>& r) { REQUIRE(r.ok()); });
    row.state = state;
    removals.note(row, [](const result<nothing>& r) { REQUIRE(r.ok()); });
    const auto o = run(s, m, s.wish(m), text);
    nothing_happened(s, m, o);
    CHECK(o.report.status.find("was deauthorized") != std::string::npos);
    CHECK(o.report.status.find("/invalidate") != std::string::npos);
  }
  removals.away = true;
  nothing_happened(s, m, run(s, m, s.wish(m), text)); // nobody knows: no
  removals.away = false;
  removals.withdraw(s.ref(m), [](const result<nothing>& r) { REQUIRE(r.ok()); });
  const auto back = run(s, m, s.wish(m), text); // it was not used up
  CHECK_MESSAGE(back.report.success, back.report.status);

  // Who is to be deleted is deactivated, and not activated again meanwhile.
  removals.begin(wish_of(removal_kind::remove), [](const result<kept_removal>&) {});
  auto again = run(s, m, s.wish(m), s.token());
  CHECK(again.exchanges == 0);
  CHECK(again.report.status.find("is being removed") != std::string::npos);
  CHECK(s.go(m, provisioning_act::deactivate, true).success);
  CHECK(m.model.control_mode == 0);
  // It has gone, its wish with it: a new token registers it anew.
  removals.withdraw(s.ref(m), [](const result<nothing>&) {});
  CHECK(s.go(m).success);
}

TEST_CASE("an activation whose registration is removed by force ends") {
  activation_stage s;
  s.prepare(activation_kind::client_mode);
  bench m;
  auto wire = s.open(m, s.wish(m), s.token());
  s.rows.lose_after = 2; // notes
  s.settle();
  REQUIRE(wire->reports.size() == 1);
  CHECK_FALSE(wire->reports.front().success);
  CHECK(wire->reports.front().status.find("registration was removed") != std::string::npos);
}

TEST_CASE("who does not know the machine's password learns nothing from a general token") {
  activation_stage s;
  s.prepare(activation_kind::client_mode);
  bench m;
  REQUIRE(s.go(m).success);
  auto w = s.wish(m);
  w.machine.password = secret_text("Guess123!");
  auto wire = s.open(m, w, s.token());
  s.settle();
  REQUIRE(wire->reports.size() == 1);
  CHECK(wire->exchanges == 0); // no digest was computed with it
  CHECK(wire->reports.front().status.find("AMT password DOES NOT match stored version for") !=
        std::string::npos);
}

TEST_CASE(
    "after some wrong passwords no more are compared but a token for the machine still serves") {
  for (const bool bare : {false, true}) {
    CAPTURE(bare);
    activation_stage s;
    s.where.bare = bare;
    s.prepare(activation_kind::client_mode);
    bench m;
    REQUIRE(s.go(m).success);
    const auto told = [&](const std::string& password, std::optional<device_id> named = {}) {
      auto w = s.wish(m);
      w.machine.password = secret_text(password);
      return run(s, m, w, bare && !named ? std::string{} : s.token(named)).report;
    };
    const auto known = [&] {
      return s.secret(m).active->reveal();
    };
    CHECK(told("Mistyped1!").status.find("DOES NOT match") != std::string::npos);
    CHECK(told(known()).success); // and is forgiven
    for (int i = 0; i < activation::password_guesses::most; ++i)
      CHECK(told("Guess123!").status.find("DOES NOT match") != std::string::npos);
    const auto right = told(known());
    CHECK_FALSE(right.success);
    CHECK(right.status.find("Too many wrong AMT passwords") != std::string::npos);
    bench other("16.1.25", 2);
    CHECK(s.go(other).success);
    CHECK(told("Mistyped1!", s.ref(m).device).success);
    s.clock.now_ += activation::password_guesses::window;
    CHECK(told(known()).success);
  }
}

TEST_CASE("a client that only plays a managed machine changes and removes nothing of it") {
  for (auto act : {provisioning_act::activate, provisioning_act::deactivate}) {
    CAPTURE(to_string(act));
    activation_stage s;
    s.prepare(activation_kind::client_mode);
    bench m;
    REQUIRE(s.go(m).success);
    const auto kept = *s.secret(m).active;
    bench played; // the same GUID, and a password of its own choice
    played.model.control_mode = 1;
    amtsim::set_admin_password(played.model, "Played12!");
    auto w = s.wish(played, act);
    w.machine.password = secret_text("Played12!");
    const auto o = run(s, played, w, s.token({}, act));
    CHECK(!o.report.success);
    CHECK(o.exchanges == 0);
    REQUIRE(s.secret(m).active);
    CHECK(equal(kept, s.secret(m).active->reveal()));
    CHECK(s.control.removed.empty());
  }
}

TEST_CASE("a nonce of another length is not signed") {
  activation_stage s;
  s.prepare_domain();
  s.prepare(activation_kind::admin_mode);
  bench m;
  trust(m, s);
  for (const char* nonce : {"", "AAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}) {
    CAPTURE(nonce);
    auto w = s.wish(m);
    auto wire = s.open(m, w, s.token());
    wire->rewrite = [nonce](std::string xml) {
      const auto open = xml.find("ConfigurationNonce>");
      if (open == std::string::npos)
        return xml;
      const auto from = open + std::string("ConfigurationNonce>").size();
      return xml.replace(from, xml.find('<', from) - from, nonce);
    };
    s.settle();
    REQUIRE(wire->reports.size() == 1);
    CHECK(!wire->reports.front().success);
    for (const auto& what : wire->asked)
      CHECK(what.find("AdminSetup") == std::string::npos);
  }
}

TEST_CASE("without the right certificate admin control mode is refused before anything is said") {
  activation_stage s;
  s.prepare(activation_kind::admin_mode);
  bench m;
  m.model.activation.change().pki_suffix = "example.com";
  auto o = run(s, m, s.wish(m), s.token());
  nothing_happened(s, m, o);
  CHECK(o.report.status.find(
            "Specified AMT domain suffix: example.com does not match list of available AMT domain "
            "suffixes.") != std::string::npos);
  s.prepare_domain();
  o = run(s, m, s.wish(m), s.token()); // its root is not in the machine's list
  nothing_happened(s, m, o);
  trust(m, s, "elsewhere.net");
  nothing_happened(s, m, run(s, m, s.wish(m), s.token()));
  trust(m, s, "");
  o = run(s, m, s.wish(m), s.token());
  nothing_happened(s, m, o);
  CHECK(o.report.status.find("Missing DNS Suffix.") != std::string::npos);
  auto w = s.wish(m);
  w.machine.root_hashes.clear();
  w.machine.dns_suffix = "example.com";
  o = run(s, m, w, s.token());
  CHECK(o.report.status.find("Missing certificate hashes from the device.") != std::string::npos);
}

TEST_CASE("an expired certificate is refused before anything is said") {
  activation_stage s;
  test::pki_options expired;
  expired.now_s = s.clock.now() / 1000;
  expired.valid_from_s = -400 * 86400LL;
  expired.valid_to_s = -86400;
  s.prepare_domain(expired);
  s.prepare(activation_kind::admin_mode);
  bench m;
  trust(m, s);
  const auto o = run(s, m, s.wish(m), s.token());
  nothing_happened(s, m, o);
  CHECK(o.report.status.find("expired") != std::string::npos);
}

TEST_CASE("a machine that somebody else activated is refused for want of its password") {
  activation_stage s;
  s.prepare(activation_kind::client_mode);
  bench m;
  m.model.control_mode = 1;
  amtsim::set_admin_password(m.model, "Theirs123!");
  auto w = s.wish(m);
  w.machine.password = secret_text("Wrong123!");
  const auto o = run(s, m, w, s.token());
  CHECK(!o.report.success);
  CHECK(o.report.status == "Unable to authenticate with AMT");
  CHECK(o.exchanges == 1);
  w.machine.password = secret_text("Theirs123!");
  const auto taken = run(s, m, w, s.token());
  CHECK_MESSAGE(taken.report.success, taken.report.status);
  CHECK(s.known_password(m) == "active");
}

TEST_CASE("a profile that does not exist and firmware that is too old are named") {
  activation_stage s;
  bench m;
  auto o = run(s, m, s.wish(m), s.token());
  nothing_happened(s, m, o);
  CHECK(o.report.status.find("p1 does not match list of available AMT profiles.") !=
        std::string::npos);
  s.prepare(activation_kind::client_mode);
  auto w = s.wish(m);
  w.machine.version = "6.2";
  o = run(s, m, w, s.token());
  nothing_happened(s, m, o);
}

TEST_CASE("a step that the firmware refuses ends the run and the machine can be begun again") {
  activation_stage s;
  s.prepare(activation_kind::client_mode);
  bench m;
  m.faults.add(amtsim::fault_kind::setup_refused, amtsim::sim_time{0}, 1, m.now);
  const auto told = s.go(m);
  CHECK(!told.success);
  CHECK(told.status.find("Failed to activate in client control mode.") == 0);
  CHECK(m.model.control_mode == 0);
  CHECK(s.go(m).success);
}

TEST_CASE("a part of the configuration that fails makes the whole a failure") {
  activation_stage s;
  s.prepare(activation_kind::client_mode);
  s.rows.cira_rows.kept.begin()->second.what.root_certificate = "bm8gY2VydGlmaWNhdGU=";
  bench m;
  const auto told = s.go(m);
  CHECK(!told.success);
  CHECK(m.model.control_mode == 1);
  CHECK(s.known_password(m) == "active");
  const auto& row = s.rows.activations[to_string(s.ref(m))];
  CHECK(row.state == activation_state::failed);
  CHECK(row.text == "The machine is activated, but its configuration is incomplete.");
  CHECK(row.code == explain(problem::malformed).code);
}

TEST_CASE("while one activation of a machine is under way another one is refused") {
  activation_stage s;
  s.prepare(activation_kind::client_mode);
  bench m;
  auto a = s.open(m, s.wish(m), s.token());
  auto b = s.open(m, s.wish(m), s.token());
  s.settle();
  REQUIRE(a->reports.size() == 1);
  REQUIRE(b->reports.size() == 1);
  CHECK(a->reports.front().success != b->reports.front().success);
  CHECK(m.model.activation->counts.setups == 1);
  CHECK(s.known_password(m) == "active");
}

TEST_CASE("without a token only registered machines are served and only where it is switched on") {
  activation_stage s;
  s.prepare(activation_kind::client_mode);
  bench m;
  auto o = run(s, m, s.wish(m), "");
  nothing_happened(s, m, o);
  s.where.bare = true;
  o = run(s, m, s.wish(m), "");
  nothing_happened(s, m, o);
  s.store.add(s.ref(m));
  o = run(s, m, s.wish(m), "");
  CHECK_MESSAGE(o.report.success, o.report.status);
  bench other("16.1.25", 2);
  s.prepare_domain();
  s.prepare(activation_kind::admin_mode);
  trust(other, s);
  s.store.add(s.ref(other));
  o = run(s, other, s.wish(other), "");
  nothing_happened(s, other, o);
  CHECK(o.report.status.find("token") != std::string::npos);
}

TEST_CASE("without a token no password is told that other machines have as well") {
  activation_stage s;
  s.where.bare = true;
  auto& p = s.prepare(activation_kind::admin_mode);
  p.random_mebx_password = false;
  s.rows.profile_rows.kept.begin()->second.secrets["mebx_password"] = *s.secrets.seal_named(
      "acme", secret_label(object_kind::profile, "p1", "mebx_password"), "Shared12!");
  s.rows.cira_rows.kept.begin()->second.secrets["mps_password"] = *s.secrets.seal_named(
      "acme", secret_label(object_kind::cira_config, "home", "mps_password"), "Shared34!");
  for (bool token : {false, true}) {
    CAPTURE(token);
    bench m("16.1.25", token ? 2 : 1);
    m.model.control_mode = 2;
    amtsim::set_admin_password(m.model, "Theirs123!");
    s.store.add(s.ref(m));
    auto w = s.wish(m);
    w.machine.password = secret_text("Theirs123!");
    const auto o = run(s, m, w, token ? s.token() : "");
    CHECK(o.report.success == token);
    const auto mps = s.secret(m, secret_name::mps_password).pending;
    REQUIRE(mps);
    CHECK(equal(*mps, "Shared34!") == token);
    CHECK(s.secret(m, secret_name::mebx_password).active.has_value() == token);
    CHECK(!s.secret(m, secret_name::mebx_password).pending);
  }
}

TEST_CASE("a password that was stored since the first look is not replaced by another") {
  activation_stage s;
  s.prepare(activation_kind::client_mode);
  bench m;
  s.store.add(s.ref(m));
  const auto text = s.token();
  // Another activation of the machine tells it a password and is cut.
  s.rows.on_use = [&] {
    s.secrets.kept[{to_string(s.ref(m)), secret_name::amt_password}].pending =
        secret_text("Earlier12!");
  };
  const auto o = run(s, m, s.wish(m), text);
  CHECK_MESSAGE(o.report.success, o.report.status);
  REQUIRE(s.secret(m).active);
  CHECK(equal(*s.secret(m).active, "Earlier12!"));
}
