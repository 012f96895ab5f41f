// Who is alive, whose links are whose, and what has not been told yet.
#include "tests/integration/store/harness.hpp"

#include <algorithm>

using namespace outband;
using namespace outband::test;
using namespace std::chrono_literals;

namespace {

using links = std::vector<std::pair<device_ref, link_epoch>>;

std::vector<instance_ref> silent(stage& s, const instance_ref& holder, controller_epoch held) {
  return beat(s.first->cluster, holder, held).silent;
}
bool names(const std::vector<instance_ref>& list, const instance_ref& who) {
  return std::any_of(list.begin(), list.end(), [&](const instance_ref& i) {
    return i.instance == who.instance && i.incarnation == who.incarnation;
  });
}
result<std::size_t> bury(stage& s, controller_epoch fence, const instance_ref& who) {
  return call<std::size_t>([&](auto cb) { s.first->cluster.bury(fence, who, cb); });
}
links stale_of(stage& s, const instance_ref& who, links held) {
  return must(call<reclaim_answer>(
                  [&](auto cb) { s.first->cluster.reclaim(who, std::move(held), std::move(cb)); }))
      .stale;
}
std::vector<device_ref> out_of_step(stage& s, std::chrono::milliseconds grace = 0ms,
                                    const std::string& after = "", std::size_t limit = 100) {
  return must(call<std::vector<device_ref>>(
      [&](auto cb) { s.first->cluster.out_of_step(after, limit, grace, std::move(cb)); }));
}
link_fact link(stage& s, const device_ref& ref) {
  return s.load(ref).link;
}
/// Says of the link what the table says.
void tell(stage& s, const device_ref& ref) {
  auto row = s.load(ref);
  current_write w;
  w.ref = ref;
  w.expected_rev = row.current_rev;
  w.next.link.state = row.link.state;
  w.next.link.epoch = row.link.epoch;
  REQUIRE(!must(call<current_written>([&](auto cb) { s.store.save_current(w, cb); })).conflict);
}
void quiet_since(const stage& s, const std::string& name, int seconds) {
  s.sql("update instance set seen_at = now_ms() - " + std::to_string(seconds * 1000) +
        " where name = '" + name + "'");
}

/// n1 controls; devices of two tenants hang on t1 and t2.
struct site {
  site() {
    enrol(s.first->cluster, n1);
    enrol(s.first->cluster, t1);
    enrol(s.first->cluster, t2);
    held = beat(s.first->cluster, n1).held;
    for (const auto& ref : {a1, a2, g3, a4, a5})
      s.add(ref);
    must(s.take(a1, "t1", 1));
    must(s.take(a2, "t1", 1));
    must(s.take(g3, "t1", 1));
    must(s.take(a4, "t2", 1));
  }
  stage s;
  instance_ref n1 = life("n1"), t1 = life("t1"), t2 = life("t2");
  controller_epoch held = 0;
  device_ref a1 = dev("acme", 1), a2 = dev("acme", 2), g3 = dev("globex", 3), a4 = dev("acme", 4),
             a5 = dev("acme", 5);
};

} // namespace

TEST_CASE("the link table tells all of a link") {
  stage s;
  auto ref = dev("acme", 1);
  s.add(ref);
  CHECK(link(s, ref).epoch == 0);
  CHECK(link(s, ref).state == link_state::down);
  must(s.take(ref, "t1", 5));
  auto up = link(s, ref);
  CHECK(up.epoch == 1);
  CHECK(up.state == link_state::up);
  CHECK(up.instance == "t1");
  CHECK(up.incarnation == id(5));
  CHECK(up.peer == "192.0.2.7:1");
  CHECK(up.since > 0);
  must(call<bool>([&](auto cb) { s.store.link_down(ref, 1, link_end::silent, cb); }));
  // The first word counts.
  must(call<bool>([&](auto cb) { s.store.link_down(ref, 1, link_end::evicted, cb); }));
  auto down = link(s, ref);
  CHECK(down.state == link_state::down);
  CHECK(down.why == "silent");
  CHECK(down.instance == "t1");
  must(s.take(ref, "t2", 1));
  CHECK(link(s, ref).why.empty());
}

