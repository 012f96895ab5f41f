#include "tests/integration/store/harness.hpp"

using namespace outband;
using namespace outband::test;

TEST_CASE("a tenant is created once and listed in the order of keys") {
  stage s;
  auto made = must(call<tenant_row>([&](auto cb) {
    s.store.create_tenant({"beta", "Beta \"Ltd\"", "p-1", 0}, cb);
  }));
  CHECK(made.key == "beta");
  CHECK(made.created > 1'600'000'000'000);
  auto again = call<tenant_row>([&](auto cb) {
    s.store.create_tenant({"beta", "Other", "", 0}, cb);
  });
  REQUIRE(!again);
  CHECK(again.error().what == problem::already_exists);
  CHECK(again.error().field == "key");
  auto project = call<tenant_row>([&](auto cb) {
    s.store.create_tenant({"gamma", "", "p-1", 0}, cb);
  });
  REQUIRE(!project);
  CHECK(project.error().field == "project_id");

  auto all = must(call<std::vector<tenant_row>>([&](auto cb) { s.store.list_tenants(cb); }));
  REQUIRE(all.size() == 3);
  CHECK(all[0].key == "acme");
  CHECK(all[1].display_name == "Beta \"Ltd\"");
  CHECK(all[2].key == "globex");
}

TEST_CASE("a tenant's key and names are bounded") {
  stage s;
  for (auto key : {"", "Acme", "-a", "a-", "a_b", "123456789012345678901", "a/b"}) {
    CAPTURE(key);
    auto r = call<tenant_row>([&](auto cb) { s.store.create_tenant({key, "", "", 0}, cb); });
    REQUIRE(!r);
    CHECK(r.error().what == problem::malformed);
    CHECK(r.error().field == "key");
  }
  auto r = call<tenant_row>([&](auto cb) {
    s.store.create_tenant({"ok", std::string(129, 'x'), "", 0}, cb);
  });
  REQUIRE(!r);
  CHECK(r.error().what == problem::too_large);
}

TEST_CASE("an account is replaced as a whole with its roles") {
  stage s;
  account_row a;
  a.name = "alice";
  a.password_hash = "scrypt$1";
  a.roles = {{"acme", "admin"}, {"globex", "viewer"}};
  must(call<nothing>([&](auto cb) { s.store.put_account(a, cb); }));
  auto got = must(call<account_row>([&](auto cb) { s.store.get_account("alice", cb); }));
  CHECK(got.password_hash == "scrypt$1");
  CHECK(!got.site_admin);
  CHECK(got.roles == a.roles);
  auto created = got.created;

  a.password_hash = "scrypt$2";
  a.site_admin = true;
  a.roles = {{"globex", "operator"}};
  must(call<nothing>([&](auto cb) { s.store.put_account(a, cb); }));
  got = must(call<account_row>([&](auto cb) { s.store.get_account("alice", cb); }));
  CHECK(got.password_hash == "scrypt$2");
  CHECK(got.site_admin);
  CHECK(got.roles == a.roles);
  CHECK(got.created == created);

  must(call<nothing>([&](auto cb) { s.store.put_account({"bob", "h", false, {}, 0}, cb); }));
  auto all = must(call<std::vector<account_row>>([&](auto cb) { s.store.list_accounts(cb); }));
  REQUIRE(all.size() == 2);
  CHECK(all[0].name == "alice");
  CHECK(all[0].roles == a.roles);
  CHECK(all[1].roles.empty());

  must(call<nothing>([&](auto cb) { s.store.delete_account("alice", cb); }));
  for (int i = 0; i < 2; ++i) {
    auto gone = call<account_row>([&](auto cb) { s.store.get_account("alice", cb); });
    REQUIRE(!gone);
    CHECK(gone.error().what == problem::not_found);
    auto twice = call<nothing>([&](auto cb) { s.store.delete_account("alice", cb); });
    REQUIRE(!twice);
    CHECK(twice.error().what == problem::not_found);
  }
}

TEST_CASE("an account with a role in a tenant that does not exist is not stored") {
  stage s;
  account_row a{"carol", "h", false, {{"acme", "viewer"}, {"nowhere", "viewer"}}, 0};
  auto r = call<nothing>([&](auto cb) { s.store.put_account(a, cb); });
  REQUIRE(!r);
  CHECK(r.error().what == problem::not_found);
  CHECK(!call<account_row>([&](auto cb) { s.store.get_account("carol", cb); }));
  a.roles = {{"acme", "emperor"}};
  r = call<nothing>([&](auto cb) { s.store.put_account(a, cb); });
  REQUIRE(!r);
  CHECK(r.error().what == problem::malformed);
  CHECK(r.error().field == "roles.acme");
}

TEST_CASE("two writers of one account leave the roles of one of them") {
  stage s;
  auto other = s.another();
  for (int round = 0; round < 20; ++round) {
    account_row one{"dave", "h1", false, {{"acme", "viewer"}}, 0};
    account_row two{"dave", "h2", false, {{"globex", "admin"}}, 0};
    std::promise<bool> done;
    other->store.put_account(two, [&](result<nothing> r) { done.set_value(r.ok()); });
    must(call<nothing>([&](auto cb) { s.store.put_account(one, cb); }));
    REQUIRE(done.get_future().get());
    auto got = must(call<account_row>([&](auto cb) { s.store.get_account("dave", cb); }));
    CHECK(got.roles == (got.password_hash == "h1" ? one.roles : two.roles));
  }
}

TEST_CASE("a text that PostgreSQL cannot hold is refused and harms nobody else") {
  stage s;
  auto zero = call<tenant_row>([&](auto cb) {
    s.store.create_tenant({"zero", std::string("a\0b", 3), "", 0}, cb);
  });
  REQUIRE(!zero);
  CHECK(zero.error().what == problem::malformed);
  auto bad = call<tenant_row>([&](auto cb) {
    s.store.create_tenant({"bad", "\xff\xfe", "", 0}, cb);
  });
  REQUIRE(!bad);
  CHECK(bad.error().what == problem::malformed);
  must(call<nothing>([&](auto cb) { s.store.ping(cb); }));
}

TEST_CASE("a ping tells that the schema is missing") {
  auto name = server().create_database();
  node n(server().dsn(name));
  auto r = call<nothing>([&](auto cb) { n.store.ping(cb); });
  REQUIRE(!r);
  CHECK(r.error().detail.find("tenant") != std::string::npos);
}
