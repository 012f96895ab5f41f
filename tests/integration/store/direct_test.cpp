// Machines that are connected to: what is stored, and which terminator holds which.
#include "tests/integration/store/harness.hpp"

#include <algorithm>

using namespace outband;
using namespace outband::test;
using namespace std::chrono_literals;

namespace {

const std::string pin(64, 'a');

direct_connection lan(const std::string& host = "10.0.0.5") {
  direct_connection c;
  c.host = host;
  c.pins = {pin};
  return c;
}
result<nothing> set(stage& s, const device_ref& ref, std::optional<direct_connection> how) {
  return call<nothing>([&](auto cb) { s.first->direct.set(ref, how, cb); });
}
std::vector<device_ref> claim(stage& s, const instance_ref& who, std::size_t limit = 100,
                              std::chrono::milliseconds silent = 1h) {
  auto all = must(call<std::vector<device_ref>>(
      [&](auto cb) { s.first->direct.claim(who, silent, limit, cb); }));
  std::sort(all.begin(), all.end(),
            [](const auto& a, const auto& b) { return to_string(a) < to_string(b); });
  return all;
}
result<direct_row> hold(stage& s, const instance_ref& who, const device_ref& ref,
                        std::chrono::milliseconds silent = 1h) {
  return call<direct_row>([&](auto cb) { s.first->direct.hold(who, ref, silent, cb); });
}
std::optional<direct_connection> shown(stage& s, const device_ref& ref) {
  return must(call<device_record>([&](auto cb) { s.store.get_device(ref, cb); })).direct;
}

} // namespace

TEST_CASE("a connection is stored with the device and shown wherever the device is") {
  stage s;
  const auto ref = dev("acme", 1);
  s.add(ref);
  CHECK_FALSE(shown(s, ref));
  auto c = lan("amt-5.example");
  c.port = 26993;
  c.legacy_tls = true;
  c.pins.push_back(std::string(64, 'b'));
  REQUIRE(set(s, ref, c).ok());
  CHECK(shown(s, ref) == c);
  CHECK(s.load(ref).record.direct == c);
  device_filter f;
  f.tenant = "acme";
  auto page = must(call<device_page>([&](auto cb) { s.store.list_devices(f, cb); }));
  REQUIRE(page.rows.size() == 1);
  CHECK(page.rows[0].direct == c);
  device_change change;
  change.ref = ref;
  change.hostname = "other";
  CHECK(must(call<device_record>([&](auto cb) { s.store.update_device(change, cb); })).direct == c);
  CHECK(must(call<std::vector<upserted>>(
            [&](auto cb) { s.store.upsert_devices({record(ref)}, cb); }))[0]
            .record.direct == c);
  direct_connection plain;
  plain.host = "10.0.0.6";
  plain.tls = false;
  plain.port = 16992;
  REQUIRE(set(s, ref, plain).ok());
  CHECK(shown(s, ref) == plain);
  REQUIRE(set(s, ref, std::nullopt).ok());
  CHECK_FALSE(shown(s, ref));
}

TEST_CASE("only devices of the tenant get a connection and it goes with the device") {
  stage s;
  const auto ref = dev("acme", 1);
  CHECK(set(s, ref, lan()).error().what == problem::not_found);
  CHECK(set(s, ref, std::nullopt).error().what == problem::not_found);
  s.add(ref);
  CHECK(set(s, dev("globex", 1), lan()).error().what == problem::not_found);
  auto bad = lan();
  bad.pins = {"short"};
  CHECK(set(s, ref, bad).error().field == "pins");
  REQUIRE(set(s, ref, lan()).ok());
  CHECK(call<nothing>([&](auto cb) { s.store.delete_device(ref, {}, cb); }).ok());
  CHECK(s.sql("select count(*) from direct") == "0");
}

