// Several nodes on one database. What must happen once happens once.
#include "tests/integration/store/harness.hpp"

#include <condition_variable>
#include <set>

using namespace outband;
using namespace outband::test;
using kind = write_outcome::kind;

namespace {

/// Collects answers from several stores.
template <class T> class basket {
public:
  std::function<void(result<T>)> slot() {
    return [this](result<T> r) {
      std::lock_guard lock(mutex_);
      all_.push_back(std::move(r));
      changed_.notify_all();
    };
  }
  std::vector<result<T>> wait(std::size_t count) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, patience, [&] { return all_.size() >= count; }))
      throw std::runtime_error("answers are missing");
    return std::move(all_);
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<result<T>> all_;
};

desired_write a_wish(const device_ref& ref, revision expected, int number) {
  desired_write w;
  w.ref = ref;
  w.expected_rev = expected;
  w.next = wish(power_target::on);
  w.publish = {message("acme/desired", std::to_string(number))};
  w.command = command(ref, number);
  w.command.status = request_status::done;
  return w;
}

} // namespace

TEST_CASE("of writers who race from one revision exactly one wins") {
  stage s;
  auto ref = dev("acme", 1);
  s.add(ref);
  auto a = s.another(), b = s.another();
  std::vector<store_port*> nodes{&s.store, &a->store, &b->store};
  int number = 0;
  for (revision rev = 0; rev < 60; ++rev) {
    basket<write_outcome> answers;
    for (auto* n : nodes)
      n->write_desired(a_wish(ref, rev, ++number), answers.slot());
    int won = 0;
    for (const auto& r : answers.wait(nodes.size())) {
      REQUIRE(r);
      won += r->what == kind::written;
      if (r->what != kind::written)
        CHECK(r->what == kind::conflict);
    }
    CHECK(won == 1);
    CHECK(s.desired(ref).desired_rev == rev + 1);
  }
  CHECK(s.queued().size() == 60);
  CHECK(s.sql("select count(*) from command") == "60");
}

TEST_CASE("a request that reaches two nodes at once is carried out once") {
  stage s;
  auto other = s.another();
  for (int round = 0; round < 60; ++round) {
    // Alternately the same device, and (a client's mistake) the same id for two devices.
    auto one = dev("acme", 2 * round), two = round % 2 ? one : dev("acme", 2 * round + 1);
    s.add(one);
    s.add(two);
    basket<write_outcome> wishes;
    s.store.write_desired(a_wish(one, 0, round), wishes.slot());
    other->store.write_desired(a_wish(two, 0, round), wishes.slot());
    std::multiset<int> what;
    for (const auto& r : wishes.wait(2)) {
      REQUIRE(r);
      what.insert(static_cast<int>(r->what));
    }
    CHECK(what.count(static_cast<int>(kind::written)) == 1);
    CHECK(what.count(static_cast<int>(kind::duplicate)) == 1);
    CHECK(s.desired(one).desired_rev + (one == two ? 0 : s.desired(two).desired_rev) == 1);

    basket<write_outcome> commands;
    auto c = command(one, 1'000 + round), d = command(two, 1'000 + round);
    s.store.write_command({c, {message("e", "x", false)}, {}}, commands.slot());
    other->store.write_command({d, {message("e", "x", false)}, {}}, commands.slot());
    what.clear();
    for (const auto& r : commands.wait(2)) {
      REQUIRE(r);
      what.insert(static_cast<int>(r->what));
      if (r->what == kind::duplicate)
        CHECK(r->existing.id == c.id);
    }
    CHECK(what.count(static_cast<int>(kind::written)) == 1);
    CHECK(what.count(static_cast<int>(kind::duplicate)) == 1);
  }
  CHECK(s.queued().size() == 120);
}

