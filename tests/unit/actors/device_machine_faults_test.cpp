// The power policy when things go wrong at the wrong moment.
#include "tests/unit/actors/bench.hpp"

using namespace outband;
using namespace outband::testing;

TEST_CASE("a reset is not called done when nobody saw the machine afterwards") {
  bench b;
  b.settle_on();
  b.command(ask_once{power_once::reset, power_policy::immediate});
  b.says(b.call(), power_state::on);
  b.acks(b.call());
  b.pass(500);
  b.reply(b.call(), fail(problem::device_timeout));
  CHECK(b.effects<finish_command>().empty()); // it was on before the reset; that proves nothing
  bool finished = false;
  for (int i = 0; i < 100 && !finished; ++i) {
    b.now += 1000;
    b.happen(timer_fired{});
    for (const auto& c : b.effects<send_call>())
      b.reply(c.call, fail(problem::device_timeout));
    for (const auto& f : b.effects<finish_command>()) {
      finished = true;
      CHECK(f.answer.status == request_status::unknown);
    }
  }
  CHECK(finished);
}

TEST_CASE("a reset that the operating system carried out is not repeated by force") {
  bench b;
  b.settle_on();
  b.command(ask_once{power_once::reset, power_policy::ordered});
  b.says(b.call(), power_state::on);
  b.can(b.call());
  REQUIRE(b.sent_power(power_action::reset_graceful));
  b.acks(b.call());
  bool finished = false;
  for (int i = 0; i < 100 && !finished; ++i) {
    b.now += 1000;
    b.happen(timer_fired{});
    for (const auto& c : b.effects<send_call>()) {
      CHECK_FALSE(b.sent_power(power_action::reset));
      b.says(c.call, power_state::off_soft); // it went down and stays down
    }
    finished = !b.effects<finish_command>().empty();
  }
  CHECK(finished);
}

TEST_CASE("a command whose deadline passes while the machine is read is not sent") {
  bench b;
  b.settle_on();
  b.command(ask_once{power_once::reset, power_policy::immediate}, b.now + 3000);
  auto reading = b.call();
  b.now += 4000;
  b.says(reading, power_state::on);
  CHECK(b.effects<send_call>().empty());
  REQUIRE(b.effects<finish_command>().size() == 1);
  CHECK(b.effects<finish_command>()[0].answer.status == request_status::expired);
}

TEST_CASE("a command that lost its tunnel after its deadline has expired rather than failed") {
  bench b;
  b.settle_on();
  b.command(ask_once{power_once::reset, power_policy::immediate}, b.now + 3000);
  REQUIRE(b.effects<send_call>().size() == 1);
  b.now += 4000;
  b.link_goes();
  REQUIRE(b.effects<finish_command>().size() == 1);
  CHECK(b.effects<finish_command>()[0].answer.status == request_status::expired);
}

TEST_CASE("the call of a command must leave before the command's own deadline") {
  bench b;
  b.settle_on();
  const auto until = b.now + 3000;
  b.command(ask_once{power_once::reset, power_policy::immediate}, until);
  b.says(b.call(), power_state::on);
  REQUIRE(b.sent_power(power_action::reset));
  CHECK(b.call().deadline == until);
}

TEST_CASE("a tunnel that replaces another while the machine is being read is looked at itself") {
  bench b;
  b.link_comes(7);
  auto old_call = b.call();
  b.link_comes(8); // no word about the end of the former one
  auto look = b.call();
  CHECK(look.epoch == 8);
  amt_answer stale{old_call.id, b.mem.ref, 7, fail(problem::stale_epoch)};
  b.happen(observation{b.mem.ref, 7, b.now, stale});
  b.says(look, power_state::on);
  CHECK(level_of(b.mem.current.power.state) == power_level::on);
}

TEST_CASE("a command that was not sent yet starts over on the tunnel that replaces its own") {
  bench b;
  b.settle_on();
  b.command(ask_once{power_once::reset, power_policy::immediate});
  b.link_comes(8);
  CHECK(b.effects<finish_command>().empty());
  b.says(b.call(), power_state::on);
  CHECK(b.sent_power(power_action::reset));
}

TEST_CASE("a wish is not called fulfilled by what was seen long ago or over another tunnel") {
  bench b;
  b.settle_on();
  b.now += 3'600'000;
  b.wish(power_target::on); // somebody may have pressed the button meanwhile
  CHECK(b.mem.current.desired_rev == 0);
  CHECK(std::holds_alternative<amt::read_power>(b.call().operation));
  b.says(b.call(), power_state::off_soft);
  CHECK(b.sent_power(power_action::on));
  bench c;
  c.settle_on();
  c.link_goes();
  c.link_comes(8);
  c.wish(power_target::on);
  CHECK(c.mem.current.desired_rev == 0);
  c.says(c.call(), power_state::on);
  CHECK(c.mem.current.desired_rev == 1);
}
