#include "tests/integration/store/harness.hpp"

using namespace outband;
using namespace outband::test;

namespace {

result<std::vector<upserted>> upsert(stage& s, std::vector<device_record> rows) {
  return call<std::vector<upserted>>(
      [&](auto cb) { s.store.upsert_devices(std::move(rows), std::move(cb)); });
}

result<device_record> get(stage& s, const device_ref& ref) {
  return call<device_record>([&](auto cb) { s.store.get_device(ref, cb); });
}

device_page list(stage& s, const device_filter& f) {
  return must(call<device_page>([&](auto cb) { s.store.list_devices(f, cb); }));
}

} // namespace

TEST_CASE("a registration keeps every field and comes back the same") {
  stage s;
  device_record r;
  r.ref = dev("acme", 1);
  r.hostname = "h\"1\\";
  r.friendly_name = "";
  r.tags = {"a b", "c,d", "{e}", "NULL", "q\"uote", "back\\slash", ""};
  r.mps_username = "u";
  r.device_info = R"({"fwVersion": "16.1", "x": "\u00fc"})";
  r.created = 1234;
  auto made = must(upsert(s, {r}));
  REQUIRE(made.size() == 1);
  CHECK(made[0].created);
  auto got = must(get(s, r.ref));
  CHECK(got.ref == r.ref);
  CHECK(got.hostname == r.hostname);
  CHECK(got.friendly_name == std::optional<std::string>(""));
  CHECK(!got.dns_suffix);
  CHECK(got.tags == r.tags);
  CHECK(got.mps_username == "u");
  CHECK(got.amt_username == "admin");
  CHECK(got.device_info == r.device_info);
  CHECK(got.created == 1234);
  CHECK(!got.connected);
  CHECK(got.instance.empty());
}

TEST_CASE("registering again merges what is given into what is there") {
  stage s;
  auto r = record(dev("acme", 1));
  r.friendly_name = "Lab";
  r.tags = {"x"};
  r.amt_username = "root";
  r.device_info = "{}";
  must(upsert(s, {r}));
  device_record more;
  more.ref = r.ref;
  more.dns_suffix = "lab.example";
  more.mps_username = "new-user";
  auto made = must(upsert(s, {more}));
  REQUIRE(made.size() == 1);
  CHECK(!made[0].created);
  const auto& got = made[0].record;
  CHECK(got.hostname == r.hostname);
  CHECK(got.friendly_name == r.friendly_name);
  CHECK(got.dns_suffix == more.dns_suffix);
  CHECK(got.tags == r.tags);
  CHECK(got.mps_username == "new-user");
  CHECK(got.amt_username == "root");
  CHECK(got.device_info == "{}");
}

TEST_CASE("a bulk registration is all or nothing and names the offender") {
  stage s;
  s.add(dev("globex", 3));
  auto r = upsert(s, {record(dev("acme", 1)), record(dev("acme", 2)), record(dev("acme", 3))});
  REQUIRE(!r);
  CHECK(r.error().what == problem::already_exists);
  CHECK(r.error().field == "[2].guid");
  CHECK(!get(s, dev("acme", 1)));

  r = upsert(s, {record(dev("acme", 1)), record(dev("nowhere", 2))});
  REQUIRE(!r);
  CHECK(r.error().what == problem::not_found);
  CHECK(r.error().field == "[1].tenant");
  CHECK(!get(s, dev("acme", 1)));

  r = upsert(s, {record(dev("acme", 1)), record(dev("acme", 1))});
  REQUIRE(!r);
  CHECK(r.error().what == problem::malformed);
  CHECK(r.error().field == "[1].guid");

  CHECK(must(upsert(s, {})).empty());
}

