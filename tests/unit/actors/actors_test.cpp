// The actors together, on the deterministic stage: what is stored, published and sent.
#include "messages/bus/envelope.hpp"
#include "messages/bus/topics.hpp"
#include "tests/unit/actors/site.hpp"

#include <doctest/doctest.h>

using namespace outband;
using namespace outband::testing;
using namespace std::chrono_literals;

TEST_CASE("a store that is away accepts nothing") {
  site s;
  s.comes();
  s.firmware_works();
  s.store.away = true;
  auto refused = s.submit(want(power_target::off));
  REQUIRE(refused.size() == 1);
  CHECK(refused[0].status == request_status::rejected);
  CHECK(refused[0].why->what == problem::store_unavailable);
  CHECK(s.store.of(machine).row.desired_rev == 0);
}

TEST_CASE("a machine that calls home with its credentials is up and its state is stored") {
  site s;
  auto epoch = s.comes();
  s.firmware_works();
  CHECK(epoch == 1);
  CHECK(s.current().link.state == link_state::up);
  CHECK(level_of(s.current().power.state) == power_level::on);
  CHECK(s.counters.links == 1);
  bool presence_told = false;
  for (const auto& o : s.store.outbox)
    presence_told = presence_told || (o.topic == bus::presence_topic(machine) && o.retain);
  CHECK(presence_told);
}

TEST_CASE("wrong password and unknown machine are refused alike") {
  site s;
  auto wrong = s.admit("admin", "guess");
  auto user = s.admit("root", "P@ssw0rd");
  auto unknown = s.admit("admin", "P@ssw0rd", *parse_uuid("ffffffff-9abc-def0-1234-56789abcdef0"));
  REQUIRE_FALSE(wrong);
  REQUIRE_FALSE(user);
  REQUIRE_FALSE(unknown);
  CHECK(wrong.error().what == problem::unauthenticated);
  CHECK(user.error().what == problem::unauthenticated);
  CHECK(unknown.error().what == problem::unauthenticated);
  CHECK(s.store.of(machine).row.link.epoch == 0);
}

TEST_CASE("a pending password is promoted when the machine uses it") {
  site s;
  auto& kept = s.secrets.kept[{to_string(machine), secret_name::mps_password}];
  kept.pending = secret_text("N3w!");
  REQUIRE(s.admit("admin", "N3w!"));
  REQUIRE(kept.active);
  CHECK(kept.active->reveal() == "N3w!");
  CHECK_FALSE(kept.pending);
}

TEST_CASE("a wish is stored before it is acknowledged and ends with the machine off") {
  site s;
  s.comes();
  s.firmware_works();
  s.store.stalled = true;
  auto first = s.submit(want(power_target::off));
  CHECK(first.empty()); // the store has not answered: nobody has been told anything
  s.store.stalled = false;
  s.run();
  REQUIRE(s.answers->size() == 1);
  CHECK(s.answers->at(0).status == request_status::done);
  CHECK(s.answers->at(0).rev == 1);
  s.pass(10s);
  CHECK(s.firmware.power == 8);
  CHECK(s.firmware.asked == std::vector<int>{12});
  CHECK(level_of(s.current().power.state) == power_level::off);
  CHECK(s.current().desired_rev == 1);
}

TEST_CASE("an operating system that does not obey is forced after thirty seconds") {
  site s;
  s.firmware.ignores_graceful = true;
  s.comes();
  s.firmware_works();
  s.submit(want(power_target::off));
  s.pass(29s);
  CHECK(s.firmware.asked == std::vector<int>{12});
  CHECK(s.current().desired_rev == 0);
  s.pass(8s);
  CHECK(s.firmware.asked == std::vector<int>{12, 8});
  CHECK(s.current().desired_rev == 1);
}

