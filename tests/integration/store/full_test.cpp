// A database that is there but does not take anything: read-only, or its disk is full.
#include "tests/integration/store/harness.hpp"
#include "tests/support/tempdir.hpp"

#include <cstdlib>
#include <filesystem>

using namespace outband;
using namespace outband::test;
using namespace std::chrono_literals;

namespace {

/// Calls every writing function once; counts those that answered anything but the expected reason.
int unexpected(stage& s, const device_ref& ref, const std::string& reason) {
  int odd = 0;
  auto refused = [&](const auto& r) {
    const bool as_expected = !r && r.error().what == problem::store_unavailable &&
                             r.error().detail.find(reason) != std::string::npos;
    if (!as_expected) {
      ++odd;
      MESSAGE((r.ok() ? std::string("was done") : to_string(r.error())));
    }
  };
  auto& st = s.store;
  auto& cluster = s.first->cluster;
  auto rev = s.load(ref).current_rev;
  refused(call<tenant_row>([&](auto cb) { st.create_tenant({"late", "late", "", 0}, cb); }));
  account_row account;
  account.name = "bob";
  account.password_hash = "scrypt$x";
  refused(call<nothing>([&](auto cb) { st.put_account(account, cb); }));
  refused(call<std::vector<upserted>>(
      [&](auto cb) { st.upsert_devices({record(dev("acme", 99))}, std::move(cb)); }));
  device_change change;
  change.ref = ref;
  change.hostname = "other";
  refused(call<device_record>([&](auto cb) { st.update_device(change, cb); }));
  refused(call<nothing>([&](auto cb) { st.delete_device(ref, {message("t", "")}, cb); }));
  refused(s.take(ref));
  refused(call<bool>([&](auto cb) { st.link_down(ref, 1, link_end::silent, cb); }));
  refused(call<nothing>([&](auto cb) { st.note_seen({{ref, 4'000'000'000'000}}, cb); }));
  current_write save;
  save.ref = ref;
  save.expected_rev = rev;
  save.publish = {message("acme/current", "x")};
  for (controller_epoch fence : {0, 1})
    for (bool durable : {false, true}) {
      save.fence = fence;
      save.durable = durable;
      refused(call<current_written>([&](auto cb) { st.save_current(save, cb); }));
    }
  refused(s.write(ref, 0, power_target::on, 50, {message("acme/desired", "x")}));
  refused(call<write_outcome>([&](auto cb) {
    st.write_command({command(ref, 51), {message("e", "x", false)}, {}}, cb);
  }));
  refused(call<nothing>([&](auto cb) {
    s.first->secret_rows.write(ref, secret_name::amt_password, {secrets::slot::active, 1, "k", "x"},
                               cb);
  }));
  refused(call<nothing>([&](auto cb) { cluster.enrol(life("n2"), cb); }));
  heartbeat h;
  h.self = life("n1");
  h.candidate = true;
  h.held = 1;
  refused(call<heartbeat_answer>([&](auto cb) { cluster.beat(h, std::move(cb)); }));
  refused(call<std::size_t>([&](auto cb) { cluster.bury(1, life("t1"), cb); }));
  return odd;
}

std::string everything(const stage& s) {
  std::string out;
  for (auto table : {"tenant", "account", "device", "deleted_device", "link", "command", "secret",
                     "outbox", "retained", "instance", "controller"})
    out += s.sql(std::string("select * from ") + table + " order by 1, 2") + "\n--\n";
  return out;
}

struct prepared {
  explicit prepared(postgres& on = server()) : s({}, on) {
    s.add(ref);
    must(s.take(ref, "t1", 1));
    enrol(s.first->cluster, life("n1"));
    enrol(s.first->cluster, life("t1"));
    REQUIRE(beat(s.first->cluster, life("n1")).held == 1);
  }
  void works_again() {
    REQUIRE(s.first->db.wait_connected(patience));
    CHECK(must(s.write(ref, 0, power_target::on, 50)).what == write_outcome::kind::written);
    CHECK(must(s.take(ref)).epoch == 2);
    CHECK(beat(s.first->cluster, life("n1"), 1).held == 1);
    CHECK(s.load(ref).desired_rev == 1);
  }
  stage s;
  device_ref ref = dev("acme", 1);
};

/// See tests/support/full_disk.cpp. Its folder is open to the server's user.
class full_disk {
public:
  full_disk() {
    namespace fs = std::filesystem;
    fs::permissions(folder_.path(), fs::perms(0755));
    fs::copy_file(FULL_DISK, folder_.file("full_disk.so"));
  }
  /// A server that stands on it.
  std::unique_ptr<postgres> server() const {
    ::setenv("LD_PRELOAD", folder_.file("full_disk.so").c_str(), 1);
    ::setenv("FULL_DISK_FLAG", folder_.file("full").c_str(), 1);
    auto out = std::make_unique<postgres>();
    ::unsetenv("LD_PRELOAD");
    ::unsetenv("FULL_DISK_FLAG");
    return out;
  }
  void fill() { folder_.write("full", ""); }
  void empty() { std::filesystem::remove(folder_.file("full")); }

private:
  tempdir folder_;
};

} // namespace