TEST_CASE("each machine is claimed by one terminator only and page by page") {
  stage s;
  const auto a = life("n1"), b = life("n2", 2);
  enrol(s.first->cluster, a);
  enrol(s.first->cluster, b);
  std::vector<device_ref> all;
  for (int i = 1; i <= 5; ++i) {
    all.push_back(dev("acme", i));
    s.add(all.back());
    REQUIRE(set(s, all.back(), lan()).ok());
  }
  s.add(dev("acme", 6)); // calls home
  const auto first = claim(s, a, 3);
  CHECK(first.size() == 3);
  const auto rest = claim(s, b);
  CHECK(rest.size() == 2);
  CHECK(claim(s, a).empty());
  CHECK(claim(s, b).empty());
  for (const auto& ref : first) {
    CHECK(hold(s, a, ref).ok());
    CHECK(hold(s, b, ref).error().what == problem::cancelled);
  }
  CHECK(hold(s, a, dev("acme", 6)).error().what == problem::not_found);
  CHECK(hold(s, a, dev("acme", 7)).error().what == problem::not_found);
}

TEST_CASE("a new machine is held by who asks first and its row is told") {
  stage s;
  const auto a = life("n1"), b = life("n2", 2);
  enrol(s.first->cluster, a);
  enrol(s.first->cluster, b);
  const auto ref = dev("acme", 1);
  s.add(ref);
  REQUIRE(set(s, ref, lan()).ok());
  const auto row = hold(s, b, ref);
  REQUIRE(row.ok());
  CHECK(row->how == lan());
  CHECK(row->amt_username == "admin");
  CHECK(hold(s, a, ref).error().what == problem::cancelled);
  // What changes in it changes nothing of that.
  REQUIRE(set(s, ref, lan("10.0.0.9")).ok());
  CHECK(hold(s, b, ref)->how.host == "10.0.0.9");
  CHECK(hold(s, a, ref).error().what == problem::cancelled);
}

TEST_CASE("machines of a terminator that is dead or was born again are free") {
  stage s;
  const auto a = life("n1"), b = life("n2", 2), again = life("n1", 3);
  enrol(s.first->cluster, a);
  enrol(s.first->cluster, b);
  const auto one = dev("acme", 1), two = dev("acme", 2);
  for (const auto& ref : {one, two}) {
    s.add(ref);
    REQUIRE(set(s, ref, lan()).ok());
  }
  CHECK(claim(s, a).size() == 2);
  // Silent for longer than that: whoever looks may have it.
  s.sql("update instance set seen_at = seen_at - 60000 where name = 'n1'");
  CHECK(hold(s, b, one, 59s).ok());
  // Its next life has what the former one held, and no more.
  enrol(s.first->cluster, again);
  CHECK(claim(s, again) == std::vector<device_ref>{two});
  // An orderly end frees at once.
  REQUIRE(call<nothing>([&](auto cb) { s.first->cluster.retire(again, cb); }).ok());
  CHECK(claim(s, b) == std::vector<device_ref>{two});
  // So does a burial.
  s.sql("update instance set buried = true where name = 'n2'");
  const auto c = life("n3", 4);
  enrol(s.first->cluster, c);
  CHECK(claim(s, c).size() == 2);
}

TEST_CASE("the first certificate is pinned once and only where none is") {
  stage s;
  const auto ref = dev("acme", 1);
  s.add(ref);
  auto pins = [&](const std::string& what) {
    return must(call<bool>([&](auto cb) { s.first->direct.pin(ref, what, cb); }));
  };
  CHECK_FALSE(pins(pin));
  auto c = lan();
  c.pins.clear();
  REQUIRE(set(s, ref, c).ok());
  CHECK(pins(pin));
  CHECK_FALSE(pins(std::string(64, 'b')));
  CHECK(shown(s, ref)->pins == std::vector<std::string>{pin});
  c.tls = false;
  REQUIRE(set(s, ref, c).ok());
  CHECK_FALSE(pins(pin));
}
