// Machines and tenants that are to go, in the real database.
#include "actors/store/pg_removals.hpp"
#include "tests/integration/store/harness.hpp"

#include <algorithm>
#include <vector>

using namespace outband;
using namespace outband::test;

namespace {

struct removing : stage {
  store::pg_removals rows{first->db};
  removal wish_of(const device_ref& ref, removal_kind kind = removal_kind::remove) {
    removal r;
    r.device = ref;
    r.kind = kind;
    r.by = "op/ada";
    r.text = "It was asked for just now.";
    return r;
  }
  result<kept_removal> begin(const device_ref& ref, removal_kind kind = removal_kind::remove) {
    return call<kept_removal>([&](auto cb) { rows.begin(wish_of(ref, kind), std::move(cb)); });
  }
  result<nothing> note(const device_ref& ref, removal_state state, const std::string& text) {
    auto r = wish_of(ref);
    r.state = state;
    r.code = "device-refused";
    r.text = text;
    return call<nothing>([&](auto cb) { rows.note(r, std::move(cb)); });
  }
  result<kept_removal> get(const device_ref& ref) {
    return call<kept_removal>([&](auto cb) { rows.get(ref, std::move(cb)); });
  }
  result<nothing> withdraw(const device_ref& ref) {
    return call<nothing>([&](auto cb) { rows.withdraw(ref, std::move(cb)); });
  }
  result<nothing> forget(const device_ref& ref) {
    return call<nothing>([&](auto cb) { rows.forget_secrets(ref, std::move(cb)); });
  }
  result<nothing> begin_activation(const device_ref& ref, provisioning_act act) {
    activation_note n;
    n.row.device = ref;
    n.row.id = id(70);
    n.row.act = act;
    n.row.state = activation_state::running;
    n.row.node = "n1";
    return call<nothing>([&](auto cb) {
      first->provisioning.begin_activation(n, std::chrono::minutes(1), std::move(cb));
    });
  }
  std::vector<removal> open(const device_ref& after = {}, std::size_t limit = 100) {
    return must(
        call<std::vector<removal>>([&](auto cb) { rows.open(after, limit, std::move(cb)); }));
  }
  std::vector<removal> of(const std::string& tenant, std::vector<device_id> those) {
    return must(call<std::vector<removal>>(
        [&](auto cb) { rows.of(tenant, std::move(those), std::move(cb)); }));
  }
  result<std::size_t> leave(const std::string& tenant) {
    return call<std::size_t>([&](auto cb) { rows.begin_tenant(tenant, "op/root", std::move(cb)); });
  }
  std::vector<tenant_key> empty() {
    return must(call<std::vector<tenant_key>>([&](auto cb) { rows.empty_tenants(std::move(cb)); }));
  }
  void give_secret(const device_ref& ref) {
    must(call<nothing>([&](auto cb) {
      first->secret_rows.write(ref, secret_name::amt_password,
                               {secrets::slot::active, 1, "k", "sealed"}, cb);
    }));
  }
};

} // namespace

TEST_CASE("a wish to remove is kept with who asked and when and how it stands") {
  removing s;
  const auto ref = dev("acme", 1);
  s.add(ref);
  CHECK(s.get(ref).error().what == problem::not_found);
  const auto begun = must(s.begin(ref));
  CHECK(begun.what.device == ref);
  CHECK(begun.what.state == removal_state::waiting);
  CHECK(begun.what.by == "op/ada");
  CHECK(begun.what.asked > 0);
  CHECK_FALSE(begun.managed);
  must(s.note(ref, removal_state::refused, "The firmware answered X (1)."));
  const auto now = must(s.get(ref));
  CHECK(now.what.state == removal_state::refused);
  CHECK(now.what.code == "device-refused");
  CHECK(now.what.text == "The firmware answered X (1).");
  CHECK(now.what.asked == begun.what.asked);
  // Asked once more, nothing that is known of it is lost.
  CHECK(must(s.begin(ref)).what.text == "The firmware answered X (1).");
  must(s.withdraw(ref));
  CHECK(s.withdraw(ref).error().what == problem::not_found);
  CHECK(s.note(ref, removal_state::done, "").error().what == problem::not_found);
  CHECK(s.begin(dev("acme", 7)).error().what == problem::not_found);
}

TEST_CASE("to remove outweighs to deauthorize in any order") {
  removing s;
  const auto ref = dev("acme", 1);
  s.add(ref);
  CHECK(must(s.begin(ref, removal_kind::deauthorize)).what.kind == removal_kind::deauthorize);
  CHECK(must(s.begin(ref, removal_kind::remove)).what.kind == removal_kind::remove);
  CHECK(must(s.begin(ref, removal_kind::deauthorize)).what.kind == removal_kind::remove);
}

