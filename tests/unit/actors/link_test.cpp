// The terminator's side: the instance actor and the queue of each link.
#include "actors/link.hpp"
#include "messages/bus/envelope.hpp"
#include "messages/bus/topics.hpp"
#include "tests/unit/actors/site.hpp"

#include <stdexcept>

using namespace outband;
using namespace outband::testing;

namespace {

/// Terminator and desk only; what the controller would hear is kept.
struct terminal : stage {
  terminal() {
    store.add(machine);
    control_role.start();
    terminator_role.start();
    listening =
        listener->subscribe(bus::node_observations_filter(), {}, [this](const bus::message& m) {
          auto d = bus::decode_observations(*m.payload, bus::encoding::msgpack);
          REQUIRE(d);
          for (auto& o : d->body)
            seen.push_back(std::move(o));
        });
    run();
    opens(1);
  }
  void opens(link_epoch epoch, std::shared_ptr<amt_link_port> port = {}) {
    admission a;
    a.ref = machine;
    a.epoch = epoch;
    if (!port)
      port = link = std::make_shared<fake_link>();
    terminator_role.up(a, "192.0.2.7:4711", 4, port);
    run();
  }
  using outcome = std::shared_ptr<std::optional<result<amt_outcome>>>;
  outcome ask(std::chrono::milliseconds timeout = 10s) {
    auto out = std::make_shared<std::optional<result<amt_outcome>>>();
    control_role.ask(machine, amt::read_power{}, timeout,
                     [out](result<amt_outcome> r) { *out = std::move(r); });
    run();
    return out;
  }
  amt_call change(std::chrono::milliseconds timeout = 10s, link_epoch epoch = 1) {
    amt_call c;
    c.id = clock.new_id();
    c.device = machine;
    c.epoch = epoch;
    c.deadline = clock.now() + timeout.count();
    c.operation = amt::request_power{power_action::reset};
    return c;
  }
  void work(const amt_call& c) {
    bus::envelope e;
    e.id = clock.new_id();
    e.time = clock.now();
    e.source = "n1";
    bus::message m;
    m.topic = bus::node_work_topic("n1");
    m.payload =
        std::make_shared<const std::string>(bus::encode(e, work_body{c}, bus::encoding::msgpack));
    listener->publish(std::move(m));
    run();
  }
  /// Answers what was posted first.
  void firmware_answers() {
    REQUIRE_FALSE(link->waiting.empty());
    auto p = std::move(link->waiting.front());
    link->waiting.pop_front();
    p.cb(firmware.answer(p.envelope));
    run();
  }
  void firmware_answers_all() {
    for (int i = 0; i < 1000 && !link->waiting.empty(); ++i)
      firmware_answers();
  }
  std::vector<amt_answer> answers() const {
    std::vector<amt_answer> out;
    for (const auto& o : seen)
      if (const auto* a = std::get_if<amt_answer>(&o.body))
        out.push_back(*a);
    return out;
  }
  int readings() const {
    int n = 0;
    for (const auto& o : seen)
      n += std::holds_alternative<power_seen>(o.body);
    return n;
  }

