// One-time tokens, and what activations have come to.
#include "tests/integration/store/harness.hpp"

#include <thread>

using namespace outband;
using namespace outband::test;
using namespace std::chrono_literals;

namespace {

const std::string hash_a(64, 'a'), hash_b(64, 'b');
constexpr time_ms far = 4'000'000'000'000;

activation_token token(int n, const std::string& tenant = "acme") {
  activation_token t;
  t.id = id(n);
  t.tenant = tenant;
  t.profile = "p1";
  t.by = "op/alice";
  t.expires = far;
  return t;
}
result<nothing> create(stage& s, const activation_token& t, const std::string& hash) {
  return call<nothing>([&](auto cb) { s.first->provisioning.create_token(t, hash, cb); });
}
result<activation_token> use(store::pg_provisioning& on, const std::string& hash, int machine) {
  return call<activation_token>([&](auto cb) { on.use_token(hash, id(machine), cb); });
}
page_of<activation_token> tokens(stage& s, const std::string& tenant, page_wish page = {}) {
  return must(call<page_of<activation_token>>(
      [&](auto cb) { s.first->provisioning.list_tokens(tenant, page, cb); }));
}

activation_note note(const device_ref& ref, int activation, const std::string& node = "n1") {
  activation_note n;
  n.row.device = ref;
  n.row.id = id(activation);
  n.row.profile = "p1";
  n.row.step = "setup";
  n.row.mode = 0;
  n.row.node = node;
  return n;
}
result<nothing> begin(store::pg_provisioning& on, const activation_note& n,
                      std::chrono::milliseconds quiet = 1h) {
  return call<nothing>([&](auto cb) { on.begin_activation(n, quiet, cb); });
}
result<nothing> tell(stage& s, const activation_note& n) {
  return call<nothing>([&](auto cb) { s.first->provisioning.note_activation(n, cb); });
}
result<activation_row> read(stage& s, const device_ref& ref) {
  return call<activation_row>([&](auto cb) { s.first->provisioning.get_activation(ref, cb); });
}

} // namespace

TEST_CASE("a token is used once and says what it was made for") {
  stage s;
  auto t = token(1);
  t.act = provisioning_act::deactivate;
  REQUIRE(create(s, t, hash_a).ok());
  auto found =
      must(call<activation_token>([&](auto cb) { s.first->provisioning.find_token(hash_a, cb); }));
  CHECK(found.id == id(1));
  CHECK(found.tenant == "acme");
  CHECK(found.act == provisioning_act::deactivate);
  CHECK(found.profile == "p1");
  CHECK_FALSE(found.device);
  CHECK(found.by == "op/alice");
  CHECK(found.created > 0);
  CHECK(found.expires == far);
  CHECK(found.used == 0);
  auto used = must(use(s.first->provisioning, hash_a, 7));
  CHECK(used.used > 0);
  CHECK(used.used_by == id(7));
  CHECK(use(s.first->provisioning, hash_a, 7).error().what == problem::cancelled);
  CHECK(use(s.first->provisioning, hash_a, 8).error().what == problem::cancelled);
  CHECK(use(s.first->provisioning, hash_b, 7).error().what == problem::not_found);
  CHECK(tokens(s, "acme").rows.at(0).used_by == id(7));
  // Neither id nor hash may come twice.
  CHECK(create(s, token(1), hash_b).error().what == problem::already_exists);
  CHECK(create(s, token(2), hash_a).error().what == problem::already_exists);
  CHECK(create(s, token(2), "short").error().field == "hash");
}

TEST_CASE("a token of another machine or of the past is not used up by trying") {
  stage s;
  auto t = token(1);
  t.device = id(7);
  REQUIRE(create(s, t, hash_a).ok());
  CHECK(use(s.first->provisioning, hash_a, 8).error().what == problem::forbidden);
  CHECK(must(use(s.first->provisioning, hash_a, 7)).device == id(7));
  auto late = token(2);
  late.expires = 1;
  REQUIRE(create(s, late, hash_b).ok());
  CHECK(use(s.first->provisioning, hash_b, 7).error().what == problem::expired);
  CHECK(s.sql("select used from activation_token where hash = '" + hash_b + "'") == "0");
}

