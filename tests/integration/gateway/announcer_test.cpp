// What a node says about itself, and that nobody's late will has the last word.
#include "gateway/main/announcer.hpp"

#include "bus/scripted_endpoint.hpp"
#include "messages/bus/envelope.hpp"
#include "messages/bus/topics.hpp"
#include "tests/integration/bus/broker.hpp"
#include "tests/support/relay.hpp"
#include "tests/unit/bus/gate.hpp"

#include <doctest/doctest.h>
#include <ostream>

namespace {

using namespace outband;
using bus::contract::gate;

const uuid former = *parse_uuid("01890a5d-ac96-774b-bcce-b302099a8001");
const uuid present = *parse_uuid("01890a5d-ac96-774b-bcce-b302099a8002");

class counting_clock final : public clock_port {
public:
  time_ms now() const override { return 1'795'235'697'123; }
  uuid new_id() override {
    uuid id = former;
    id.bytes[0] = ++count_;
    return id;
  }

private:
  std::atomic<std::uint8_t> count_{0};
};

bus::node_presence read(const bus::message& m) {
  auto d = bus::decode_node_presence(*m.payload, bus::encoding::msgpack);
  return d ? d->body : bus::node_presence{};
}

/// A broker, a node's connection, and what is kept about the node.
struct stage {
  bus::scripted_bus bus;
  std::unique_ptr<bus::scripted_endpoint> node = bus.attach(), other = bus.attach();
  counting_clock clock;
  announcement who{"n1", present, {"terminator", "api"}};
  int births = 0;
  bus::subscription all =
      other->subscribe(bus::node_presence_topic("n1"), {}, [this](const bus::message& m) {
        births += m.payload->empty() || !read(m).up ? 0 : 1;
      });

  std::optional<bus::node_presence> kept() {
    bus.run();
    auto all_kept = bus.retained();
    auto it = all_kept.find(bus::node_presence_topic("n1"));
    if (it == all_kept.end())
      return std::nullopt;
    CHECK(it->second.what.retain);
    return read(it->second.what);
  }
  void will(const uuid& incarnation) { other->publish(*will_of({"n1", incarnation}, clock)()); }
};

TEST_CASE("a node says that it lives with its roles and takes leave") {
  stage s;
  {
    announcer a(*s.node, s.who, s.clock, [] { return std::uint64_t{7}; });
    const auto said = s.kept();
    REQUIRE(said);
    CHECK(said->up);
    CHECK(said->instance == "n1");
    CHECK(said->incarnation == present);
    CHECK(said->links == 7);
    CHECK(said->roles == std::vector<std::string>{"terminator", "api"});
    CHECK_FALSE(said->draining);
    a.drain();
    CHECK(s.kept()->draining);
  }
  const auto last = s.kept();
  REQUIRE(last);
  CHECK_FALSE(last->up);
  CHECK_FALSE(last->draining);
  CHECK(last->incarnation == present);
}

TEST_CASE("each connection is a birth") {
  stage s;
  announcer a(*s.node, s.who, s.clock, nullptr);
  CHECK(s.kept()->up);
  s.node->set_connected(false);
  s.will(present);
  CHECK_FALSE(s.kept()->up);
  s.node->set_connected(true);
  CHECK(s.kept()->up);
}

TEST_CASE("a will after the birth and a cleared topic are answered once each") {
  stage s;
  announcer a(*s.node, s.who, s.clock, nullptr);
  CHECK(s.kept()->up);
  CHECK(s.births == 1);
  s.will(former);
  CHECK(s.kept()->up);
  CHECK(s.kept()->incarnation == present);
  CHECK(s.births == 2);
  s.will(present); // of an older connection of this very process
  CHECK(s.kept()->up);
  CHECK(s.births == 3);
  bus::message cleared;
  cleared.topic = bus::node_presence_topic("n1");
  cleared.payload = std::make_shared<const std::string>();
  cleared.retain = true;
  s.other->publish(cleared);
  CHECK(s.kept()->up);
  CHECK(s.births == 4);
}

TEST_CASE("two processes of one name do not answer each other for ever") {
  stage s;
  announcement second{"n1", former};
  announcer a(*s.node, s.who, s.clock, nullptr), b(*s.other, second, s.clock, nullptr);
  s.bus.run();
  const int before = s.births;
  CHECK(before == 2);
  s.bus.advance(std::chrono::hours(1));
  CHECK(s.births == before);
}

TEST_CASE("the farewell is not taken back") {
  stage s;
  auto a = std::make_unique<announcer>(*s.node, s.who, s.clock, nullptr);
  s.bus.run();
  s.will(former);
  a.reset(); // while the will is on its way to it
  CHECK_FALSE(s.kept()->up);
  s.bus.advance(std::chrono::hours(1));
  CHECK_FALSE(s.kept()->up);
}

/// The former life of n1: connected through a relay that goes deaf, and forgotten.
TEST_CASE("fault 6: an old will after the new birth leaves the node up") {
  test::broker b;
  counting_clock clock;
  gate g;
  std::vector<bus::node_presence> heard;
  test::relay deaf(b.machine_port());
  auto old_options = b.machine("-/inst/n1", "inst-n1-former");
  old_options.port = deaf.port();
  old_options.keep_alive = std::chrono::seconds(4);
  old_options.closing_grace = std::chrono::milliseconds(0);
  old_options.will = will_of({"n1", former}, clock);
  // Other ids than the present connection's, so that the broker cannot see that it is replaced.
  auto watching = b.machine("-/inst/n2", "inst-n2");
  bus::mqtt_endpoint watcher(watching), now(b.machine("-/inst/n1", "inst-n1"));
  REQUIRE(test::wait_connected(watcher));
  auto sub = watcher.subscribe(bus::node_presence_topic("n1"), {}, [&](const bus::message& m) {
    g.with([&] { heard.push_back(read(m)); });
  });
  auto until = [&](auto holds) {
    std::unique_lock<std::mutex> lock(g.mutex);
    return g.changed.wait_for(lock, test::patience, holds);
  };
  auto last_is = [&](const uuid& incarnation, bool up) {
    return until([&] {
      return !heard.empty() && heard.back().up == up && heard.back().incarnation == incarnation;
    });
  };

  auto old = std::make_unique<bus::mqtt_endpoint>(old_options);
  REQUIRE(test::wait_connected(*old));
  auto old_life = std::make_unique<announcer>(*old, announcement{"n1", former}, clock, nullptr);
  REQUIRE(last_is(former, true));
  deaf.hold(test::relay::direction::to_server); // its farewell does not arrive either
  deaf.refuse();

  announcer alive(now, {"n1", present}, clock, nullptr);
  REQUIRE(last_is(present, true));
  // One and a half keep-alives later, or more: Mosquitto looks seldom.
  REQUIRE(until([&] {
    return std::any_of(heard.begin(), heard.end(),
                       [](const auto& p) { return p.incarnation == former && !p.up; });
  }));
  CHECK(last_is(present, true));
  // And who comes now is told so.
  bus::mqtt_endpoint late(b.machine("-/inst/n3", "inst-n3"));
  std::optional<bus::node_presence> kept;
  auto late_sub = late.subscribe(bus::node_presence_topic("n1"), {},
                                 [&](const bus::message& m) { g.with([&] { kept = read(m); }); });
  REQUIRE(until([&] { return kept.has_value(); }));
  CHECK(kept->up);
  CHECK(kept->incarnation == present);
  old_life.reset();
  old.reset();
}

} // namespace