TEST_CASE("who has secrets or has called or was activated is to be deactivated") {
  removing s;
  const auto secret = dev("acme", 1), called = dev("acme", 2), active = dev("acme", 3),
             plain = dev("acme", 4);
  for (const auto& ref : {secret, called, active, plain})
    s.add(ref);
  s.give_secret(secret);
  must(s.take(called));
  activation_note n;
  n.row.device = active;
  n.row.id = id(77);
  n.row.state = activation_state::running;
  n.row.mode = 1;
  n.row.node = "n1";
  must(call<nothing>([&](auto cb) {
    s.first->provisioning.begin_activation(n, std::chrono::minutes(1), std::move(cb));
  }));
  must(call<nothing>([&](auto cb) { s.first->provisioning.note_activation(n, std::move(cb)); }));
  CHECK(must(s.begin(secret)).managed);
  CHECK(must(s.begin(called)).managed);
  CHECK(must(s.begin(active)).managed);
  CHECK_FALSE(must(s.begin(plain)).managed);
}

TEST_CASE("a deauthorized machine has no secrets and is removed without being asked again") {
  removing s;
  const auto ref = dev("acme", 1), other = dev("acme", 2);
  s.add(ref);
  s.add(other);
  s.give_secret(ref);
  s.give_secret(other);
  must(s.take(ref));
  CHECK(must(s.begin(ref, removal_kind::deauthorize)).managed);
  must(s.forget(ref));
  SUBCASE("and is done with") {
    must(s.note(ref, removal_state::done, "Deauthorized."));
    CHECK(s.open().empty());
  }
  SUBCASE("and is to be removed since") {
    CHECK(must(s.begin(ref)).what.kind == removal_kind::remove);
    CHECK(s.note(ref, removal_state::done, "Deauthorized.").error().what == problem::not_found);
    CHECK(must(s.get(ref)).what.state == removal_state::waiting);
  }
  CHECK(s.sql("select count(*) from secret where guid = '" + to_string(ref.device) + "'") == "0");
  CHECK(s.sql("select count(*) from secret where guid = '" + to_string(other.device) + "'") == "1");
  CHECK(s.load(ref).record.ref == ref);
  const auto again = must(s.begin(ref));
  CHECK(again.what.state == removal_state::waiting);
  CHECK(again.what.kind == removal_kind::remove);
  CHECK_FALSE(again.managed);
  s.give_secret(ref); // somebody has activated it meanwhile
  CHECK(must(s.get(ref)).managed);
}

TEST_CASE("what is open is read in pages and goes with its machine") {
  removing s;
  for (int i = 1; i <= 5; ++i) {
    s.add(dev(i <= 3 ? "acme" : "globex", i));
    must(s.begin(dev(i <= 3 ? "acme" : "globex", i)));
  }
  std::vector<device_ref> seen;
  device_ref after;
  for (auto page = s.open(after, 2); !page.empty(); page = s.open(after, 2)) {
    for (const auto& r : page)
      seen.push_back(r.device);
    after = seen.back();
  }
  CHECK(seen.size() == 5);
  must(call<nothing>([&](auto cb) { s.store.delete_device(dev("acme", 1), {}, cb); }));
  CHECK(s.open().size() == 4);
  CHECK(s.get(dev("acme", 1)).error().what == problem::not_found);
}

TEST_CASE("another tenant removes nothing and sees nothing of it") {
  removing s;
  const auto theirs = dev("acme", 1), mine = dev("globex", 1); // the same GUID
  s.add(theirs);
  s.give_secret(theirs);
  must(s.begin(theirs, removal_kind::deauthorize));
  const auto before = s.sql("select * from removal; select * from secret; select * from tenant");
  for (const auto& ref : {mine, device_ref{"acme' or '1'='1", mine.device}, device_ref{}}) {
    CHECK(!s.begin(ref));
    CHECK(!s.note(ref, removal_state::done, "x"));
    CHECK(!s.get(ref));
    CHECK(!s.withdraw(ref));
    CHECK(!s.forget(ref));
  }
  CHECK(s.of("globex", {mine.device}).empty());
  CHECK(s.of("acme", {mine.device}).size() == 1);
  CHECK(s.of("acme", {}).empty());
  CHECK(s.sql("select * from removal; select * from secret; select * from tenant") == before);
  CHECK(must(s.leave("globex")) == 0);
  CHECK(must(s.get(theirs)).what.kind == removal_kind::deauthorize);
  CHECK(!s.leave("no such"));
  CHECK(s.leave("nobody").error().what == problem::not_found);
}