  std::unique_ptr<bus::scripted_endpoint> listener = bus.attach({"", 10'000});
  std::vector<observation> seen;
  bus::subscription listening;
  std::shared_ptr<fake_link> link;
  fake_firmware firmware;
};

/// As a defect in the actor would.
struct throwing_link final : amt_link_port {
  void post(std::string, std::chrono::milliseconds,
            std::function<void(result<soap_answer>)>) override {
    throw std::runtime_error("a defect");
  }
  void close(link_end, std::string) override {}
};
struct once_throwing_link final : amt_link_port {
  void post(std::string envelope, std::chrono::milliseconds timeout,
            std::function<void(result<soap_answer>)> cb) override {
    if (std::exchange(throws, false))
      throw std::runtime_error("a defect");
    inner->post(std::move(envelope), timeout, std::move(cb));
  }
  void close(link_end, std::string) override {}
  bool throws = true;
  std::shared_ptr<fake_link> inner = std::make_shared<fake_link>();
};

} // namespace

TEST_CASE("sixty-four calls wait behind the one in flight and the next is refused as busy") {
  terminal t;
  std::vector<terminal::outcome> asked;
  for (std::size_t i = 0; i < link_state_machine::max_waiting + 1; ++i)
    asked.push_back(t.ask());
  CHECK(t.link->waiting.size() == 1); // never two at once
  CHECK(t.counters.queued_calls == 65);
  auto refused = t.ask();
  REQUIRE(refused->has_value());
  REQUIRE_FALSE(**refused);
  CHECK((*refused)->error().what == problem::busy);
  t.firmware_answers_all();
  for (const auto& a : asked) {
    REQUIRE(a->has_value());
    CHECK(a->value());
  }
  CHECK(t.counters.queued_calls == 0);
  const auto& reads = t.counters.amt[amt_operation(amt::read_power{}).index()];
  CHECK(reads.done == 65);
  CHECK(reads.failed[static_cast<std::size_t>(problem::busy)] == 1);
  CHECK(reads.took.read().total() == 65); // what was refused never had its turn
}

TEST_CASE("a change that is delivered again is answered again and carried out once") {
  terminal t;
  auto c = t.change();
  t.work(c);
  t.work(c);
  t.firmware_answers_all();
  CHECK(t.firmware.asked == std::vector<int>{10});
  REQUIRE(t.answers().size() == 1);
  t.work(c);
  CHECK(t.link->waiting.empty());
  REQUIRE(t.answers().size() == 2);
  CHECK(t.answers()[1].id == c.id);
  CHECK(t.answers()[1].outcome);
  CHECK(t.firmware.asked == std::vector<int>{10});
  CHECK(t.counters.duplicates == 2);
  CHECK(t.counters.amt[c.operation.index()].done == 1);
}

TEST_CASE("a change that was refused stays refused when it is delivered again") {
  terminal t;
  std::vector<terminal::outcome> asked;
  for (std::size_t i = 0; i < link_state_machine::max_waiting + 1; ++i)
    asked.push_back(t.ask());
  auto c = t.change();
  t.work(c);
  REQUIRE(t.answers().size() == 1);
  CHECK(t.answers()[0].outcome.error().what == problem::busy);
  t.firmware_answers_all();
  t.work(c); // there is room now, but who asked was told that it did not happen
  CHECK(t.link->waiting.empty());
  CHECK(t.firmware.asked.empty());
  CHECK(t.answers().size() == 2);
}

TEST_CASE("a call that waits until its deadline expires and is never sent") {
  terminal t;
  auto first = t.ask(20s);
  auto c = t.change(2s);
  t.work(c);
  t.advance(3s);
  REQUIRE(t.answers().size() == 1);
  CHECK(t.answers()[0].outcome.error().what == problem::expired);
  t.firmware_answers_all();
  CHECK(t.firmware.asked.empty());
  CHECK(first->value());
}

TEST_CASE("a change whose deadline passed just before its turn is said not to have been sent") {
  terminal t;
  auto first = t.ask(20s);
  auto c = t.change(2s);
  t.work(c);
  t.clock.now_ += 3000; // the timer has not fired yet
  t.firmware_answers_all();
  REQUIRE(t.answers().size() == 1);
  CHECK(t.answers()[0].outcome.error().what == problem::expired); // and not outcome-unknown
  CHECK(t.firmware.asked.empty());
}

TEST_CASE("a change in flight whose answer never comes has an unknown outcome") {
  terminal t;
  auto c = t.change(10s);
  t.work(c);
  while (t.link->waiting.front().envelope.find("RequestPowerStateChange") == std::string::npos)
    t.firmware_answers(); // what prepares it
  // The port is at fault and never answers; the queue goes on all the same.
  auto next = t.ask(30s);
  t.advance(12s);
  REQUIRE(t.answers().size() == 1);
  CHECK(t.answers()[0].outcome.error().what == problem::outcome_unknown);
  t.link->waiting.pop_front();
  t.firmware_answers_all();
  REQUIRE(next->has_value());
  CHECK(next->value());
}

TEST_CASE("work for another epoch is not carried out") {
  terminal t;
  t.opens(2);
  t.work(t.change(10s, 1));
  REQUIRE(t.answers().size() == 1);
  CHECK(t.answers()[0].outcome.error().what == problem::stale_epoch);
  CHECK(t.answers()[0].epoch == 2);
  CHECK(t.link->waiting.empty());
}

TEST_CASE("a tunnel with an older epoch than the present one is closed and changes nothing") {
  terminal t;
  t.opens(5);
  auto present = t.link;
  auto old = std::make_shared<fake_link>();
  t.opens(3, old);
  REQUIRE(old->closed.size() == 1);
  CHECK(old->closed[0] == link_end::evicted);
  CHECK(present->closed.empty());
  CHECK(t.counters.links == 1);
  CHECK(t.directory.find(machine)->epoch == 5);
}

TEST_CASE("what is read live is told once and again when it changed or ten seconds later") {
  terminal t;
  auto read = [&] {
    t.ask();
    t.firmware_answers_all();
    t.advance(100ms);
  };
  read();
  CHECK(t.readings() == 1);
  read();
  read();
  CHECK(t.readings() == 1);
  t.firmware.power = 8;
  read();
  CHECK(t.readings() == 2);
  t.advance(10s);
  read();
  CHECK(t.readings() == 3);
}

TEST_CASE("a link whose actor ends by a defect keeps its tunnel") {
  terminal t;
  auto port = std::make_shared<once_throwing_link>();
  t.opens(2, port);
  auto lost = t.ask();
  CHECK(t.counters.actor_restarts == 1);
  auto again = t.ask();
  t.link = port->inner;
  t.firmware_answers_all();
  REQUIRE(again->has_value());
  CHECK(again->value());
  t.advance(11s);
  REQUIRE(lost->has_value()); // its asker's own deadline
  CHECK_FALSE(lost->value());
  CHECK(t.counters.queued_calls == 0);
}

TEST_CASE("a link that fails at every call is not restarted by itself") {
  terminal t;
  t.opens(2, std::make_shared<throwing_link>());
  t.ask();
  t.ask();
  t.advance(30s);
  CHECK(t.counters.actor_restarts == 2);
}

TEST_CASE("a restarted instance adopts the open tunnels and not the closed ones") {
  terminal t;
  caf::anon_send_exit(t.terminator_role.address(), caf::exit_reason::kill);
  t.run();
  CHECK(t.counters.links == 0);
  t.terminator_role.restart();
  t.terminator_role.down(machine, 1, link_end::peer_closed, "closed meanwhile");
  t.run();
  CHECK(t.counters.links == 0);
  REQUIRE_FALSE(t.seen.empty());
  CHECK(std::holds_alternative<link_down>(t.seen.back().body));
  t.opens(2);
  caf::anon_send_exit(t.terminator_role.address(), caf::exit_reason::kill);
  t.run();
  t.terminator_role.restart();
  t.run();
  CHECK(t.counters.links == 1);
  auto works = t.ask();
  t.firmware_answers_all();
  REQUIRE(works->has_value());
  CHECK(works->value());
}