TEST_CASE("ten thousand devices are registered in one call and answered in its order") {
  stage s;
  std::vector<device_record> many;
  for (int i = 10'000; i > 0; --i)
    many.push_back(record(dev("acme", i)));
  auto made = must(upsert(s, many));
  REQUIRE(made.size() == 10'000);
  CHECK(made.front().record.ref == dev("acme", 10'000));
  CHECK(made.back().record.ref == dev("acme", 1));
  many.push_back(record(dev("acme", 10'001)));
  auto r = upsert(s, many);
  REQUIRE(!r);
  CHECK(r.error().what == problem::too_large);
  auto stats = must(call<device_stats>([&](auto cb) { s.store.device_stats_of("acme", cb); }));
  CHECK(stats.total == 10'000);
}

TEST_CASE("bounds of a registration are checked field by field") {
  stage s;
  auto refused = [&](auto change, const std::string& field) {
    auto r = record(dev("acme", 1));
    change(r);
    auto outcome = upsert(s, {r});
    REQUIRE(!outcome);
    CHECK(outcome.error().what == problem::too_large);
    CHECK(outcome.error().field == "[0]." + field);
  };
  refused([](auto& r) { r.hostname = std::string(257, 'x'); }, "hostname");
  refused([](auto& r) { r.friendly_name = std::string(257, 'x'); }, "friendly_name");
  refused([](auto& r) { r.dns_suffix = std::string(257, 'x'); }, "dns_suffix");
  refused([](auto& r) { r.mps_username = std::string(257, 'x'); }, "mps_username");
  refused([](auto& r) { r.tags.assign(65, "t"); }, "tags");
  refused([](auto& r) { r.tags = {"a", std::string(65, 't')}; }, "tags[1]");
  refused([](auto& r) { r.device_info = std::string(16 * 1024 + 1, ' '); }, "device_info");
  auto largest = record(dev("acme", 1));
  largest.tags.assign(64, std::string(64, 't'));
  largest.device_info = std::string(16 * 1024, ' ');
  CHECK(upsert(s, {largest}));
}

TEST_CASE("a change touches only what it names") {
  stage s;
  auto r = record(dev("acme", 1));
  r.friendly_name = "Lab";
  r.dns_suffix = "example";
  r.tags = {"x"};
  must(upsert(s, {r}));
  device_change c;
  c.ref = r.ref;
  c.friendly_name = std::optional<std::string>(); // to null
  c.tags = std::vector<std::string>{};
  auto got = must(call<device_record>([&](auto cb) { s.store.update_device(c, cb); }));
  CHECK(!got.friendly_name);
  CHECK(got.tags.empty());
  CHECK(got.dns_suffix == r.dns_suffix);
  CHECK(got.hostname == r.hostname);
  device_change d;
  d.ref = r.ref;
  d.hostname = "";
  d.device_info = "{\"a\":1}";
  got = must(call<device_record>([&](auto cb) { s.store.update_device(d, cb); }));
  CHECK(got.hostname.empty());
  CHECK(got.device_info == "{\"a\":1}");
  d.ref = dev("acme", 2);
  auto none = call<device_record>([&](auto cb) { s.store.update_device(d, cb); });
  REQUIRE(!none);
  CHECK(none.error().what == problem::not_found);
}

TEST_CASE("lists filter before they page and are ordered by GUID") {
  stage s;
  std::vector<device_record> many;
  for (int i = 1; i <= 9; ++i) {
    auto r = record(dev("acme", 10 - i));
    r.hostname = i % 3 == 0 ? "third" : "other";
    r.friendly_name = i < 5 ? std::optional<std::string>("low") : std::nullopt;
    if (i % 2 == 0)
      r.tags.push_back("even");
    if (i > 4)
      r.tags.push_back("high");
    many.push_back(r);
  }
  must(upsert(s, many));
  s.add(dev("globex", 100));
  must(s.take(dev("acme", 3)));
  must(s.take(dev("acme", 4)));
  must(s.take(dev("globex", 100)));

  device_filter f;
  f.tenant = "acme";
  auto all = list(s, f);
  CHECK(all.total == 9);
  REQUIRE(all.rows.size() == 9);
  for (int i = 0; i < 9; ++i)
    CHECK(all.rows[static_cast<std::size_t>(i)].ref == dev("acme", i + 1));

  f.skip = 2;
  f.top = 3;
  auto page = list(s, f);
  CHECK(page.total == 9);
  REQUIRE(page.rows.size() == 3);
  CHECK(page.rows[0].ref == dev("acme", 3));
  f.skip = 100;
  page = list(s, f);
  CHECK(page.total == 9);
  CHECK(page.rows.empty());
  f.skip = 0;
  f.top = 0;
  CHECK(list(s, f).total == 9);

  auto count = [&](auto change) {
    device_filter g;
    g.tenant = "acme";
    change(g);
    auto got = list(s, g);
    CHECK(got.total == got.rows.size());
    return got.total;
  };
  CHECK(count([](auto& g) { g.hostname = "third"; }) == 3);
  CHECK(count([](auto& g) { g.hostname = "thir"; }) == 0);
  CHECK(count([](auto& g) { g.friendly_name = "low"; }) == 4);
  CHECK(count([](auto& g) { g.tags = {"even", "high"}; }) == 7);
  CHECK(count([](auto& g) {
          g.tags = {"even", "high"};
          g.all_tags = true;
        }) == 2);
  CHECK(count([](auto& g) { g.connected = true; }) == 2);
  CHECK(count([](auto& g) { g.connected = false; }) == 7);
  CHECK(count([](auto& g) {
          g.hostname = "other";
          g.friendly_name = "low";
          g.tags = {"even"};
          g.connected = false;
        }) == 2);

  auto stats = must(call<device_stats>([&](auto cb) { s.store.device_stats_of("acme", cb); }));
  CHECK(stats.total == 9);
  CHECK(stats.connected == 2);
  auto tags =
      must(call<std::vector<std::string>>([&](auto cb) { s.store.device_tags_of("acme", cb); }));
  CHECK(tags == std::vector<std::string>{"even", "high"});
  CHECK(list(s, {"nowhere", {}, {}, {}, false, {}, 0, 25}).total == 0);
}

TEST_CASE("deleting a device takes its link and commands and secrets along") {
  stage s;
  auto ref = dev("acme", 1);
  s.add(ref);
  must(s.take(ref));
  must(s.write(ref, 0, power_target::on, 1, {message("t/desired", "on")}));
  must(call<nothing>([&](auto cb) {
    s.first->secret_rows.write(ref, secret_name::amt_password,
                               {secrets::slot::active, 1, "k", "sealed"}, cb);
  }));
  must(call<nothing>([&](auto cb) { s.store.delete_device(ref, {message("t/desired", "")}, cb); }));
  CHECK(s.sql("select count(*) from device") == "0");
  CHECK(s.sql("select count(*) from link") == "0");
  CHECK(s.sql("select count(*) from command") == "0");
  CHECK(s.sql("select count(*) from secret") == "0");
  CHECK(s.sql("select count(*) from retained") == "0");
  CHECK(s.queued().back().message.payload.empty());
  auto twice =
      call<nothing>([&](auto cb) { s.store.delete_device(ref, {message("t/desired", "x")}, cb); });
  REQUIRE(!twice);
  CHECK(twice.error().what == problem::not_found);
  CHECK(s.queued().size() == 2);
}

TEST_CASE("a device registered again goes on from its former revisions and epoch") {
  stage s;
  auto ref = dev("acme", 1);
  s.add(ref);
  auto old_epoch = must(s.take(ref)).epoch;
  must(s.write(ref, 0, power_target::on, 1));
  must(s.write(ref, 1, power_target::off, 2));
  must(call<nothing>([&](auto cb) { s.store.delete_device(ref, {}, cb); }));
  s.add(ref);
  auto row = s.load(ref);
  CHECK(row.desired_rev == 3);
  CHECK(row.desired.power.target == power_target::keep);
  CHECK(row.open_commands.empty());
  CHECK(must(s.take(ref)).epoch > old_epoch);
  // In another tenant it is another machine.
  must(call<nothing>([&](auto cb) { s.store.delete_device(ref, {}, cb); }));
  s.add(dev("globex", 1));
  CHECK(s.load(dev("globex", 1)).desired_rev == 0);
  auto unfinished = must(
      call<std::vector<device_ref>>([&](auto cb) { s.store.unsettled("", 10, std::move(cb)); }));
  CHECK(unfinished.empty());
}
