#include "tests/integration/store/harness.hpp"

#include <mutex>
#include <set>

using namespace outband;
using namespace outband::test;

namespace {

result<bool> down(stage& s, const device_ref& ref, link_epoch epoch,
                  link_end why = link_end::peer_closed) {
  return call<bool>([&](auto cb) { s.store.link_down(ref, epoch, why, cb); });
}

device_record get(stage& s, const device_ref& ref) {
  return must(call<device_record>([&](auto cb) { s.store.get_device(ref, cb); }));
}

} // namespace

TEST_CASE("the terminator finds a device by its GUID alone") {
  stage s;
  s.add(dev("globex", 7));
  auto who = must(call<cira_identity>([&](auto cb) { s.store.find_cira_identity(id(7), cb); }));
  CHECK(who.ref == dev("globex", 7));
  CHECK(who.mps_username == "mps-user");
  CHECK(who.amt_username == "admin");
  auto none = call<cira_identity>([&](auto cb) { s.store.find_cira_identity(id(8), cb); });
  REQUIRE(!none);
  CHECK(none.error().what == problem::not_found);
}

TEST_CASE("every tunnel gets the next epoch and hears whom it replaces") {
  stage s;
  auto ref = dev("acme", 1);
  s.add(ref);
  auto one = must(s.take(ref, "n1"));
  CHECK(one.epoch == 1);
  CHECK(one.previous_instance.empty());
  CHECK(one.previous_epoch == 0);
  auto two = must(s.take(ref, "n2"));
  CHECK(two.epoch == 2);
  CHECK(two.previous_instance == "n1");
  CHECK(two.previous_epoch == 1);
  auto r = get(s, ref);
  CHECK(r.connected);
  CHECK(r.instance == "n2");
  CHECK(r.last_connected > 0);
  CHECK(r.last_seen > 0);
  CHECK(r.last_disconnected == 0);
}

TEST_CASE("only the newest epoch can take the link down") {
  stage s;
  auto ref = dev("acme", 1);
  s.add(ref);
  must(s.take(ref));
  auto two = must(s.take(ref));
  CHECK(must(down(s, ref, 1)) == false);
  CHECK(get(s, ref).connected);
  CHECK(must(down(s, ref, two.epoch)) == true);
  auto r = get(s, ref);
  CHECK(!r.connected);
  CHECK(r.instance.empty());
  CHECK(r.last_disconnected > 0);
  CHECK(must(down(s, ref, 99)) == false);
  auto three = must(s.take(ref));
  CHECK(three.epoch == 3);
  CHECK(three.previous_instance.empty());
  auto none = down(s, dev("acme", 2), 1);
  REQUIRE(!none);
  CHECK(none.error().what == problem::not_found);
}

TEST_CASE("a machine was last seen when it ended its tunnel itself and not when we gave it up") {
  stage s;
  auto ref = dev("acme", 1);
  s.add(ref);
  const time_ms marked = 99'000'000'000'000; // so that being set to now can be told
  for (auto why : {link_end::silent, link_end::evicted, link_end::shutdown, link_end::requested,
                   link_end::peer_closed, link_end::protocol}) {
    CAPTURE(to_string(why));
    auto got = must(s.take(ref));
    must(call<nothing>([&](auto cb) { s.store.note_seen({{ref, marked}}, cb); }));
    REQUIRE(get(s, ref).last_seen == marked);
    CHECK(must(down(s, ref, got.epoch, why)));
    const bool by_itself = why == link_end::peer_closed || why == link_end::protocol;
    CHECK((get(s, ref).last_seen < marked) == by_itself);
    CHECK(get(s, ref).last_seen > 0);
  }
}

TEST_CASE("a device that never had a tunnel cannot lose one") {
  stage s;
  s.add(dev("acme", 1));
  CHECK(must(down(s, dev("acme", 1), 0)) == false);
}

TEST_CASE("sightings only move forward and skip what is unknown") {
  stage s;
  auto ref = dev("acme", 1);
  s.add(ref);
  auto note = [&](std::vector<std::pair<device_ref, time_ms>> seen) {
    return call<nothing>([&](auto cb) { s.store.note_seen(std::move(seen), cb); });
  };
  must(note({{ref, 500}, {dev("acme", 2), 600}, {dev("globex", 1), 9'000}, {ref, 400}}));
  CHECK(get(s, ref).last_seen == 500);
  must(note({{ref, 300}}));
  CHECK(get(s, ref).last_seen == 500);
  must(note({}));
  std::vector<std::pair<device_ref, time_ms>> many(10'001, {ref, 1});
  auto r = note(many);
  REQUIRE(!r);
  CHECK(r.error().what == problem::too_large);
}

TEST_CASE("calls that arrive together share statements and each gets its own answer") {
  stage s;
  std::vector<device_record> many;
  const int devices = 2'000;
  for (int i = 0; i < devices; ++i)
    many.push_back(record(dev("acme", i)));
  must(call<std::vector<upserted>>([&](auto cb) { s.store.upsert_devices(many, std::move(cb)); }));
  auto before = s.first->db.counters().statements.load();

  struct tally {
    std::mutex mutex;
    int right = 0, refused = 0, answers = 0;
    std::promise<void> all;
  } t;
  for (int i = 0; i < devices; ++i)
    s.store.take_epoch({dev("acme", i), "n1", id(1), "peer"}, [&](result<epoch_grant> r) {
      std::lock_guard lock(t.mutex);
      t.right += r && r->epoch == 1;
      if (++t.answers == devices + 10)
        t.all.set_value();
    });
  for (int i = 0; i < 10; ++i) // not there, in the middle of those that are
    s.store.take_epoch({dev("globex", i), "n1", id(1), "peer"}, [&](result<epoch_grant> r) {
      std::lock_guard lock(t.mutex);
      t.refused += !r && r.error().what == problem::not_found;
      if (++t.answers == devices + 10)
        t.all.set_value();
    });
  REQUIRE(t.all.get_future().wait_for(patience) == std::future_status::ready);
  CHECK(t.right == devices);
  CHECK(t.refused == 10);
  auto used = s.first->db.counters().statements.load() - before;
  CHECK(used < devices / 20);
}

TEST_CASE("tunnels of one device that arrive together each get an epoch of their own") {
  stage s;
  auto ref = dev("acme", 1);
  s.add(ref);
  const int tunnels = 50;
  std::mutex mutex;
  std::set<link_epoch> epochs;
  std::promise<void> all;
  for (int i = 0; i < tunnels; ++i)
    s.store.take_epoch({ref, "n1", id(1), "peer"}, [&](result<epoch_grant> r) {
      std::lock_guard lock(mutex);
      epochs.insert(r ? r->epoch : 0);
      if (epochs.size() == tunnels)
        all.set_value();
    });
  REQUIRE(all.get_future().wait_for(patience) == std::future_status::ready);
  CHECK(*epochs.begin() == 1);
  CHECK(*epochs.rbegin() == tunnels);
}

TEST_CASE("one bad text does not fail the tunnels of others") {
  stage s;
  s.add(dev("acme", 1));
  s.add(dev("acme", 2));
  std::promise<bool> good;
  s.store.take_epoch({dev("acme", 1), "n1", id(1), "peer"},
                     [&](result<epoch_grant> r) { good.set_value(r.ok()); });
  auto bad = call<epoch_grant>([&](auto cb) {
    s.store.take_epoch({dev("acme", 2), "n1", id(1), std::string("\xff\0x", 3)}, cb);
  });
  REQUIRE(!bad);
  CHECK(bad.error().what == problem::malformed);
  CHECK(bad.error().field == "peer");
  CHECK(good.get_future().get());
}