TEST_CASE("epochs taken by several nodes at once never repeat") {
  stage s;
  auto a = s.another(), b = s.another();
  std::vector<store_port*> nodes{&s.store, &a->store, &b->store};
  const int devices = 20, rounds = 10;
  for (int i = 0; i < devices; ++i)
    s.add(dev("acme", i));
  struct taken {
    int device;
    epoch_grant grant;
  };
  basket<taken> answers;
  for (int round = 0; round < rounds; ++round)
    for (int i = 0; i < devices; ++i)
      for (auto* n : nodes) {
        // In opposite orders, which would lock up without one order for all.
        int which = n == nodes[0] ? i : devices - 1 - i;
        n->take_epoch({dev("acme", which), "n1", id(1), "p"},
                      [slot = answers.slot(), which](result<epoch_grant> r) {
                        if (r)
                          slot(taken{which, *r});
                        else
                          slot(r.error());
                      });
      }
  std::set<std::pair<int, link_epoch>> seen;
  for (const auto& r : answers.wait(static_cast<std::size_t>(devices * rounds * 3))) {
    REQUIRE(r);
    CHECK(seen.insert({r->device, r->grant.epoch}).second);
    CHECK(r->grant.previous_epoch + 1 == r->grant.epoch);
  }
  CHECK(s.sql("select min(epoch), max(epoch) from link") == "30|30");
}

TEST_CASE("observed state and wishes of one device do not disturb each other") {
  stage s;
  auto ref = dev("acme", 1);
  s.add(ref);
  auto other = s.another();
  basket<current_written> saved;
  basket<write_outcome> written;
  // Pipelined blindly: each counts on the one before it, on two connections of two nodes.
  for (int i = 0; i < 100; ++i) {
    current_write w;
    w.ref = ref;
    w.expected_rev = static_cast<revision>(i);
    w.publish = {message("acme/current", std::to_string(i))};
    s.store.save_current(w, saved.slot());
    other->store.write_desired(a_wish(ref, static_cast<revision>(i), i), written.slot());
  }
  for (const auto& r : saved.wait(100)) {
    REQUIRE(r);
    CHECK(!r->conflict);
  }
  for (const auto& r : written.wait(100)) {
    REQUIRE(r);
    CHECK(r->what == kind::written);
  }
  auto row = s.load(ref);
  CHECK(row.current_rev == 100);
  CHECK(row.desired_rev == 100);
  // In the order of ids each topic tells its own story from beginning to end.
  int current = 0, desired = 0;
  for (const auto& r : s.queued())
    CHECK(r.message.payload ==
          std::to_string(r.message.topic == "acme/current" ? current++ : desired++));
  CHECK(current == 100);
  CHECK(desired == 100);
}

TEST_CASE("a durable save in between loses or wins but never overwrites") {
  stage s;
  auto ref = dev("acme", 1);
  s.add(ref);
  for (revision rev = 0; rev < 50; ++rev) {
    basket<current_written> answers;
    for (bool durable : {false, true}) {
      current_write w;
      w.ref = ref;
      w.expected_rev = rev;
      w.durable = durable;
      s.store.save_current(w, answers.slot());
    }
    int won = 0;
    for (const auto& r : answers.wait(2)) {
      REQUIRE(r);
      won += !r->conflict;
    }
    CHECK(won == 1);
    CHECK(s.load(ref).current_rev == rev + 1);
  }
}

TEST_CASE("two nodes that register the same machines both succeed") {
  stage s;
  auto other = s.another();
  for (int round = 0; round < 20; ++round) {
    std::vector<device_record> up, down;
    for (int i = 0; i < 20; ++i) {
      up.push_back(record(dev("acme", round * 100 + i)));
      down.insert(down.begin(), up.back());
    }
    basket<std::vector<upserted>> answers;
    s.store.upsert_devices(up, answers.slot());
    other->store.upsert_devices(down, answers.slot());
    int created = 0;
    for (const auto& r : answers.wait(2)) {
      REQUIRE(r);
      for (const auto& u : *r)
        created += u.created;
    }
    CHECK(created == 20);
  }
}

TEST_CASE("of two tenants that register one machine one is refused") {
  stage s;
  auto other = s.another();
  for (int round = 0; round < 30; ++round) {
    basket<std::vector<upserted>> answers;
    s.store.upsert_devices({record(dev("acme", round))}, answers.slot());
    other->store.upsert_devices({record(dev("globex", round))}, answers.slot());
    int good = 0;
    for (const auto& r : answers.wait(2)) {
      good += r.ok();
      if (!r) {
        CHECK(r.error().what == problem::already_exists);
        CHECK(r.error().field == "[0].guid");
      }
    }
    CHECK(good == 1);
  }
}
