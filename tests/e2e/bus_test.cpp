// The bus as other systems use it: requests, retained state, tickets, refusals.
#include "messages/bus/topics.hpp"
#include "tests/e2e/site.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <atomic>
#include <chrono>
#include <future>

using namespace outband;
using namespace outband::e2e;

namespace {

device_ref ref_of(const machine& m) {
  return {"demo", *parse_uuid(m.guid)};
}

status publish(bus::endpoint& on, bus::message m) {
  auto told = std::make_shared<std::promise<status>>();
  auto outcome = told->get_future();
  on.publish(std::move(m), [told](status s) { told->set_value(std::move(s)); });
  return outcome.get();
}

bus::message text(const std::string& topic, std::string payload, bool retain = false) {
  bus::message m;
  m.topic = topic;
  m.payload = std::make_shared<const std::string>(std::move(payload));
  m.retain = retain;
  return m;
}

} // namespace

TEST_CASE("a request by MQTT ends with the machine off and names the revision it satisfied") {
  auto& s = site::get();
  const auto m = s.fresh();
  auto on = s.connect(s.admin());
  ask_desired off;
  off.patch.target = power_target::off;
  auto answer = s.ask(*on, s.admin(), m.guid, off);
  REQUIRE(answer.status == request_status::done);
  REQUIRE(answer.rev == 1);
  watcher current(*on, bus::current_topic(ref_of(m)));
  CHECK(current.wait([&](const auto& all) {
    for (const auto& x : all) {
      auto d = bus::decode_current(*x.payload, bus::encoding::msgpack);
      if (d && d->body.desired_rev == answer.rev)
        return level_of(d->body.power.state) == power_level::off;
    }
    return false;
  }));
  CHECK(s.power(m.guid) == 8);
  // Who comes later sees it too: it is retained.
  auto late = s.connect(s.admin());
  watcher retained(*late, bus::current_topic(ref_of(m)));
  CHECK(retained.wait([](const auto& all) { return !all.empty() && all.front().retain; }));
}

TEST_CASE("publishing straight onto desired and onto anybody else's topics is refused") {
  auto& s = site::get();
  const auto m = s.machines().front();
  auto on = s.connect(s.admin());
  for (const auto& topic :
       {bus::desired_topic(ref_of(m)), bus::current_topic(ref_of(m)), bus::node_work_topic("n1"),
        bus::node_observations_topic("n1"), bus::controller_wake_topic(),
        bus::request_topic("demo", {principal::kind::person, "demo", "somebody-else"},
                           *parse_uuid(m.guid))}) {
    CAPTURE(topic);
    auto refused = publish(*on, text(topic, "x", true));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().what == problem::forbidden);
  }
}

TEST_CASE("JSON requests and the CloudEvents mirror serve systems that know no MessagePack") {
  auto& s = site::get();
  const auto m = s.fresh();
  auto on = s.connect(s.admin());
  watcher mirror(*on, bus::current_topic(ref_of(m), bus::root::json));
  watcher answers(*on, "oobx/v1/demo/op/admin/rsp/json");
  bus::message q = text("oobx/v1/demo/op/admin/req/" + m.guid,
                        R"({"act":"desired.patch","arg":{"power":{"target":"off"}}})");
  q.content_type = "application/json";
  q.response_topic = "oobx/v1/demo/op/admin/rsp/json";
  q.correlation = "c1";
  REQUIRE(publish(*on, q));
  CHECK(answers.wait([](const auto& all) {
    if (all.empty())
      return false;
    auto j = json::parse(*all.front().payload);
    return j.at("data").at("status") == "done" && all.front().correlation == "c1";
  }));
  CHECK(mirror.wait([](const auto& all) {
    for (const auto& x : all) {
      auto j = json::parse(*x.payload);
      if (j.at("specversion") == "1.0" && j.at("data").at("power").at("state") == "off" &&
          j.at("data").at("desiredRev") == 1)
        return true;
    }
    return false;
  }));
}

