// The database goes away, stands still, is killed, comes back. Nobody lends a hand.
#include "actors/store/pipeline.hpp"
#include "tests/integration/store/harness.hpp"
#include "tests/support/relay.hpp"

#include <set>
#include <thread>

using namespace outband;
using namespace outband::test;
using namespace std::chrono_literals;

namespace {

bool serves(store_port& s) {
  return call<nothing>([&](auto cb) { s.ping(cb); }).ok();
}

/// Every transaction that touches a device waits until this is gone.
class device_lock {
public:
  explicit device_lock(const stage& s) : s_(s) {
    holder_ = std::make_unique<process>(
        std::vector<std::string>{find_program("psql"), "-X", "-q", "-A", "-t", "-c",
                                 "begin; lock table device; select 'locked'; "
                                 "select pg_sleep(3600)",
                                 s.dsn});
    // Not from psql, whose output comes at the end: from the server.
    if (!eventually([&] {
          return s.sql("select count(*) from pg_locks where mode = 'AccessExclusiveLock' and "
                       "granted and relation = 'device'::regclass") == "1";
        }))
      throw std::runtime_error("no lock");
  }

  ~device_lock() {
    // The server does not notice that its client is gone while it sleeps.
    s_.sql("select pg_terminate_backend(pid) from pg_stat_activity "
           "where query like '%pg_sleep(3600)%' and pid <> pg_backend_pid()");
  }
  device_lock(const device_lock&) = delete;
  device_lock& operator=(const device_lock&) = delete;

private:
  const stage& s_;
  std::unique_ptr<process> holder_;
};

/// One of the node's connections ends and cannot come back until this is gone.
class lost_connection {
public:
  lost_connection(stage& s, const std::string& which) : s_(s) {
    allow(false);
    s.pg.sql("postgres",
             "select pg_terminate_backend(pid) from pg_stat_activity where datname = '" +
                 s.database + "' and application_name like '% " + which + "'");
    if (!eventually([&] { return !s_.first->db.wait_connected(0ms); }))
      throw std::runtime_error("the connection did not end");
  }
  ~lost_connection() { allow(true); }
  lost_connection(const lost_connection&) = delete;
  lost_connection& operator=(const lost_connection&) = delete;

private:
  void allow(bool connections) {
    s_.pg.sql("postgres", "alter database " + s_.database + " allow_connections " +
                              (connections ? "true" : "false"));
  }
  stage& s_;
};

std::uint16_t server_port(const std::string& dsn) {
  return static_cast<std::uint16_t>(std::stoi(dsn.substr(dsn.find("port=") + 5)));
}

} // namespace

TEST_CASE("while the connection of wishes is away the store does not pass for a good one") {
  stage s;
  auto ref = dev("acme", 1);
  s.add(ref);
  {
    lost_connection lost(s, "durable");
    CHECK(!serves(s.store));
    CHECK(!s.write(ref, 0, power_target::on, 1));
    CHECK(must(call<std::vector<tenant_row>>([&](auto cb) { s.store.list_tenants(cb); })).size() ==
          2);
    CHECK(s.load(ref).record.ref == ref);
  }
  REQUIRE(s.first->db.wait_connected(patience));
  CHECK(serves(s.store));
  CHECK(must(s.write(ref, 0, power_target::on, 1)).what == write_outcome::kind::written);
}

TEST_CASE("what only looks takes another connection while its own is away") {
  stage s;
  auto ref = dev("acme", 1);
  s.add(ref);
  for (const std::string which : {"asked", "relaxed"}) {
    CAPTURE(which);
    {
      lost_connection lost(s, which);
      CHECK(serves(s.store));
      CHECK(call<std::vector<tenant_row>>([&](auto cb) { s.store.list_tenants(cb); }).ok());
      CHECK(s.load(ref).record.ref == ref);
    }
    REQUIRE(s.first->db.wait_connected(patience));
  }
}

