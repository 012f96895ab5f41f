// What is observed of many machines shares statements; each is judged and answered by itself.
#include "tests/integration/store/rows_held.hpp"

#include <deque>
#include <set>

using namespace outband;
using namespace outband::test;

namespace {

/// Writes that wait behind one that cannot go on, until release().
struct crowd {
  explicit crowd(int devices) {
    for (int n = 0; n < devices; ++n)
      s.add(dev("acme", n + 1));
    held.emplace(s);
    save(1);
    REQUIRE(held->waiting("1"));
  }
  std::future<result<current_written>> save(int n, revision expected = 0, std::uint64_t fence = 0) {
    const auto name = std::to_string(n);
    return save(n, expected, fence,
                {message("acme/current/" + name, name + "." + std::to_string(expected)),
                 message("acme/event/" + name, name + "." + std::to_string(expected), false)});
  }
  std::future<result<current_written>> save(int n, revision expected, std::uint64_t fence,
                                            std::vector<bus::outgoing> publish) {
    current_write w;
    w.ref = dev("acme", n);
    w.expected_rev = expected;
    w.next.link.state = link_state::up;
    w.next.link.epoch = static_cast<link_epoch>(n);
    w.event_seq = {{"link", expected + 1}, {"power", 7}};
    w.fence = fence;
    w.publish = std::move(publish);
    auto answered = std::make_shared<std::promise<result<current_written>>>();
    s.store.save_current(
        std::move(w), [answered](result<current_written> r) { answered->set_value(std::move(r)); });
    return answered->get_future();
  }
  /// Once all that was asked for before has reached the database's thread.
  void release() {
    must(call<nothing>([&](auto cb) { s.store.ping(cb); }));
    held->release();
  }
  std::uint64_t statements() const { return s.first->db.counters().lanes[1].statements; }

  stage s;
  std::optional<rows_held> held;
};

std::optional<problem> why(std::future<result<current_written>>& of) {
  auto r = of.get();
  return r ? std::nullopt : std::optional(r.error().what);
}

} // namespace

TEST_CASE("writes that wait share a statement and each is answered by itself") {
  crowd c(70);
  auto& cluster = c.s.first->cluster;
  enrol(cluster, life("n1"));
  const auto fence = beat(cluster, life("n1")).held;
  REQUIRE(fence != 0);
  const auto before = c.statements();
  std::deque<std::future<result<current_written>>> fine;
  for (int n = 10; n <= 70; ++n)
    fine.push_back(c.save(n, 0, n % 2 == 0 ? fence : 0));
  auto first = c.save(2), second = c.save(2, 1); // of one machine: one after the other
  auto outdated = c.save(3, 5);
  auto deposed = c.save(4, 0, fence + 1);
  auto nobody = c.save(999);
  c.release();
  for (auto& f : fine)
    CHECK(!must(f.get()).conflict);
  CHECK(!must(first.get()).conflict);
  CHECK(!must(second.get()).conflict);
  CHECK(must(outdated.get()).conflict);
  CHECK(why(deposed) == problem::stale_controller);
  CHECK(why(nobody) == problem::not_found);
  CHECK(c.statements() == before + 2); // 66 writes, at most 64 in one

  const auto row = c.s.load(dev("acme", 2));
  CHECK(row.current_rev == 2);
  CHECK(row.current.link.epoch == 2);
  CHECK(row.event_seq == std::map<std::string, std::uint64_t>{{"link", 2}, {"power", 7}});
  CHECK(c.s.sql("select told_epoch, told_state from link where guid = '" + to_string(id(2)) +
                "'") == "2|up");
  for (int n : {3, 4}) {
    CHECK(c.s.load(dev("acme", n)).current_rev == 0);
    CHECK(c.s.sql("select told_state from link where guid = '" + to_string(id(n)) + "'") != "up");
  }
  // Of each device in its order, and nothing of those that wrote nothing.
  std::map<std::string, std::vector<std::string>> said;
  for (const auto& q : c.s.queued()) {
    const auto slash = q.message.topic.rfind('/');
    said[q.message.topic.substr(slash + 1)].push_back(q.message.topic.substr(0, slash) + " " +
                                                      q.message.payload);
  }
  CHECK(said.size() == 63);
  CHECK(said["2"] == std::vector<std::string>{"acme/current 2.0", "acme/event 2.0",
                                              "acme/current 2.1", "acme/event 2.1"});
  CHECK(said["70"] == std::vector<std::string>{"acme/current 70.0", "acme/event 70.0"});
  CHECK(said.count("3") + said.count("4") + said.count("999") == 0);
  CHECK(c.s.sql("select count(*) from retained where topic like 'acme/current/%'") == "63");
}

TEST_CASE("a write that the database does not take fails alone") {
  crowd c(4);
  auto bad = c.save(2, 0, 0, {message(std::string("acme/\0", 6), "x")});
  auto good = c.save(3), other = c.save(4);
  c.release();
  CHECK(why(bad) == problem::malformed);
  CHECK(!must(good.get()).conflict);
  CHECK(!must(other.get()).conflict);
  CHECK(c.s.load(dev("acme", 2)).current_rev == 0);
  CHECK(c.s.load(dev("acme", 4)).current_rev == 1);
}
