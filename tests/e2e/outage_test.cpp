// Broker or database away, hanging, or full: what is refused is refused honestly, what was accepted
// happens, and nobody has to help afterwards. An outage lasts for a number of REST calls.
#include "messages/bus/topics.hpp"
#include "tests/e2e/site.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <csignal>

using namespace outband;
using namespace outband::e2e;

namespace {

constexpr int calls = 40;

/// Connected, on, and asked to be on.
machine at_rest(site& s) {
  const auto m = s.fresh();
  REQUIRE(s.wish(m, "ON").status == 200);
  REQUIRE(s.until([&] { return s.host(m.guid).at("power").at("converged") == true; }));
  return m;
}

/// 503, the code of the cause, and words.
bool honest(const reply& r) {
  if (r.status != 503)
    return false;
  auto j = r.parsed();
  return j.at("problem") == "store-unavailable" && !j.at("message").get<std::string>().empty() &&
         j.at("retry") == true;
}

json readiness(site& s) {
  auto r = s.call(nullptr, "GET", "/readyz");
  auto j = r.parsed();
  CHECK(j.at("ready").get<bool>() == (r.status == 200));
  return j;
}

int refused_logins(site& s) {
  int n = 0;
  for (const auto& m : s.machines())
    n += s.truth(m.guid).at("refused").get<int>();
  return n;
}

/// The machine is really there, and the server says that the wish is reached.
bool reached(site& s, const machine& m, const std::string& state) {
  const auto h = s.host(m.guid);
  return h.at("currentPowerState") == "POWER_STATE_" + state &&
         h.at("power").at("converged") == true && s.power(m.guid) == (state == "ON" ? 2 : 8);
}

/// What is retained on the bus is what REST tells.
bool told(site& s, const watcher& current, const machine& m) {
  const auto rev = s.host(m.guid).at("power").at("currentRevision").get<revision>();
  const auto topic = bus::current_topic({"demo", *parse_uuid(m.guid)});
  for (const auto& x : current.seen())
    if (x.topic == topic)
      if (auto d = bus::decode_current(*x.payload, bus::encoding::msgpack); d && d->env.rev == rev)
        return true;
  return false;
}

} // namespace

TEST_CASE("while the database is away everything is refused with the reason and tunnels stay") {
  auto& s = site::get();
  const auto wanted = at_rest(s), pressed = at_rest(s), caller = at_rest(s);
  const auto before = refused_logins(s);
  const auto links = s.truth(wanted.guid).at("links").get<int>();
  const auto rev = s.host(wanted.guid).at("power").at("desiredRevision").get<revision>();
  s.database().kill();
  REQUIRE(s.until([&] { return honest(s.wish(wanted, "OFF")); }));
  s.sim({{"op", "press_power_button"}, {"guid", pressed.guid}});
  s.fault(caller.guid, "drop", 1, 1);
  for (int i = 0; i < calls; ++i) {
    auto change = s.wish(wanted, "OFF");
    CHECK_MESSAGE(honest(change), change.status << " " << change.body);
    auto read = s.call(&s.admin(), "GET", "/compute/hosts/" + wanted.guid);
    CHECK_MESSAGE(honest(read), read.status << " " << read.body);
    CHECK(s.call(nullptr, "GET", "/healthz").status == 200);
    const auto ready = readiness(s);
    CHECK(ready.at("ready") == false);
    CHECK(ready.at("store").at("ok") == false);
    CHECK(ready.at("store").at("code") == "store-unavailable");
    CHECK(ready.at("bus").at("ok") == true);
  }
  CHECK(s.until([&] { return s.power(pressed.guid) == 8; }));
  CHECK(s.power(wanted.guid) == 2);
  s.database().start();
  CHECK(s.until([&] { return readiness(s).at("ready") == true; }));
  CHECK(s.until([&] { return s.connected(caller.guid); }));
  CHECK(refused_logins(s) == before); // firmware that is refused stays away for long
  CHECK(s.truth(wanted.guid).at("links").get<int>() == links);
  CHECK(s.host(wanted.guid).at("power").at("desiredRevision").get<revision>() == rev);
  REQUIRE(s.wish(wanted, "OFF").status == 200);
  CHECK(s.until([&] { return reached(s, wanted, "OFF"); }));
  // Somebody pressed the button of a machine that shall be on, and nobody could write it down.
  CHECK(s.until([&] { return reached(s, pressed, "ON"); }));
}

TEST_CASE("a database that hangs is answered for and the same request again is stored once") {
  auto& s = site::get();
  const auto m = at_rest(s);
  const auto rev = s.host(m.guid).at("power").at("desiredRevision").get<revision>();
  const header_list id{{"Idempotency-Key", to_string(random_id())}};
  s.database().pause();
  auto r = s.wish(m, "OFF", "IMMEDIATE", id);
  CHECK_MESSAGE((r.status == 503 || r.status == 504), r.status << " " << r.body);
  s.database().resume();
  CHECK(s.until([&] { return s.wish(m, "OFF", "IMMEDIATE", id).status == 200; }));
  CHECK(s.host(m.guid).at("power").at("desiredRevision").get<revision>() == rev + 1);
  CHECK(s.until([&] { return reached(s, m, "OFF"); }));
}