TEST_CASE("of many that use one token at once one gets it") {
  stage s;
  REQUIRE(create(s, token(1), hash_a).ok());
  auto second = s.another();
  std::atomic<int> won{0}, lost{0};
  std::vector<std::thread> all;
  for (int i = 0; i < 8; ++i)
    all.emplace_back([&, i] {
      auto r = use(i % 2 == 0 ? s.first->provisioning : second->provisioning, hash_a, 10 + i);
      if (r)
        ++won;
      else if (r.error().what == problem::cancelled)
        ++lost;
    });
  for (auto& t : all)
    t.join();
  CHECK(won == 1);
  CHECK(lost == 7);
}

TEST_CASE("tokens are listed newest first and removed within their tenant") {
  stage s;
  for (int i = 1; i <= 3; ++i) {
    auto t = token(i);
    t.created = 1000 + i;
    REQUIRE(create(s, t, std::string(64, static_cast<char>('0' + i))).ok());
  }
  REQUIRE(create(s, token(9, "globex"), hash_b).ok());
  const auto page = tokens(s, "acme", {1, 1});
  CHECK(page.total == 3);
  REQUIRE(page.rows.size() == 1);
  CHECK(page.rows[0].id == id(2));
  CHECK(tokens(s, "globex").total == 1);
  auto remove = [&](const std::string& tenant, int n) {
    return call<nothing>([&](auto cb) { s.first->provisioning.remove_token(tenant, id(n), cb); });
  };
  CHECK(remove("globex", 2).error().what == problem::not_found);
  CHECK(tokens(s, "acme").total == 3);
  CHECK(remove("acme", 2).ok());
  CHECK(remove("acme", 2).error().what == problem::not_found);
  CHECK(use(s.first->provisioning, std::string(64, '2'), 1).error().what == problem::not_found);
  CHECK(create(s, token(4, "initech"), hash_a).error().what == problem::not_found);
  // Long after its end a token is swept out when the next one is made.
  auto old = token(5);
  old.expires = 1;
  REQUIRE(create(s, old, std::string(64, '5')).ok());
  REQUIRE(create(s, token(6), std::string(64, '6')).ok());
  CHECK(s.sql("select count(*) from activation_token where hash = '" + std::string(64, '5') +
              "'") == "0");
}

TEST_CASE("an activation is told from its first step to its end") {
  stage s;
  const auto ref = dev("acme", 1);
  CHECK(begin(s.first->provisioning, note(ref, 100)).error().what == problem::not_found);
  s.add(ref);
  CHECK(read(s, ref).error().what == problem::not_found);
  auto n = note(ref, 100);
  n.publish = {message("acme/activation", "begun", false)};
  REQUIRE(begin(s.first->provisioning, n).ok());
  auto row = must(read(s, ref));
  CHECK(row.id == id(100));
  CHECK(row.device == ref);
  CHECK(row.state == activation_state::running);
  CHECK(row.step == "setup");
  CHECK(row.mode == 0);
  CHECK(row.node == "n1");
  CHECK(row.started > 0);
  n.row.step = "cira";
  n.row.mode = 2;
  n.publish = {message("acme/activation", "cira", false)};
  REQUIRE(tell(s, n).ok());
  n.row.state = activation_state::failed;
  n.row.code = "cira-refused";
  n.row.text = "The firmware refused.";
  n.row.mode = -1; // unknown: the last known one stays
  n.publish = {message("acme/activation", "failed", false)};
  REQUIRE(tell(s, n).ok());
  const auto last = must(read(s, ref));
  CHECK(last.state == activation_state::failed);
  CHECK(last.code == "cira-refused");
  CHECK(last.text == "The firmware refused.");
  CHECK(last.mode == 2);
  CHECK(last.started == row.started);
  CHECK(last.updated >= row.updated);
  n.row.text = std::string(5000, 'x') + "\xFF"; // the firmware's own words may be anything
  n.publish.clear();
  REQUIRE(tell(s, n).ok());
  CHECK(must(read(s, ref)).text == std::string(2048, 'x'));
  auto out = s.queued();
  REQUIRE(out.size() == 3);
  CHECK(out[0].message.payload == "begun");
  CHECK(out[2].message.payload == "failed");
  // A step that arrives after the end opens nothing again, and says nothing.
  n.row.state = activation_state::running;
  CHECK(tell(s, n).error().what == problem::stale_epoch);
  CHECK(s.queued().size() == 3);
  CHECK(tell(s, note(dev("acme", 2), 100)).error().what == problem::not_found);
}