TEST_CASE("a connection that waits for its next try is started at once by another one's success") {
  stage s;
  relay way(server_port(s.dsn));
  way.refuse();
  boost::asio::io_context io;
  bool lost = false;
  store::pipeline_options options;
  options.dsn = s.dsn + " port=" + std::to_string(way.port());
  options.log = [&](const std::string&) {
    lost = true;
  };
  auto p = std::make_shared<store::pipeline>(io, options);
  p->start();
  while (!lost)
    io.run_one();
  REQUIRE(way.wait_accepted(1));
  // Nobody runs the timer of the back-off any more.
  way.refuse(false);
  p->start();
  CHECK(way.wait_accepted(2));
  while (!p->serves())
    io.run_one();
  p->close();
}

TEST_CASE("a restart in the middle is told to callers and survived without help") {
  stage s;
  auto ref = dev("acme", 1);
  s.add(ref);
  s.pg.stop();
  auto r = s.write(ref, 0, power_target::on, 1);
  REQUIRE(!r);
  CHECK(
      (r.error().what == problem::store_unavailable || r.error().what == problem::outcome_unknown));
  REQUIRE(eventually([&] {
    auto down = s.write(ref, 0, power_target::on, 1);
    return !down && down.error().what == problem::store_unavailable;
  }));
  CHECK(!serves(s.store));
  CHECK(!s.first->db.wait_connected(0ms));
  s.pg.start();
  REQUIRE(eventually([&] { return serves(s.store); }));
  // Who was told that it is back is not told the contrary by another connection.
  CHECK(call<std::vector<tenant_row>>([&](auto cb) { s.store.list_tenants(cb); }).ok());
  REQUIRE(s.first->db.wait_connected(patience));
  CHECK(must(s.write(ref, 0, power_target::on, 1)).what == write_outcome::kind::written);
  CHECK(must(s.take(ref)).epoch == 1);
}

TEST_CASE("under load every call is answered once across a kill and nothing acknowledged is lost") {
  stage s;
  auto ref = dev("acme", 1);
  s.add(ref);
  struct tally {
    std::mutex mutex;
    std::set<int> acknowledged, unknown;
    int refused = 0, odd = 0, answers = 0;
  } t;
  std::atomic<bool> stop{false};
  std::atomic<int> asked{0};
  std::thread load([&] {
    for (int i = 0; !stop; ++i) {
      while (asked - [&] {
        std::lock_guard lock(t.mutex);
        return t.answers;
      }() > 200)
        std::this_thread::yield();
      ++asked;
      s.store.write_command({command(ref, i), {}, {}}, [&t, i](result<write_outcome> r) {
        std::lock_guard lock(t.mutex);
        ++t.answers;
        if (r)
          t.acknowledged.insert(i);
        else if (r.error().what == problem::outcome_unknown)
          t.unknown.insert(i);
        else if (r.error().what == problem::store_unavailable)
          ++t.refused;
        else
          ++t.odd;
      });
    }
  });
  auto enough = [&](std::size_t count) {
    std::lock_guard lock(t.mutex);
    return t.acknowledged.size() >= count;
  };
  CHECK(eventually([&] { return enough(200); }));
  s.pg.kill();
  s.pg.start();
  REQUIRE(s.first->db.wait_connected(patience));
  std::size_t before = 0;
  {
    std::lock_guard lock(t.mutex);
    before = t.acknowledged.size();
  }
  CHECK(eventually([&] { return enough(before + 200); }));
  stop = true;
  load.join();
  REQUIRE(eventually([&] {
    std::lock_guard lock(t.mutex);
    return t.answers == asked;
  }));
  std::lock_guard lock(t.mutex);
  CHECK(t.odd == 0);
  CHECK(t.refused > 0);
  CHECK(t.acknowledged.size() + t.unknown.size() + static_cast<std::size_t>(t.refused) ==
        static_cast<std::size_t>(asked));
  // Only what was at the server can be unknown.
  CHECK(t.unknown.size() <= store::pg_options{}.window);
  auto stored = std::stoul(s.sql("select count(*) from command"));
  CHECK(stored >= t.acknowledged.size());
  CHECK(stored <= t.acknowledged.size() + t.unknown.size());
  for (int i : t.acknowledged)
    REQUIRE(
        call<command_row>([&](auto cb) { s.store.get_command("acme", command(ref, i).id, cb); }));
}

