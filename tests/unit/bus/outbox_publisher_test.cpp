#include "bus/outbox_publisher.hpp"

#include "bus/canary.hpp"
#include "bus/scripted_endpoint.hpp"
#include "messages/bus/topics.hpp"
#include "tests/unit/bus/fake_outbox.hpp"

#include <doctest/doctest.h>

#include <map>
#include <ostream>

namespace {

using namespace outband;
using namespace outband::bus;
using namespace std::chrono_literals;

/// A broker, a store and a publisher on one virtual clock.
struct stage {
  explicit stage(std::uint64_t seed = 1) : bus(seed), source(bus.loop(), clock()) {
    options.now_ms = clock();
    options.seed = seed;
    watcher = bus.attach();
    all = watcher->subscribe("t/#", {}, [this](const message& m) { heard.push_back(m); });
  }

  std::function<std::int64_t()> clock() {
    return [this] {
      // A day that is not the first, so that "since the beginning" differs from "just now".
      return 1'700'000'000'000 + std::chrono::duration_cast<std::chrono::milliseconds>(
                                     bus.loop().now().time_since_epoch())
                                     .count();
    };
  }
  void start() {
    if (!publisher_bus)
      publisher_bus = bus.attach();
    publisher = std::make_unique<outbox_publisher>(source, *publisher_bus, options, bus.loop());
    bus.run();
  }
  void settle(std::chrono::milliseconds span = 30min) { bus.advance(span); }

  std::map<std::string, std::string> on_broker() const {
    std::map<std::string, std::string> out;
    for (const auto& [topic, s] : bus.retained())
      if (topic != canary_topic())
        out[topic] = *s.what.payload;
    return out;
  }
  std::map<std::string, std::string> in_store() const {
    std::map<std::string, std::string> out;
    for (const auto& [topic, d] : source.documents)
      out[topic] = d.first.payload;
    return out;
  }
  std::vector<std::string> texts() const {
    std::vector<std::string> out;
    for (const auto& m : heard)
      out.push_back(*m.payload);
    return out;
  }
  canary_note kept_canary() const {
    auto kept = bus.retained();
    auto it = kept.find(canary_topic());
    REQUIRE(it != kept.end());
    auto c = decode_note(*it->second.what.payload);
    REQUIRE(c.ok());
    return *c;
  }

