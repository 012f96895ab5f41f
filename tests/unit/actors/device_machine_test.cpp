// The power policy as a pure function: no actor, no clock but a number.
#include "tests/unit/actors/bench.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace outband;
using namespace outband::testing;

TEST_CASE("a machine that calls home is looked at once and then left alone") {
  bench b;
  b.link_comes();
  CHECK(std::holds_alternative<amt::read_power>(b.call().operation));
  b.says(b.call(), power_state::on);
  CHECK(b.effects<send_call>().empty());
  CHECK(b.effects<arm_timer>().empty());
  CHECK(level_of(b.mem.current.power.state) == power_level::on);
  CHECK(quiet(b.mem, b.now));
}

TEST_CASE("the firmware's version is asked once per link and nothing hangs on the answer") {
  bench b;
  b.link_comes();
  b.mem.versions_asked = false;
  b.says(b.call(), power_state::on);
  auto asked = b.call();
  REQUIRE(std::holds_alternative<amt::read_versions>(asked.operation));
  b.reply(asked, amt_outcome{amt::versions{"16.1.25", "16392", "2049", 1}});
  CHECK(b.mem.current.amt.version == "16.1.25");
  CHECK(b.said("amt.version"));
  CHECK_FALSE(b.mem.run);
  b.wish(power_target::off);
  b.says(b.call(), power_state::on);
  CHECK(std::holds_alternative<amt::read_capabilities>(b.call().operation));
  // Another link: asked again, and a failure does not stand in the way of the wish.
  bench c;
  c.wish(power_target::off, power_policy::immediate);
  c.link_comes();
  c.mem.versions_asked = false;
  c.says(c.call(), power_state::on);
  c.reply(c.call(), fail(problem::device_protocol));
  CHECK(c.sent_power(power_action::off_soft));
}

TEST_CASE("an ordered power off asks the operating system first and is reported when observed") {
  bench b;
  b.settle_on();
  b.wish(power_target::off);
  b.says(b.call(), power_state::on);
  CHECK(std::holds_alternative<amt::read_capabilities>(b.call().operation));
  b.can(b.call());
  CHECK(b.sent_power(power_action::off_soft_graceful));
  b.acks(b.call());
  CHECK(b.mem.current.desired_rev == 0);
  REQUIRE(b.cond("power"));
  CHECK(b.cond("power")->code == "in-progress");
  b.pass(500);
  b.says(b.call(), power_state::on); // still shutting down
  CHECK(b.mem.current.desired_rev == 0);
  b.pass(1000);
  b.says(b.call(), power_state::off_soft);
  CHECK(b.mem.current.desired_rev == 1);
  CHECK(b.cond("power") == nullptr);
  CHECK(b.said("power.changed"));
  CHECK(b.said("power.reached"));
  CHECK_FALSE(b.mem.run);
}

