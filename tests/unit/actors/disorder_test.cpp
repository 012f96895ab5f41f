// What the bus may do to what is said: say it again, late, or in between something else.
#include "actors/controller.hpp"
#include "messages/bus/envelope.hpp"
#include "messages/bus/topics.hpp"
#include "tests/unit/actors/bench.hpp"
#include "tests/unit/actors/site.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace outband;
using namespace outband::testing;

namespace {

/// Keeps what was said between the roles, as a broker's queue or a bridge might.
struct recorder {
  explicit recorder(stage& s) : on(s.bus.attach({"", 100'000})) {
    for (const char* filter : {"oob/v1/-/inst/+/node/work", "oob/v1/-/inst/+/node/obs",
                               "oob/v1/-/inst/+/node/ask", "oob/v1/-/ctl/wake"})
      listening.push_back(on->subscribe(filter, {}, [this](const bus::message& m) {
        if (!repeating)
          said.push_back(m);
      }));
  }
  void repeat(stage& s) {
    repeating = true;
    for (const auto& m : said) {
      auto again = m;
      again.retain = false;
      on->publish(std::move(again));
      s.run();
    }
    repeating = false;
  }
  std::unique_ptr<bus::scripted_endpoint> on;
  std::vector<bus::subscription> listening;
  std::vector<bus::message> said;
  bool repeating = false;
};

} // namespace

TEST_CASE("fault 1: what the roles say comes twice and again an hour later and is done once") {
  site s;
  bus::fault_plan twice;
  twice.duplicate = 1;
  s.bus.set_faults(twice);
  recorder all(s);
  s.run();
  s.comes();
  s.firmware_works();
  s.pass(1s);
  const auto reset = s.clock.new_id();
  s.submit(ask_once{power_once::reset, power_policy::immediate}, role::operator_, reset);
  s.pass(40s);
  s.submit(want(power_target::off, power_policy::immediate));
  s.pass(40s);
  const std::vector<int> once{10, 8};
  CHECK(s.firmware.asked == once);
  CHECK(s.current().power.state == power_state::off_soft);
  const auto before = s.current();
  const auto row = s.store.of(machine).row;
  REQUIRE(all.said.size() > 5);

  s.pass(1h);
  all.repeat(s);
  s.firmware_works();
  s.pass(1min);
  CHECK(s.firmware.asked == once);
  CHECK(s.current().power.state == before.power.state);
  CHECK(s.current().link.state == before.link.state);
  CHECK(s.current().link.epoch == before.link.epoch);
  CHECK(s.store.of(machine).row.desired_rev == row.desired_rev);
  CHECK(s.counters.observations_again > 0);

  // A tunnel that has ended stays so, whatever comes again of its life.
  s.terminator_role.down(machine, before.link.epoch, link_end::peer_closed, "gone");
  s.pass(1s);
  REQUIRE(s.current().link.state == link_state::down);
  all.repeat(s);
  s.pass(1min);
  CHECK(s.current().link.state == link_state::down);
  CHECK(s.firmware.asked == once);
}

TEST_CASE("a number that is missing makes the controller look at what it may have missed") {
  site s;
  auto terminator = s.bus.attach({"", 1000});
  auto says = [&](std::uint64_t number, const uuid& incarnation) {
    bus::envelope e;
    e.id = s.clock.new_id();
    e.source = "n9";
    e.incarnation = incarnation;
    e.seq = number;
    bus::message m;
    m.topic = bus::node_observations_topic("n9");
    m.payload = std::make_shared<const std::string>(
        bus::encode(e, std::vector<observation>{{machine, 1, s.clock.now(), link_late{}}},
                    bus::encoding::msgpack));
    terminator->publish(std::move(m));
    s.run();
  };
  const auto life = s.clock.new_id(), next_life = s.clock.new_id();
  const auto resyncs = s.counters.resyncs.load();
  says(7, life); // what was said before we came is not missed
  says(8, life);
  says(6, life); // this overtook it, and was never heard
  CHECK(s.counters.observation_gaps == 0);
  CHECK(s.counters.observations_again == 0);
  CHECK(s.counters.resyncs == resyncs);
  says(8, life);
  says(6, life);
  CHECK(s.counters.observations_again == 2);
  says(11, life);
  CHECK(s.counters.observation_gaps == 1);
  CHECK(s.counters.resyncs == resyncs + 1);
  says(1, next_life);
  says(2, next_life);
  CHECK(s.counters.observation_gaps == 1);
  CHECK(s.counters.observations_again == 2);
}

namespace {

/// What one tunnel of the machine's says, in its order; the last reading is of this tunnel.
std::vector<observation_body> life_of(link_epoch epoch, std::mt19937& random, power_state& last) {
  std::vector<observation_body> out;
  const auto any = [&](std::uint32_t n) {
    return static_cast<int>(random() % n);
  };
  out.push_back(link_up{"n" + std::to_string(epoch % 3), {}, "192.0.2.7:4711", 4});
  for (int i = any(4); i > 0; --i)
    if (any(3) == 0)
      out.push_back(link_late{any(2) == 0});
    else
      out.push_back(power_seen{{static_cast<power_state>(any(9)), 2}});
  last = any(2) == 0 ? power_state::on : power_state::off_soft;
  out.push_back(power_seen{{last, 2}});
  if (any(2) == 0)
    out.push_back(link_down{link_end::peer_closed, "gone"});
  return out;
}

} // namespace

TEST_CASE("fault 20: whatever the interleaving the state is the fold in the order of epochs") {
  // Each terminator says its part in order and may say its last few again; wishes come in any
  // order; nothing orders one terminator against another, nor against the wishes and the answers.
  for (std::uint32_t seed = 1; seed <= 500; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    const auto any = [&](std::size_t n) {
      return static_cast<std::size_t>(random()) % n;
    };
    bench b;
    const auto epochs = 1 + any(4);
    std::vector<std::vector<observation_body>> said;
    power_state last = power_state::unknown;
    for (std::size_t e = 1; e <= epochs; ++e)
      said.push_back(life_of(e, random, last));
    std::vector<revision> wishes;
    for (revision r = 1; r <= 1 + any(5); ++r)
      wishes.push_back(r);
    const auto newest = wishes.back();
    std::shuffle(wishes.begin(), wishes.end(), random);
    const auto wish_of = [](revision r) {
      desired_state d;
      d.power.target = r % 3 == 0 ? power_target::on : power_target::keep;
      d.power.policy = r % 2 == 0 ? power_policy::ordered : power_policy::immediate;
      return d;
    };

    std::vector<std::size_t> at(said.size());
    std::vector<std::pair<amt_call, link_epoch>> asked; // and over which tunnel
    std::map<uuid, int> finished;
    const auto happens = [&](const device_event& e) {
      b.happen(e);
      for (const auto& c : b.effects<send_call>())
        asked.emplace_back(c.call, c.call.epoch);
      for (const auto& f : b.effects<finish_command>())
        CHECK(++finished[f.row.id] == 1);
    };
    const auto answer = [&](std::size_t which) {
      const auto [call, epoch] = asked[which];
      asked.erase(asked.begin() + static_cast<std::ptrdiff_t>(which));
      // The machine that answers is the one whose tunnel it is; an ended tunnel answers nothing.
      amt_answer a{call.id, b.mem.ref, epoch, fail(problem::link_down)};
      happens(observation{b.mem.ref, epoch, b.now, a});
      happens(observation{b.mem.ref, epoch, b.now, a}); // and again
    };
    int commands = 0;
    for (;;) {
      std::vector<std::size_t> open;
      for (std::size_t i = 0; i < said.size(); ++i)
        if (at[i] < said[i].size())
          open.push_back(i);
      if (open.empty() && wishes.empty())
        break;
      b.now += static_cast<time_ms>(any(500));
      if (!asked.empty() && any(4) == 0) {
        answer(any(asked.size()));
      } else if (any(12) == 0) {
        open_command c;
        c.row.id = b.id();
        c.row.ref = b.mem.ref;
        c.row.deadline = b.now + 60'000;
        c.body = ask_once{power_once::reset, power_policy::immediate};
        happens(row_stored{b.mem.desired, b.mem.desired_rev, {c}});
        if (finished.count(c.row.id) == 0) // else the row says that it is over
          happens(row_stored{b.mem.desired, b.mem.desired_rev, {c}});
        ++commands;
      } else if (!wishes.empty() && (open.empty() || any(4) == 0)) {
        happens(row_stored{wish_of(wishes.back()), wishes.back(), {}});
        wishes.pop_back();
      } else if (!open.empty()) {
        const auto who = open[any(open.size())];
        auto& next = at[who];
        // The broker had no acknowledgement of the last few.
        if (any(4) == 0)
          next -= std::min(next, any(3));
        happens(observation{b.mem.ref, who + 1, b.now, said[who][next]});
        ++next;
      }
    }
    CHECK(b.mem.desired_rev == newest);
    CHECK(b.mem.desired.power.target == wish_of(b.mem.desired_rev).power.target);
    const auto& l = b.mem.current.link;
    CHECK(l.epoch == epochs);
    CHECK(l.instance == "n" + std::to_string(epochs % 3));
    const bool ended = std::holds_alternative<link_down>(said.back().back());
    CHECK((l.state == link_state::down) == ended);
    CHECK(b.mem.current.power.state == last);
    CHECK(static_cast<int>(finished.size() + b.mem.commands.size()) == commands);
  }
}
