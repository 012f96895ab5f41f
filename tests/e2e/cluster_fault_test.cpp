// The faults of the bus's test plan that need several nodes, by their numbers there.
#include "messages/bus/topics.hpp"
#include "tests/e2e/cluster.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <csignal>
#include <future>
#include <thread>

using namespace outband;
using namespace outband::e2e;

namespace {

device_ref ref_of(const machine& m) {
  return {"demo", *parse_uuid(m.guid)};
}

json stored(const cluster& c, const uuid& id) {
  auto r = c.call(&c.admin(), "GET", "/api/v1/requests/" + to_string(id));
  return r.status == 200 ? r.parsed() : json::object();
}

json outcome(const cluster& c, const uuid& id) {
  CHECK(c.until([&] { return stored(c, id).value("final", false); }));
  return stored(c, id);
}

/// Sends a request and does not wait for anything.
uuid send(bus::endpoint& on, const person& who, const machine& m, request_body body,
          std::optional<time_ms> deadline = {}, time_ms at = 0) {
  request r;
  r.id = random_id();
  r.target = {who.tenant, *parse_uuid(m.guid)};
  r.body = std::move(body);
  r.deadline = deadline;
  bus::envelope e;
  e.id = r.id;
  e.time = at;
  bus::message q;
  q.topic = bus::request_topic(who.tenant, {principal::kind::person, who.tenant, who.name},
                               r.target.device);
  q.payload = std::make_shared<const std::string>(bus::encode(e, r, bus::encoding::msgpack));
  q.content_type = std::string(bus::content_type_of(bus::root::native));
  on.publish(std::move(q));
  return r.id;
}

time_ms now() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

bool reached(const cluster& c, const machine& m, const std::string& state) {
  const auto h = c.host(m.guid);
  return h.at("currentPowerState") == "POWER_STATE_" + state &&
         h.at("power").at("converged") == true && c.power(m.guid) == (state == "ON" ? 2 : 8);
}

int sent(const cluster& c, const machine& m) {
  int n = 0;
  const auto truth = c.truth(m.guid);
  for (const auto& [name, count] : truth.at("requests").items())
    n += count.get<int>();
  return n;
}

/// Connections that this node lost to another client with the same id.
std::string takeovers(const cluster& c, const std::string& node) {
  const std::string name = "\noutband_bus_session_takeovers_total ";
  const auto told = c.watched(node, "/metrics").body;
  const auto at = told.find(name);
  return at == std::string::npos
             ? "not told"
             : told.substr(at + name.size(), told.find('\n', at + 1) - at - name.size());
}

/// The newest retained document per topic.
std::map<std::string, bus::message> newest(const watcher& seen) {
  std::map<std::string, bus::message> out;
  for (const auto& m : seen.seen())
    out[m.topic] = m;
  return out;
}

} // namespace

TEST_CASE(
    "fault 5: broker and terminator and machines that die together leave nobody shown as up") {
  auto& c = cluster::get();
  c.heal();
  c.place_all("term-a");
  c.broker().kill();
  c.node("term-a").kill();
  c.fleet().disconnect();
  c.broker().start();
  auto on = c.connect(c.admin());
  watcher presence(*on, "oob/v1/demo/dev/+/presence");
  for (const auto& m : c.machines())
    CHECK(c.until([&] {
      // Down: it had called the other terminator for a moment before it died as well.
      const auto state = c.host(m.guid).at("link").at("state");
      return state == "unknown" || state == "down";
    }));
  CHECK(c.until([&] {
    const auto all = newest(presence);
    return all.size() >= c.machines().size() &&
           std::all_of(all.begin(), all.end(), [](const auto& x) {
             auto p = bus::decode_presence(*x.second.payload, bus::encoding::msgpack);
             return p && p->body.link != link_state::up && p->body.link != link_state::late;
           });
  }));
}

