// Nodes that end, are killed, or stand still: others go on, and everybody is told the truth.
#include "tests/e2e/audit.hpp"
#include "tests/e2e/cluster.hpp"
#include "tests/e2e/knobs.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <thread>

using namespace outband;
using namespace outband::e2e;

namespace {

bool reached(const cluster& c, const machine& m, const std::string& state) {
  const auto h = c.host(m.guid);
  return h.at("currentPowerState") == "POWER_STATE_" + state &&
         h.at("power").at("converged") == true && c.power(m.guid) == (state == "ON" ? 2 : 8);
}

/// A request by MQTT; its id.
uuid order(const cluster& c, bus::endpoint& on, const machine& m, power_once what) {
  const auto id = random_id();
  // The first word is enough: what follows may take a fail-over.
  std::optional<response> said;
  REQUIRE(c.until([&] {
    said = people::ask(on, c.admin(), m.guid, id, ask_once{what, power_policy::immediate},
                       std::chrono::seconds(2));
    return said && said->status != request_status::rejected;
  }));
  return id;
}

json outcome(const cluster& c, const uuid& id) {
  json j;
  CHECK(c.until([&] {
    auto r = c.call(&c.admin(), "GET", "/api/v1/requests/" + to_string(id));
    if (r.status != 200)
      return false;
    j = r.parsed();
    return j.at("final").get<bool>();
  }));
  return j;
}

} // namespace

TEST_CASE("a site of five nodes serves a wish that travels through four of them") {
  auto& c = cluster::get();
  c.heal();
  const auto m = c.rested();
  REQUIRE(c.wish(m, "OFF").status == 200);
  CHECK(c.until([&] { return reached(c, m, "OFF"); }));
  auto read = c.call(&c.admin(), "GET", "/api/v1/amt/power/state/" + m.guid);
  CHECK_MESSAGE(read.status == 200, read.body);
  CHECK(read.parsed().at("powerstate") == 8);
  REQUIRE(c.wish(m, "ON").status == 200);
  CHECK(c.until([&] { return reached(c, m, "ON"); }));
}

TEST_CASE("every node tells its figures and its health whatever its role") {
  auto& c = cluster::get();
  c.heal();
  for (const auto& [name, node] : c.nodes()) {
    CAPTURE(name);
    CHECK(c.watched(name, "/healthz").status == 200);
    CHECK(c.until([&, n = name] { return c.watched(n, "/readyz").status == 200; }));
    const auto told = c.watched(name, "/metrics");
    REQUIRE(told.status == 200);
    const auto tells = [&](const std::string& text) {
      return told.body.find("\noutband_" + text) != std::string::npos;
    };
    CHECK(tells("build_info{version="));
    CHECK(told.body.find("node=\"" + name + "\"") != std::string::npos);
    CHECK(tells("sql_statements_total "));
    CHECK(tells("bus_published_total "));
    CHECK(tells("cira_tunnels{state=\"up\"} ") == (name.rfind("term", 0) == 0));
    CHECK(tells("outbox_window_rows ") == (name.rfind("ctl", 0) == 0));
    CHECK(tells("controller 1") == (name == c.controller().holder));
    CHECK(c.watched(name, "/api/v1/version").status == 404);
  }
  // The one that nobody could ask before: what its machines do.
  c.place_all("term-a");
  CHECK(c.until([&] {
    return c.watched("term-a", "/metrics")
               .body.find("\noutband_links " + std::to_string(c.machines().size()) + "\n") !=
           std::string::npos;
  }));
}

TEST_CASE("a terminator that is told to end hands all its machines over and none is refused") {
  auto& c = cluster::get();
  c.heal();
  c.place_all("term-a");
  std::map<std::string, std::uint64_t> links;
  int refused = 0;
  for (const auto& m : c.machines()) {
    const auto t = c.truth(m.guid);
    links[m.guid] = t.at("links");
    refused += t.at("refused").get<int>();
  }
  crowd people(c, how_thorough().seed);
  CHECK(c.until([&] { return people.at.acknowledged >= 20; }));
  c.front().prefer(c.cira_port("term-b"));
  CHECK(c.node("term-a").stop() == 0);
  for (const auto& m : c.machines())
    CHECK(c.until([&] { return c.connected(m.guid); }));
  const auto enough = people.at.acknowledged + 20;
  CHECK(c.until([&] { return people.at.acknowledged >= enough; }));
  for (const auto& w : people.finish())
    FAIL_CHECK(w);
  for (const auto& w : broken_promises(c, people, e2e::until))
    FAIL_CHECK(w);
  for (const auto& m : c.machines()) {
    const auto t = c.truth(m.guid);
    CHECK(c.terminator_of(m) == "term-b");
    CHECK(t.at("links").get<std::uint64_t>() > links[m.guid]);
    refused -= t.at("refused").get<int>();
  }
  CHECK(refused == 0);
  CHECK(c.node("term-a").log().find("handing") != std::string::npos);
}

TEST_CASE("the last terminator that is told to end does not wait for another") {
  auto& c = cluster::get();
  c.heal();
  CHECK(c.node("term-b").stop() == 0);
  for (const auto& m : c.machines())
    CHECK(c.until([&] { return c.terminator_of(m) == "term-a"; }));
  CHECK(c.node("term-a").stop() == 0);
  const auto m = c.machines().front();
  CHECK(c.until([&] { return c.host(m.guid).at("link").at("state") != "up"; }));
  CHECK(c.call(&c.admin(), "GET", "/api/v1/amt/power/state/" + m.guid).status == 404);
  c.node("term-a").start();
  CHECK(c.until([&] { return c.terminator_of(m) == "term-a"; }));
}

