// The controller's lease: one holder, by the database's clock, with an epoch that only rises.
#include "tests/integration/store/harness.hpp"

#include <map>
#include <mutex>
#include <random>
#include <thread>

using namespace outband;
using namespace outband::test;
using namespace std::chrono_literals;

namespace {

void run_out(const stage& s) {
  s.sql("update controller set expires_at = now_ms()");
}

current_write fenced_save(const device_ref& ref, revision expected, controller_epoch fence) {
  current_write w;
  w.ref = ref;
  w.expected_rev = expected;
  w.fence = fence;
  w.publish = {message("acme/current", std::to_string(fence), false)};
  return w;
}

} // namespace

TEST_CASE("the lease has one holder who keeps it as long as it beats") {
  stage s;
  auto other = s.another();
  auto one = life("n1"), two = life("n2");
  enrol(s.first->cluster, one);
  enrol(other->cluster, two);
  auto a = beat(s.first->cluster, one);
  CHECK(a.held == 1);
  CHECK(a.holder == "n1");
  CHECK(a.holder_epoch == 1);
  CHECK(!a.superseded);
  CHECK(!a.buried);
  auto b = beat(other->cluster, two);
  CHECK(b.held == 0);
  CHECK(b.holder == "n1");
  CHECK(b.holder_epoch == 1);
  run_out(s); // nobody has taken it: the holder goes on with its epoch
  CHECK(beat(s.first->cluster, one, 1).held == 1);
  CHECK(beat(other->cluster, two).held == 0);
  run_out(s);
  b = beat(other->cluster, two);
  CHECK(b.held == 2);
  CHECK(b.holder == "n2");
  a = beat(s.first->cluster, one, 1);
  CHECK(a.held == 0);
  CHECK(a.holder == "n2");
  CHECK(a.holder_epoch == 2);
}

TEST_CASE("who may not control never takes a free lease") {
  stage s;
  heartbeat h;
  h.self = life("t1");
  enrol(s.first->cluster, h.self);
  auto a = beat(s.first->cluster, h);
  CHECK(a.held == 0);
  CHECK(a.holder.empty());
  CHECK(s.sql("select epoch from controller") == "0");
}

TEST_CASE("a lease can be usurped under the one epoch that was heard to be over") {
  stage s;
  auto one = life("n1"), two = life("n2");
  enrol(s.first->cluster, one);
  enrol(s.first->cluster, two);
  CHECK(beat(s.first->cluster, one).held == 1);
  CHECK(beat(s.first->cluster, two, 0, 7).held == 0);
  CHECK(beat(s.first->cluster, two, 0, 1).held == 2);
  CHECK(beat(s.first->cluster, one, 1, 1).held == 0); // the same news, late
  CHECK(beat(s.first->cluster, two, 2).held == 2);
}

TEST_CASE("a lease that is given up is free at once and its epoch is not used again") {
  stage s;
  auto& c = s.first->cluster;
  auto one = life("n1"), two = life("n2");
  enrol(c, one);
  enrol(c, two);
  CHECK(beat(c, one).held == 1);
  heartbeat up;
  up.self = one;
  up.held = 9; // not the one it has
  CHECK(beat(c, up).holder == "n1");
  up.held = 1;
  auto a = beat(c, up);
  CHECK(a.held == 0);
  CHECK(a.holder.empty());
  CHECK(beat(c, two).held == 2);
  must(call<nothing>([&](auto cb) { c.retire(two, cb); }));
  CHECK(beat(c, one).held == 3);
  enrol(c, life("n1", 2)); // n1 was killed and is back at once
  CHECK(beat(c, life("n1", 2)).held == 4);
}

TEST_CASE("a holder whose grant was lost on the way takes a new epoch") {
  stage s;
  auto one = life("n1");
  enrol(s.first->cluster, one);
  CHECK(beat(s.first->cluster, one).held == 1);
  CHECK(beat(s.first->cluster, one).held == 2); // it does not know of the first
  CHECK(beat(s.first->cluster, one, 2).held == 2);
}

TEST_CASE("a database set back to an older state hands out no epoch that its holder knows") {
  stage s;
  auto one = life("n1");
  enrol(s.first->cluster, one);
  CHECK(beat(s.first->cluster, one).held == 1);
  s.sql("update controller set epoch = 0, instance = '', incarnation = null");
  CHECK(beat(s.first->cluster, one, 41).held == 42);
}

TEST_CASE("a former life is told to end and loses the lease") {
  stage s;
  auto other = s.another();
  auto old = life("n1", 1), now = life("n1", 2);
  enrol(s.first->cluster, old);
  CHECK(beat(s.first->cluster, old).held == 1);
  enrol(other->cluster, now);
  auto a = beat(s.first->cluster, old, 1, 1);
  CHECK(a.superseded);
  CHECK(a.held == 0);
  CHECK(beat(other->cluster, now).held == 2);
  // Its farewell is not the other one's.
  must(call<nothing>([&](auto cb) { s.first->cluster.retire(old, cb); }));
  CHECK(beat(other->cluster, now, 2).held == 2);
  CHECK(!beat(other->cluster, now, 2).superseded);
}