TEST_CASE("a command leaves only after it was durably marked and is answered at the desk") {
  site s;
  s.comes();
  s.firmware_works();
  s.submit(ask_once{power_once::reset, power_policy::immediate});
  s.pass(5s);
  CHECK(s.firmware.asked == std::vector<int>{10});
  REQUIRE(s.answers->size() == 3);
  CHECK(s.answers->at(0).status == request_status::accepted);
  CHECK(s.answers->at(1).status == request_status::running);
  CHECK(s.answers->at(2).status == request_status::done);
  auto row = s.store.commands.begin()->second;
  CHECK(row.dispatched);
  CHECK(row.status == request_status::done);
}

TEST_CASE("while the mark cannot be stored no command is sent and afterwards it is sent once") {
  site s;
  s.comes();
  s.firmware_works();
  s.store.saves_fail = true;
  s.submit(ask_once{power_once::reset, power_policy::immediate});
  s.pass(5s);
  REQUIRE(s.answers->size() == 1);
  CHECK(s.answers->at(0).status == request_status::accepted);
  CHECK(s.firmware.asked.empty());
  s.store.saves_fail = false;
  s.pass(40s);
  CHECK(s.firmware.asked == std::vector<int>{10});
  REQUIRE(s.answers->size() == 3);
  CHECK(s.answers->at(1).status == request_status::running);
  CHECK(s.answers->at(2).status == request_status::done);
}

TEST_CASE("what the machine's state forbids is refused without having run") {
  site s;
  s.comes();
  s.firmware.power = 8;
  s.firmware_works();
  s.submit(ask_once{power_once::reset, power_policy::immediate});
  s.pass(5s);
  CHECK(s.firmware.asked.empty());
  REQUIRE(s.answers->size() == 2);
  CHECK(s.answers->at(0).status == request_status::accepted);
  CHECK(s.answers->at(1).status == request_status::failed);
  CHECK(s.answers->at(1).why->what == problem::transition_refused);
}

TEST_CASE("a write whose answer was lost is not written twice") {
  site s;
  s.comes();
  s.firmware_works();
  s.store.lose_answers = 1;
  const auto before = s.store.of(machine).row.current_rev;
  s.terminator_role.down(machine, 1, link_end::peer_closed, "closed by the machine");
  s.pass(5s);
  CHECK(s.store.of(machine).row.current_rev == before + 1);
  CHECK(s.current().link.state == link_state::down);
  int events = 0;
  for (const auto& o : s.store.outbox)
    if (o.topic == bus::event_topic(machine, event_class::link)) {
      auto e = bus::decode_event(o.payload, bus::encoding::msgpack);
      REQUIRE(e);
      events += e->body.type == "link.down";
    }
  CHECK(events == 1);
}

TEST_CASE("the same request id is carried out once and answered with the stored outcome") {
  site s;
  s.comes();
  s.firmware_works();
  auto id = s.clock.new_id();
  s.submit(ask_once{power_once::reset, power_policy::immediate}, role::operator_, id);
  s.pass(5s);
  auto again = s.submit(ask_once{power_once::reset, power_policy::immediate}, role::operator_, id);
  s.pass(5s);
  REQUIRE(again.size() == 1);
  CHECK(again[0].status == request_status::done);
  CHECK(s.firmware.asked == std::vector<int>{10});
  auto other = s.submit(ask_once{power_once::cycle, power_policy::immediate}, role::operator_, id);
  REQUIRE(other.size() == 1);
  CHECK(other[0].status == request_status::rejected);
  CHECK(other[0].why->field == "id");
}

TEST_CASE("a viewer may look and not touch") {
  site s;
  auto refused = s.submit(want(power_target::off), role::viewer);
  REQUIRE(refused.size() == 1);
  CHECK(refused[0].why->what == problem::forbidden);
  CHECK(s.store.of(machine).row.desired_rev == 0);
  auto seen = s.submit(ask_snapshot{}, role::viewer);
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].snapshot.has_value());
}