TEST_CASE("how it stands is kept whatever the firmware's words are") {
  removing s;
  const auto ref = dev("acme", 1);
  s.add(ref);
  must(s.begin(ref));
  must(s.note(ref, removal_state::refused, std::string(5000, 'x')));
  CHECK(must(s.get(ref)).what.text == std::string(2048, 'x'));
  must(s.note(ref, removal_state::refused, "a\xFF"));
  CHECK(must(s.get(ref)).what.text == "a ");
}

TEST_CASE("a tenant that is to go takes its machines and tokens along and waits for them") {
  removing s;
  s.add(dev("acme", 1));
  s.add(dev("acme", 2));
  s.add(dev("globex", 3));
  must(s.begin(dev("acme", 1), removal_kind::deauthorize));
  for (const std::string tenant : {"acme", "globex"}) {
    activation_token t;
    t.id = id(tenant == "acme" ? 50 : 51);
    t.tenant = tenant;
    t.expires = 4'000'000'000'000;
    must(call<nothing>([&](auto cb) {
      s.first->provisioning.create_token(t, std::string(64, tenant == "acme" ? 'a' : 'b'), cb);
    }));
  }
  CHECK(must(s.leave("acme")) == 2);
  CHECK(s.sql("select tenant from activation_token") == "globex");
  CHECK(must(s.get(dev("acme", 1))).what.kind == removal_kind::remove);
  CHECK(s.open().size() == 2);
  CHECK(s.empty().empty());
  for (int i : {1, 2})
    must(call<nothing>([&](auto cb) { s.store.delete_device(dev("acme", i), {}, cb); }));
  CHECK(s.empty() == std::vector<tenant_key>{"acme"});
  must(call<nothing>([&](auto cb) { s.store.delete_tenant("acme", false, {}, cb); }));
  CHECK(s.empty().empty());
  CHECK(s.sql("select count(*) from removal") == "0");
}

TEST_CASE("to a tenant that is to go nothing is added and its machines may still be deactivated") {
  removing s;
  auto& p = s.first->provisioning;
  s.add(dev("acme", 1));
  auto token = [&](const std::string& tenant, provisioning_act act, char digit) {
    activation_token t;
    t.id = id(digit);
    t.tenant = tenant;
    t.act = act;
    t.expires = 4'000'000'000'000;
    return call<nothing>([&](auto cb) { p.create_token(t, std::string(64, digit), cb); });
  };
  auto upsert = [&](std::vector<device_ref> those) {
    std::vector<device_record> all;
    for (const auto& ref : those)
      all.push_back(record(ref));
    return call<std::vector<upserted>>([&](auto cb) { s.store.upsert_devices(all, cb); });
  };
  must(token("acme", provisioning_act::deactivate, 'c'));
  CHECK(must(s.leave("acme")) == 1);
  CHECK(s.sql("select act from activation_token") == "deactivate"); // it helps the tenant to go

  const auto before = s.sql("select * from device; select * from activation_token");
  auto refused = upsert({dev("globex", 5), dev("acme", 9)});
  REQUIRE(!refused);
  CHECK(refused.error().what == problem::transition_refused);
  CHECK(explain(refused.error().what).status == 409);
  CHECK(refused.error().detail.find("the tenant is being removed") != std::string::npos);
  CHECK(refused.error().field == "[1].tenant");
  auto no = token("acme", provisioning_act::activate, 'd');
  REQUIRE(!no);
  CHECK(no.error().what == problem::transition_refused);
  no = s.begin_activation(dev("acme", 1), provisioning_act::activate);
  REQUIRE(!no);
  CHECK(no.error().what == problem::transition_refused);
  CHECK(no.error().detail.find("the tenant is being removed") != std::string::npos);
  CHECK(s.sql("select * from device; select * from activation_token") == before);

  must(s.begin_activation(dev("acme", 1), provisioning_act::deactivate));
  must(token("acme", provisioning_act::deactivate, 'e'));
  must(token("globex", provisioning_act::activate, 'f'));
  must(upsert({dev("globex", 5)}));
  CHECK(token("nobody", provisioning_act::activate, '0').error().what == problem::not_found);
}

TEST_CASE("what is deauthorized or to go begins no activation and what was authorised again does") {
  removing s;
  const auto ref = dev("acme", 1);
  s.add(ref);
  must(s.begin(ref, removal_kind::deauthorize));
  CHECK(s.begin_activation(ref, provisioning_act::activate).error().what ==
        problem::transition_refused);
  must(s.note(ref, removal_state::done, "Deauthorized."));
  CHECK(s.begin_activation(ref, provisioning_act::activate).error().what ==
        problem::transition_refused);
  must(s.begin_activation(ref, provisioning_act::deactivate));
  must(s.withdraw(ref));
  must(s.begin_activation(ref, provisioning_act::activate));
}