TEST_CASE("a running activation is left alone while its node lives and speaks") {
  stage s;
  const auto ref = dev("acme", 1);
  s.add(ref);
  enrol(s.first->cluster, life("n1"));
  enrol(s.first->cluster, life("n2", 2));
  auto& p = s.first->provisioning;
  REQUIRE(begin(p, note(ref, 100)).ok());
  auto second = note(ref, 200, "n2");
  second.publish = {message("acme/activation", "second", false)};
  CHECK(begin(p, second).error().what == problem::busy);
  CHECK(s.queued().empty());
  // The same one may ask again: it did not get the answer.
  CHECK(begin(p, note(ref, 100)).ok());
  SUBCASE("it has been silent for too long") {
    CHECK(begin(p, second, 0ms).ok());
  }
  SUBCASE("its node was buried") {
    s.sql("update instance set buried = true where name = 'n1'");
    CHECK(begin(p, second).ok());
  }
  SUBCASE("its node was born again") {
    enrol(s.first->cluster, life("n1", 3));
    CHECK(begin(p, second).ok());
  }
  SUBCASE("its node has retired") {
    must(call<nothing>([&](auto cb) { s.first->cluster.retire(life("n1"), cb); }));
    CHECK(begin(p, second).ok());
  }
  SUBCASE("it has ended") {
    auto end = note(ref, 100);
    end.row.state = activation_state::interrupted;
    REQUIRE(tell(s, end).ok());
    CHECK(begin(p, second).ok());
  }
  CHECK(must(read(s, ref)).id == id(200));
  CHECK(tell(s, note(ref, 100)).error().what == problem::stale_epoch);
  CHECK(must(read(s, ref)).id == id(200));
}

TEST_CASE("of many that begin with one machine at once one does") {
  stage s;
  const auto ref = dev("acme", 1);
  s.add(ref);
  auto other = s.another();
  std::atomic<int> won{0}, busy{0};
  std::vector<std::thread> all;
  for (int i = 0; i < 8; ++i)
    all.emplace_back([&, i] {
      auto r = begin(i % 2 == 0 ? s.first->provisioning : other->provisioning, note(ref, 100 + i));
      if (r)
        ++won;
      else if (r.error().what == problem::busy)
        ++busy;
    });
  for (auto& t : all)
    t.join();
  CHECK(won == 1);
  CHECK(busy == 7);
}

TEST_CASE("activations of another tenant do not exist and go with their machine") {
  stage s;
  const auto ref = dev("acme", 1), theirs = dev("globex", 1);
  s.add(ref);
  REQUIRE(begin(s.first->provisioning, note(ref, 100)).ok());
  CHECK(begin(s.first->provisioning, note(theirs, 100)).error().what == problem::not_found);
  CHECK(tell(s, note(theirs, 100)).error().what == problem::not_found);
  CHECK(read(s, theirs).error().what == problem::not_found);
  auto list = [&](const std::string& tenant) {
    return must(call<page_of<activation_row>>(
        [&](auto cb) { s.first->provisioning.list_activations(tenant, {}, cb); }));
  };
  CHECK(list("globex").total == 0);
  CHECK(list("acme").total == 1);
  CHECK(list("acme").rows.at(0).device == ref);
  must(call<nothing>([&](auto cb) { s.store.delete_device(ref, {}, cb); }));
  CHECK(list("acme").total == 0);
}