TEST_CASE("who does not beat is named to the holder alone and only until it is buried") {
  site x;
  CHECK(silent(x.s, x.n1, x.held).empty());
  quiet_since(x.s, "t1", 21);
  quiet_since(x.s, "t2", 19);
  quiet_since(x.s, "n1", 60); // this beat is its own
  auto found = silent(x.s, x.n1, x.held);
  REQUIRE(found.size() == 1);
  CHECK(names(found, x.t1));
  CHECK(beat(x.s.first->cluster, x.t2).silent.empty());
  CHECK(must(bury(x.s, x.held, x.t1)) == 3);
  CHECK(silent(x.s, x.n1, x.held).empty());
}

TEST_CASE("a burial takes the links of that life in all tenants and no others") {
  site x;
  must(x.s.take(x.a2, "t2", 1)); // moved meanwhile
  CHECK(must(bury(x.s, x.held, x.t1)) == 2);
  CHECK(link(x.s, x.a1).state == link_state::unknown);
  CHECK(link(x.s, x.g3).state == link_state::unknown);
  CHECK(link(x.s, x.a2).state == link_state::up);
  CHECK(link(x.s, x.a4).state == link_state::up);
  CHECK(link(x.s, x.a5).state == link_state::down);
  auto r = must(call<device_record>([&](auto cb) { x.s.store.get_device(x.a1, cb); }));
  CHECK(!r.connected);
  CHECK(r.last_disconnected > 0);
  CHECK(must(bury(x.s, x.held, x.t1)) == 0);
  CHECK(must(bury(x.s, x.held, life("t2", 9))) == 0); // another life of t2
  // The next tunnel replaces nobody who could be evicted.
  CHECK(must(x.s.take(x.a1, "t2", 1)).previous_instance.empty());
}

TEST_CASE("only the holder buries") {
  site x;
  for (controller_epoch fence : {controller_epoch{0}, x.held + 1}) {
    auto r = bury(x.s, fence, x.t1);
    REQUIRE(!r);
    CHECK(r.error().what == problem::stale_controller);
  }
  CHECK(link(x.s, x.a1).state == link_state::up);
  CHECK(!beat(x.s.first->cluster, x.t1).buried);
}

TEST_CASE("who was buried alive is told until it has heard and then no more") {
  site x;
  must(bury(x.s, x.held, x.t1));
  heartbeat h;
  h.self = x.t1;
  auto& c = x.s.first->cluster;
  {
    // A process that never got the answer: its connection broke.
    store::pg_cluster deaf(x.s.first->db);
    CHECK(beat(deaf, h).buried);
  }
  CHECK(beat(c, h).buried);
  CHECK(!beat(c, h).buried);
  must(bury(x.s, x.held, x.t1));
  CHECK(beat(c, h).buried);
  must(bury(x.s, x.held, x.t1)); // once more, before it said that it heard of the last one
  CHECK(beat(c, h).buried);
  CHECK(!beat(c, h).buried);
}

TEST_CASE("a life that the database does not know is entered and has to reclaim") {
  site x;
  x.s.sql("delete from instance where name = 't1'"); // an older state came back
  CHECK(names(silent(x.s, x.n1, x.held), x.t1));
  heartbeat h;
  h.self = x.t1;
  CHECK(beat(x.s.first->cluster, h).buried);
  CHECK(!beat(x.s.first->cluster, h).buried);
  CHECK(silent(x.s, x.n1, x.held).empty());
}