TEST_CASE("malformed requests get a clear refusal that names the field") {
  auto& s = site::get();
  const auto m = s.machines().front();
  auto on = s.connect(s.admin());
  watcher answers(*on, "oobx/v1/demo/op/admin/rsp/bad");
  struct wrong {
    const char* body;
    const char* names;
  };
  std::size_t n = 0;
  const wrong cases[] = {
      {R"({"act":"desired.patch","arg":{"power":{"target":"onn"}}})", "target"},
      {R"({"act":"fly"})", "act"},
      {R"({"act":"power.action","arg":{"action":99}})", "action"},
      {R"({"act":"power.action","arg":{"action":99999999999999999999}})", "out of range"},
      {R"({"act":"power.once","arg":{"what":"reset","extra":1}})", "extra"},
      {R"({"act":"snapshot","deadline":"yesterday"})", "deadline"},
      {R"({"act":)", "malformed"},
  };
  for (const auto& w : cases) {
    CAPTURE(w.body);
    bus::message q = text("oobx/v1/demo/op/admin/req/" + m.guid, w.body);
    q.response_topic = "oobx/v1/demo/op/admin/rsp/bad";
    REQUIRE(publish(*on, q));
    ++n;
    CHECK(answers.wait([&](const auto& all) { return all.size() >= n; }));
    auto j = json::parse(*answers.seen().at(n - 1).payload);
    CHECK(j.at("data").at("status") == "rejected");
    CHECK_MESSAGE(j.dump().find(w.names) != std::string::npos,
                  w.body << " was answered " << j.dump());
  }
}

TEST_CASE("a request with a retain flag or a foreign response topic is not carried out") {
  auto& s = site::get();
  const auto m = s.fresh();
  auto on = s.connect(s.admin());
  const auto topic = "oobx/v1/demo/op/admin/req/" + m.guid;
  const std::string off = R"({"act":"desired.patch","arg":{"power":{"target":"off"}}})";
  REQUIRE(publish(*on, text(topic, off, true)));
  auto foreign = text(topic, off);
  foreign.response_topic = bus::desired_topic(ref_of(m));
  REQUIRE(publish(*on, foreign));
  // Requests of one sender arrive in order: when this one is answered, those were seen.
  auto seen = s.ask(*on, s.admin(), m.guid, ask_snapshot{});
  CHECK(seen.status == request_status::done);
  auto again = s.ask(*on, s.admin(), m.guid, ask_snapshot{});
  REQUIRE(again.snapshot);
  CHECK(again.snapshot->desired_rev == 0);
  CHECK(s.power(m.guid) == 2);
}

TEST_CASE("a tunnel that ends is told at once with its reason") {
  auto& s = site::get();
  const auto m = s.fresh();
  auto on = s.connect(s.admin());
  watcher presence(*on, bus::presence_topic(ref_of(m)));
  REQUIRE(presence.wait([](const auto& all) { return !all.empty(); }));
  s.sim({{"op", "disconnect"}, {"guid", m.guid}});
  CHECK(presence.wait([](const auto& all) {
    auto d = bus::decode_presence(*all.back().payload, bus::encoding::msgpack);
    return d && d->body.link == link_state::down && d->body.why == "peer-closed";
  }));
  s.sim({{"op", "connect"}, {"guid", m.guid}});
  CHECK(presence.wait([](const auto& all) {
    auto d = bus::decode_presence(*all.back().payload, bus::encoding::msgpack);
    return d && d->body.link == link_state::up;
  }));
}

TEST_CASE("a forged or foreign ticket opens nothing") {
  auto& s = site::get();
  auto good = s.ticket_for(s.admin());
  struct attempt {
    std::string user, password;
  };
  auto forged = good.password;
  forged[forged.size() - 5] = forged[forged.size() - 5] == 'A' ? 'B' : 'A';
  std::atomic<int> client{0};
  for (const auto& a :
       {attempt{good.username, forged}, attempt{"demo/op/root", good.password},
        attempt{"-/inst/n1", good.password}, attempt{good.username, ""}, attempt{"", ""},
        attempt{good.username, s.admin().token}}) { // for REST, not for the bus
    CAPTURE(a.user);
    bus::mqtt_options o;
    o.host = "localhost";
    o.port = s.people_port();
    o.ca_file = s.bus_ca();
    o.credentials = bus::fixed_credentials(a.user, a.password);
    o.client_id = good.client_prefix + "x" + std::to_string(++client);
    bus::mqtt_endpoint e(o);
    CHECK(s.until([&] { return e.counters().connects_failed > 0; }));
    CHECK_FALSE(e.connected());
  }
}

TEST_CASE("a broker that is killed and loses its store gets everything back") {
  auto& s = site::get();
  const auto m = s.fresh();
  s.broker().kill();
  s.broker().start();
  REQUIRE(s.until([&] { return s.call(nullptr, "GET", "/readyz").status == 200; }));
  auto on = s.connect(s.admin());
  watcher current(*on, bus::current_topic(ref_of(m)));
  CHECK(current.wait([](const auto& all) { return !all.empty(); }));
}