TEST_CASE("fault 7: what an old half-open tunnel still says changes nothing at the new one") {
  auto& c = cluster::get();
  c.heal();
  const auto m = c.rested();
  c.place_all("term-b");
  c.place(m, "term-a");
  const auto old_port = c.cira_port("term-a");
  // What came of its way there has been told.
  CHECK(c.until([&] {
    return c.sql("select count(*) from outbox where topic like '%" + m.guid + "%'") == "0";
  }));
  auto on = c.connect(c.admin());
  watcher events(*on, bus::event_topic(ref_of(m), event_class::link));

  // The machine answers a read, and the answer is on its way when it leaves for another terminator.
  c.front().hold(old_port);
  auto read = std::async(std::launch::async, [&] {
    return c.call(&c.admin(), "GET", "/api/v1/amt/power/state/" + m.guid);
  });
  CHECK(c.until([&] { return c.front().kept(old_port) > 0; }));
  c.node("term-a").pause();
  c.front().prefer(c.cira_port("term-b"));
  c.fault(m.guid, "drop", 1, 1);
  CHECK(c.until([&] { return c.terminator_of(m) == "term-b"; }));
  const auto row = "select epoch, instance, state from link where guid = '" + m.guid + "'";
  const auto before = c.sql(row);
  const auto told = c.host(m.guid).at("link");

  c.front().release(old_port);
  c.node("term-a").resume();
  CHECK(c.until([&] { return c.front().open(old_port) == 0; }));
  read.wait();
  CHECK(c.call(&c.admin(), "GET", "/api/v1/amt/power/state/" + m.guid).status == 200);
  CHECK(c.sql(row) == before);
  CHECK(c.host(m.guid).at("link") == told);
  // A later event of the new tunnel has come through; whatever the old one said came before it.
  c.fleet().disconnect(m.guid);
  int ups = 0, ends = 0;
  CHECK(events.wait([&](const auto& all) {
    ups = ends = 0;
    for (const auto& x : all)
      if (auto e = bus::decode_event(*x.payload, bus::encoding::msgpack)) {
        ups += e->body.type == "link.up" ? 1 : 0;
        ends += e->body.type == "link.down" ? 1 : 0;
      }
    return ends > 0;
  }));
  CHECK(ups == 1);
  CHECK(ends == 1);
}

TEST_CASE("fault 8: a controller that slept through a takeover writes nothing and stays second") {
  auto& c = cluster::get();
  c.heal();
  auto on = c.connect(c.admin());
  watcher current(*on, "oob/v1/demo/dev/+/current");
  const auto a = c.rested(), b = c.rested();
  // With nothing under way; with an attempt whose next write is due; with a write committed that
  // the broker does not have yet.
  enum when { idle, before_commit, after_commit };
  for (const auto at : {idle, before_commit, after_commit}) {
    CAPTURE(at);
    const std::string state = at == before_commit ? "ON" : "OFF";
    const auto before = c.controller();
    const auto thrown_out = takeovers(c, c.standby());
    if (at == before_commit) {
      c.fault(a.guid, "slow", 4, 300);
      REQUIRE(c.wish(a, "ON").status == 200);
      const auto seen = sent(c, a);
      CHECK(c.until([&] { return sent(c, a) > seen; }));
    }
    if (at == after_commit) {
      c.broker().signal(SIGSTOP);
      REQUIRE(c.wish(a, state, "IMMEDIATE").status == 200);
      CHECK(c.sql("select count(*) from outbox") != "0");
    }
    c.node(before.holder).pause();
    c.broker().signal(SIGCONT);
    REQUIRE(c.wish(a, state, "IMMEDIATE").status == 200);
    REQUIRE(c.wish(b, state, "IMMEDIATE").status == 200);
    const auto after = c.next_controller(before);
    CHECK(c.until([&] { return reached(c, a, state); }));
    const auto slept = c.node(before.holder).log_size();
    c.node(before.holder).resume();
    CHECK(c.node(before.holder).says("not controlling any more", slept));
    CHECK(c.until([&] { return reached(c, b, state); }));
    const auto now = c.controller();
    CHECK(now.holder == after.holder);
    CHECK(now.epoch == after.epoch);
    // The one with the lease keeps its connection: they do not throw each other out in turns.
    CHECK(takeovers(c, after.holder) == thrown_out);
    CHECK(c.until([&] { return c.sql("select count(*) from outbox") == "0"; }));
  }
  for (const auto& m : {a, b})
    CHECK(c.until([&] {
      const auto rev = c.host(m.guid).at("power").at("currentRevision").get<revision>();
      const auto all = newest(current);
      auto at = all.find(bus::current_topic(ref_of(m)));
      if (at == all.end())
        return false;
      auto d = bus::decode_current(*at->second.payload, bus::encoding::msgpack);
      return d && d->env.rev == rev;
    }));
  // What is kept for those who come later never went back.
  std::map<std::string, revision> last;
  for (const auto& x : current.seen())
    if (auto d = bus::decode_current(*x.payload, bus::encoding::msgpack)) {
      CHECK(d->env.rev >= last[x.topic]);
      last[x.topic] = d->env.rev;
    }
}