TEST_CASE("a wish with an old revision is refused and a race is tried again") {
  site s;
  auto stale = want(power_target::off);
  stale.if_rev = 3;
  auto refused = s.submit(stale);
  REQUIRE(refused.size() == 1);
  CHECK(refused[0].why->what == problem::revision_conflict);
  s.store.conflicts = 2;
  auto done = s.submit(want(power_target::on));
  REQUIRE(done.size() == 1);
  CHECK(done[0].status == request_status::done);
}

TEST_CASE("an action does not start to enforce a level but follows one that is enforced") {
  site s;
  s.comes();
  s.firmware_works();
  s.submit(ask_action{power_action::off_soft});
  s.pass(10s);
  CHECK(s.firmware.asked == std::vector<int>{8});
  CHECK(s.store.of(machine).row.desired_rev == 0);
  s.submit(want(power_target::on));
  s.pass(10s);
  CHECK(s.firmware.power == 2);
  s.submit(ask_action{power_action::off_soft});
  s.pass(30s);
  CHECK(s.firmware.power == 8);
  CHECK(s.store.of(machine).row.desired.power.target == power_target::off);
}

TEST_CASE("a second tunnel of the same machine replaces the first") {
  site s;
  s.comes();
  s.firmware_works();
  auto first = s.link;
  CHECK(s.comes() == 2);
  s.firmware_works();
  REQUIRE_FALSE(first->closed.empty());
  CHECK(first->closed[0] == link_end::evicted);
  // The first socket's end is told late and changes nothing.
  s.terminator_role.down(machine, 1, link_end::peer_closed, "late");
  s.run();
  CHECK(s.current().link.state == link_state::up);
  CHECK(s.current().link.epoch == 2);
  CHECK(s.directory.find(machine).has_value());
}

TEST_CASE("live reads go to the link and a broken link answers at once") {
  site s;
  s.comes();
  s.firmware_works();
  std::optional<result<amt_outcome>> got;
  s.control_role.ask(machine, amt::read_power{}, 10s, [&](result<amt_outcome> r) { got = r; });
  s.firmware_works();
  REQUIRE(got);
  REQUIRE(*got);
  CHECK(std::get<amt::power_reading>(**got).state == power_state::on);
  got.reset();
  s.control_role.ask(machine, amt::read_power{}, 10s, [&](result<amt_outcome> r) { got = r; });
  s.run();
  CHECK_FALSE(got);
  s.terminator_role.down(machine, 1, link_end::peer_closed, "closed");
  s.run();
  REQUIRE(got);
  REQUIRE_FALSE(*got);
  CHECK(got->error().what == problem::link_down);
}

TEST_CASE("a live read of another tenant's machine finds nothing") {
  site s;
  s.comes();
  s.firmware_works();
  std::optional<result<amt_outcome>> got;
  s.control_role.ask({"globex", machine.device}, amt::read_power{}, 10s,
                     [&](result<amt_outcome> r) { got = r; });
  s.run();
  REQUIRE(got);
  REQUIRE_FALSE(*got);
  CHECK(got->error().what == problem::not_found);
  request r;
  r.id = s.clock.new_id();
  r.target = {"globex", machine.device};
  r.body = want(power_target::off);
  std::vector<response> answers;
  s.control_role.submit(r, role::admin, [&](response a) { answers.push_back(a); });
  s.run();
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].why->what == problem::not_found);
}

TEST_CASE("a firmware that is silent holds a call until its deadline and not longer") {
  site s;
  s.comes();
  s.firmware_works();
  std::optional<result<amt_outcome>> got;
  s.control_role.ask(machine, amt::read_power{}, 10s, [&](result<amt_outcome> r) { got = r; });
  s.advance(12s);
  REQUIRE(got);
  REQUIRE_FALSE(*got);
  CHECK(got->error().what == problem::device_timeout);
  CHECK(s.counters.queued_calls == 0);
}

