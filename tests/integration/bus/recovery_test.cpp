// A broker that is killed, stopped or restarted under load.
#include "tests/integration/bus/outbox_stage.hpp"

#include <csignal>
#include <doctest/doctest.h>
#include <future>
#include <ostream>
#include <set>

namespace {

using namespace outband;
using namespace outband::test;
TEST_CASE("fault 3: after kill -9 the broker gets back what it had and what was stored meanwhile") {
  broker b;
  view seen; // before the endpoint whose handler writes to it
  bus::mqtt_endpoint publishing(b.machine("-/inst/n1", "inst-n1"));
  bus::mqtt_endpoint watching(b.machine("-/inst/n2", "inst-n2"));
  auto sub = watching.subscribe("oob/v1/acme/#", {}, seen.handler());
  store s;
  bus::outbox_options options;
  options.canary_interval = std::chrono::milliseconds(50);
  options.retry_base = std::chrono::milliseconds(10);
  bus::outbox_publisher publisher(s.outbox, publishing, options);
  for (int i = 0; i < 300; ++i)
    for (auto leaf : {"desired", "current", "presence"})
      s.commit(i, "first", leaf);
  REQUIRE(seen.becomes(s.committed));

  for (int round = 1; round <= 2; ++round) {
    CAPTURE(round);
    // Autosave is every 15 minutes: nothing of this is on the broker's disk.
    b.process().kill();
    REQUIRE(wait_connected(publishing, false));
    for (int i = 100; i < 150; ++i)
      s.commit(i, "round " + std::to_string(round), i % 2 == 0 ? "current" : "presence");
    b.process().start();
    // The watcher has subscribed again by itself.
    REQUIRE(seen.becomes(s.committed));
    // And the broker has everything for one who comes late.
    view replay;
    bus::mqtt_endpoint late(b.machine("-/inst/n3", "inst-n3"));
    auto retained = late.subscribe("oob/v1/acme/#", {}, replay.handler());
    REQUIRE(replay.becomes(s.committed));
  }
  CHECK(publisher.metrics().recoveries >= 3); // at the start and after each kill
  CHECK(publishing.counters().connections_lost >= 2);
}

TEST_CASE("a clean restart of the broker is noticed as such and nothing is published again") {
  broker b;
  view seen;
  store s;
  gate g;
  int echoes = 0, sent = 0;
  bus::mqtt_endpoint publishing(b.machine("-/inst/n1", "inst-n1"));
  REQUIRE(wait_connected(publishing));
  auto sub = publishing.subscribe(current, {}, seen.handler());
  bus::outbox_options options;
  options.canary_interval = std::chrono::milliseconds(20);
  bus::outbox_publisher publisher(s.outbox, publishing, options);
  // The canary of the first publication of everything, then the one that follows the row.
  auto echo = publishing.subscribe("oob/v1/-/t/echo", {},
                                   [&](const bus::message&) { g.with([&] { ++echoes; }); });
  auto written = [&](std::uint64_t count) {
    while (sent < 50'000 && publisher.metrics().canaries < count) {
      ++sent;
      publishing.publish(text("oob/v1/-/t/echo", "x")); // a round trip is time for it to happen
      if (!until(g, [&] { return echoes >= sent; }))
        return false;
    }
    return publisher.metrics().canaries >= count;
  };
  REQUIRE(written(1));
  s.commit(1, "x");
  REQUIRE(seen.becomes(s.committed));
  REQUIRE(written(2));
  const auto before = publisher.metrics().republished;
  b.process().stop(); // writes its store
  REQUIRE(wait_connected(publishing, false));
  b.process().start();
  REQUIRE(wait_connected(publishing));
  s.commit(2, "y");
  REQUIRE(seen.becomes(s.committed));
  CHECK(publisher.metrics().republished == before);
}

TEST_CASE("publications that a dying broker did not take end once") {
  broker b;
  gate g;
  int sent = 0, ended = 0, twice = 0, lost = 0;
  bool refused = false;
  bus::mqtt_endpoint e(b.machine("-/inst/n1", "inst-n1"));
  REQUIRE(wait_connected(e));
  // Each completion sends the next, so the window is full when the broker dies.
  std::function<void()> next = [&] {
    const int n = sent++;
    auto once = std::make_shared<std::atomic<int>>(0);
    e.publish(text("oob/v1/-/t/" + std::to_string(n % 10), "x"), [&, once](status s) {
      const bool again = once->fetch_add(1) > 0;
      const bool more = s.ok();
      g.with([&] {
        ++ended;
        twice += again ? 1 : 0;
        lost += s.ok() ? 0 : 1;
        if (more)
          next();
      });
    });
  };
  g.with([&] {
    for (int i = 0; i < 100; ++i)
      next();
  });
  REQUIRE(until(g, [&] { return ended > 1000; }));
  b.process().kill();
  REQUIRE(until(g, [&] { return ended == sent; }));
  CHECK(lost == 100);
  CHECK(twice == 0);
  // At once refused while it is away.
  e.publish(text("oob/v1/-/t/x", "x"), [&](status s) {
    g.with([&] { refused = !s && s.error().what == problem::bus_unavailable; });
  });
  CHECK(until(g, [&] { return refused; }));
}

TEST_CASE("an endpoint closes whatever the broker does") {
  broker b;
  auto closes = [](std::unique_ptr<bus::mqtt_endpoint> e) {
    auto done = std::async(std::launch::async, [&] { e.reset(); });
    return done.wait_for(patience) == std::future_status::ready;
  };
  // Never reachable.
  auto nowhere = b.machine("-/inst/n1", "inst-n1");
  nowhere.port = 1;
  CHECK(closes(std::make_unique<bus::mqtt_endpoint>(nowhere)));
  // At once after it was made.
  CHECK(closes(std::make_unique<bus::mqtt_endpoint>(b.machine("-/inst/n1", "inst-n1"))));
  // With a broker that hangs, and publications that it will never take.
  auto e = std::make_unique<bus::mqtt_endpoint>(b.machine("-/inst/n1", "inst-n1"));
  REQUIRE(wait_connected(*e));
  b.process().signal(SIGSTOP);
  std::atomic<int> ended{0};
  for (int i = 0; i < 50; ++i)
    e->publish(text("oob/v1/-/t/x", "x"), [&](status) { ++ended; });
  CHECK(closes(std::move(e)));
  CHECK(ended == 50);
  b.process().signal(SIGCONT);
}

TEST_CASE("a broker that comes late is found") {
  broker b;
  b.process().kill();
  view seen;
  gate g;
  bool refused = false;
  bus::mqtt_endpoint e(b.machine("-/inst/n1", "inst-n1"));
  auto sub = e.subscribe("oob/v1/-/t/+", {}, seen.handler());
  e.publish(text("oob/v1/-/t/x", "lost"), [&](status s) {
    g.with([&] { refused = !s && s.error().what == problem::bus_unavailable; });
  });
  CHECK(until(g, [&] { return refused; }));
  b.process().start();
  REQUIRE(wait_connected(e));
  e.publish(text("oob/v1/-/t/x", "hello"));
  CHECK(seen.becomes({{"oob/v1/-/t/x", "hello"}}));
}

} // namespace