TEST_CASE("who registers machines while the tenant begins to go is refused or taken along") {
  removing s;
  auto other = s.another();
  for (int round = 0; round < 10; ++round) {
    std::vector<std::future<result<std::vector<upserted>>>> answers;
    for (int i = 1; i <= 10; ++i) {
      auto told = std::make_shared<std::promise<result<std::vector<upserted>>>>();
      answers.push_back(told->get_future());
      other->store.upsert_devices(
          {record(dev("acme", 100 * round + i))},
          [told](result<std::vector<upserted>> r) { told->set_value(std::move(r)); });
    }
    const auto left = must(s.leave("acme"));
    std::size_t made = 0;
    for (auto& a : answers) {
      auto r = a.get();
      made += r ? 1 : 0;
      if (!r)
        CHECK(r.error().what == problem::transition_refused);
    }
    CHECK(left == made);
    CHECK(s.open().size() == made);
    s.sql("delete from device; update tenant set leaving = false");
  }
}

TEST_CASE("many wishes at once for one machine are one wish") {
  removing s;
  const auto ref = dev("acme", 1);
  s.add(ref);
  auto other = s.another();
  store::pg_removals there{other->db};
  std::vector<std::future<result<kept_removal>>> answers;
  for (int i = 0; i < 40; ++i) {
    auto told = std::make_shared<std::promise<result<kept_removal>>>();
    answers.push_back(told->get_future());
    auto& at = i % 2 == 0 ? s.rows : there;
    at.begin(s.wish_of(ref, i % 3 == 0 ? removal_kind::remove : removal_kind::deauthorize),
             [told](result<kept_removal> r) { told->set_value(std::move(r)); });
  }
  for (auto& a : answers)
    must(a.get());
  CHECK(s.open().size() == 1);
  CHECK(must(s.get(ref)).what.kind == removal_kind::remove);
}

TEST_CASE("the end of a certificate is told once per threshold and again for another one") {
  removing s;
  auto& p = s.first->provisioning;
  domain d;
  d.name = "Main";
  d.suffix = "example.com";
  d.expires = 1000;
  for (const std::string tenant : {"acme", "globex"})
    must(call<domain>([&](auto cb) { p.domains().create(tenant, d, {}, cb); }));
  auto notice = [&](const std::string& name, time_ms expires, int days) {
    return must(call<bool>([&](auto cb) { p.notice_expiry("acme", name, expires, days, cb); }));
  };
  CHECK(notice("main", 1000, 90));
  CHECK_FALSE(notice("Main", 1000, 90));
  CHECK(notice("Main", 1000, 7)); // nobody looked at 30
  CHECK_FALSE(notice("Main", 1000, 30));
  CHECK(notice("Main", 1000, 0));
  CHECK_FALSE(notice("Main", 1000, 0));
  CHECK_FALSE(notice("Main", 999, 0)); // it was replaced meanwhile
  CHECK_FALSE(notice("Other", 1000, 0));
  auto kept = must(call<stored<domain>>([&](auto cb) { p.domains().get("acme", "main", cb); }));
  kept.what.expires = 2000;
  must(call<domain>([&](auto cb) { p.domains().update("acme", kept.what, {}, cb); }));
  CHECK(notice("Main", 2000, 90));
  CHECK(s.sql("select noticed_expires from domain where tenant = 'globex'") == "0");
  // Of many that ask at once, one tells.
  auto other = s.another();
  std::vector<std::future<result<bool>>> answers;
  for (int i = 0; i < 20; ++i) {
    auto told = std::make_shared<std::promise<result<bool>>>();
    answers.push_back(told->get_future());
    (i % 2 == 0 ? p : other->provisioning)
        .notice_expiry("acme", "Main", 2000, 30,
                       [told](result<bool> r) { told->set_value(std::move(r)); });
  }
  int fresh = 0;
  for (auto& a : answers)
    fresh += must(a.get()) ? 1 : 0;
  CHECK(fresh == 1);
}

TEST_CASE("a database of version 5 is taken to machines and tenants that may go") {
  auto name = server().create_database();
  auto dsn = server().dsn(name);
  auto before = store::migrations();
  before.resize(5);
  must(store::migrate(dsn, std::chrono::seconds(60), before));
  server().sql(name, "insert into tenant (key, display_name, created) values ('acme', 'A', 1); "
                     "insert into domain (tenant, key, name, version, suffix, storage_format, "
                     "expires) values ('acme', 'd', 'D', 1, 'example.com', 'string', 5)");
  const auto r = must(store::migrate(dsn));
  CHECK(r.from == 5);
  CHECK(r.to >= 6);
  CHECK(server().sql(name, "select leaving from tenant") == "f");
  CHECK(server().sql(name, "select noticed_days from domain") == "0");
  CHECK(server().sql(name, "select count(*) from removal") == "0");
}