TEST_CASE("a power off that the operating system ignores is forced after the timer") {
  bench b;
  b.settle_on();
  b.wish(power_target::off);
  b.says(b.call(), power_state::on);
  b.can(b.call());
  b.acks(b.call());
  const auto start = b.now;
  bool forced = false;
  for (int i = 0; i < 100 && !forced; ++i) {
    b.now += 400;
    b.happen(timer_fired{});
    for (const auto& c : b.effects<send_call>())
      if (std::holds_alternative<amt::read_power>(c.call.operation))
        b.says(c.call, power_state::on);
    forced = b.sent_power(power_action::off_soft);
  }
  REQUIRE(forced);
  CHECK(b.now - start >= 30'000);
  CHECK(b.said("power.forcing"));
  b.acks(b.call());
  b.pass(500);
  b.says(b.call(), power_state::off_soft);
  CHECK(b.mem.current.desired_rev == 1);
  CHECK(b.said("power.reached"));
}

TEST_CASE("firmware without graceful actions is told the hard way at once") {
  bench b;
  b.settle_on();
  b.wish(power_target::off);
  b.says(b.call(), power_state::on);
  b.can(b.call(), 9);
  CHECK(b.sent_power(power_action::off_soft));
}

TEST_CASE("a graceful action that the firmware refuses is forced without waiting") {
  bench b;
  b.settle_on();
  b.wish(power_target::off);
  b.says(b.call(), power_state::on);
  b.can(b.call());
  b.acks(b.call(), 2); // NOT_READY: no agent in the operating system
  CHECK(b.sent_power(power_action::off_soft));
}

TEST_CASE("immediate policy sends the hard action without asking for capabilities") {
  bench b;
  b.settle_on();
  b.wish(power_target::off, power_policy::immediate);
  b.says(b.call(), power_state::on);
  CHECK(b.sent_power(power_action::off_soft));
}

TEST_CASE("a wish that is fulfilled already sends no action") {
  bench b;
  b.settle_on();
  b.wish(power_target::on);
  CHECK(b.effects<send_call>().empty());
  CHECK(b.mem.current.desired_rev == 1);
}

TEST_CASE("a reset of a machine that is off is refused with the reason and no action is sent") {
  bench b;
  b.link_comes();
  b.says(b.call(), power_state::off_soft);
  auto id = b.command(ask_once{power_once::reset, power_policy::immediate});
  b.says(b.call(), power_state::off_soft);
  CHECK(b.effects<send_call>().empty());
  auto done = b.effects<finish_command>();
  REQUIRE(done.size() == 1);
  CHECK(done[0].answer.id == id);
  CHECK(done[0].answer.status == request_status::failed);
  CHECK(done[0].answer.why->what == problem::transition_refused);
  CHECK(done[0].answer.text.find("off") != std::string::npos);
}

TEST_CASE("a cycle is done when the machine has been away and is on again") {
  bench b;
  b.settle_on();
  b.command(ask_once{power_once::cycle, power_policy::ordered});
  b.says(b.call(), power_state::on);
  b.can(b.call());
  CHECK(b.sent_power(power_action::cycle_soft));
  CHECK(b.effects<send_call>()[0].after_marking.has_value());
  b.acks(b.call());
  b.pass(500);
  b.says(b.call(), power_state::on);
  CHECK(b.effects<finish_command>().empty()); // nothing has happened yet
  b.link_goes();
  b.link_comes(8);
  b.says(b.call(), power_state::on);
  auto done = b.effects<finish_command>();
  REQUIRE(done.size() == 1);
  CHECK(done[0].answer.status == request_status::done);
}

TEST_CASE("a command marked as sent by a former life is never sent again") {
  bench b;
  b.link_comes();
  b.says(b.call(), power_state::on);
  open_command c;
  c.row.id = b.id();
  c.row.dispatched = true;
  c.row.deadline = b.now + 60'000;
  c.body = ask_once{power_once::reset, power_policy::immediate};
  b.mem.commands.push_back(c);
  b.happen(awakened{});
  // Only a look at what became of it.
  for (const auto& sent : b.effects<send_call>())
    CHECK(std::holds_alternative<amt::read_power>(sent.call.operation));
  auto done = b.effects<finish_command>();
  REQUIRE(done.size() == 1);
  CHECK(done[0].answer.status == request_status::unknown);
}

TEST_CASE("a command for a machine without a tunnel fails and a wish waits") {
  bench b;
  b.command(ask_once{power_once::reset, power_policy::immediate});
  auto done = b.effects<finish_command>();
  REQUIRE(done.size() == 1);
  CHECK(done[0].answer.why->what == problem::link_down);
  b.wish(power_target::off);
  CHECK(b.effects<send_call>().empty());
  REQUIRE(b.cond("power"));
  CHECK(b.cond("power")->code == "waiting");
  b.link_comes();
  b.says(b.call(), power_state::on);
  CHECK(b.effects<send_call>().size() == 1); // on its way
}

TEST_CASE("a command whose deadline has passed is not sent") {
  bench b;
  b.settle_on();
  b.command(ask_once{power_once::reset, power_policy::immediate}, b.now - 1);
  CHECK(b.effects<send_call>().empty());
  REQUIRE(b.effects<finish_command>().size() == 1);
  CHECK(b.effects<finish_command>()[0].answer.status == request_status::expired);
}

TEST_CASE("a link that breaks under a command leaves its outcome unknown and it is not repeated") {
  bench b;
  b.settle_on();
  b.command(ask_once{power_once::reset, power_policy::immediate});
  b.says(b.call(), power_state::on);
  REQUIRE(b.sent_power(power_action::reset));
  auto sent = b.call();
  b.link_goes();
  // The old link's answer arrives although a newer link is up.
  b.link_comes(8);
  CHECK(b.effects<send_call>().empty());
  amt_answer a{sent.id, b.mem.ref, 7, fail(problem::outcome_unknown)};
  b.happen(observation{b.mem.ref, 7, b.now, a});
  auto done = b.effects<finish_command>();
  REQUIRE(done.size() == 1);
  CHECK(done[0].answer.status == request_status::unknown);
  CHECK_FALSE(b.sent_power(power_action::reset));
}

TEST_CASE("what is said about an older link changes nothing") {
  bench b;
  b.link_comes(9);
  b.says(b.call(), power_state::on);
  b.happen(observation{b.mem.ref, 8, b.now, link_down{link_end::silent, "late word"}});
  CHECK(b.mem.current.link.state == link_state::up);
  CHECK(b.effects<drop_stale>().size() == 1);
  b.happen(
      observation{b.mem.ref, 8, b.now, power_seen{amt::power_reading{power_state::off_soft, 0}}});
  CHECK(level_of(b.mem.current.power.state) == power_level::on);
}

TEST_CASE("an action of the MPS interface is answered with what the firmware said") {
  bench b;
  b.settle_on();
  b.command(ask_action{power_action::off_soft});
  b.says(b.call(), power_state::on);
  CHECK(b.sent_power(power_action::off_soft));
  b.acks(b.call());
  auto done = b.effects<finish_command>();
  REQUIRE(done.size() == 1);
  CHECK(done[0].answer.status == request_status::done);
  CHECK(done[0].answer.return_value == 0U);
  REQUIRE(b.mem.run); // goes on until the state is observed
  b.pass(500);
  b.says(b.call(), power_state::off_soft);
  CHECK_FALSE(b.mem.run);
  CHECK(level_of(b.mem.current.power.state) == power_level::off);
}

TEST_CASE("an action that the firmware refuses fails with its value") {
  bench b;
  b.settle_on();
  b.command(ask_action{power_action::hibernate});
  b.says(b.call(), power_state::on);
  b.acks(b.call(), 2);
  auto done = b.effects<finish_command>();
  REQUIRE(done.size() == 1);
  CHECK(done[0].answer.status == request_status::failed);
  CHECK(done[0].answer.return_value == 2U);
  CHECK(done[0].answer.text.find("NOT_READY") != std::string::npos);
}

TEST_CASE("a newer wish replaces one that is being watched") {
  bench b;
  b.settle_on();
  b.wish(power_target::off);
  b.says(b.call(), power_state::on);
  b.can(b.call());
  b.acks(b.call());
  b.wish(power_target::on);
  // The machine is still on, but the shutdown under way may yet have effect.
  CHECK(b.mem.current.desired_rev == 0);
  b.says(b.call(), power_state::on);
  CHECK(b.mem.current.desired_rev == 0);
  CHECK(b.effects<send_call>().empty());
  b.pass(5000);
  b.says(b.call(), power_state::off_soft);
  CHECK(b.sent_power(power_action::on));
  b.acks(b.call());
  b.pass(500);
  b.says(b.call(), power_state::on);
  CHECK(b.mem.current.desired_rev == 2);
}

TEST_CASE("a failed wish is tried again later and each time a little later") {
  bench b;
  b.settle_on();
  b.wish(power_target::sleep);
  b.says(b.call(), power_state::on);
  b.can(b.call());
  b.acks(b.call(), 2);
  REQUIRE(b.cond("power"));
  CHECK(b.cond("power")->code == "device-refused");
  auto armed = b.effects<arm_timer>();
  REQUIRE_FALSE(armed.empty());
  CHECK(armed.back().after == std::chrono::seconds(5));
  b.pass(5000);
  CHECK(std::holds_alternative<amt::read_power>(b.call().operation));
  b.says(b.call(), power_state::on);
  b.acks(b.call(), 2);
  CHECK(b.effects<arm_timer>().back().after == std::chrono::seconds(15));
}

TEST_CASE("a wish that the present state forbids waits for the state and not for the clock") {
  bench b;
  b.link_comes();
  b.says(b.call(), power_state::off_soft);
  b.wish(power_target::sleep);
  b.says(b.call(), power_state::off_soft);
  CHECK(b.said("power.refused"));
  CHECK(b.effects<arm_timer>().empty());
  b.happen(observation{b.mem.ref, 7, b.now, power_seen{{power_state::on, 2}}});
  CHECK(b.effects<send_call>().size() == 1);
}

TEST_CASE("an unchanged reading is not written again within a minute") {
  bench b;
  b.settle_on();
  b.now += 10'000;
  b.happen(observation{b.mem.ref, 7, b.now, power_seen{{power_state::on, 2}}});
  CHECK(b.effects<write_current>().empty());
  b.now += 60'000;
  b.happen(observation{b.mem.ref, 7, b.now, power_seen{{power_state::on, 2}}});
  CHECK(b.effects<write_current>().size() == 1);
}

TEST_CASE("in every reachable state every event keeps the promises") {
  // A walk of random events: after each, there is no call without a run, no run without a call or a
  // timer, at most one run, and a command is answered once and sent once.
  std::uint32_t seed = 12345;
  auto random = [&seed](std::uint32_t n) {
    seed = seed * 1664525U + 1013904223U;
    return (seed >> 8) % n;
  };
  for (int walk = 0; walk < 300; ++walk) {
    CAPTURE(walk);
    bench b;
    link_epoch epoch = 0;
    std::vector<amt_call> open;
    std::map<uuid, int> answered, sent;
    bool timer = false;
    for (int i = 0; i < 60; ++i) {
      CAPTURE(i);
      b.now += random(4000);
      switch (random(10)) {
      case 0:
        b.link_comes(++epoch);
        break;
      case 1:
        if (epoch)
          b.link_goes();
        else
          continue;
        break;
      case 2:
        b.wish(static_cast<power_target>(random(5)), static_cast<power_policy>(random(2)));
        break;
      case 3:
        b.command(ask_once{static_cast<power_once>(random(2)), power_policy::ordered});
        break;
      case 4:
        b.command(ask_action{static_cast<power_action>(2 + random(15))});
        break;
      case 5:
        b.happen(observation{b.mem.ref, epoch, b.now, link_late{random(2) == 0}});
        break;
      case 6:
        if (!timer)
          continue;
        timer = false;
        b.now += 40'000;
        b.happen(timer_fired{});
        break;
      default: {
        if (open.empty())
          continue;
        auto c = open[random(static_cast<std::uint32_t>(open.size()))];
        if (random(6) == 0)
          b.reply(c, fail(static_cast<problem>(random(22))));
        else if (std::holds_alternative<amt::request_power>(c.operation))
          b.acks(c, random(3) == 0 ? 2 : 0);
        else if (std::holds_alternative<amt::read_power>(c.operation))
          b.says(c, static_cast<power_state>(random(9)));
        else
          b.can(c, static_cast<int>(random(20)));
        open.erase(std::remove_if(open.begin(), open.end(), [&](auto& x) { return x.id == c.id; }),
                   open.end());
      }
      }
      for (const auto& c : b.effects<send_call>()) {
        open.push_back(c.call);
        REQUIRE(b.mem.run);
        if (c.after_marking)
          CHECK(++sent[*c.after_marking] == 1);
      }
      for (const auto& f : b.effects<finish_command>()) {
        CHECK(is_final(f.answer.status));
        CHECK(++answered[f.answer.id] == 1);
      }
      if (!b.effects<arm_timer>().empty())
        timer = true;
      if (b.mem.run)
        CHECK((timer || !b.mem.run->call.is_nil()));
      else if (!b.mem.commands.empty())
        FAIL_CHECK("a command waits and nothing is done about it");
      CHECK(b.mem.current.conditions.size() <= 8);
    }
  }
}
