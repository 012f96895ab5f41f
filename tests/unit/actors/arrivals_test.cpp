// Machines that arrive: many at once, two with one GUID, unnoticed.
#include "actors/pace.hpp"
#include "tests/unit/actors/bench.hpp"

#include <doctest/doctest.h>

using namespace outband;
using namespace outband::testing;
using namespace std::chrono_literals;

namespace {

void comes_from(bench& b, link_epoch epoch, const std::string& peer) {
  b.happen(observation{b.mem.ref, epoch, b.now, link_up{"n1", {}, peer, 4}});
}
const condition* wrong(const bench& b, std::string_view type) {
  for (const auto& c : b.mem.current.conditions)
    if (c.type == type && !c.ok)
      return &c;
  return nullptr;
}

} // namespace

TEST_CASE("slots come at a fixed rate and the first at once") {
  pace p(100);
  CHECK(p.reserve(1'000) == 0ms);
  CHECK(p.reserve(1'000) == 10ms);
  CHECK(p.reserve(1'000) == 20ms);
  CHECK(p.reserve(2'000) == 0ms);
  for (int i = 0; i < 5'000; ++i)
    p.reserve(2'000);
  CHECK(p.reserve(2'000) > 40s);
  CHECK(p.reserve(-1'000'000'000) == 0ms); // the clock was set back
}

TEST_CASE("a look that has to wait for its turn is made then and only once") {
  bench b;
  b.mem.look_turn = 5s;
  comes_from(b, 7, "192.0.2.7:1");
  CHECK(b.effects<send_call>().empty());
  REQUIRE(b.effects<arm_timer>().size() == 1);
  CHECK(b.effects<arm_timer>()[0].after == 5s);
  CHECK_FALSE(quiet(b.mem, b.now));
  b.now += 5'000;
  b.happen(timer_fired{});
  CHECK(std::holds_alternative<amt::read_power>(b.call().operation));
  b.mem.versions_asked = true;
  b.says(b.call(), power_state::on);
  CHECK(b.effects<send_call>().empty());
  CHECK(quiet(b.mem, b.now));
}

TEST_CASE("a wish or a command does not wait for the look's turn") {
  bench b;
  b.mem.look_turn = 60s;
  comes_from(b, 7, "192.0.2.7:1");
  b.wish(power_target::off);
  CHECK(std::holds_alternative<amt::read_power>(b.call().operation));
  CHECK(b.mem.look_at == 0);
}

TEST_CASE("a link that goes takes its look with it") {
  bench b;
  b.mem.look_turn = 5s;
  comes_from(b, 7, "192.0.2.7:1");
  b.link_goes();
  b.now += 5'000;
  b.happen(timer_fired{});
  CHECK(b.effects<send_call>().empty());
  CHECK(quiet(b.mem, b.now));
}

TEST_CASE("firmware that was away for a moment is not asked for its version again") {
  bench b;
  auto asks_version = [&] {
    bool asked = false;
    while (!b.effects<send_call>().empty()) {
      auto c = b.call();
      if (std::holds_alternative<amt::read_versions>(c.operation)) {
        asked = true;
        b.reply(c, amt_outcome{amt::versions{"16.1.25", "", "", 1}});
      } else {
        b.says(c, power_state::on);
      }
    }
    return asked;
  };
  comes_from(b, 1, "192.0.2.7:1");
  CHECK(asks_version());
  b.link_goes();
  b.now += 10'000;
  comes_from(b, 2, "192.0.2.7:2");
  CHECK_FALSE(asks_version());
  b.link_goes();
  b.now += 10 * 60'000;
  comes_from(b, 3, "192.0.2.7:3");
  CHECK(asks_version());
}

TEST_CASE("fault 24: two machines with one GUID are seen and nothing is sent to either") {
  bench b;
  link_epoch epoch = 0;
  for (int i = 0; i < 6; ++i) {
    b.now += 2'000;
    comes_from(b, ++epoch, i % 2 ? "192.0.2.7:1000" : "192.0.2.8:2000");
    while (!b.effects<send_call>().empty() && !wrong(b, "link"))
      b.says(b.call(), power_state::on);
  }
  REQUIRE(wrong(b, "link"));
  CHECK(wrong(b, "link")->code == "duplicate-guid");
  b.command(ask_once{power_once::reset, power_policy::immediate});
  auto done = b.effects<finish_command>();
  REQUIRE(done.size() == 1);
  CHECK(done[0].answer.why->what == problem::duplicate_guid);
  b.wish(power_target::off);
  CHECK(b.effects<send_call>().empty());
  // One of them is switched off: a minute later all is well.
  b.now += 61'000;
  b.happen(timer_fired{});
  CHECK_FALSE(wrong(b, "link"));
  CHECK_FALSE(b.effects<send_call>().empty());
}

TEST_CASE("one machine that reconnects often from its own address is no conflict") {
  bench b;
  for (link_epoch epoch = 1; epoch < 20; ++epoch) {
    b.now += 1'000;
    comes_from(b, epoch, "192.0.2.7:" + std::to_string(10'000 + epoch));
  }
  CHECK_FALSE(wrong(b, "link"));
}

TEST_CASE("what the link table says counts unless it is older than what was observed") {
  bench b;
  b.link_comes(7);
  b.says(b.call(), power_state::on);
  auto told = [&](link_epoch epoch, link_state state) {
    b.happen(link_told{{epoch, state, "n2", {}, "192.0.2.9:3", "silent", 0}});
    return b.mem.current.link;
  };
  CHECK(told(6, link_state::down).state == link_state::up); // read before
  CHECK(told(7, link_state::unknown).state == link_state::unknown);
  CHECK(told(7, link_state::up).state == link_state::up); // it was not dead
  CHECK(told(7, link_state::down).why == "silent");
  CHECK(told(7, link_state::up).state == link_state::down); // read before its end
  CHECK(told(7, link_state::unknown).state == link_state::down);
  CHECK(told(8, link_state::up).instance == "n2");
  CHECK(told(9, link_state::down).state == link_state::down);
  CHECK(b.mem.current.link.epoch == 9);
}

TEST_CASE("fault 18: a command that waits beyond its deadline is expired and never sent") {
  bench b;
  b.link_comes();
  b.says(b.call(), power_state::on);
  b.command(ask_once{power_once::reset, power_policy::immediate}, b.now + 5'000);
  auto reading = b.call();
  b.now += 6'000; // the terminator is silent
  b.reply(reading, fail(problem::link_down));
  auto done = b.effects<finish_command>();
  REQUIRE(done.size() == 1);
  CHECK(done[0].answer.status == request_status::expired);
  CHECK_FALSE(b.sent_power(power_action::reset));
}

TEST_CASE("fault 24: while two machines share a GUID their arrivals make nothing be sent") {
  bench b;
  link_epoch epoch = 0;
  auto flap = [&] {
    b.now += 2'000;
    ++epoch;
    comes_from(b, epoch, epoch % 2 ? "192.0.2.7:1000" : "192.0.2.8:2000");
  };
  while (!wrong(b, "link"))
    flap();
  CHECK(b.effects<send_call>().empty()); // not even the look at who arrived
  for (int i = 0; i < 10; ++i) {
    flap();
    CHECK(b.effects<send_call>().empty());
  }
  // A command that was being prepared when it began fails instead of reaching either.
  bench c;
  epoch = 0;
  for (int i = 0; i < 5; ++i) {
    c.now += 2'000;
    comes_from(c, ++epoch, i % 2 ? "192.0.2.7:1000" : "192.0.2.8:2000");
  }
  const auto id = c.command(ask_once{power_once::reset, power_policy::immediate});
  REQUIRE(c.mem.run);
  c.now += 2'000;
  comes_from(c, ++epoch, "192.0.2.7:1000");
  REQUIRE(wrong(c, "link"));
  CHECK(c.effects<send_call>().empty());
  auto done = c.effects<finish_command>();
  REQUIRE(done.size() == 1);
  CHECK(done[0].row.id == id);
  CHECK(done[0].answer.why->what == problem::duplicate_guid);
}
