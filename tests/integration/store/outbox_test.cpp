#include "tests/integration/store/harness.hpp"

#include <condition_variable>

using namespace outband;
using namespace outband::test;

namespace {

/// Counts how often it was woken.
class bell {
public:
  std::function<void()> rope() {
    return [this] {
      std::lock_guard lock(mutex_);
      ++rings_;
      changed_.notify_all();
    };
  }
  int rings() {
    std::lock_guard lock(mutex_);
    return rings_;
  }
  bool wait_more_than(int before) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [&] { return rings_ > before; });
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int rings_ = 0;
};

std::vector<bus::outgoing> retained(stage& s, std::int64_t since, const std::string& after,
                                    std::size_t limit) {
  return must(call<std::vector<bus::outgoing>>(
      [&](auto cb) { s.first->outbox.retained(since, after, limit, std::move(cb)); }));
}

} // namespace

TEST_CASE("the outbox keeps order and octets and forgets what is removed") {
  stage s;
  auto ref = dev("acme", 1);
  s.add(ref);
  std::string octets;
  for (int i = 0; i < 256; ++i)
    octets.push_back(static_cast<char>(i));
  auto quick = message("t/event \"q\\", octets, false);
  quick.expiry = std::chrono::seconds(30);
  must(s.write(ref, 0, power_target::on, 1, {message("t/a", "1"), quick, message("t/b", "2")}));
  must(s.write(ref, 1, power_target::off, 2, {message("t/a", "3")}));
  auto rows = s.queued();
  REQUIRE(rows.size() == 4);
  for (std::size_t i = 1; i < rows.size(); ++i)
    CHECK(rows[i - 1].id < rows[i].id);
  CHECK(rows[0].message.payload == "1");
  CHECK(rows[0].message.content_type == "application/msgpack");
  CHECK(!rows[0].message.expiry);
  CHECK(rows[1].message.topic == quick.topic);
  CHECK(rows[1].message.payload == octets);
  CHECK(rows[1].message.expiry == quick.expiry);
  CHECK(!rows[1].message.retain);
  CHECK(rows[3].message.payload == "3");

  must(call<nothing>([&](auto cb) { s.first->outbox.remove({rows[0].id, rows[2].id}, cb); }));
  must(call<nothing>([&](auto cb) { s.first->outbox.remove({rows[0].id}, cb); }));
  auto left = s.queued();
  REQUIRE(left.size() == 2);
  CHECK(left[0].id == rows[1].id);
  auto some = must(call<std::vector<bus::outbox_row>>(
      [&](auto cb) { s.first->outbox.fetch(1, std::move(cb)); }));
  CHECK(some.size() == 1);
}

TEST_CASE("retained documents are kept in step with the outbox") {
  stage s;
  auto ref = dev("acme", 1);
  s.add(ref);
  must(s.write(ref, 0, power_target::on, 1,
               {message("t/c", "1"), message("t/a", "1"), message("t/e", "x", false),
                message("t/b", "1"), message("t/a", "2")}));
  auto all = retained(s, 0, "", 100);
  REQUIRE(all.size() == 3);
  CHECK(all[0].topic == "t/a");
  CHECK(all[0].payload == "2"); // the last of one transaction
  CHECK(all[0].retain);
  CHECK(all[2].topic == "t/c");
  CHECK(retained(s, 0, "t/a", 1).at(0).topic == "t/b");
  CHECK(retained(s, 0, "t/c", 1).empty());

  auto later = std::stoll(s.sql("update retained set updated_at = updated_at - 60000; "
                                "select now_ms() - 30000"));
  CHECK(retained(s, later, "", 100).empty());
  must(s.write(ref, 1, power_target::on, 2, {message("t/b", "2"), message("t/c", "")}));
  auto changed = retained(s, later, "", 100);
  REQUIRE(changed.size() == 1);
  CHECK(changed[0].payload == "2");
  CHECK(retained(s, 0, "", 100).size() == 2);
}

TEST_CASE("whoever publishes wakes the outbox of every node and nothing else does") {
  stage s;
  auto ref = dev("acme", 1);
  s.add(ref);
  auto other = s.another();
  bell here, there;
  // Each node looks once when it has begun to listen, before its first answer of any other kind.
  must(call<nothing>([&](auto cb) { other->store.ping(cb); }));
  must(call<nothing>([&](auto cb) { s.store.ping(cb); }));
  s.first->outbox.on_added(here.rope());
  other->outbox.on_added(there.rope());

  must(s.write(ref, 0, power_target::on, 1));                      // publishes nothing
  must(s.write(ref, 0, power_target::on, 2, {message("t", "x")})); // conflict
  must(call<nothing>([&](auto cb) { s.store.ping(cb); }));
  must(call<nothing>([&](auto cb) { other->store.ping(cb); }));
  CHECK(here.rings() == 0);
  CHECK(there.rings() == 0);

  must(s.write(ref, 1, power_target::on, 3, {message("t", "x")}));
  CHECK(here.wait_more_than(0));
  CHECK(there.wait_more_than(0));
  must(call<nothing>([&](auto cb) { s.store.ping(cb); }));
  CHECK(here.rings() == 1); // our own notification is not heard twice

  current_write w;
  w.ref = ref;
  w.publish = {message("t/current", "c")};
  must(call<current_written>([&](auto cb) { other->store.save_current(w, cb); }));
  CHECK(here.wait_more_than(1));
  CHECK(there.wait_more_than(1));
}

TEST_CASE("the backlog is counted and has an age") {
  stage s;
  const auto look = [&] {
    return must(
        call<store::outbox_backlog>([&](auto cb) { s.first->outbox.backlog(std::move(cb)); }));
  };
  CHECK(look().rows == 0);
  CHECK(look().oldest == 0);
  auto ref = dev("acme", 1);
  s.add(ref);
  must(s.write(ref, 0, power_target::on, 1, {message("t/a", "1"), message("t/b", "2")}));
  auto found = look();
  CHECK(found.rows == 2);
  CHECK(found.oldest >= 0);
}

TEST_CASE("what was asked is counted and timed by lane") {
  stage s;
  const auto& n = s.first->db.counters();
  const auto answered = [&] {
    std::uint64_t all = 0;
    for (const auto& lane : n.lanes)
      all += lane.took.read().total();
    return all;
  };
  const auto before = answered();
  auto ref = dev("acme", 1);
  s.add(ref);
  must(s.write(ref, 0, power_target::on, 1)); // what a person asked for: durable
  must(call<nothing>([&](auto cb) { s.store.ping(cb); }));
  CHECK(answered() >= before + 3);
  std::uint64_t sent = 0, queued = 0;
  for (const auto& lane : n.lanes) {
    CHECK(lane.connects == 1);
    sent += lane.statements;
    queued += lane.queued;
  }
  CHECK(n.lanes[0].statements >= 1);
  CHECK(sent == n.statements);
  CHECK(queued == n.queued);
}
