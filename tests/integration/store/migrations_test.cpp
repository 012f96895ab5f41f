#include "tests/integration/store/harness.hpp"

#include <thread>

using namespace outband;
using namespace outband::test;
using store::migrate;
using store::migration;

namespace {
const std::vector<migration> two{{1, "one", "create table a (x int)"},
                                 {2, "two", "alter table a add y int; create table b (z int)"}};
const std::vector<migration> just_one{two[0]};
} // namespace

TEST_CASE("an empty database is brought to the newest version and left alone after that") {
  auto name = server().create_database();
  auto dsn = server().dsn(name);
  auto newest = store::migrations().back().version;
  auto first = must(migrate(dsn));
  CHECK(first.from == 0);
  CHECK(first.to == newest);
  auto again = must(migrate(dsn));
  CHECK(again.from == newest);
  CHECK(again.to == newest);
  CHECK(server().sql(name, "select count(*) from schema_version") == std::to_string(newest));
}

TEST_CASE("versions are numbered without gaps") {
  int expected = 1;
  for (const auto& m : store::migrations())
    CHECK(m.version == expected++);
}

TEST_CASE("an older database is taken further from where it is") {
  auto name = server().create_database();
  auto dsn = server().dsn(name);
  must(migrate(dsn, std::chrono::seconds(60), just_one));
  auto r = must(migrate(dsn, std::chrono::seconds(60), two));
  CHECK(r.from == 1);
  CHECK(r.to == 2);
  CHECK(server().sql(name, "select count(y) from a").find('0') == 0);
}

TEST_CASE("a database newer than the program is refused with both versions named") {
  auto name = server().create_database();
  auto dsn = server().dsn(name);
  must(migrate(dsn, std::chrono::seconds(60), two));
  auto r = migrate(dsn, std::chrono::seconds(60), just_one);
  REQUIRE(!r);
  CHECK(r.error().what == problem::unsupported);
  CHECK(r.error().detail.find("schema version 2") != std::string::npos);
  CHECK(r.error().detail.find("only up to 1") != std::string::npos);
}

TEST_CASE("an applied version that differs from ours is refused") {
  auto name = server().create_database();
  auto dsn = server().dsn(name);
  must(migrate(dsn, std::chrono::seconds(60), just_one));
  auto changed = two;
  changed[0].sql = "create table a (x bigint)";
  auto r = migrate(dsn, std::chrono::seconds(60), changed);
  REQUIRE(!r);
  CHECK(r.error().what == problem::unsupported);
  CHECK(server().sql(name, "select max(version) from schema_version") == "1");
}

TEST_CASE("a version that fails leaves nothing of itself behind") {
  auto name = server().create_database();
  auto dsn = server().dsn(name);
  auto broken = two;
  broken[1].sql = "create table b (z int); select * from nowhere";
  auto r = migrate(dsn, std::chrono::seconds(60), broken);
  REQUIRE(!r);
  CHECK(r.error().detail.find("version 2 (two)") != std::string::npos);
  CHECK(server().sql(name, "select max(version) from schema_version") == "1");
  CHECK(server().sql(name, "select to_regclass('b') is null") == "t");
  CHECK(must(migrate(dsn, std::chrono::seconds(60), two)).from == 1);
}

TEST_CASE("nodes that start at once migrate one after the other") {
  auto name = server().create_database();
  auto dsn = server().dsn(name);
  std::vector<std::thread> nodes;
  std::atomic<int> good{0}, did{0};
  for (int i = 0; i < 4; ++i)
    nodes.emplace_back([&] {
      auto r = migrate(dsn);
      good += r.ok();
      did += r && r->from == 0;
    });
  for (auto& n : nodes)
    n.join();
  CHECK(good == 4);
  CHECK(did == 1);
}

TEST_CASE("a database that cannot be reached is told as such") {
  auto r = migrate("host=127.0.0.1 port=1 user=x dbname=y");
  REQUIRE(!r);
  CHECK(r.error().what == problem::store_unavailable);
  CHECK(!migrate("nonsense"));
}

TEST_CASE("a site of version 1 is taken to version 2 without a word about its devices") {
  auto name = server().create_database();
  auto dsn = server().dsn(name);
  must(migrate(dsn, std::chrono::seconds(60), {store::migrations()[0]}));
  server().sql(name, R"(
    insert into tenant (key, display_name, created) values ('acme', 'acme', 1);
    insert into device (tenant, guid, created)
      select 'acme', ('00000000-0000-0000-0000-00000000000' || n)::uuid, 1
      from generate_series(1, 3) n;
    insert into link (tenant, guid, epoch, instance, incarnation, state, since)
      select tenant, guid, 7, 'n1', guid, case when guid::text like '%1' then 'up' else 'down' end, 5
      from device where guid::text not like '%3';
    insert into link (tenant, guid) select tenant, guid from device where guid::text like '%3')");
  auto r = must(migrate(dsn));
  CHECK(r.from == 1);
  CHECK(r.to == store::migrations().back().version);
  node n(dsn);
  using refs = std::vector<device_ref>;
  auto out_of_step = [&] {
    return must(call<refs>([&](auto cb) {
      n.cluster.out_of_step("", 10, std::chrono::milliseconds(0), std::move(cb));
    }));
  };
  CHECK(out_of_step().empty());
  device_ref first{"acme", *parse_uuid("00000000-0000-0000-0000-000000000001")};
  auto row = must(call<device_row>([&](auto cb) { n.store.load_device(first, cb); }));
  CHECK(row.link.epoch == 7);
  CHECK(row.link.state == link_state::up);
  // The process that had the tunnel has gone with the upgrade: its links are found.
  enrol(n.cluster, life("n2"));
  auto a = beat(n.cluster, life("n2"));
  CHECK(a.held == 1);
  REQUIRE(a.silent.size() == 1);
  CHECK(a.silent[0].instance == "n1");
  CHECK(must(call<std::size_t>([&](auto cb) { n.cluster.bury(1, a.silent[0], cb); })) == 1);
  CHECK(out_of_step() == refs{first});
  epoch_request again{first, "n2", id(1), "192.0.2.7:1"};
  CHECK(must(call<epoch_grant>([&](auto cb) { n.store.take_epoch(again, cb); })).epoch == 8);
}