TEST_CASE("links that belong to no living process are found whatever became of it") {
  site x;
  must(x.s.take(x.a5, "t1", 7)); // a former life's last word, after the present one enrolled
  must(x.s.take(x.a4, "t9", 1)); // of whom nobody has heard
  auto found = silent(x.s, x.n1, x.held);
  CHECK(found.size() == 2);
  CHECK(names(found, life("t1", 7)));
  CHECK(names(found, life("t9", 1)));
  CHECK(must(bury(x.s, x.held, life("t1", 7))) == 1);
  CHECK(must(bury(x.s, x.held, life("t9", 1))) == 1);
  CHECK(silent(x.s, x.n1, x.held).empty());
  CHECK(!beat(x.s.first->cluster, x.t1).buried);
  CHECK(link(x.s, x.a1).state == link_state::up);
}

TEST_CASE("reclaiming brings back what nobody took and names the rest") {
  site x;
  must(bury(x.s, x.held, x.t1));
  must(x.s.take(x.a2, "t2", 1));
  must(call<nothing>([&](auto cb) { x.s.store.delete_device(x.g3, {}, cb); }));
  links held{{x.a1, 1},        {x.a2, 1}, {x.g3, 1}, {x.a4, 1}, {x.a5, 0}, {dev("globex", 1), 1},
             {dev("NO", 1), 1}};
  auto stale = stale_of(x.s, x.t1, held);
  CHECK(stale.size() == held.size() - 1);
  CHECK(std::find(stale.begin(), stale.end(), held[0]) == stale.end());
  CHECK(link(x.s, x.a1).state == link_state::up);
  CHECK(link(x.s, x.a2).instance == "t2");
  CHECK(link(x.s, x.a4).instance == "t2");
  // Again, as after a lost answer.
  CHECK(stale_of(x.s, x.t1, {held[0]}).empty());
  // A link that has ended is not brought back.
  must(call<bool>([&](auto cb) { x.s.store.link_down(x.a1, 1, link_end::silent, cb); }));
  CHECK(stale_of(x.s, x.t1, {held[0]}).size() == 1);
  CHECK(link(x.s, x.a1).state == link_state::down);
  CHECK(stale_of(x.s, x.t1, {}).empty());
  auto many = call<reclaim_answer>(
      [&](auto cb) { x.s.first->cluster.reclaim(x.t1, links(10'001, held[0]), std::move(cb)); });
  REQUIRE(!many);
  CHECK(many.error().what == problem::too_large);
}

TEST_CASE("a new life takes over the name and the former one reclaims nothing") {
  site x;
  auto again = life("t1", 2);
  enrol(x.s.first->cluster, again);
  for (const auto& ref : {x.a1, x.a2, x.g3})
    CHECK(link(x.s, ref).state == link_state::unknown);
  CHECK(link(x.s, x.a4).state == link_state::up);
  CHECK(stale_of(x.s, x.t1, {{x.a1, 1}}).size() == 1);
  CHECK(stale_of(x.s, again, {{x.a1, 1}}).size() == 1);
  CHECK(link(x.s, x.a1).state == link_state::unknown);
  must(x.s.take(x.a1, "t1", 2));
  enrol(x.s.first->cluster, again); // the same once more, after a lost answer
  CHECK(link(x.s, x.a1).state == link_state::up);
}

TEST_CASE("an orderly end leaves no link behind") {
  site x;
  must(call<nothing>([&](auto cb) { x.s.first->cluster.retire(x.t1, cb); }));
  CHECK(link(x.s, x.a1).state == link_state::unknown);
  CHECK(link(x.s, x.g3).state == link_state::unknown);
  CHECK(link(x.s, x.a4).state == link_state::up);
  CHECK(x.s.sql("select string_agg(name, ',' order by name) from instance") == "n1,t2");
  CHECK(silent(x.s, x.n1, x.held).empty());
  // Links that end while they are unknown end as usual.
  CHECK(must(call<bool>([&](auto cb) { x.s.store.link_down(x.a1, 1, link_end::shutdown, cb); })));
  CHECK(link(x.s, x.a1).why == "shutdown");
}

TEST_CASE("exactly the devices whose link is not as told are out of step") {
  site x;
  CHECK(out_of_step(x.s) == std::vector<device_ref>{x.a1, x.a2, x.a4, x.g3});
  for (const auto& ref : {x.a1, x.a2, x.g3, x.a4, x.a5})
    tell(x.s, ref);
  CHECK(out_of_step(x.s).empty());
  must(call<bool>([&](auto cb) { x.s.store.link_down(x.a1, 1, link_end::silent, cb); }));
  must(x.s.take(x.g3, "t2", 1)); // up, and up again: another tunnel
  CHECK(out_of_step(x.s) == std::vector<device_ref>{x.a1, x.g3});
  CHECK(out_of_step(x.s, 0ms, "", 1) == std::vector<device_ref>{x.a1});
  CHECK(out_of_step(x.s, 0ms, to_string(x.a1), 1) == std::vector<device_ref>{x.g3});
  CHECK(out_of_step(x.s, 0ms, to_string(x.g3), 1).empty());
  CHECK(!call<std::vector<device_ref>>(
      [&](auto cb) { x.s.first->cluster.out_of_step("x", 1, 0ms, std::move(cb)); }));
  tell(x.s, x.a1);
  tell(x.s, x.g3);
  CHECK(out_of_step(x.s).empty());
}

TEST_CASE("a link that is late counts as up") {
  site x;
  auto row = x.s.load(x.a1);
  current_write w;
  w.ref = x.a1;
  w.expected_rev = row.current_rev;
  w.next.link.state = link_state::late;
  w.next.link.epoch = 1;
  must(call<current_written>([&](auto cb) { x.s.store.save_current(w, cb); }));
  auto found = out_of_step(x.s);
  CHECK(std::find(found.begin(), found.end(), x.a1) == found.end());
}

TEST_CASE("machines of a dead terminator have their time to come back") {
  site x;
  for (const auto& ref : {x.a1, x.a2, x.g3, x.a4})
    tell(x.s, ref);
  must(bury(x.s, x.held, x.t1));
  CHECK(out_of_step(x.s, 30s).empty());
  CHECK(out_of_step(x.s, 0ms).size() == 3);
  must(x.s.take(x.a2, "t2", 1)); // it did: that is news at once
  CHECK(out_of_step(x.s, 30s) == std::vector<device_ref>{x.a2});
  tell(x.s, x.a2);
  x.s.sql("update link set since = since - 30001 where state = 'unknown'");
  CHECK(out_of_step(x.s, 30s) == std::vector<device_ref>{x.a1, x.g3});
  tell(x.s, x.a1);
  CHECK(out_of_step(x.s, 30s) == std::vector<device_ref>{x.g3});
  // Reclaimed after all: told unknown, which it is not any more.
  CHECK(stale_of(x.s, x.t1, {{x.a1, 1}, {x.g3, 1}}).empty());
  CHECK(out_of_step(x.s, 30s) == std::vector<device_ref>{x.a1});
}

TEST_CASE("a device that is registered again has nothing to be told") {
  site x;
  tell(x.s, x.a4);
  must(call<nothing>([&](auto cb) { x.s.store.delete_device(x.a4, {}, cb); }));
  x.s.add(x.a4);
  auto found = out_of_step(x.s);
  CHECK(std::find(found.begin(), found.end(), x.a4) == found.end());
}

TEST_CASE("names of instances are held to their form") {
  stage s;
  for (auto bad : {"", "A", "n1'--", "a/b"}) {
    CAPTURE(bad);
    auto r = call<nothing>([&](auto cb) { s.first->cluster.enrol(life(bad), cb); });
    REQUIRE(!r);
    CHECK(r.error().what == problem::malformed);
    CHECK(r.error().field == "instance");
    heartbeat h;
    h.self = life(bad);
    CHECK(!call<heartbeat_answer>([&](auto cb) { s.first->cluster.beat(h, std::move(cb)); }));
  }
}
