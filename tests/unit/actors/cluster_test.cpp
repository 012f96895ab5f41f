// Several nodes on one store and one broker: who controls, who is buried, who comes back.
#include "actors/keeper.hpp"
#include "messages/bus/envelope.hpp"
#include "messages/bus/topics.hpp"
#include "tests/unit/actors/stage.hpp"

#include <doctest/doctest.h>

using namespace outband;
using namespace outband::testing;
using namespace std::chrono_literals;

namespace {

const device_ref machine{"acme", *parse_uuid("12345678-9abc-def0-1234-56789abcdef0")};

/// A node without sockets: its keeper and its terminator, with a broker of their own choice.
struct member {
  member(stage& s, const std::string& name)
      : outside(s.bus.attach()),
        internal(s.bus.attach({"oob/v1/-/inst/" + name + "/node/reply", 1000})),
        with{s.store,
             s.cluster,
             s.secrets,
             s.clock,
             *internal,
             directory,
             counters,
             name,
             s.clock.new_id(),
             {},
             std::chrono::minutes(5),
             50ms,
             {},
             std::make_shared<pace>(100),
             false},
        role(s.sys, with, *outside), terminator_role(s.sys, with) {
    s.cluster.enrol({name, with.incarnation}, [](auto) {});
    s.run();
  }
  void start(bool candidate = true) {
    keeper_hooks h;
    h.gained = [this](controller_epoch e) {
      reigns.push_back(e);
    };
    h.lost = [this] {
      ++lost;
    };
    h.look_around = [this](std::chrono::milliseconds) {
      ++looks;
    };
    h.buried = [this] {
      ++buried;
      terminator_role.reclaim();
    };
    h.terminators = [this](std::vector<bus::bus_instance> all) {
      known = std::move(all);
    };
    h.superseded = [this] {
      ++superseded;
    };
    role.start(candidate, std::move(h));
    terminator_role.start();
  }
  /// As a process that is killed, or that stands still: it says nothing any more.
  void vanish() {
    role.stop();
    terminator_role.stop();
  }
  void says(bool up, controller_epoch epoch) const {
    bus::envelope e;
    e.id = with.clock.new_id();
    bus::message m;
    m.topic = bus::controller_presence_topic();
    m.payload = std::make_shared<const std::string>(
        bus::encode(e, bus::controller_presence{with.node, with.incarnation, epoch, up},
                    bus::encoding::msgpack));
    m.retain = true;
    outside->publish(m);
  }
  void node_says(bool up) const {
    bus::envelope e;
    e.id = with.clock.new_id();
    bus::node_presence p;
    p.incarnation = with.incarnation;
    p.instance = with.node;
    p.up = up;
    p.roles = {"terminator"};
    bus::message m;
    m.topic = bus::node_presence_topic(with.node);
    m.payload = std::make_shared<const std::string>(bus::encode(e, p, bus::encoding::msgpack));
    m.retain = true;
    outside->publish(m);
  }
  bool controls() const { return counters.lease_epoch != 0; }

  std::unique_ptr<bus::scripted_endpoint> outside, internal;
  link_directory directory;
  actor_counters counters;
  services with;
  keeper role;
  terminator terminator_role;
  std::vector<controller_epoch> reigns;
  std::vector<bus::bus_instance> known;
  int lost = 0, looks = 0, buried = 0, superseded = 0;
};

struct two : stage {
  two() {
    store.lease_epoch = 0;
    store.add(machine);
    a.start();
    run();
    b.start();
    run();
  }
  ~two() {
    a.vanish();
    b.vanish();
  }
  member a{*this, "a"}, b{*this, "b"};
};

} // namespace

TEST_CASE("the first node controls and the second stands by") {
  two s;
  CHECK(s.a.reigns == std::vector<controller_epoch>{1});
  s.advance(5min);
  CHECK(s.a.controls());
  CHECK(s.b.reigns.empty());
  CHECK(s.cluster.beats <= 2 * (5 * 12 + 2)); // and it costs one statement each five seconds
}