TEST_CASE("a database that stands still hangs no caller") {
  store::pg_options options;
  options.deadline = 400ms;
  stage s(options);
  auto ref = dev("acme", 1);
  s.add(ref);
  s.pg.pause();
  auto wrote = s.write(ref, 0, power_target::on, 1);
  auto read = call<device_record>([&](auto cb) { s.store.get_device(ref, cb); });
  s.pg.resume();
  REQUIRE(!wrote);
  CHECK(wrote.error().what == problem::outcome_unknown);
  REQUIRE(!read);
  CHECK(read.error().what == problem::store_unavailable);
  CHECK(s.first->db.counters().timeouts >= 2);
  CHECK(eventually([&] { return serves(s.store); }));
}

TEST_CASE("a statement that waits too long is undone and the connection stays") {
  store::pg_options options;
  options.deadline = 2s; // the server gives up after 1.8 s
  stage s(options);
  auto ref = dev("acme", 1);
  s.add(ref);
  auto connects = s.first->db.counters().connects.load();
  {
    device_lock held(s);
    auto r = s.write(ref, 0, power_target::on, 1);
    REQUIRE(!r);
    CHECK(r.error().what == problem::store_unavailable);
    CHECK(s.first->db.counters().connects == connects);
  }
  CHECK(eventually([&] { return s.write(ref, 0, power_target::on, 1).ok(); }));
  CHECK(s.desired(ref).desired_rev == 1);
}

TEST_CASE("beyond the queue callers are told to come back") {
  store::pg_options options;
  options.max_queued = 50;
  options.window = 5;
  stage s(options);
  auto ref = dev("acme", 1);
  s.add(ref);
  std::atomic<int> busy{0}, good{0}, odd{0};
  {
    device_lock held(s);
    for (int i = 0; i < 200; ++i)
      s.store.write_command({command(ref, i), {}, {}}, [&](result<write_outcome> r) {
        if (r)
          ++good;
        else if (r.error().what == problem::busy)
          ++busy;
        else
          ++odd;
      });
    CHECK(eventually([&] { return busy == 150; }));
    CHECK(s.first->db.counters().queued == 50);
  }
  CHECK(eventually([&] { return good == 50; }));
  CHECK(odd == 0);
  CHECK(s.first->db.counters().refused_busy == 150);
  CHECK(s.first->db.counters().queued == 0);
}

TEST_CASE("whoever still waits when the store closes is answered") {
  auto s = std::make_unique<stage>();
  auto ref = dev("acme", 1);
  s->add(ref);
  std::atomic<int> answered{0}, good{0};
  {
    device_lock held(*s);
    for (int i = 0; i < 300; ++i)
      s->store.write_command({command(ref, i), {}, {}}, [&](result<write_outcome> r) {
        ++answered;
        good += r.ok();
      });
    s->store.take_epoch({ref, "n1", id(1), "p"}, [&](result<epoch_grant>) { ++answered; });
    s->store.link_down(ref, 1, link_end::peer_closed, [&](result<bool>) { ++answered; });
    s->first.reset();
  }
  CHECK(answered == 302);
  CHECK(good == 0);
}

TEST_CASE("a connection string that is none is told and does not spin") {
  std::mutex mutex;
  std::vector<std::string> lines;
  store::pg_options options;
  options.dsn = "host=127.0.0.1 nonsense";
  options.log = [&](std::string_view line) {
    std::lock_guard lock(mutex);
    lines.emplace_back(line);
  };
  {
    store::database db(options);
    store::pg_store store(db);
    auto r = call<nothing>([&](auto cb) { store.ping(cb); });
    REQUIRE(!r);
    CHECK(r.error().what == problem::store_unavailable);
  }
  REQUIRE(lines.size() == 3); // one per connection
  CHECK(lines[0].find("not reachable") != std::string::npos);
}

TEST_CASE("a failed preparation does not stick to the connection") {
  stage s;
  auto ref = dev("acme", 1);
  s.sql("alter table command rename to command_away");
  CHECK(!s.write(ref, 0, power_target::on, 1));
  CHECK(!s.write(ref, 0, power_target::on, 1));
  s.sql("alter table command_away rename to command");
  s.add(ref);
  CHECK(must(s.write(ref, 0, power_target::on, 1)).what == write_outcome::kind::written);
}