TEST_CASE("a database that turned read-only refuses every write with the reason and still reads") {
  prepared p;
  auto connects = p.s.first->db.counters().connects.load();
  p.s.pg.sql("postgres", "alter system set default_transaction_read_only = on");
  p.s.pg.sql("postgres", "select pg_reload_conf()");
  // Sessions hear of it one by one.
  const auto taken = [&] {
    heartbeat h;
    h.self = life("n1");
    h.candidate = true;
    h.held = 1;
    auto& cluster = p.s.first->cluster;
    return int(call<nothing>([&](auto cb) {
                 p.s.store.note_seen({{dev("acme", 77), 1}}, cb); // changes nothing
               }).ok()) +
           int(call<nothing>([&](auto cb) { cluster.enrol(life("n1"), cb); }).ok()) +
           int(call<heartbeat_answer>([&](auto cb) { cluster.beat(h, std::move(cb)); }).ok());
  };
  REQUIRE(eventually([&] { return taken() == 0; }));
  const auto before = everything(p.s); // not earlier: the last enrolment may have been let in
  CHECK(unexpected(p.s, p.ref, "read-only") == 0);
  CHECK(call<device_record>([&](auto cb) { p.s.store.get_device(p.ref, cb); }).ok());
  CHECK(p.s.first->db.counters().connects == connects); // no use in connecting anew
  CHECK(everything(p.s) == before);
  p.s.pg.sql("postgres", "alter system reset default_transaction_read_only");
  p.s.pg.sql("postgres", "select pg_reload_conf()");
  REQUIRE(eventually([&] { return taken() == 3; }));
  p.works_again();
}

TEST_CASE("a full disk refuses every write with the reason and leaves no half of one") {
  prepared p;
  // The server's own words and code for it, raised by a trigger before any row is written.
  p.s.sql("create function full_disk() returns trigger language plpgsql as $$ begin "
          "raise exception 'could not extend file \"base/1/1\": No space left on device' "
          "using errcode = '53100'; end $$");
  const std::vector<std::string> tables{"tenant", "account",  "device",   "link",       "command",
                                        "secret", "instance", "retained", "controller", "outbox"};
  std::string on, off;
  for (const auto& t : tables) {
    on += "create trigger disk before insert or update or delete on " + t +
          " for each row execute function full_disk(); ";
    off += "drop trigger disk on " + t + "; ";
  }
  auto before = everything(p.s);
  p.s.sql(on);
  CHECK(unexpected(p.s, p.ref, "No space left on device") == 0);
  CHECK(call<device_record>([&](auto cb) { p.s.store.get_device(p.ref, cb); }).ok());
  CHECK(everything(p.s) == before);
  // Full in the middle of a transaction: the row is written, its message cannot be.
  p.s.sql(off + "create trigger disk before insert on outbox for each row "
                "execute function full_disk()");
  auto half = p.s.write(p.ref, 0, power_target::on, 50, {message("acme/desired", "x")});
  REQUIRE(!half);
  CHECK(half.error().what == problem::store_unavailable);
  CHECK(everything(p.s) == before);
  p.s.sql("drop trigger disk on outbox");
  p.works_again();
}