TEST_CASE("a standby takes over when the lease has run out and not before") {
  two s;
  s.a.vanish();
  s.advance(10s);
  CHECK(s.b.reigns.empty());
  s.advance(12s);
  CHECK(s.b.reigns == std::vector<controller_epoch>{2});
}

TEST_CASE("a standby takes over at once when the controller gives up") {
  two s;
  s.a.role.resign();
  s.run();
  CHECK(s.a.lost == 1);
  s.advance(5s);
  CHECK(s.b.reigns == std::vector<controller_epoch>{2});
  s.advance(1min);
  CHECK(s.a.reigns.size() == 1);
}

TEST_CASE("a standby takes over soon when the controller left the broker") {
  two s;
  s.advance(12s);
  s.a.vanish();
  s.a.says(false, 1);
  s.advance(4s); // the lease has not run out
  CHECK(s.b.reigns == std::vector<controller_epoch>{2});
}

TEST_CASE("a controller that comes back to the broker in time keeps the lease") {
  two s;
  s.advance(12s);
  s.a.says(false, 1);
  s.advance(1s);
  s.a.says(true, 1);
  s.advance(1min);
  CHECK(s.b.reigns.empty());
  CHECK(s.a.lost == 0);
}

TEST_CASE("an old controller's will does not depose the new one") {
  two s;
  s.a.vanish();
  s.advance(25s);
  REQUIRE(s.b.controls());
  s.a.says(false, 1);
  s.advance(1min);
  CHECK(s.b.reigns.size() == 1);
  CHECK(s.b.lost == 0);
}

TEST_CASE("a controller whose database is away steps down by itself and takes the lease again") {
  two s;
  s.store.away = true;
  s.advance(30s);
  CHECK(s.a.lost == 1);
  CHECK_FALSE(s.a.controls());
  s.store.away = false;
  s.advance(10s);
  CHECK(int(s.a.controls()) + int(s.b.controls()) == 1);
  CHECK(s.store.lease_epoch == 2);
}