TEST_CASE("fault 9: a command in flight when its terminator dies is carried out at most once") {
  auto& c = cluster::get();
  auto on = c.connect(c.admin());
  for (const char* stage : {"stored", "asked", "dispatched", "carried out"}) {
    CAPTURE(stage);
    c.heal();
    const auto m = c.rested();
    c.place(m, "term-a");
    on = c.connect(c.admin());
    const std::string when = stage;
    c.fault(m.guid, "slow", 3, 400);
    const auto asked = sent(c, m);
    const int resets = c.carried_out(m.guid)[10];
    const auto id = send(*on, c.admin(), m, ask_once{power_once::reset, power_policy::immediate});
    CHECK(c.until([&] {
      const auto row = stored(c, id);
      if (when == "stored")
        return !row.empty();
      if (when == "asked")
        return sent(c, m) > asked;
      if (when == "dispatched")
        return row.value("dispatched", false);
      return c.carried_out(m.guid)[10] > resets;
    }));
    c.node("term-a").kill();
    const auto end = outcome(c, id);
    CAPTURE(end.dump());
    const auto how = end.at("status").get<std::string>();
    CHECK((how == "done" || how == "failed" || how == "unknown"));
    CHECK(c.until([&] { return c.terminator_of(m) == "term-b"; }));
    // Whatever was to come has come when the machine has obeyed a later wish.
    REQUIRE(c.wish(m, "OFF").status == 200);
    CHECK(c.until([&] { return reached(c, m, "OFF"); }));
    const auto times = c.carried_out(m.guid)[10] - resets;
    CHECK(times <= 1);
    CHECK((how != "done" || times == 1));
    CHECK((end.at("dispatched") == true || times == 0));
  }
}

TEST_CASE("fault 14: what a client may not say or hear by its topics is neither said nor done") {
  auto& c = cluster::get();
  c.heal();
  const auto m = c.rested();
  auto on = c.connect(c.admin());
  auto mallory = c.make_person("mallory", "admin", "globex");
  auto foreign = c.connect(mallory);
  watcher theirs(*foreign, "oob/v1/globex/op/mallory/rsp/x"); // the first of those below
  ask_desired off;
  off.patch.target = power_target::off;

  const auto revision_before = c.host(m.guid).at("power").at("desiredRevision").get<revision>();

  // An answer to somebody else's path.
  request r;
  r.id = random_id();
  r.target = ref_of(m);
  r.body = off;
  bus::envelope e;
  e.id = r.id;
  for (const auto& answer_to :
       {std::string("oob/v1/globex/op/mallory/rsp/x"), std::string("oob/v1/demo/op/other/rsp/x"),
        bus::desired_topic(ref_of(m)), std::string("oobx/v1/demo/op/admin/rsp/x")}) {
    bus::message q;
    q.topic =
        bus::request_topic("demo", {principal::kind::person, "demo", "admin"}, r.target.device);
    q.payload = std::make_shared<const std::string>(bus::encode(e, r, bus::encoding::msgpack));
    q.content_type = std::string(bus::content_type_of(bus::root::native));
    q.response_topic = answer_to;
    std::promise<status> told;
    on->publish(q, [&](status s) { told.set_value(std::move(s)); });
    told.get_future().wait();
  }
  // A foreign tenant's path, and the other tenant's machine on the own path.
  for (const auto& topic :
       {bus::request_topic("demo", {principal::kind::person, "demo", "admin"}, r.target.device),
        bus::request_topic("demo", {principal::kind::person, "demo", "mallory"}, r.target.device),
        bus::current_topic(ref_of(m)), bus::node_work_topic("term-a"),
        bus::node_observations_topic("term-b"), bus::controller_presence_topic()}) {
    CAPTURE(topic);
    bus::message q;
    q.topic = topic;
    q.payload = std::make_shared<const std::string>(bus::encode(e, r, bus::encoding::msgpack));
    std::promise<status> told;
    foreign->publish(q, [&](status s) { told.set_value(std::move(s)); });
    const auto said = told.get_future().get();
    REQUIRE_FALSE(said);
    CHECK(said.error().what == problem::forbidden);
  }
  auto other = people::ask(*foreign, mallory, m.guid, off);
  CHECK(other.status == request_status::rejected);
  REQUIRE(other.why);
  CHECK(other.why->what == problem::not_found);
  // Requests of one sender arrive in order: when this one is answered, those were seen.
  auto snapshot = people::ask(*on, c.admin(), m.guid, ask_snapshot{});
  REQUIRE(snapshot.snapshot);
  CHECK(snapshot.snapshot->desired_rev == revision_before);
  CHECK(stored(c, r.id).empty());
  CHECK(c.power(m.guid) == 2);
  // Each answer that was wanted elsewhere is in the trail, under the name of who wanted it.
  json trail;
  CHECK(c.until([&] {
    trail = c.call(&c.admin(), "GET", "/api/v1/audit?act=request&status=rejected&device=" + m.guid)
                .parsed()
                .at("data");
    return trail.size() >= 4;
  }));
  CHECK(trail.size() == 4);
  for (const auto& row : trail)
    CHECK(row.at("by") == "op/admin");
  CHECK(theirs.seen().empty());
}