TEST_CASE("a quiet device's actor leaves and the next event finds it again") {
  site s;
  s.comes();
  s.firmware_works();
  CHECK(s.counters.device_actors == 1);
  s.pass(11min);
  CHECK(s.counters.device_actors == 0);
  s.terminator_role.down(machine, 1, link_end::peer_closed, "closed");
  s.run();
  CHECK(s.counters.device_actors == 1);
  CHECK(s.current().link.state == link_state::down);
}

TEST_CASE("an idle machine costs neither statements nor publications nor calls") {
  site s;
  s.comes();
  s.firmware_works();
  s.pass(1min);
  const auto reads = s.store.reads, writes = s.store.writes;
  const auto published = s.store.outbox.size();
  const auto calls = s.counters.amt_calls.load();
  s.pass(20min);
  CHECK(s.store.reads == reads);
  CHECK(s.store.writes == writes);
  CHECK(s.store.outbox.size() == published);
  CHECK(s.counters.amt_calls == calls);
}

TEST_CASE("a tunnel that a former life of the server left behind is said to be unknown") {
  stage s;
  s.store.add(machine);
  auto& d = s.store.of(machine);
  d.row.current.link.state = link_state::up;
  d.row.current.link.epoch = d.told_epoch = 4;
  d.told_state = link_state::up;
  d.row.current_rev = 9;
  d.row.link = {4, link_state::up, "n1", uuid{}, "192.0.2.7:1", "", 0};
  s.cluster.enrol({"n1", s.with.incarnation}, [](auto) {});
  s.controller_role.start(1);
  s.advance(20s);
  CHECK(d.row.current.link.state == link_state::up); // it may call again any moment
  s.advance(20s);
  CHECK(d.row.current.link.state == link_state::unknown);
  CHECK(d.row.current.link.why == "terminator");
}

TEST_CASE("a link that came or went unnoticed is taken up when the controller looks around") {
  site s;
  s.comes();
  s.firmware_works();
  auto& link = s.store.of(machine).row.link;
  link.state = link_state::down; // and nobody said so
  link.why = "silent";
  s.controller_role.look_around(0ms);
  s.pass(1s);
  CHECK(s.current().link.state == link_state::down);
  CHECK(s.current().link.why == "silent");
  link = {link.epoch + 1, link_state::up, "n9", {}, "192.0.2.8:5", "", 0};
  s.controller_role.look_around(0ms);
  s.pass(1s);
  CHECK(s.current().link.state == link_state::up);
  CHECK(s.current().link.instance == "n9");
  const auto reads = s.store.reads;
  s.controller_role.look_around(0ms);
  s.pass(1s);
  CHECK(s.store.reads == reads); // all is told
}

TEST_CASE("events are numbered without gaps per class") {
  site s;
  s.comes();
  s.firmware_works();
  s.submit(want(power_target::off));
  s.pass(10s);
  s.submit(want(power_target::on));
  s.pass(10s);
  std::map<std::string, std::uint64_t> last;
  for (const auto& o : s.store.outbox) {
    auto t = bus::parse_topic(o.topic);
    REQUIRE(t);
    if (t->kind != bus::topic_kind::event)
      continue;
    auto e = bus::decode_event(o.payload, bus::encoding::msgpack);
    REQUIRE(e);
    if (t->cls == event_class::audit) {
      CHECK(e->env.seq == 0); // several nodes write these: their numbers are the table's
      continue;
    }
    CHECK(e->env.seq == ++last[o.topic]);
  }
  CHECK(last.size() >= 2);
}

TEST_CASE("a wish whose answer the database lost is unknown and its id can be sent again") {
  site s;
  s.store.lose_answers = 1;
  const auto id = s.clock.new_id();
  auto first = s.submit(want(power_target::off), role::operator_, id);
  REQUIRE(first.size() == 1);
  CHECK(first[0].status == request_status::unknown);
  CHECK(first[0].text.find("same id") != std::string::npos);
  auto again = s.submit(want(power_target::off), role::operator_, id);
  REQUIRE(again.size() == 1);
  CHECK(again[0].status == request_status::done);
  CHECK(s.store.of(machine).row.desired_rev == 1);
}
