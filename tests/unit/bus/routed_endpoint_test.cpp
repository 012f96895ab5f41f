// Besides the contract (backends_test.cpp): what stays in the process and what does not.
#include "bus/routed_endpoint.hpp"

#include "bus/local_endpoint.hpp"
#include "bus/scripted_endpoint.hpp"
#include "tests/support/process.hpp" // patience
#include "tests/unit/bus/gate.hpp"

#include <atomic>
#include <doctest/doctest.h>
#include <future>
#include <ostream>
#include <thread>

namespace {

using namespace outband;
using namespace outband::bus;
using namespace std::chrono_literals;
using contract::text;

using texts = std::vector<std::string>;

/// Two processes and somebody who sees all that goes through the broker.
struct stage {
  scripted_bus bus;
  std::unique_ptr<scripted_endpoint> far_a = bus.attach(), far_b = bus.attach(), spy = bus.attach();
  routed_endpoint a{*far_a, with_prefix("t/reply/a"), bus.loop()};
  routed_endpoint b{*far_b, with_prefix("t/reply/b"), bus.loop()};
  texts seen;
  subscription all = spy->subscribe(
      "t/#", {}, [this](const message& m) { seen.push_back(m.topic + " " + *m.payload); });

  static routed_options with_prefix(std::string prefix) {
    routed_options o;
    o.response_prefix = std::move(prefix);
    return o;
  }
  static endpoint::handler into(texts& t) {
    return [&t](const message& m) {
      t.push_back(*m.payload);
    };
  }
};

TEST_CASE("what somebody in the process listens to does not leave it") {
  stage s;
  texts near, there;
  auto sub = s.a.subscribe("t/x/work", {}, stage::into(near));
  auto other = s.b.subscribe("t/+/work", {}, stage::into(there));
  s.bus.run();
  s.a.publish(text("t/x/work", "mine"));
  s.a.publish(text("t/y/work", "theirs"));
  s.b.publish(text("t/x/work", "kept by b"));
  s.bus.run();
  CHECK(near == texts{"mine"});
  CHECK(there == texts{"kept by b", "theirs"});
  CHECK(s.seen == texts{"t/y/work theirs"});
  CHECK(s.a.counters().near == 1);
  CHECK(s.a.counters().far == 1);
  CHECK(s.b.counters().received == 1);
}

TEST_CASE("one process works on while the broker is away") {
  stage s;
  texts got, answers;
  std::vector<problem> refused;
  std::vector<bool> states;
  auto work = s.a.subscribe("t/a/ask", {}, [&](const message& m) {
    auto answer = text(m.response_topic, "answer to " + *m.payload);
    answer.correlation = m.correlation;
    s.a.publish(answer);
  });
  auto watch = s.a.on_connection([&](bool up) { states.push_back(up); });
  s.bus.run();
  s.far_a->set_connected(false);
  s.bus.run();
  CHECK_FALSE(s.a.connected());
  s.a.request(text("t/a/ask", "question"), 5s, [&](result<message> r) {
    answers.push_back(r ? *r->payload : to_string(r.error()));
    return true;
  });
  // What is for others is refused at once: nobody waits for the broker.
  s.a.publish(text("t/b/work", "x"),
              [&](status o) { refused.push_back(o ? problem::internal : o.error().what); });
  s.a.request(text("t/b/ask", "x"), 1h, [&](result<message> r) {
    refused.push_back(r ? problem::internal : r.error().what);
    return true;
  });
  s.bus.run();
  CHECK(answers == texts{"answer to question"});
  CHECK(refused == std::vector<problem>{problem::bus_unavailable, problem::bus_unavailable});
  CHECK(s.a.counters().far_failed == 2);
  CHECK(states == std::vector<bool>{true, false});
}

TEST_CASE("subscriptions are there again when the broker is") {
  stage s;
  texts got;
  auto sub = s.a.subscribe("t/a/work", {}, stage::into(got));
  s.bus.run();
  s.far_a->set_connected(false);
  s.bus.run();
  s.far_a->set_connected(true);
  s.bus.run();
  s.b.publish(text("t/a/work", "after"));
  s.bus.run();
  CHECK(got == texts{"after"});
  sub.reset();
  s.b.publish(text("t/a/work", "ended"));
  s.bus.run();
  CHECK(got == texts{"after"});
}

TEST_CASE("a request reaches another process and its answers come back") {
  stage s;
  texts answers;
  auto work = s.b.subscribe("t/b/ask", {}, [&](const message& m) {
    CHECK(m.expiry.has_value());
    for (auto words : {"accepted", "done"}) {
      auto answer = text(m.response_topic, words);
      answer.correlation = m.correlation;
      s.b.publish(answer);
    }
  });
  s.bus.run();
  s.a.request(text("t/b/ask", "q"), 5s, [&](result<message> r) {
    answers.push_back(r ? *r->payload : to_string(r.error()));
    return answers.size() == 2;
  });
  s.bus.run();
  CHECK(answers == texts{"accepted", "done"});
  REQUIRE(s.seen.size() == 3);
  CHECK(s.seen[1].rfind("t/reply/a/c", 0) == 0);
}

TEST_CASE("a listener that comes later takes over without a message lost or overtaken") {
  stage s;
  texts got;
  for (int i = 0; i < 10; ++i)
    s.a.publish(text("t/obs", std::to_string(i)));
  auto sub = s.a.subscribe("t/obs", {}, stage::into(got));
  for (int i = 10; i < 20; ++i)
    s.a.publish(text("t/obs", std::to_string(i)));
  s.bus.run();
  REQUIRE(s.seen.size() == 10); // the first ten left, as nobody was here
  REQUIRE(got.size() == 10);
  for (int i = 0; i < 10; ++i) {
    CHECK(s.seen[static_cast<std::size_t>(i)] == "t/obs " + std::to_string(i));
    CHECK(got[static_cast<std::size_t>(i)] == std::to_string(10 + i));
  }
  // And when the listener goes others get it again.
  sub.reset();
  s.a.publish(text("t/obs", "20"));
  s.bus.run();
  CHECK(s.seen.back() == "t/obs 20");
}

TEST_CASE("what is retained is kept by the broker even with a listener here") {
  stage s;
  std::vector<bool> flags;
  auto sub = s.a.subscribe("t/doc", {}, [&](const message& m) { flags.push_back(m.retain); });
  s.bus.run();
  s.a.publish(text("t/doc", "v1", true));
  s.bus.run();
  CHECK(flags == std::vector<bool>{true}); // once, by way of the broker
  CHECK(s.bus.retained().count("t/doc") == 1);
}

TEST_CASE("a near message that expires before its handler runs is not delivered") {
  stage s;
  texts got;
  std::vector<std::int64_t> left;
  int completed = 0;
  auto sub = s.a.subscribe("t/work", {}, [&](const message& m) {
    got.push_back(*m.payload);
    left.push_back(m.expiry ? m.expiry->count() : -1);
  });
  auto brief = text("t/work", "late");
  brief.expiry = 0s;
  s.a.publish(brief, [&](status o) { completed += o ? 1 : 0; });
  auto enough = text("t/work", "in time");
  enough.expiry = 30s;
  s.a.publish(enough, [&](status o) { completed += o ? 1 : 0; });
  s.bus.run();
  CHECK(got == texts{"in time"});
  CHECK(left == std::vector<std::int64_t>{30});
  CHECK(completed == 2);
}

TEST_CASE("duplicates of the broker do not become answers twice") {
  stage s;
  fault_plan p;
  p.duplicate = 1;
  s.bus.set_faults(p);
  int asked = 0, answered = 0;
  auto work = s.b.subscribe("t/b/ask", {}, [&](const message& m) {
    ++asked;
    auto answer = text(m.response_topic, "done");
    answer.correlation = m.correlation;
    s.b.publish(answer);
  });
  s.bus.run();
  s.a.request(text("t/b/ask", "q"), 5s, [&](result<message>) {
    ++answered;
    return true;
  });
  s.bus.advance(1min);
  CHECK(asked == 2);
  CHECK(answered == 1);
}

TEST_CASE("handlers run one at a time wherever messages come from") {
  local_bus between;
  auto far_a = between.attach(), far_b = between.attach();
  contract::gate g;
  std::atomic<int> inside{0};
  int overlaps = 0, near = 0, there = 0;
  auto count = [&](int& which) {
    const bool alone = inside.fetch_add(1) == 0;
    g.with([&] {
      overlaps += alone ? 0 : 1;
      ++which;
    });
    inside.fetch_sub(1);
  };
  // After all that their handlers use: the last one may still be on its way out when it is counted.
  routed_endpoint a(*far_a), b(*far_b);
  auto x = a.subscribe("near", {}, [&](const message&) { count(near); });
  auto y = a.subscribe("far", {}, [&](const message&) { count(there); });
  std::thread other([&] {
    for (int i = 0; i < 2000; ++i)
      b.publish(text("far", "x"));
  });
  for (int i = 0; i < 2000; ++i)
    a.publish(text("near", "x"));
  other.join();
  std::unique_lock<std::mutex> lock(g.mutex);
  REQUIRE(g.changed.wait_for(lock, test::patience, [&] { return near == 2000 && there == 2000; }));
  CHECK(overlaps == 0);
}

TEST_CASE("far waits while handlers lag and closing sets it free") {
  local_bus between;
  auto far_a = between.attach(), far_b = between.attach();
  contract::gate g;
  bool entered = false, let_go = false;
  int sent = 0;
  routed_options narrow;
  narrow.inbound = 4;
  auto a = std::make_unique<routed_endpoint>(*far_a, narrow);
  auto sub = a->subscribe("t", {}, [&](const message&) {
    std::unique_lock<std::mutex> lock(g.mutex);
    entered = true;
    g.changed.notify_all();
    g.changed.wait_for(lock, test::patience, [&] { return let_go; });
  });
  for (int i = 0; i < 100; ++i)
    far_b->publish(text("t", "x"), [&](status) { g.with([&] { ++sent; }); });
  {
    std::unique_lock<std::mutex> lock(g.mutex);
    REQUIRE(g.changed.wait_for(lock, test::patience, [&] { return entered; }));
    CHECK(sent < 100); // the bus behind far's thread stands still
  }
  auto closing = std::async(std::launch::async, [&] { a.reset(); });
  g.with([&] { let_go = true; });
  CHECK(closing.wait_for(test::patience) == std::future_status::ready);
  std::unique_lock<std::mutex> lock(g.mutex);
  CHECK(g.changed.wait_for(lock, test::patience, [&] { return sent == 100; }));
}

TEST_CASE("more than far takes at once waits its turn and nothing is lost or overtaken") {
  stage s; // far's window is 100
  texts got, wanted;
  int completed = 0, failed = 0;
  auto sub = s.b.subscribe("t/b/seen", {}, stage::into(got));
  s.bus.run();
  for (int i = 0; i < 1000; ++i) {
    wanted.push_back(std::to_string(i));
    s.a.publish(text("t/b/seen", wanted.back()), [&](status o) { ++(o ? completed : failed); });
    if (i % 300 == 299)
      s.bus.step(); // some are through before the next come
  }
  s.bus.run();
  CHECK(got == wanted);
  CHECK(completed == 1000);
  CHECK(failed == 0);
  CHECK(s.a.counters().far == 1000);
  CHECK(s.a.counters().far_waited > 800);
}

TEST_CASE("what waits for far is bounded and is refused at once while far is away") {
  scripted_bus bus;
  const auto far = bus.attach();
  routed_options o;
  o.far_window = 2;
  o.far_waiting = 3;
  routed_endpoint a(*far, o, bus.loop());
  int taken = 0;
  std::vector<problem> refused;
  const auto publish = [&] {
    a.publish(text("t", "x"), [&](status s) {
      taken += s ? 1 : 0;
      if (!s)
        refused.push_back(s.error().what);
    });
  };
  for (int i = 0; i < 7; ++i)
    publish();
  bus.run();
  CHECK(taken == 5);
  CHECK(refused == std::vector<problem>{problem::busy, problem::busy});
  refused.clear();
  far->set_connected(false);
  bus.run();
  for (int i = 0; i < 5; ++i)
    publish();
  bus.run();
  CHECK(taken == 5);
  CHECK(refused == std::vector<problem>(5, problem::bus_unavailable));
}

TEST_CASE("a message that waits for far too long is not sent any more") {
  scripted_bus bus;
  const auto far = bus.attach(), spy = bus.attach();
  routed_options o;
  o.far_window = 1;
  routed_endpoint a(*far, o, bus.loop());
  texts got;
  std::vector<std::int64_t> left;
  auto sub = spy->subscribe("t", {}, [&](const message& m) {
    got.push_back(*m.payload);
    left.push_back(m.expiry ? m.expiry->count() : -1);
  });
  bus.run();
  fault_plan slow;
  slow.max_delay = 3s;
  bus.set_faults(slow);
  int completed = 0;
  for (const auto& [payload, expiry] : {std::pair{"first", 60s}, {"brief", 0s}, {"last", 60s}}) {
    auto m = text("t", payload);
    m.expiry = expiry;
    a.publish(m, [&](status s) { completed += s ? 1 : 0; });
  }
  bus.advance(1min);
  CHECK(completed == 3);
  CHECK(got == texts{"first", "last"});
}

TEST_CASE("closing ends what waits for far") {
  scripted_bus bus;
  const auto far = bus.attach();
  routed_options o;
  o.far_window = 1;
  int ended = 0;
  {
    routed_endpoint a(*far, o, bus.loop());
    for (int i = 0; i < 5; ++i)
      a.publish(text("t", "x"), [&](status s) { ended += s ? 0 : 1; });
  }
  bus.run();
  CHECK(ended == 5);
}

} // namespace