  scripted_bus bus;
  fake_outbox source;
  outbox_options options;
  std::unique_ptr<scripted_endpoint> watcher, publisher_bus;
  std::vector<message> heard;
  subscription all;
  std::unique_ptr<outbox_publisher> publisher;
};

TEST_CASE("rows are published in order and removed") {
  stage s;
  s.start();
  for (int i = 0; i < 250; ++i)
    s.source.commit("t/" + std::to_string(i), std::to_string(i), i % 2 == 0);
  s.bus.run();
  REQUIRE(s.heard.size() == 250);
  for (std::size_t i = 0; i < 250; ++i)
    REQUIRE(*s.heard[i].payload == std::to_string(i));
  CHECK(s.heard[0].content_type == "text/plain");
  CHECK(s.heard[0].retain);
  CHECK_FALSE(s.heard[1].retain);
  CHECK(s.source.rows.empty());
  auto m = s.publisher->metrics();
  CHECK(m.published == 250);
  CHECK(m.lag == 0);
  CHECK(m.refused == 0);
}

TEST_CASE("many rows are fetched and removed many at a time") {
  stage s;
  s.start();
  s.bus.run();
  const auto before = s.source.calls;
  for (int i = 0; i < 2000; ++i)
    s.source.commit("t/" + std::to_string(i), std::to_string(i), false);
  s.bus.run();
  CHECK(s.heard.size() == 2000);
  CHECK(s.source.rows.empty());
  CHECK(s.source.calls - before < 100); // each fetch up to 500, each removal 50 or more
}

TEST_CASE("of retained rows that wait for one topic only the newest is published") {
  stage s;
  s.start();
  for (int i = 0; i < 100; ++i) {
    s.source.commit("t/a", std::to_string(i), true);
    s.source.commit("t/e", std::to_string(i), false); // events always are
    if (i % 10 == 0)
      s.source.commit("t/b", std::to_string(i), true);
  }
  s.bus.run();
  s.settle(1min);
  std::map<std::string, std::vector<std::string>> by_topic;
  for (const auto& m : s.heard)
    by_topic[m.topic].push_back(*m.payload);
  CHECK(by_topic["t/a"] == std::vector<std::string>{"99"});
  CHECK(by_topic["t/b"] == std::vector<std::string>{"90"});
  REQUIRE(by_topic["t/e"].size() == 100);
  for (int i = 0; i < 100; ++i)
    CHECK(by_topic["t/e"][static_cast<std::size_t>(i)] == std::to_string(i));
  CHECK(s.source.rows.empty());
  auto m = s.publisher->metrics();
  CHECK(m.superseded == 99 + 9);
  CHECK(m.published == 102);
  CHECK(m.lag == 0);
}

TEST_CASE("rows that were there before the start are published") {
  stage s;
  s.source.commit("t/a", "1", false);
  s.start();
  CHECK(s.texts() == std::vector<std::string>{"1"});
}

TEST_CASE("an idle outbox touches neither store nor broker but for the safety net") {
  stage s;
  s.start();
  s.source.commit("t/a", "1");
  s.settle(); // the canary that follows activity is written
  const auto calls = s.source.calls;
  const auto canary = s.kept_canary().generation;
  const auto heard = s.heard.size();
  s.settle(10 * s.options.safety_net);
  CHECK(s.source.calls - calls == 10);
  CHECK(s.kept_canary().generation == canary);
  CHECK(s.heard.size() == heard);

  stage rare;
  rare.options.safety_net = 24h;
  rare.start();
  rare.settle();
  const auto before = rare.source.calls;
  rare.settle(23h);
  CHECK(rare.source.calls == before);
}

TEST_CASE("a row whose wake-up was lost is found by the safety net") {
  stage s;
  s.start();
  s.settle();
  auto wake = std::move(s.source.wake);
  s.source.wake = nullptr;
  s.source.commit("t/a", "1", false);
  s.bus.run();
  CHECK(s.heard.empty());
  s.settle(s.options.safety_net);
  CHECK(s.texts() == std::vector<std::string>{"1"});
}

TEST_CASE("rows wait for the connection and are sent when it is back") {
  stage s;
  s.start();
  s.settle();
  s.publisher_bus->set_connected(false);
  s.bus.run();
  const auto calls = s.source.calls;
  s.source.commit("t/a", "1", false);
  s.settle();
  CHECK(s.heard.empty());
  CHECK(s.source.calls == calls); // nothing is asked of the store meanwhile
  s.publisher_bus->set_connected(true);
  s.bus.run();
  CHECK(s.texts() == std::vector<std::string>{"1"});
}

TEST_CASE("a row that the broker refuses is given up after five tries and the rest goes on") {
  stage s;
  s.start();
  s.source.commit("t/+/bad", "x", false); // a topic that no broker takes
  s.source.commit("t/good", "1", false);
  s.settle();
  CHECK(s.source.rows.empty());
  CHECK(s.publisher->metrics().refused == 1);
  REQUIRE_FALSE(s.heard.empty());
  CHECK(*s.heard.back().payload == "1");
}

TEST_CASE("a store that fails is asked again after a pause") {
  stage s;
  s.source.failure_probability = 1;
  s.start();
  s.source.commit("t/a", "1", false);
  s.settle(1min);
  const auto failures = s.publisher->metrics().store_failures;
  CHECK(failures >= 5);
  CHECK(failures < 60); // it backs off
  s.source.failure_probability = 0;
  s.settle(1min);
  CHECK(s.texts() == std::vector<std::string>{"1"});
  CHECK(s.source.rows.empty());
}

TEST_CASE("an empty broker gets every retained document") {
  stage s;
  s.options.batch = 10; // several pages
  for (int i = 0; i < 57; ++i)
    s.source.commit("t/" + std::to_string(i), "v" + std::to_string(i));
  s.source.rows.clear(); // published long ago, by a former run
  s.start();
  s.settle();
  CHECK(s.on_broker() == s.in_store());
  CHECK(s.publisher->metrics().republished == 57);
  CHECK(s.kept_canary().generation == 1);
}

TEST_CASE("a broker that lost nothing gets nothing again") {
  stage s;
  s.start();
  s.source.commit("t/a", "1");
  s.settle();
  const auto pages = s.source.pages;
  s.publisher_bus->set_connected(false);
  s.publisher_bus->set_connected(true);
  s.settle();
  CHECK(s.source.pages == pages);
  CHECK(s.texts() == std::vector<std::string>{"1"});
}

TEST_CASE("a broker that lost everything gets everything") {
  stage s;
  s.start();
  s.source.commit("t/a", "1");
  s.source.commit("t/b", "2");
  s.settle();
  s.publisher_bus->set_connected(false);
  s.bus.set_retained({});
  s.publisher_bus->set_connected(true);
  s.settle();
  CHECK(s.on_broker() == s.in_store());
  CHECK(s.publisher->metrics().recoveries == 2); // one at the start, one now
}

TEST_CASE("a broker that was rolled back gets what changed since and no more") {
  stage s;
  s.start();
  s.source.commit("t/old", "1");
  s.settle(2h);
  auto backup = s.bus.retained();
  s.settle(2h);
  s.source.commit("t/new", "2");
  s.settle(2h);
  s.publisher_bus->set_connected(false);
  s.bus.set_retained(backup);
  const auto before = s.publisher->metrics().republished;
  s.publisher_bus->set_connected(true);
  s.settle();
  CHECK(s.on_broker() == s.in_store());
  CHECK(s.publisher->metrics().republished - before == 1);
}

TEST_CASE("what was acknowledged after the last canary survives a roll-back to it") {
  stage s;
  s.start();
  s.source.commit("t/a", "1");
  s.settle();
  auto backup = s.bus.retained(); // has the newest canary
  s.source.commit("t/a", "2");
  s.bus.run(); // acknowledged and removed, no canary since
  REQUIRE(s.source.rows.empty());
  s.publisher_bus->set_connected(false);
  s.bus.set_retained(backup);
  s.publisher_bus->set_connected(true);
  s.settle();
  CHECK(s.on_broker().at("t/a") == "2");
}

TEST_CASE("what was acknowledged before a canary that never was acknowledged survives as well") {
  stage s;
  s.start();
  s.source.commit("t/a", "old");
  s.settle();
  const auto kept = s.bus.retained();
  const auto generation = s.kept_canary().generation;
  s.source.commit("t/a", "new");
  s.bus.run();
  REQUIRE(s.source.rows.empty()); // acknowledged, and gone from the outbox
  // The canary that vouches for it is not yet acknowledged when the broker falls back to its old
  // store.
  fault_plan slow;
  slow.max_delay = 10s;
  s.bus.set_faults(slow);
  for (int i = 0; i < 100'000 && s.kept_canary().generation == generation; ++i)
    s.bus.advance(1ms);
  const auto canaries = s.publisher->metrics().canaries;
  s.publisher_bus->set_connected(false);
  s.bus.set_retained(kept);
  s.bus.set_faults({});
  s.settle(11s);
  REQUIRE(s.publisher->metrics().canaries == canaries);
  s.publisher_bus->set_connected(true);
  s.settle();
  CHECK(s.on_broker() == s.in_store());
  CHECK(s.on_broker().at("t/a") == "new");
}

TEST_CASE("a publisher that starts anew trusts the canary of the former") {
  stage s;
  s.start();
  for (int i = 0; i < 20; ++i)
    s.source.commit("t/" + std::to_string(i), "v");
  s.settle(2h);
  const auto heard = s.heard.size();
  s.publisher.reset();
  s.start();
  s.settle();
  CHECK(s.heard.size() == heard); // nothing changed since the canary
  // And it sees that the broker fell back while nobody looked.
  s.publisher.reset();
  s.bus.set_retained({});
  s.start();
  s.settle();
  CHECK(s.on_broker() == s.in_store());
}

TEST_CASE("something else on the canary's topic proves nothing") {
  stage s;
  message junk;
  junk.topic = canary_topic();
  junk.payload = std::make_shared<const std::string>("not msgpack \xc1");
  junk.retain = true;
  s.watcher->publish(junk);
  s.source.commit("t/a", "1");
  s.source.rows.clear();
  s.bus.run();
  s.start();
  s.settle();
  CHECK(s.on_broker() == s.in_store());
}

TEST_CASE("a recovery does not hold up what happens now") {
  stage s;
  s.options.batch = 10;
  s.options.capacity = 30;
  s.options.window = 5;
  for (int i = 0; i < 1000; ++i)
    s.source.commit("t/old" + std::to_string(i), "v");
  s.source.rows.clear();
  s.bus.set_faults([] {
    fault_plan p;
    p.max_delay = 10ms;
    return p;
  }());
  s.start();
  s.settle(200ms);
  REQUIRE(s.publisher->metrics().recovering);
  s.source.commit("t/now", "1", false);
  s.settle(500ms);
  CHECK(s.publisher->metrics().recovering);
  CHECK(std::any_of(s.heard.begin(), s.heard.end(),
                    [](const message& m) { return m.topic == "t/now"; }));
}

TEST_CASE("whatever goes wrong in between the broker ends with what the store has") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    stage s(seed);
    std::mt19937_64 random(seed);
    auto chance = [&](int percent) {
      return std::uniform_int_distribution<int>(0, 99)(random) < percent;
    };
    s.options.batch = 7;
    s.options.capacity = 40;
    s.options.window = 1 + seed % 13;
    s.options.canary_interval = 20s;
    s.options.canary_margin = 2s;
    fault_plan faults;
    faults.lose_publish = 0.05;
    faults.lose_ack = 0.1;
    faults.lose_delivery = 0.05;
    faults.duplicate = 0.1;
    faults.reorder = 0.1;
    faults.max_delay = 300ms;
    s.bus.set_faults(faults);
    s.source.failure_probability = 0.1;
    s.start();
    auto backup = s.bus.retained();
    int revision = 0;
    for (int round = 0; round < 300; ++round) {
      if (chance(60))
        s.source.commit("t/" + std::to_string(random() % 9),
                        chance(8) ? "" : std::to_string(++revision));
      if (chance(5))
        s.publisher_bus->set_connected(false);
      if (chance(20))
        s.publisher_bus->set_connected(true);
      if (chance(5))
        backup = s.bus.retained();
      if (chance(3)) { // the broker restarts from an older store
        s.publisher_bus->set_connected(false);
        s.bus.set_retained(chance(30) ? in_process_bus::retained_map{} : backup);
      }
      if (chance(2)) { // the publisher's process restarts
        s.publisher.reset();
        s.start();
      }
      s.settle(std::chrono::milliseconds(random() % 5000));
    }
    s.bus.set_faults({});
    s.source.failure_probability = 0;
    s.publisher_bus->set_connected(true);
    s.settle(1h);
    CHECK(s.source.rows.empty());
    CHECK(s.publisher->metrics().lag == 0);
    // Documents deleted from the store may come back with a rolled back broker: the store forgot
    // them and nothing says so again. Everything that the store has must be there, and be newest.
    auto broker = s.on_broker();
    for (const auto& [topic, payload] : s.in_store())
      REQUIRE(broker[topic] == payload);
  }
}

TEST_CASE("the canary's form is checked") {
  canary_note n;
  n.generation = 7;
  n.complete_ms = 1'700'000'000'123;
  n.writer = "outbox-1";
  n.id.bytes[0] = 1;
  const auto wire = encode_note(n, 1'700'000'000'456);
  auto back = decode_note(wire);
  REQUIRE(back.ok());
  CHECK(back->generation == n.generation);
  CHECK(back->complete_ms == n.complete_ms);
  CHECK(back->writer == n.writer);
  CHECK(back->id == n.id);
  for (std::size_t cut = 0; cut < wire.size(); ++cut)
    CHECK_FALSE(decode_note(wire.substr(0, cut)).ok());
}

} // namespace
