// A controller that has lost its lease writes nothing, and no one-shot command leaves twice.
#include "tests/integration/store/harness.hpp"
#include "tests/integration/store/rows_held.hpp"

using namespace outband;
using namespace outband::test;
using kind = write_outcome::kind;

namespace {

/// A device with one open command, and two candidates on connections of their own.
struct duel {
  duel() : a(s.another()), b(s.another()) {
    s.add(ref);
    must(call<write_outcome>([&](auto cb) { s.store.write_command({order, {}, {}}, cb); }));
    enrol(a->cluster, life("a"));
    enrol(b->cluster, life("b"));
    epoch_a = beat(a->cluster, life("a")).held;
  }
  controller_epoch take_over() { return beat(b->cluster, life("b"), 0, epoch_a).held; }
  /// "It is being sent now", as the controller says before it sends.
  current_write marking(const device_row& seen, controller_epoch fence) const {
    current_write w;
    w.ref = ref;
    w.expected_rev = seen.current_rev;
    w.next = seen.current;
    w.commands = seen.open_commands;
    for (auto& c : w.commands)
      c.dispatched = true;
    w.publish = {message("acme/current", "by " + std::to_string(fence))};
    w.durable = true;
    w.fence = fence;
    return w;
  }
  static result<current_written> save(node& n, const current_write& w) {
    return call<current_written>([&](auto cb) { n.store.save_current(w, cb); });
  }
  static device_row load(node& n) {
    return must(call<device_row>([&](auto cb) { n.store.load_device(ref, cb); }));
  }
  /// All that a write could leave behind.
  std::string traces() const {
    return s.sql("select guid, desired_rev, current_rev, desired, current, event_seq from device; "
                 "select * from command; select * from outbox; select * from retained; "
                 "select told_epoch, told_state from link");
  }

  static inline const device_ref ref = dev("acme", 1);
  command_row order = command(ref, 1);
  stage s;
  std::unique_ptr<node> a, b;
  controller_epoch epoch_a = 0;
};

template <class T> bool is_stale(const result<T>& r) {
  return !r && r.error().what == problem::stale_controller;
}

} // namespace

TEST_CASE("a controller that slept between reading and writing marks nothing and says nothing") {
  duel d;
  auto seen = d.load(*d.a);
  REQUIRE(seen.open_commands.size() == 1);
  auto epoch_b = d.take_over(); // while a sleeps
  REQUIRE(epoch_b == d.epoch_a + 1);
  auto before = d.traces();
  CHECK(is_stale(d.save(*d.a, d.marking(seen, d.epoch_a))));
  CHECK(d.traces() == before);
  // The other one marks and sends it, and it alone.
  CHECK(!must(d.save(*d.b, d.marking(d.load(*d.b), epoch_b))).conflict);
  CHECK(d.load(*d.b).open_commands.at(0).dispatched);
  before = d.traces();
  CHECK(is_stale(d.save(*d.a, d.marking(seen, d.epoch_a))));
  CHECK(d.traces() == before);
}

TEST_CASE("what the former controller has marked the next one finds marked") {
  duel d;
  auto seen_a = d.load(*d.a), seen_b = d.load(*d.b); // both read, then a is first
  CHECK(!must(d.save(*d.a, d.marking(seen_a, d.epoch_a))).conflict);
  auto epoch_b = d.take_over();
  auto before = d.traces();
  CHECK(must(d.save(*d.b, d.marking(seen_b, epoch_b))).conflict);
  CHECK(d.traces() == before);
  CHECK(d.load(*d.b).open_commands.at(0).dispatched); // so it is not sent again
}