TEST_CASE("a volume that is really full takes what fits and refuses the rest as a whole") {
  full_disk disk;
  const auto own = disk.server();
  prepared p(*own);
  const auto connects = p.s.first->db.counters().connects.load();
  const auto refused = [](const auto& r) {
    return !r && r.error().what == problem::store_unavailable &&
           r.error().detail.find("No space left on device") != std::string::npos;
  };
  disk.fill();
  // What is free within the tables is taken first.
  std::size_t devices = 1;
  int next = 1000;
  const auto batch = [&] {
    std::vector<device_record> all;
    for (int i = 0; i < 50; ++i)
      all.push_back(record(dev("acme", next++)));
    return call<std::vector<upserted>>(
        [&](auto cb) { p.s.store.upsert_devices(std::move(all), std::move(cb)); });
  };
  for (bool room = true; room;) {
    auto added = batch();
    room = added.ok();
    devices += room ? added->size() : 0;
    REQUIRE(devices < 100'000); // else the disk is not full
    if (!room)
      CHECK_MESSAGE(refused(added), to_string(added.error()));
  }
  CHECK(p.s.sql("select count(*) from device") == std::to_string(devices));
  // A wish with its command and its message: all of it or nothing.
  revision rev = 0;
  int number = 100;
  for (bool room = true; room; ++number) {
    const auto outbox = p.s.sql("select count(*) from outbox"),
               commands = p.s.sql("select count(*) from command");
    auto r = p.s.write(p.ref, rev, power_target::on, number,
                       {message("acme/desired", std::string(1500, 'x'), false)});
    room = r.ok();
    rev += room ? 1 : 0;
    REQUIRE(rev < 100'000);
    if (!room) {
      CHECK_MESSAGE(refused(r), to_string(r.error()));
      CHECK(p.s.sql("select count(*) from outbox") == outbox);
      CHECK(p.s.sql("select count(*) from command") == commands);
    }
    CHECK(p.s.load(p.ref).desired_rev == rev);
  }
  // What is there is read, and what needs no room goes on: nobody loses the lease for that.
  CHECK(call<device_record>([&](auto cb) { p.s.store.get_device(p.ref, cb); }).ok());
  CHECK(beat(p.s.first->cluster, life("n1"), 1).held == 1);
  CHECK(p.s.first->db.counters().connects == connects);
  CHECK(p.s.pg.log().find("No space left on device") != std::string::npos);
  disk.empty();
  CHECK(batch().ok());
  CHECK(must(p.s.write(p.ref, rev, power_target::off, number)).what ==
        write_outcome::kind::written);
  CHECK(p.s.load(p.ref).desired_rev == rev + 1);
}

TEST_CASE("membership and lease are refused while the database is away and go on after it") {
  prepared p;
  auto& c = p.s.first->cluster;
  p.s.pg.stop();
  heartbeat h;
  h.self = life("n1");
  h.candidate = true;
  h.held = 1;
  REQUIRE(eventually([&] {
    auto r = call<heartbeat_answer>([&](auto cb) { c.beat(h, std::move(cb)); });
    return !r && r.error().what == problem::store_unavailable;
  }));
  auto away = [](const auto& r) {
    REQUIRE(!r);
    CHECK(r.error().what == problem::store_unavailable);
    CHECK(!r.error().detail.empty());
  };
  away(call<nothing>([&](auto cb) { c.enrol(life("n1"), cb); }));
  away(call<nothing>([&](auto cb) { c.retire(life("n1"), cb); }));
  away(call<std::size_t>([&](auto cb) { c.bury(1, life("t1"), cb); }));
  away(call<reclaim_answer>([&](auto cb) { c.reclaim(life("t1"), {{p.ref, 1}}, std::move(cb)); }));
  away(call<std::vector<device_ref>>([&](auto cb) { c.out_of_step("", 10, 0ms, std::move(cb)); }));
  p.s.pg.start();
  REQUIRE(p.s.first->db.wait_connected(patience));
  // As after 20 s: the lease has run out and everybody is overdue.
  p.s.sql("update controller set expires_at = expires_at - 20000; "
          "update instance set seen_at = seen_at - 60000");
  auto a = beat(c, h);
  CHECK(a.held == 1); // nobody was faster
  CHECK(a.silent.size() == 1);
  CHECK(must(call<std::size_t>([&](auto cb) { c.bury(1, life("t1"), cb); })) == 1);
  h.self = life("t1");
  h.candidate = false;
  h.held = 0;
  CHECK(beat(c, h).buried);
  CHECK(must(call<reclaim_answer>([&](auto cb) {
          c.reclaim(life("t1"), {{p.ref, 1}}, std::move(cb));
        })).stale.empty());
  CHECK(p.s.load(p.ref).link.state == link_state::up);
  p.works_again();
}