TEST_CASE("a beat is one statement however many devices there are") {
  stage s;
  auto one = life("n1");
  enrol(s.first->cluster, one);
  REQUIRE(beat(s.first->cluster, one).held == 1);
  auto cost = [&] {
    auto before = s.first->db.counters().statements.load();
    auto held = beat(s.first->cluster, one, 1).held;
    CHECK(held == 1);
    return s.first->db.counters().statements.load() - before;
  };
  CHECK(cost() == 1);
  std::vector<device_record> many;
  for (int i = 0; i < 500; ++i)
    many.push_back(record(dev("acme", i)));
  must(call<std::vector<upserted>>([&](auto cb) { s.store.upsert_devices(many, std::move(cb)); }));
  for (const auto& r : many)
    must(s.take(r.ref));
  CHECK(cost() == 1);
}

TEST_CASE("under concurrent beats nobody writes with an epoch that somebody has followed") {
  stage s;
  const int nodes = 8;
  std::vector<std::unique_ptr<node>> all;
  for (int i = 0; i < nodes; ++i) {
    s.add(dev("acme", i));
    all.push_back(s.another());
    enrol(all.back()->cluster, life("n" + std::to_string(i)));
  }
  std::mutex mutex;
  std::map<controller_epoch, int> owner;
  std::atomic<int> takes{0}, saves{0}, stale{0}, wrong{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < nodes; ++i)
    threads.emplace_back([&, i] {
      auto& me = *all[static_cast<std::size_t>(i)];
      std::minstd_rand random(static_cast<unsigned>(i) + 1);
      controller_epoch held = 0, heard = 0;
      revision rev = 0;
      for (int round = 0; round < 60; ++round) {
        heartbeat h;
        h.self = life("n" + std::to_string(i));
        h.candidate = true;
        h.held = held;
        h.lease = random() % 2 == 0 ? 0ms : 15'000ms; // every other one runs out at once
        h.usurp = random() % 2 == 0 ? heard : 0;
        auto r = call<heartbeat_answer>([&](auto cb) { me.cluster.beat(h, std::move(cb)); });
        if (!r) {
          ++wrong;
          return;
        }
        if (r->held != 0) {
          std::lock_guard lock(mutex);
          auto [at, first] = owner.emplace(r->held, i);
          takes += first;
          wrong += at->second != i;          // two holders
          wrong += r->held < held;           // backwards
          wrong += first && held == r->held; // renewed, and yet new
        }
        held = r->held;
        heard = r->holder_epoch;
        // Three at once, on both connections: some are under way when somebody takes the lease.
        for (int k = 0; held != 0 && k < 3; ++k) {
          auto w = fenced_save(dev("acme", i), rev, held);
          w.durable = k == 1;
          auto saved = call<current_written>([&](auto cb) { me.store.save_current(w, cb); });
          if (saved && !saved->conflict) {
            ++rev;
            ++saves;
          } else if (!saved && saved.error().what == problem::stale_controller) {
            ++stale;
            held = 0;
          } else {
            ++wrong;
          }
        }
      }
    });
  for (auto& t : threads)
    t.join();
  CHECK(wrong == 0);
  CHECK(takes > 20);
  CHECK(saves > 20);
  CHECK(owner.rbegin()->first == static_cast<controller_epoch>(takes));
  // A taker waits for the writes under way, so in the order of the outbox the epochs never fall.
  CHECK(s.sql("select count(*) from (select payload, lag(payload) over (order by id) as before, "
              "convert_from(payload, 'UTF8')::int as now, lag(convert_from(payload, 'UTF8')::int) "
              "over (order by id) as was from outbox) o where now < was") == "0");
  CHECK(s.sql("select count(*) from outbox") == std::to_string(saves.load()));
}

TEST_CASE("an epoch that was handed out survives the power cut of the same moment") {
  postgres own(true); // commits reach the disk
  stage s({}, own);
  auto one = life("n1"), two = life("n2");
  enrol(s.first->cluster, one);
  enrol(s.first->cluster, two);
  controller_epoch last = 0;
  for (int round = 0; round < 3; ++round) {
    auto taken = beat(s.first->cluster, round % 2 ? one : two, 0, last).held;
    own.kill();
    CHECK(taken == last + 1);
    last = taken;
    own.start();
    REQUIRE(s.first->db.wait_connected(patience));
  }
  CHECK(beat(s.first->cluster, two, 0, last).held == last + 1);
}
