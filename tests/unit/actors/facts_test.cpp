// What is known of a machine beyond power and link: when it is looked at, what of it is news.
#include "tests/unit/actors/bench.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace outband;
using namespace outband::testing;
using namespace std::chrono_literals;

namespace {

struct facts_bench : bench {
  facts_bench() {
    mem.times.read_facts = true;
    mem.times.facts_after = 10s;
  }
  std::string argument() const {
    for (const auto& c : effects<send_call>())
      if (const auto* p = std::get_if<amt::perform>(&c.call.operation))
        return p->argument;
    return {};
  }
  /// Up and seen on; what the actor answers to want_turn is given at once.
  void arrive() {
    settle_on();
    REQUIRE(effects<send_call>().empty());
  }
  std::string asked() const {
    for (const auto& c : effects<send_call>())
      if (const auto* p = std::get_if<amt::perform>(&c.call.operation))
        return p->name;
    return {};
  }
  void take_turn() {
    REQUIRE(effects<want_turn>().size() == 1);
    happen(turn_given{0ms});
  }
  /// Nothing else is due, and it is its turn.
  void looks(std::vector<std::string> operations) {
    mem.fact_looks = std::move(operations);
    pass(10'000);
    take_turn();
  }
  void tells(const std::string& json) { reply(call(), amt_outcome{amt::document{json}}); }
  void seen(const std::string& kind, const std::string& json) {
    happen(observation{mem.ref, mem.current.link.epoch, now, fact_seen{{kind, json}}});
  }
};

} // namespace

TEST_CASE(
    "a machine that arrives is asked for its facts when it has become calm and it is its turn") {
  facts_bench b;
  b.arrive();
  REQUIRE(b.effects<arm_timer>().size() == 1);
  CHECK(b.effects<arm_timer>()[0].after == 10s);
  CHECK_FALSE(quiet(b.mem, b.now));
  b.pass(10'000);
  b.take_turn();
  CHECK(b.asked() == "features.get");
  b.tells(R"({"KVM":true})");
  CHECK(b.said("features.known"));
  REQUIRE(b.effects<keep_fact>().size() == 1);
  CHECK(b.effects<keep_fact>()[0].what.kind == "features");
  CHECK(b.effects<write_current>().size() == 1);
  CHECK(b.asked() == "hardware.get");
  b.tells(R"({"a":{"Header":{"MessageID":7},"Body":1}})");
  CHECK(b.effects<keep_fact>()[0].what.json == R"({"a":{"Body":1}})");
  CHECK(b.asked() == "log.event.news");
  b.tells(R"({"records":[],"cursor":"c","gap":false})");
  CHECK(b.asked() == "log.audit.news");
  b.reply(b.call(), fail(problem::device_refused));
  CHECK(b.asked() == "events.subscribe");
  b.tells(R"({"subscribed":true,"filter":"f"})");
  CHECK(b.event_types().empty());
  CHECK(b.effects<keep_fact>().empty());
  CHECK(b.asked().empty());
  CHECK(quiet(b.mem, b.now));
}

TEST_CASE("a machine is asked once to tell its events and again when it may be another firmware") {
  for (const bool offered : {true, false}) {
    CAPTURE(offered);
    facts_bench b;
    b.arrive();
    b.looks({"events.subscribe"});
    CHECK(b.asked() == "events.subscribe");
    if (offered)
      b.tells(R"({"subscribed":true,"filter":"f"})");
    else
      b.reply(b.call(), fail(problem::unsupported));
    const auto wanted = [&] {
      const auto& due = b.mem.fact_looks;
      return std::find(due.begin(), due.end(), "events.subscribe") != due.end();
    };
    CHECK_FALSE(wanted());
    b.mem.current.amt.version = "16.1.25";
    b.link_goes();
    b.happen(observation{b.mem.ref, 8, b.now, link_up{"n1", {}, "192.0.2.7:4711", 4}});
    CHECK_FALSE(wanted());
    b.link_goes();
    b.now += 60'000;
    b.happen(observation{b.mem.ref, 9, b.now, link_up{"n1", {}, "192.0.2.7:4711", 4}});
    CHECK(wanted());
  }
}

TEST_CASE("a look that failed is made again after ever longer waits and then given up") {
  facts_bench b;
  b.arrive();
  b.looks({"events.subscribe"});
  for (const time_ms wait : {20'000, 40'000, 80'000, 160'000}) {
    CHECK(b.asked() == "events.subscribe");
    b.reply(b.call(), fail(problem::device_timeout));
    REQUIRE(b.effects<arm_timer>().size() == 1);
    CHECK(b.effects<arm_timer>()[0].after == std::chrono::milliseconds(wait));
    CHECK_FALSE(quiet(b.mem, b.now));
    b.pass(wait - 1);
    CHECK(b.effects<want_turn>().empty());
    b.pass(1);
    b.take_turn();
  }
  CHECK(b.asked() == "events.subscribe");
  b.reply(b.call(), fail(problem::device_timeout));
  CHECK(b.effects<arm_timer>().empty());
  CHECK(quiet(b.mem, b.now));
}

TEST_CASE("a look that succeeds at last is not made again and one that is refused neither") {
  for (const bool refused : {true, false}) {
    CAPTURE(refused);
    facts_bench b;
    b.arrive();
    b.looks({"events.subscribe"});
    b.reply(b.call(), fail(problem::device_protocol));
    b.pass(20'000);
    b.take_turn();
    if (refused)
      b.reply(b.call(), fail(problem::device_refused));
    else
      b.tells(R"({"subscribed":true,"filter":"f"})");
    CHECK(b.effects<write_current>().size() == 1);
    CHECK(b.mem.failed_looks.empty());
    CHECK(quiet(b.mem, b.now));
  }
}

TEST_CASE("a failed look holds no other one up") {
  facts_bench b;
  b.arrive();
  b.looks({"hardware.get", "events.subscribe"});
  CHECK(b.asked() == "hardware.get");
  b.reply(b.call(), fail(problem::device_timeout));
  CHECK(b.asked() == "events.subscribe");
  b.tells(R"({"subscribed":true,"filter":"f"})");
  b.pass(20'000);
  b.take_turn();
  CHECK(b.asked() == "hardware.get");
}

TEST_CASE("a failed look waits for no machine that has gone and begins anew when it is back") {
  facts_bench b;
  b.arrive();
  b.looks({"hardware.get"});
  b.reply(b.call(), fail(problem::outcome_unknown));
  b.link_goes();
  CHECK(quiet(b.mem, b.now));
  b.pass(20'000);
  CHECK(b.effects<send_call>().empty());
  CHECK(b.effects<want_turn>().empty());
  b.happen(observation{b.mem.ref, 8, b.now, link_up{"n1", {}, "192.0.2.7:4711", 4}});
  CHECK(b.mem.failed_looks.empty());
  CHECK(b.mem.fact_looks.front() == "features.get");
}

TEST_CASE("a lost wish to be told of events is repeated at the next arrival") {
  facts_bench b;
  b.arrive();
  b.looks({"events.subscribe"});
  b.reply(b.call(), fail(problem::device_timeout));
  b.mem.current.amt.version = "16.1.25";
  b.link_goes();
  b.happen(observation{b.mem.ref, 8, b.now, link_up{"n1", {}, "192.0.2.7:4711", 4}});
  CHECK(b.mem.fact_looks.back() == "events.subscribe");
}

TEST_CASE("a machine that cannot deliver events or need not is not asked to") {
  for (const bool by_tunnel : {true, false}) {
    facts_bench b;
    b.mem.times.want_alerts = !by_tunnel;
    b.happen(
        observation{b.mem.ref, 8, b.now, link_up{"n1", {}, "192.0.2.7:4711", by_tunnel ? 4 : 0}});
    REQUIRE_FALSE(b.mem.fact_looks.empty());
    CHECK(b.mem.fact_looks.back() == "log.audit.news");
  }
}

TEST_CASE("what is as it was is no news") {
  facts_bench b;
  b.arrive();
  b.seen("features", R"({"KVM":true})");
  CHECK(b.said("features.known"));
  b.seen("features", R"({"KVM":true})");
  CHECK(b.effects<keep_fact>().empty());
  CHECK(b.event_types().empty());
  b.seen("features", R"({"KVM":false})");
  CHECK(b.said("features.changed"));
  CHECK(b.effects<keep_fact>().size() == 1);
}

TEST_CASE("of a log only records that were not there before are told and the oldest first") {
  facts_bench b;
  b.arrive();
  b.looks({"log.event.news"});
  CHECK(b.argument() == R"({"cursor":""})");
  b.tells(R"({"records":[],"cursor":"c1","gap":false})");
  CHECK(b.event_types().empty()); // what is in it from before is no news
  b.mem.fact_looks = {"log.event.news"};
  b.happen(timer_fired{});
  b.take_turn();
  CHECK(b.argument() == R"({"cursor":"c1"})");
  b.tells(R"({"records":[{"Desc":"three"},{"Desc":"four"}],"cursor":"c2","gap":false})");
  auto events = b.effects<emit_event>();
  REQUIRE(events.size() == 2);
  CHECK(events[0].what.text == "three");
  CHECK(events[1].what.text == "four");
  CHECK(events[1].what.type == "log.event");
  CHECK((events[1].what.cls == event_class::log));
  CHECK(events[1].what.detail == R"({"Desc":"four"})");
}

TEST_CASE("of many new records the newest are told") {
  facts_bench b;
  b.arrive();
  b.looks({"log.audit.news"});
  std::string many = R"({"records":[)";
  for (int i = 0; i < 390; ++i)
    many +=
        (i ? "," : "") + std::string(R"({"AuditApp":"A","Event":"E)") + std::to_string(i) + "\"}";
  b.tells(many + R"(],"cursor":"c","gap":true})");
  auto events = b.effects<emit_event>();
  REQUIRE(events.size() == 32);
  CHECK(events.back().what.text == "A: E389");
}

TEST_CASE("after a boot the hardware and the event log are read again") {
  facts_bench b;
  b.arrive();
  b.mem.fact_looks.clear();
  for (auto s : {power_state::off_soft, power_state::on})
    b.happen(observation{b.mem.ref, b.mem.current.link.epoch, b.now, power_seen{{s, 2}}});
  CHECK(b.mem.fact_looks == std::vector<std::string>{"hardware.get", "log.event.news"});
}

TEST_CASE("a look whose answer is lost does not stop the next one") {
  facts_bench b;
  b.arrive();
  b.pass(10'000);
  b.take_turn();
  CHECK(b.asked() == "features.get");
  b.pass(b.mem.fact_until - b.now);
  CHECK(b.asked() == "hardware.get");
}

TEST_CASE("a machine that is gone is not asked and asked again when it is back") {
  facts_bench b;
  b.arrive();
  b.pass(10'000);
  b.take_turn();
  b.link_goes();
  CHECK(b.effects<send_call>().empty());
  CHECK(quiet(b.mem, b.now));
  b.now += 60'000;
  b.happen(observation{b.mem.ref, 8, b.now, link_up{"n1", {}, "192.0.2.7:4711", 4}});
  b.mem.versions_asked = true;
  b.says(b.call(), power_state::on);
  b.pass(10'000);
  CHECK(b.asked() == "hardware.get");
}

TEST_CASE("a person's wish goes before facts") {
  facts_bench b;
  b.arrive();
  b.pass(10'000);
  b.wish(power_target::off);
  CHECK(std::holds_alternative<amt::read_power>(b.call().operation));
  b.happen(turn_given{0ms});
  CHECK(b.effects<send_call>().empty());
}

TEST_CASE("an alert becomes an event and makes the event log be read") {
  facts_bench b;
  b.arrive();
  b.mem.fact_looks.clear();
  b.happen(observation{b.mem.ref, b.mem.current.link.epoch, b.now,
                       alert_seen{R"({"text":"The chassis was opened."})"}});
  auto events = b.effects<emit_event>();
  REQUIRE(events.size() == 1);
  CHECK(events[0].what.cls == event_class::alert);
  CHECK(events[0].what.text == "The chassis was opened.");
  CHECK(b.mem.fact_looks == std::vector<std::string>{"log.event.news"});
}

TEST_CASE("a boot that goes with an action is one call that is marked like any other") {
  bench b;
  b.settle_on();
  const auto id = b.command(ask_action{power_action::reset, "sealed"});
  b.says(b.call(), power_state::on);
  const auto sent = b.call();
  const auto* boot = std::get_if<amt::perform>(&sent.operation);
  REQUIRE(boot != nullptr);
  CHECK(boot->name == "boot.set");
  CHECK(boot->argument == "sealed");
  CHECK(boot->sealed);
  CHECK(b.effects<send_call>()[0].after_marking == id);
  b.reply(sent, amt_outcome{amt::document{R"({"Header":{},"Body":{"ReturnValue":0}})"}});
  auto done = b.effects<finish_command>();
  REQUIRE(done.size() == 1);
  CHECK(done[0].answer.status == request_status::done);
  CHECK(done[0].answer.return_value == 0);
}