TEST_CASE("a terminator that is killed leaves unknown links and machines are reached elsewhere") {
  auto& c = cluster::get();
  c.heal();
  c.place_all("term-a");
  const auto away = c.rested();
  auto on = c.connect(c.admin());
  watcher events(*on, "oob/v1/demo/dev/" + away.guid + "/event/link");
  c.node("term-a").pause(); // lest it hears the machine leave, or the machine calls the other one
  c.fleet().disconnect(away.guid);
  c.node("term-a").kill();
  CHECK(c.until([&] { return c.host(away.guid).at("link").at("state") == "unknown"; }));
  auto h = c.host(away.guid);
  CHECK(h.at("hostStatus") == "Unknown");
  CHECK(h.at("currentPowerState") == "POWER_STATE_ON"); // the last that was known
  CHECK(c.call(&c.admin(), "GET", "/api/v1/amt/power/state/" + away.guid).status == 404);
  REQUIRE(c.wish(away, "OFF").status == 200);
  for (const auto& m : c.machines())
    if (m.guid != away.guid)
      CHECK(c.until([&] { return c.terminator_of(m) == "term-b"; }));
  c.fleet().connect(away.guid);
  CHECK(c.until([&] { return reached(c, away, "OFF"); }));
  CHECK(c.terminator_of(away) == "term-b");
  CHECK(events.wait([](const auto& all) {
    return std::any_of(all.begin(), all.end(), [](const auto& m) {
      auto e = bus::decode_event(*m.payload, bus::encoding::msgpack);
      return e && e->body.type == "link.unknown";
    });
  }));
}

TEST_CASE("a controller that is killed is replaced and what was open comes to its end") {
  auto& c = cluster::get();
  c.heal();
  const auto wanted = c.rested(), ordered = c.rested();
  auto on = c.connect(c.admin());
  const auto before = c.controller();
  const int resets = c.carried_out(ordered.guid)[10];
  c.fault(ordered.guid, "slow", 3, 700);
  const auto id = order(c, *on, ordered, power_once::reset);
  c.node(before.holder).kill();
  REQUIRE(c.wish(wanted, "OFF").status == 200); // there is nobody to act, but it is stored
  const auto after = c.next_controller(before);
  CHECK(after.holder != before.holder);
  CHECK(c.until([&] { return reached(c, wanted, "OFF"); }));
  const auto end = outcome(c, id);
  const auto times = c.carried_out(ordered.guid)[10] - resets;
  CAPTURE(end.dump());
  CHECK(times <= 1);
  CHECK((end.at("status") == "done" || end.at("status") == "unknown"));
  CHECK((end.at("status") != "done" || times == 1));
  // It may come back: as a standby.
  c.node(before.holder).start();
  CHECK(c.controller().holder == after.holder);
}

TEST_CASE("a controller that is told to end is replaced without waiting for its lease") {
  auto& c = cluster::get();
  c.heal();
  const auto m = c.rested();
  const auto before = c.controller();
  CHECK(c.node(before.holder).stop() == 0);
  CHECK(c.node(before.holder).log().find("not controlling any more") != std::string::npos);
  const auto after = c.next_controller(before);
  CHECK(after.holder != before.holder);
  REQUIRE(c.wish(m, "OFF").status == 200);
  CHECK(c.until([&] { return reached(c, m, "OFF"); }));
}

TEST_CASE("while the only api node is away the bus serves and it comes back to the truth") {
  auto& c = cluster::get();
  c.heal();
  const auto m = c.rested();
  auto on = c.connect(c.admin());
  const header_list key{{"Idempotency-Key", to_string(random_id())}};
  const int resets = c.carried_out(m.guid)[10];
  c.fault(m.guid, "slow", 2, 500);
  std::thread waiting([&] {
    // Its answer is lost with the node; its outcome is not.
    c.call(&c.admin(), "POST", "/api/v1/amt/power/action/" + m.guid, R"({"action":10})", key);
  });
  CHECK(c.until([&] {
    return c.call(&c.admin(), "GET", "/api/v1/requests/" + key.front().second).status == 200;
  }));
  c.node("api-a").kill();
  waiting.join();
  ask_desired off;
  off.patch.target = power_target::off;
  auto answer = people::ask(*on, c.admin(), m.guid, off);
  CHECK(answer.status == request_status::done);
  CHECK(c.until([&] { return c.power(m.guid) == 8; }));
  c.node("api-a").start();
  CHECK(c.until([&] { return c.ready() && reached(c, m, "OFF"); }));
  const auto end = outcome(c, *parse_uuid(key.front().second));
  const auto times = c.carried_out(m.guid)[10] - resets;
  CHECK(times <= 1);
  CHECK((end.at("status") != "done" || times == 1));
}

TEST_CASE("a terminator that stood still takes back the links that nobody took since") {
  auto& c = cluster::get();
  c.heal();
  const auto stays = c.rested(), leaves = c.rested();
  c.place(stays, "term-a");
  c.place(leaves, "term-a");
  const auto links = c.truth(stays.guid).at("links").get<int>();
  c.node("term-a").pause();
  c.front().prefer(c.cira_port("term-b"));
  CHECK(c.until([&] { return c.host(stays.guid).at("link").at("state") == "unknown"; }));
  c.fault(leaves.guid, "rst", 1, 1);
  CHECK(c.until([&] { return c.terminator_of(leaves) == "term-b"; }));
  c.node("term-a").resume();
  CHECK(c.until([&] { return c.terminator_of(stays) == "term-a"; }));
  CHECK(c.terminator_of(leaves) == "term-b");
  CHECK(c.truth(stays.guid).at("links").get<int>() == links);
  REQUIRE(c.wish(stays, "OFF").status == 200);
  CHECK(c.until([&] { return reached(c, stays, "OFF"); }));
}