TEST_CASE("who was deposed hears it with the next beat") {
  two s;
  s.store.lease_epoch = 7; // somebody else took it
  s.cluster.lease = {"c", s.clock.new_id(), s.store.now + 60'000};
  s.advance(6s);
  CHECK(s.a.lost == 1);
  CHECK_FALSE(s.a.controls());
  CHECK(s.b.reigns.empty());
}

TEST_CASE("a process whose name another one took ends") {
  two s;
  s.cluster.enrol({"b", s.clock.new_id()}, [](auto) {});
  s.advance(6s);
  CHECK(s.b.superseded == 1);
  CHECK(s.a.superseded == 0);
}

TEST_CASE("links of a node that is silent are unknown and are claimed again when it lives") {
  two s;
  std::optional<result<epoch_grant>> granted;
  s.store.take_epoch({machine, "b", s.b.with.incarnation, "192.0.2.7:1"},
                     [&](result<epoch_grant> r) { granted = std::move(r); });
  s.run();
  REQUIRE((granted && *granted));
  auto link = std::make_shared<fake_link>();
  s.b.terminator_role.up({machine, (*granted)->epoch, "admin", {}}, "192.0.2.7:1", 4, link);
  s.run();
  s.b.role.stop(); // stands still: no beat
  s.advance(30s);
  CHECK(s.store.of(machine).row.link.state == link_state::unknown);
  CHECK(s.a.counters.burials == 1);
  CHECK(s.a.looks > 0);

  s.b.start();
  s.advance(6s);
  CHECK(s.b.buried == 1);
  CHECK(s.store.of(machine).row.link.state == link_state::up);
  CHECK(link->closed.empty());
}

TEST_CASE("a link that moved while its node was thought dead is closed there") {
  two s;
  auto take = [&](member& m) {
    link_epoch epoch = 0;
    s.store.take_epoch({machine, m.with.node, m.with.incarnation, "192.0.2.7:1"},
                       [&](result<epoch_grant> r) { epoch = r ? r->epoch : 0; });
    s.run();
    return epoch;
  };
  auto old_link = std::make_shared<fake_link>();
  s.b.terminator_role.up({machine, take(s.b), "admin", {}}, "192.0.2.7:1", 4, old_link);
  s.run();
  s.b.role.stop();
  s.advance(30s);
  auto new_link = std::make_shared<fake_link>();
  s.a.terminator_role.up({machine, take(s.a), "admin", {}}, "192.0.2.7:2", 4, new_link);
  s.run();
  s.b.start();
  s.advance(6s);
  CHECK(old_link->closed == std::vector<link_end>{link_end::evicted});
  CHECK(new_link->closed.empty());
  CHECK(s.store.of(machine).row.link.instance == "a");
}

TEST_CASE("a node whose will came is buried unless it comes back at once") {
  two s;
  s.b.node_says(false);
  s.advance(1s);
  s.b.node_says(true);
  s.advance(5s);
  CHECK(s.a.counters.burials == 0);
  REQUIRE(s.a.known.size() == 1);
  CHECK(s.a.known[0].instance == "b");
  CHECK(s.a.known[0].up);
  s.b.node_says(false);
  s.advance(5s);
  CHECK(s.a.counters.burials == 1);
  CHECK_FALSE(s.a.known[0].up); // and every tenant may know
  // It lives, as its next beat tells.
  CHECK(s.b.buried == 1);
}

TEST_CASE("work of a controller that was deposed is refused by terminators") {
  two s;
  link_epoch epoch = 0;
  s.store.take_epoch({machine, "b", s.b.with.incarnation, "192.0.2.7:1"},
                     [&](result<epoch_grant> r) { epoch = r ? r->epoch : 0; });
  s.run();
  auto link = std::make_shared<fake_link>();
  s.b.terminator_role.up({machine, epoch, "admin", {}}, "192.0.2.7:1", 4, link);
  s.run();
  auto work = [&](std::uint64_t controller) {
    bus::envelope e;
    e.id = s.clock.new_id();
    e.ctl = controller;
    amt_call call;
    call.id = s.clock.new_id();
    call.device = machine;
    call.epoch = epoch;
    call.operation = amt::read_power{};
    call.deadline = s.clock.now() + 10'000;
    bus::message m;
    m.topic = bus::node_work_topic("b");
    m.payload = std::make_shared<const std::string>(
        bus::encode(e, work_body{call}, bus::encoding::msgpack));
    s.a.internal->publish(m);
    s.run();
  };
  work(5);
  REQUIRE(link->waiting.size() == 1);
  link->waiting.front().cb(fail(problem::device_timeout));
  link->waiting.clear();
  work(4);
  CHECK(link->waiting.empty());
  CHECK(s.b.counters.stale_controller == 1);
  work(6);
  CHECK(link->waiting.size() == 1);
}

TEST_CASE("an eviction that overtakes the tunnel it is about is not lost") {
  two s;
  auto evicts = [&](link_epoch epoch) {
    bus::envelope e;
    e.id = s.clock.new_id();
    bus::message m;
    m.topic = bus::node_work_topic("b");
    m.payload = std::make_shared<const std::string>(
        bus::encode(e, work_body{evict{machine, epoch}}, bus::encoding::msgpack));
    s.a.internal->publish(m);
    s.run();
  };
  auto opens = [&](link_epoch epoch) {
    auto link = std::make_shared<fake_link>();
    s.b.terminator_role.up({machine, epoch, "admin", {}}, "192.0.2.7:1", 4, link);
    s.run();
    return link;
  };
  evicts(14);
  CHECK(opens(14)->closed == std::vector<link_end>{link_end::evicted});
  auto newer = opens(16);
  CHECK(newer->closed.empty());
  evicts(15); // about one that is gone
  CHECK(newer->closed.empty());
  CHECK(opens(15)->closed == std::vector<link_end>{link_end::evicted});
}