TEST_CASE("a database that takes no more refuses wishes and still tells what is") {
  auto& s = site::get();
  const auto m = at_rest(s);
  // In a transaction of their own: who returns before the setting is committed would not have it.
  const char* const end_sessions = "select count(pg_terminate_backend(pid)) from pg_stat_activity "
                                   "where datname = current_database() and pid <> pg_backend_pid()";
  struct way {
    const char *fill, *empty;
    bool for_new_sessions;
  };
  const way ways[] = {
      // As on a full disk (SQLSTATE 53100), for whatever is written for others to see.
      {"create function full_disk() returns trigger language plpgsql as $$ begin "
       "raise exception 'could not extend file: No space left on device' using errcode='53100'; "
       "end $$; create trigger full_disk before insert on outbox execute function full_disk()",
       "drop trigger full_disk on outbox; drop function full_disk()", false},
      // As a standby, or an administrator's emergency brake.
      {"do $$ begin execute format('alter database %I set default_transaction_read_only = on', "
       "current_database()); end $$",
       "set transaction read write; do $$ begin execute format('alter database %I "
       "reset default_transaction_read_only', current_database()); end $$",
       true}};
  std::string state = "OFF";
  for (const auto& how : ways) {
    CAPTURE(std::string(how.fill));
    const auto before = refused_logins(s);
    s.sql(how.fill);
    if (how.for_new_sessions)
      s.sql(end_sessions);
    REQUIRE(s.until([&] { return s.call(&s.admin(), "GET", "/compute/hosts").status == 200; }));
    // Sessions end a moment after they were told to.
    REQUIRE(s.until([&] { return honest(s.wish(m, state)); }));
    for (int i = 0; i < calls; ++i) {
      auto change = s.wish(m, state);
      CHECK_MESSAGE(honest(change), change.status << " " << change.body);
      CHECK(s.host(m.guid).at("currentPowerState") != "POWER_STATE_UNSPECIFIED");
    }
    s.fault(m.guid, "drop", 1, 1);
    s.sql(how.empty);
    if (how.for_new_sessions)
      s.sql(end_sessions);
    CHECK(s.until([&] { return s.connected(m.guid); }));
    CHECK(refused_logins(s) == before);
    CHECK(s.until([&] { return s.wish(m, state).status == 200; }));
    CHECK(s.until([&] { return reached(s, m, state); }));
    state = "ON";
  }
}

TEST_CASE("while the broker is away wishes are stored and reached and told when it is back") {
  auto& s = site::get();
  const std::vector<machine> some{at_rest(s), at_rest(s), at_rest(s)};
  s.broker().kill();
  CHECK(s.until([&] { return readiness(s).at("ready") == false; }));
  const auto ready = readiness(s);
  CHECK(ready.at("bus").at("ok") == false);
  CHECK(ready.at("bus").at("code") == "bus-unavailable");
  CHECK(ready.at("store").at("ok") == true);
  for (int i = 0; i < calls / 4; ++i)
    for (const auto& m : some) {
      const std::string state = i % 2 == 0 ? "OFF" : "ON";
      auto r = s.wish(m, state, i % 4 == 0 ? "ORDERED" : "IMMEDIATE");
      CHECK_MESSAGE(r.status == 200, r.body);
    }
  for (const auto& m : some) {
    REQUIRE(s.wish(m, "OFF").status == 200);
    CHECK(s.until([&] { return reached(s, m, "OFF"); }));
  }
  CHECK(s.sql("select count(*) from outbox") != "0");
  s.broker().start();
  CHECK(s.until([&] { return readiness(s).at("ready") == true; }));
  auto on = s.connect(s.admin());
  watcher current(*on, "oob/v1/demo/dev/+/current");
  for (const auto& m : some)
    CHECK(s.until([&] { return told(s, current, m); }));
  CHECK(s.until([&] { return s.sql("select count(*) from outbox") == "0"; }));
}

TEST_CASE("a broker that hangs delays what is told and loses nothing of it") {
  auto& s = site::get();
  const auto m = at_rest(s);
  auto on = s.connect(s.admin());
  const device_ref ref{"demo", *parse_uuid(m.guid)};
  watcher current(*on, bus::current_topic(ref));
  watcher events(*on, bus::event_topic(ref, event_class::power));
  REQUIRE(current.wait([](const auto& all) { return !all.empty(); }));
  s.broker().signal(SIGSTOP);
  for (const char* state : {"OFF", "ON", "OFF"}) {
    REQUIRE(s.wish(m, state, "IMMEDIATE").status == 200);
    CHECK(s.until([&] { return reached(s, m, state); }));
  }
  s.broker().signal(SIGCONT);
  CHECK(s.until([&] { return told(s, current, m); }));
  CHECK(events.wait([](const auto& all) {
    std::size_t reached = 0;
    for (const auto& x : all)
      if (auto e = bus::decode_event(*x.payload, bus::encoding::msgpack))
        reached += e->body.type == "power.reached" ? 1 : 0;
    return reached >= 3;
  }));
}