TEST_CASE("fault 17: a sender whose clock is a day off is served in the order of arrival") {
  auto& c = cluster::get();
  c.heal();
  const auto m = c.rested();
  auto on = c.connect(c.admin());
  constexpr time_ms day = 86'400'000;
  ask_desired off, back;
  off.patch.target = power_target::off;
  off.patch.policy = power_policy::immediate;
  back.patch.target = power_target::on;
  // The later one comes with the earlier time.
  send(*on, c.admin(), m, off, {}, now() + day);
  const auto second = send(*on, c.admin(), m, back, {}, now() - day);
  CHECK(c.until([&] { return stored(c, second).value("final", false); }));
  CHECK(stored(c, second).at("status") == "done");
  CHECK(c.host(m.guid).at("desiredPowerState") == "POWER_STATE_ON");
  CHECK(c.until([&] { return reached(c, m, "ON"); }));
  for (const time_ms skew : {-day, day}) {
    const auto before = c.carried_out(m.guid)[10];
    const auto id = send(*on, c.admin(), m, ask_once{power_once::reset, power_policy::immediate},
                         {}, now() + skew);
    CHECK(outcome(c, id).at("status") == "done");
    CHECK(c.carried_out(m.guid)[10] == before + 1);
  }
}

TEST_CASE(
    "fault 18: a command that waits for a terminator beyond its deadline is not carried out") {
  auto& c = cluster::get();
  c.heal();
  const auto m = c.rested();
  c.place(m, "term-a");
  const int resets = c.carried_out(m.guid)[10];
  auto on = c.connect(c.admin());
  c.node("term-a").pause();
  const auto id =
      send(*on, c.admin(), m, ask_once{power_once::reset, power_policy::immediate}, now() + 1500);
  const auto end = outcome(c, id);
  CAPTURE(end.dump());
  CHECK(end.at("status") == "expired");
  CHECK(end.at("dispatched") == false);
  c.node("term-a").resume();
  CHECK(c.until([&] { return !c.terminator_of(m).empty(); }));
  REQUIRE(c.wish(m, "OFF").status == 200);
  CHECK(c.until([&] { return reached(c, m, "OFF"); }));
  CHECK(c.carried_out(m.guid)[10] == resets);
}

TEST_CASE("fault 24: machines that share a GUID are told of and nothing is sent to either") {
  auto& c = cluster::get();
  c.heal();
  const auto m = c.rested();
  auto on = c.connect(c.admin());
  watcher events(*on, bus::event_topic(ref_of(m), event_class::link));
  test::balancer elsewhere({c.cira_port("term-b"), c.cira_port("term-a")}, "127.0.0.2");
  machine_options twin;
  twin.server_port = elsewhere.port();
  twin.root_ca = c.https_ca();
  twin.devices_file = c.folder() + "/twin.json";
  machines other(twin); // the same machines again, from the same seed
  other.connect(m.guid);
  CHECK(events.wait([](const auto& all) {
    return std::any_of(all.begin(), all.end(), [](const auto& x) {
      auto e = bus::decode_event(*x.payload, bus::encoding::msgpack);
      return e && e->body.type == "link.duplicate_guid";
    });
  }));
  CHECK(c.until([&] {
    const auto difference = c.host(m.guid).at("power").value("difference", json::object());
    return difference.value("code", "") == "duplicate-guid";
  }));
  const auto here = c.carried_out(m.guid), there = other.carried_out(m.guid);
  auto answer =
      people::ask(*on, c.admin(), m.guid, ask_once{power_once::reset, power_policy::immediate});
  CHECK((answer.status == request_status::rejected || answer.status == request_status::failed));
  REQUIRE(answer.why);
  CHECK(answer.why->what == problem::duplicate_guid);
  auto rest = c.call(&c.admin(), "POST", "/api/v1/amt/power/action/" + m.guid, R"({"action":10})");
  CHECK_MESSAGE(rest.status != 200, rest.body);
  CHECK(c.carried_out(m.guid) == here);
  CHECK(other.carried_out(m.guid) == there);
}
