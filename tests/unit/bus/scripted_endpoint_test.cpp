#include "bus/scripted_endpoint.hpp"

#include <algorithm>
#include <doctest/doctest.h>
#include <ostream>
#include <set>

namespace {

using namespace outband;
using namespace outband::bus;
using namespace std::chrono_literals;

message text(const std::string& topic, const std::string& payload, bool retain = false) {
  message m;
  m.topic = topic;
  m.payload = std::make_shared<const std::string>(payload);
  m.retain = retain;
  return m;
}

/// Publishes `count` messages under a plan; what arrived and how the publications ended.
struct run_of {
  std::vector<int> arrived;
  int succeeded = 0, failed = 0;

  run_of(std::uint64_t seed, const fault_plan& plan, int count = 1000) {
    scripted_bus bus(seed, plan);
    scripted_options wide;
    wide.window = 100'000;
    auto e = bus.attach(wide);
    auto sub =
        e->subscribe("t", {}, [&](const message& m) { arrived.push_back(std::stoi(*m.payload)); });
    for (int i = 0; i < count; ++i)
      e->publish(text("t", std::to_string(i)), [&](status s) { ++(s ? succeeded : failed); });
    bus.advance(1h);
  }
};

TEST_CASE("without faults everything arrives once and in order") {
  run_of r(1, {});
  CHECK(r.succeeded == 1000);
  CHECK(r.arrived.size() == 1000);
  CHECK(std::is_sorted(r.arrived.begin(), r.arrived.end()));
}

TEST_CASE("each fault does what its name says") {
  fault_plan p;
  p.lose_publish = 0.2;
  run_of lost(1, p);
  CHECK(lost.succeeded + lost.failed == 1000);
  CHECK(lost.failed > 100);
  CHECK(static_cast<int>(lost.arrived.size()) == lost.succeeded);

  p = {};
  p.lose_ack = 0.2;
  run_of unacked(1, p);
  CHECK(unacked.failed > 100);
  CHECK(unacked.arrived.size() == 1000);

  p = {};
  p.lose_delivery = 0.2;
  run_of undelivered(1, p);
  CHECK(undelivered.failed == 0);
  CHECK(undelivered.arrived.size() < 900);

  p = {};
  p.duplicate = 0.2;
  run_of twice(1, p);
  CHECK(twice.arrived.size() > 1100);
  CHECK(std::set<int>(twice.arrived.begin(), twice.arrived.end()).size() == 1000);

  p = {};
  p.max_delay = 50ms;
  run_of late(1, p);
  CHECK(late.arrived.size() == 1000);
  CHECK(std::is_sorted(late.arrived.begin(), late.arrived.end()));

  p.reorder = 0.2;
  run_of mixed(1, p);
  CHECK(mixed.arrived.size() == 1000);
  CHECK_FALSE(std::is_sorted(mixed.arrived.begin(), mixed.arrived.end()));
}

TEST_CASE("a seed gives the same run again and another seed another") {
  fault_plan p;
  p.lose_delivery = 0.1;
  p.duplicate = 0.1;
  p.reorder = 0.3;
  p.max_delay = 50ms;
  CHECK(run_of(5, p).arrived == run_of(5, p).arrived);
  CHECK(run_of(5, p).arrived != run_of(6, p).arrived);
}

TEST_CASE("nothing happens until it is told to") {
  scripted_bus bus;
  auto e = bus.attach();
  int calls = 0;
  auto sub = e->subscribe("t", {}, [&](const message&) { ++calls; });
  e->publish(text("t", "x"), [&](status) { ++calls; });
  CHECK(calls == 0);
  CHECK(bus.step());
  CHECK(calls == 1);
  CHECK(bus.step());
  CHECK(calls == 2);
  CHECK_FALSE(bus.step());
}

TEST_CASE("a cut connection fails what is open and replays retained messages when it is back") {
  scripted_bus bus;
  scripted_options few;
  few.window = 2;
  auto e = bus.attach(few), other = bus.attach();
  std::vector<std::string> got, outcomes;
  std::vector<bool> states;
  auto sub = e->subscribe("t/+", {}, [&](const message& m) { got.push_back(*m.payload); });
  auto watch = e->on_connection([&](bool up) { states.push_back(up); });
  auto note = [&](status s) {
    outcomes.push_back(s ? "ok" : std::string(explain(s.error().what).code));
  };
  bus.run();
  e->publish(text("t/a", "kept", true), note);
  e->publish(text("t/b", "gone"), note);
  e->publish(text("t/c", "beyond the window"), note);
  e->set_connected(false);
  CHECK_FALSE(e->connected());
  e->publish(text("t/d", "while away"), note);
  bus.run();
  CHECK(got.empty()); // deliveries under way were lost with the connection
  CHECK(outcomes ==
        std::vector<std::string>{"busy", "bus-unavailable", "bus-unavailable", "bus-unavailable"});
  other->publish(text("t/e", "missed"));
  bus.run();
  e->set_connected(true);
  bus.run();
  CHECK(got == std::vector<std::string>{"kept"});
  CHECK(states == std::vector<bool>{true, false, true});
}

TEST_CASE("expiry counts down while a message is kept and then it is gone") {
  scripted_bus bus;
  auto e = bus.attach();
  auto m = text("t", "x", true);
  m.expiry = 60s;
  e->publish(m);
  bus.advance(20s);
  std::vector<std::int64_t> left;
  auto note = [&](const message& in) {
    left.push_back(in.expiry ? in.expiry->count() : -1);
  };
  auto early = e->subscribe("t", {}, note);
  bus.run();
  bus.advance(40s);
  auto late = e->subscribe("+", {}, note);
  bus.run();
  CHECK(left == std::vector<std::int64_t>{40});

  // Also on the way.
  fault_plan slow;
  slow.max_delay = 10s;
  bus.set_faults(slow);
  int arrived = 0;
  auto sub = e->subscribe("slow", {}, [&](const message&) { ++arrived; });
  for (int i = 0; i < 50; ++i) {
    auto brief = text("slow", "x");
    brief.expiry = 5s;
    e->publish(brief);
  }
  bus.advance(1min);
  CHECK(arrived < 50);
}

TEST_CASE("payloads are shared and not copied") {
  scripted_bus bus;
  auto a = bus.attach(), b = bus.attach();
  const auto payload = std::make_shared<const std::string>(1000, 'x');
  std::vector<const std::string*> seen;
  auto note = [&](const message& m) {
    seen.push_back(m.payload.get());
  };
  auto s1 = a->subscribe("t", {}, note), s2 = b->subscribe("t", {}, note);
  message m;
  m.topic = "t";
  m.payload = payload;
  a->publish(m);
  bus.run();
  CHECK(seen == std::vector<const std::string*>{payload.get(), payload.get()});
}

TEST_CASE("a request without a response topic or with an open correlation is refused") {
  scripted_bus bus;
  auto mute = bus.attach();
  scripted_options can;
  can.response_prefix = "answers";
  auto asker = bus.attach(can);
  std::vector<problem> ends;
  auto note = [&](result<message> r) {
    ends.push_back(r ? problem::internal : r.error().what);
    return true;
  };
  mute->request(text("t", "x"), 1s, note);
  bus.run();
  CHECK(ends == std::vector<problem>{problem::unsupported});
  auto m = text("t", "x");
  m.correlation = "same";
  asker->request(m, 10s, note);
  asker->request(m, 10s, note);
  bus.run();
  CHECK(ends.back() == problem::already_exists);
  asker->set_connected(false);
  asker->request(text("t", "x"), 10s, note);
  bus.run();
  CHECK(ends.back() == problem::bus_unavailable);
  CHECK(ends.size() == 3); // the first was sent and may still be answered
  bus.advance(1min);
  CHECK(ends.size() == 4);
  CHECK(ends.back() == problem::expired);
}

} // namespace
