// Stops, crashes, and races between the actors.
#include "actors/gate.hpp"
#include "messages/bus/envelope.hpp"
#include "messages/bus/stored.hpp"
#include "messages/bus/topics.hpp"
#include "tests/unit/actors/site.hpp"

using namespace outband;
using namespace outband::testing;

namespace {

/// Adds an open command behind the actors' back, as another node would.
uuid stored_command(site& s) {
  request r;
  r.target = machine;
  r.body = ask_once{power_once::reset, power_policy::immediate};
  r.by = {principal::kind::person, "acme", "alice"};
  command_write w;
  w.command.id = s.clock.new_id();
  w.command.ref = machine;
  w.command.act = "power.once";
  w.command.argument = bus::pack(r.body);
  w.command.deadline = s.clock.now() + 60'000;
  s.store.write_command(w, [](result<write_outcome>) {});
  return w.command.id;
}

} // namespace

TEST_CASE("when the controller stops no actor of a device stays") {
  site s;
  s.comes();
  s.firmware_works();
  CHECK(s.counters.device_actors == 1);
  s.controller_role.stop();
  s.terminator_role.stop();
  s.sched.run(); // timers, minutes away, do not fire
  CHECK(s.counters.device_actors == 0);
  CHECK(s.counters.links == 0);
}

TEST_CASE("what the store answers after the stop is refused and touches nothing") {
  site s;
  std::optional<result<amt_outcome>> asked;
  std::optional<result<admission>> admitted;
  {
    control gone(s.sys, s.with);
    terminator gone_too(s.sys, s.with);
    gone.ask(machine, amt::read_power{}, 10s, [&](result<amt_outcome> r) { asked = r; });
    gone_too.admit({machine.device, "admin", secret_text("P@ssw0rd"), "192.0.2.7:1", 4},
                   [&](result<admission> r) { admitted = r; });
  }
  s.run();
  REQUIRE(asked);
  CHECK(asked->error().what == problem::store_unavailable);
  REQUIRE(admitted);
  CHECK(admitted->error().what == problem::store_unavailable);
  CHECK(s.store.of(machine).row.link.epoch == 0);
}

TEST_CASE("a gate that was closed lets nobody in") {
  gate g;
  {
    auto first = g.enter();
    CHECK(first);
    auto second = g.enter(); // a callback within a callback
    CHECK(second);
  }
  g.close();
  CHECK(g.closed());
  CHECK_FALSE(g.enter());
}

TEST_CASE("whoever waits at a desk that ends is told that the outcome is unknown") {
  site s;
  s.comes();
  s.firmware_works();
  s.store.saves_fail = true; // the command stays open
  s.submit(ask_once{power_once::reset, power_policy::immediate});
  REQUIRE(s.answers->size() == 1);
  auto waiting = s.answers;
  s.store.stalled = true;
  s.submit(want(power_target::off)); // still at the store
  auto at_the_store = s.answers;
  CHECK(at_the_store->empty());
  caf::anon_send_exit(s.control_role.address(), caf::exit_reason::kill);
  s.sched.run();
  REQUIRE(waiting->size() == 2);
  CHECK(waiting->at(1).status == request_status::unknown);
  s.store.stalled = false;
  s.run();
  REQUIRE(at_the_store->size() == 1);
  CHECK(at_the_store->at(0).status == request_status::unknown);
}

TEST_CASE("a change that arrives while a device's actor is leaving is not lost") {
  auto prepared = [](site& s) {
    s.comes();
    s.firmware_works();
  };
  // Find out when it leaves; the stage is deterministic.
  int seconds = 0;
  {
    site twin;
    prepared(twin);
    while (twin.counters.device_actors == 1 && seconds < 3600) {
      twin.advance(1s);
      ++seconds;
    }
    REQUIRE(twin.counters.device_actors == 0);
  }
  site s;
  prepared(s);
  s.advance(std::chrono::seconds(seconds - 1));
  // The device's timer fires and waits in its mailbox; the message about the change comes behind
  // it, from a tenant that has not heard yet that the device wants to leave.
  while (s.sched.jobs.empty()) {
    s.clock.now_ += 100;
    s.sched.advance_time(100ms);
  }
  REQUIRE(s.sched.jobs.size() == 1);
  auto id = stored_command(s);
  auto next_to_last = [&] {
    s.sched.jobs.push_back(s.sched.jobs.front());
    s.sched.jobs.pop_front();
    s.sched.run_once();
  };
  bus::envelope e;
  e.id = s.clock.new_id();
  caf::anon_send(caf::actor_cast<controller_actor>(s.controller_role.address()),
                 device_changed{machine});
  next_to_last(); // the controller
  next_to_last(); // the tenant
  s.firmware_works();
  s.pass(5s);
  CHECK(s.firmware.asked == std::vector<int>{10});
  CHECK(s.store.commands.at(id).status == request_status::done);
}

TEST_CASE("a device's actor that keeps failing is restarted ever more seldom and not forgotten") {
  site s;
  s.comes();
  s.firmware_works();
  s.pass(11min); // gone
  CHECK(s.counters.device_actors == 0);
  stored_command(s);
  s.store.defects = 1000;
  caf::anon_send(caf::actor_cast<controller_actor>(s.controller_role.address()),
                 device_changed{machine});
  s.advance(30s);
  CHECK(s.counters.actor_restarts >= 3);
  CHECK(s.counters.actor_restarts <= 5);
  s.store.defects = 0;
  s.pass(6min); // no event but time
  CHECK(s.store.of(machine).row.open_commands.empty());
}

TEST_CASE("unfinished commands are taken up although the store was away at the start") {
  site s;
  s.controller_role.stop();
  s.run();
  auto id = stored_command(s);
  s.store.away = true;
  s.controller_role.start(1);
  s.advance(2s);
  s.store.away = false;
  s.advance(10s);
  CHECK(is_final(s.store.commands.at(id).status));
}

TEST_CASE("a command whose mark comes too late is never sent and its end is known") {
  site s;
  s.comes();
  s.firmware_works();
  s.store.saves_fail = true;
  s.submit(ask_once{power_once::reset, power_policy::immediate});
  s.pass(2min);
  s.store.saves_fail = false;
  s.pass(2min);
  CHECK(s.firmware.asked.empty());
  auto row = s.store.commands.begin()->second;
  CHECK(row.status == request_status::expired);
}

TEST_CASE("a row that was read before a write failed does not decide what became of the write") {
  site s;
  s.comes();
  s.firmware_works();
  const auto before = s.store.of(machine).row.current_rev;
  // A load is answered after the write that it does not show.
  auto wake = [&] {
    caf::anon_send(caf::actor_cast<controller_actor>(s.controller_role.address()),
                   device_changed{machine});
    s.sched.run();
  };
  s.store.stalled = true;
  s.run();
  wake(); // the row as it is now is on its way
  s.store.lose_answers = 1;
  s.terminator_role.down(machine, 1, link_end::peer_closed, "closed");
  for (int i = 0; i < 5; ++i) {
    s.sched.run();
    s.bus.run();
  }
  REQUIRE(s.store.ready.size() >= 2);
  // The write's answer overtakes the load's.
  std::swap(s.store.ready.front(), s.store.ready.back());
  s.store.stalled = false;
  s.pass(5s);
  CHECK(s.store.of(machine).row.current_rev == before + 1);
  int events = 0;
  for (const auto& o : s.store.outbox)
    if (o.topic == bus::event_topic(machine, event_class::link)) {
      auto e = bus::decode_event(o.payload, bus::encoding::msgpack);
      REQUIRE(e);
      events += e->body.type == "link.down";
    }
  CHECK(events == 1);
}