TEST_CASE("a takeover waits for the write that is under way") {
  duel d;
  auto seen = d.load(*d.a);
  std::promise<result<current_written>> saved;
  std::promise<controller_epoch> taken;
  auto got = taken.get_future();
  rows_held held(d.s);
  d.a->store.save_current(d.marking(seen, d.epoch_a),
                          [&](result<current_written> r) { saved.set_value(std::move(r)); });
  REQUIRE(held.waiting("1"));
  heartbeat h;
  h.self = life("b");
  h.candidate = true;
  h.usurp = d.epoch_a;
  d.b->cluster.beat(h, [&](result<heartbeat_answer> r) { taken.set_value(r ? r->held : 0); });
  REQUIRE(held.waiting("2"));
  CHECK(got.wait_for(std::chrono::seconds(0)) == std::future_status::timeout);
  held.release();
  CHECK(!must(saved.get_future().get()).conflict);
  CHECK(got.get() == d.epoch_a + 1);
  CHECK(d.load(*d.b).open_commands.at(0).dispatched);
}

TEST_CASE("a renewal does not wait for the write that is under way") {
  duel d;
  auto seen = d.load(*d.a);
  std::promise<result<current_written>> saved;
  rows_held held(d.s);
  d.a->store.save_current(d.marking(seen, d.epoch_a), // on the durable connection
                          [&](result<current_written> r) { saved.set_value(std::move(r)); });
  REQUIRE(held.waiting("1"));
  CHECK(beat(d.a->cluster, life("a"), d.epoch_a).held == d.epoch_a);
  // The lock passes on to the row's new version: a taker still waits.
  heartbeat h;
  h.self = life("b");
  h.candidate = true;
  h.usurp = d.epoch_a;
  std::promise<controller_epoch> taken;
  d.b->cluster.beat(h, [&](result<heartbeat_answer> r) { taken.set_value(r ? r->held : 0); });
  CHECK(held.waiting("2"));
  held.release();
  CHECK(!must(saved.get_future().get()).conflict);
  CHECK(taken.get_future().get() == d.epoch_a + 1);
}

TEST_CASE("wishes and commands under a lost lease are refused as such") {
  duel d;
  auto epoch_b = d.take_over();
  desired_write w;
  w.ref = d.ref;
  w.next = wish(power_target::on);
  w.publish = {message("acme/desired", "x")};
  w.command = command(d.ref, 2);
  w.command.status = request_status::done;
  w.fence = d.epoch_a;
  auto write_wish = [&](node& n) {
    return call<write_outcome>([&](auto cb) { n.store.write_desired(w, cb); });
  };
  command_write c{command(d.ref, 3), {message("acme/event", "x", false)}, {}};
  c.fence = d.epoch_a;
  auto write_command = [&](node& n) {
    return call<write_outcome>([&](auto cb) { n.store.write_command(c, cb); });
  };
  auto both = c; // a command with its wish
  both.command = command(d.ref, 4);
  both.wish = w;
  auto before = d.traces();
  CHECK(is_stale(write_wish(*d.a)));
  CHECK(is_stale(write_command(*d.a)));
  CHECK(is_stale(call<write_outcome>([&](auto cb) { d.a->store.write_command(both, cb); })));
  w.expected_rev = 77; // stale comes before conflict, duplicate and not found
  CHECK(is_stale(write_wish(*d.a)));
  c.command = d.order;
  CHECK(is_stale(write_command(*d.a)));
  current_write nowhere;
  nowhere.ref = dev("globex", 1);
  nowhere.fence = d.epoch_a;
  CHECK(is_stale(d.save(*d.a, nowhere)));
  CHECK(d.traces() == before);

  w.fence = c.fence = nowhere.fence = epoch_b;
  CHECK(must(write_wish(*d.b)).what == kind::conflict);
  w.expected_rev = 0;
  CHECK(must(write_wish(*d.b)).what == kind::written);
  CHECK(must(write_wish(*d.b)).what == kind::duplicate);
  CHECK(must(write_command(*d.b)).what == kind::duplicate);
  c.command = command(d.ref, 3);
  CHECK(must(write_command(*d.b)).what == kind::written);
  auto none = d.save(*d.b, nowhere);
  REQUIRE(!none);
  CHECK(none.error().what == problem::not_found);
}

TEST_CASE("without a fence whoever has the lease does not matter") {
  duel d;
  auto seen = d.load(*d.a);
  d.take_over();
  CHECK(!must(d.save(*d.a, d.marking(seen, 0))).conflict);
}
