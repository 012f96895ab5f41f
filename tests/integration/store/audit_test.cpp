// The audit trail: acts that are begun once, what came of them, who sees what of it.
#include "tests/integration/store/harness.hpp"

#include "messages/bus/stored.hpp"

#include <set>

using namespace outband;
using namespace outband::test;
using kind = write_outcome::kind;

namespace {

constexpr time_ms far = 4'000'000'000'000;

audit_entry act(int n, const tenant_key& tenant = "acme") {
  audit_entry e;
  e.tenant = tenant;
  e.id = id(n);
  e.act = "features.set";
  e.device = id(1);
  e.by = "op/alice";
  e.channel = "rest";
  e.node = "n1";
  e.address = "192.0.2.1";
  e.argument = R"({"enableKVM":true,"omitted":1})";
  e.argument_hash = "h" + std::to_string(n);
  e.deadline = far;
  return e;
}

result<audit_begun> begin(store_port& s, const audit_entry& e, std::uint64_t fence = 0) {
  return call<audit_begun>([&](auto cb) { s.begin_audit({e, fence}, cb); });
}
result<nothing> finish(store_port& s, const audit_entry& e, audit_outcome o,
                       std::vector<bus::outgoing> publish = {}) {
  return call<nothing>([&](auto cb) { s.finish_audit({e.tenant, e.id, o, publish}, cb); });
}
result<nothing> record(store_port& s, std::vector<audit_record> all,
                       std::vector<bus::outgoing> publish = {}) {
  return call<nothing>([&](auto cb) { s.record_audit(all, publish, cb); });
}
result<audit_row> get(store_port& s, const tenant_key& tenant, const uuid& which) {
  return call<audit_row>([&](auto cb) { s.get_audit(tenant, which, cb); });
}
audit_page list(store_port& s, const audit_filter& f) {
  return must(call<audit_page>([&](auto cb) { s.list_audit(f, cb); }));
}
audit_outcome done(std::string text = "It is done.") {
  audit_outcome o;
  o.text = std::move(text);
  o.return_value = 0;
  o.document = std::string("\x00\x01\xff", 3);
  return o;
}
std::set<int> numbers(const audit_page& p) {
  std::set<int> out;
  for (const auto& r : p.rows)
    for (int n = 0; n < 100; ++n)
      if (r.entry.id == id(n))
        out.insert(n);
  return out;
}

} // namespace

TEST_CASE("an act is begun once and a resent one gets what came of it") {
  stage s;
  auto first = must(begin(s.store, act(1)));
  CHECK(!first.duplicate);
  CHECK(first.row.outcome.status == audit_status::asked);
  CHECK(first.row.at > 1'600'000'000'000);
  auto other = act(1);
  other.by = "op/bob";
  auto again = must(begin(s.store, other));
  CHECK(again.duplicate);
  CHECK(again.row.entry.by == "op/alice");
  CHECK(again.row.outcome.status == audit_status::asked);
  must(finish(s.store, act(1), done(), {message("acme/audit", "x", false)}));
  again = must(begin(s.store, act(1)));
  CHECK(again.duplicate);
  CHECK(again.row.outcome.status == audit_status::done);
  CHECK(again.row.outcome.document == std::string("\x00\x01\xff", 3));
  CHECK(again.row.outcome.return_value == 0u);
  CHECK(again.row.entry.argument_hash == "h1");
  CHECK(s.queued().size() == 1);
}

TEST_CASE("of many who begin the same act at once exactly one may carry it out") {
  stage s;
  auto a = s.another(), b = s.another();
  std::vector<store_port*> nodes{&s.store, &a->store, &b->store};
  std::atomic<int> begun{0}, told{0};
  std::promise<void> all;
  constexpr int tries = 60;
  for (int i = 0; i < tries; ++i)
    nodes[static_cast<std::size_t>(i) % 3]->begin_audit({act(7), 0},
                                                        [&](const result<audit_begun>& r) {
                                                          begun += r && !r->duplicate ? 1 : 0;
                                                          if (++told == tries)
                                                            all.set_value();
                                                        });
  REQUIRE(all.get_future().wait_for(patience) == std::future_status::ready);
  CHECK(begun == 1);
}

TEST_CASE("an act that has ended stays as it ended and says so once") {
  stage s;
  must(begin(s.store, act(1)));
  must(finish(s.store, act(1), done("first"), {message("t", "1", false)}));
  audit_outcome late;
  late.status = audit_status::failed;
  late.text = "second";
  must(finish(s.store, act(1), late, {message("t", "2", false)}));
  auto row = must(get(s.store, "acme", id(1)));
  CHECK(row.outcome.status == audit_status::done);
  CHECK(row.outcome.text == "first");
  CHECK(row.finished >= row.at);
  CHECK(s.queued().size() == 1);
  auto none = finish(s.store, act(2), done());
  REQUIRE(!none);
  CHECK(none.error().what == problem::not_found);
}

TEST_CASE("an open act past its deadline reads as unknown until its outcome comes after all") {
  stage s;
  auto e = act(1);
  e.deadline = 1'000;
  must(begin(s.store, e));
  must(begin(s.store, act(2)));
  CHECK(must(get(s.store, "acme", id(1))).outcome.status == audit_status::unknown);
  CHECK(must(get(s.store, "acme", id(2))).outcome.status == audit_status::asked);
  audit_filter f;
  f.tenant = "acme";
  f.status = audit_status::unknown;
  CHECK(numbers(list(s.store, f)) == std::set<int>{1});
  f.status = audit_status::asked;
  CHECK(numbers(list(s.store, f)) == std::set<int>{2});
  CHECK(must(begin(s.store, e)).row.outcome.status == audit_status::unknown);
  must(finish(s.store, e, done()));
  CHECK(must(get(s.store, "acme", id(1))).outcome.status == audit_status::done);
}

TEST_CASE("a controller that has lost its lease begins nothing") {
  stage s;
  enrol(s.first->cluster, life("a"));
  auto epoch = beat(s.first->cluster, life("a")).held;
  auto stale = begin(s.store, act(1), epoch + 1);
  REQUIRE(!stale);
  CHECK(stale.error().what == problem::stale_controller);
  CHECK(s.sql("select count(*) from audit") == "0");
  CHECK(!must(begin(s.store, act(1), epoch)).duplicate);
}

TEST_CASE("a command is in the trail from the statement that stores it to the one that ends it") {
  stage s;
  const auto ref = dev("acme", 1);
  s.add(ref);
  auto c = command(ref, 1);
  c.act = "power.once";
  c.argument = bus::pack(request_body{ask_once{power_once::reset, power_policy::immediate}});
  c.channel = "rest:n1";
  c.address = "192.0.2.9";
  c.deadline = far;
  must(call<write_outcome>([&](auto cb) { s.store.write_command({c, {}, {}}, cb); }));
  auto row = must(get(s.store, "acme", c.id));
  CHECK(row.outcome.status == audit_status::asked);
  CHECK(row.entry.act == "power.once");
  CHECK(row.entry.channel == "rest");
  CHECK(row.entry.node == "n1");
  CHECK(row.entry.address == "192.0.2.9");
  CHECK(row.entry.device == ref.device);
  CHECK(row.entry.argument == R"({"what":"reset","policy":"immediate"})");

  auto seen = s.load(ref);
  current_write w;
  w.ref = ref;
  w.expected_rev = seen.current_rev;
  w.next = seen.current;
  w.commands = seen.open_commands;
  w.commands[0].dispatched = true;
  must(call<current_written>([&](auto cb) { s.store.save_current(w, cb); }));
  CHECK(must(get(s.store, "acme", c.id)).outcome.status == audit_status::asked);

  response r;
  r.id = c.id;
  r.status = request_status::failed;
  r.text = "The firmware refused.\x01\xff";
  r.return_value = 2;
  r.why = fail(problem::device_refused);
  w.expected_rev = seen.current_rev + 1;
  w.commands[0].status = r.status;
  w.commands[0].outcome = bus::pack(r);
  must(call<current_written>([&](auto cb) { s.store.save_current(w, cb); }));
  row = must(get(s.store, "acme", c.id));
  CHECK(row.outcome.status == audit_status::failed);
  CHECK(row.outcome.code == "device-refused");
  CHECK(row.outcome.return_value == 2u);
  CHECK(row.outcome.document == w.commands[0].outcome);
  CHECK(row.outcome.text.find("The firmware refused.") == 0);

  // What the table of commands has forgotten the trail still knows.
  s.sql("delete from command");
  auto o = must(call<write_outcome>([&](auto cb) { s.store.write_command({c, {}, {}}, cb); }));
  CHECK(o.what == kind::duplicate);
  CHECK(o.existing.status == request_status::failed);
  CHECK(o.existing.argument_hash == c.argument_hash);
  CHECK(o.existing.outcome == w.commands[0].outcome);
}

TEST_CASE("a wish is in the trail as done and its id is taken for acts too") {
  stage s;
  const auto ref = dev("acme", 1);
  s.add(ref);
  must(s.write(ref, 0, power_target::on, 1));
  auto page = list(s.store, {"acme", {}, {}, {}, audit_status::done, 0, 0, {}, 0, 25});
  REQUIRE(page.rows.size() == 1);
  auto e = act(1);
  e.id = page.rows[0].entry.id;
  CHECK(must(begin(s.store, e)).duplicate);
  // And the other way round: the id of an act is no new command's.
  must(begin(s.store, act(2)));
  auto c = command(ref, 1);
  c.id = id(2);
  auto o = must(call<write_outcome>([&](auto cb) { s.store.write_command({c, {}, {}}, cb); }));
  CHECK(o.what == kind::duplicate);
  CHECK(o.existing.act == "features.set");
  CHECK(s.sql("select count(*) from command") == "1");
}

TEST_CASE("pages of the trail are newest first and each row is on one of them") {
  stage s;
  for (int n = 1; n <= 23; ++n)
    must(record(s.store, {{act(n), done()}}));
  audit_filter f;
  f.tenant = "acme";
  f.top = 5;
  std::vector<uuid> seen;
  time_ms last = far;
  for (;;) {
    auto page = list(s.store, f);
    for (const auto& r : page.rows) {
      CHECK(r.at <= last);
      last = r.at;
      seen.push_back(r.entry.id);
    }
    if (page.next.empty())
      break;
    f.after = page.next;
  }
  CHECK(seen.size() == 23);
  CHECK(std::set<uuid>(seen.begin(), seen.end()).size() == 23);
  f.after.clear();
  f.skip = 20;
  auto end = list(s.store, f);
  CHECK(end.rows.size() == 3);
  CHECK(end.next.empty());
  for (std::string broken : {"x", "1", "1.", ".x", "99999999999999999.x", "1.x' or 1=1"}) {
    CAPTURE(broken);
    f.after = broken;
    auto r = call<audit_page>([&](auto cb) { s.store.list_audit(f, cb); });
    REQUIRE(!r);
    CHECK(r.error().field == "after");
  }
}

TEST_CASE("every filter of the trail selects and they combine") {
  stage s;
  auto e = act(1);
  must(record(s.store, {{e, done()}}));
  e = act(2);
  e.device = id(2);
  e.by = "op/bob";
  e.act = "boot.set";
  audit_outcome refused;
  refused.status = audit_status::rejected;
  refused.code = "forbidden";
  must(record(s.store, {{e, refused}}));
  e = act(3);
  e.device.reset();
  e.act = "session.open";
  must(record(s.store, {{e, done(), 17}}));
  audit_filter f;
  f.tenant = "acme";
  CHECK(numbers(list(s.store, f)) == std::set<int>{1, 2, 3});
  f.device = id(2);
  CHECK(numbers(list(s.store, f)) == std::set<int>{2});
  f.device.reset();
  f.by = "op/alice";
  CHECK(numbers(list(s.store, f)) == std::set<int>{1, 3});
  f.act = "session.open";
  auto one = list(s.store, f);
  REQUIRE(numbers(one) == std::set<int>{3});
  CHECK(one.rows[0].count == 17);
  CHECK(!one.rows[0].entry.device);
  f = {};
  f.tenant = "acme";
  for (auto [status, expected] : {std::pair{audit_status::done, std::set<int>{1, 3}},
                                  std::pair{audit_status::rejected, std::set<int>{2}},
                                  std::pair{audit_status::failed, std::set<int>{}},
                                  std::pair{audit_status::expired, std::set<int>{}}}) {
    f.status = status;
    CHECK(numbers(list(s.store, f)) == expected);
  }
  f.status.reset();
  const auto at = must(get(s.store, "acme", id(2))).at;
  f.from = at + 100'000;
  CHECK(list(s.store, f).rows.empty());
  f.from = 0;
  f.to = at - 100'000;
  CHECK(list(s.store, f).rows.empty());
}

TEST_CASE("the trail of a tenant is nobody else's") {
  stage s;
  must(begin(s.store, act(1)));
  auto before = s.sql("select * from audit");
  CHECK(!get(s.store, "globex", id(1)));
  auto theirs = act(1, "globex");
  auto r = finish(s.store, theirs, done(), {message("globex/x", "x", false)});
  REQUIRE(!r);
  CHECK(r.error().what == problem::not_found);
  audit_filter f;
  f.tenant = "globex";
  CHECK(list(s.store, f).rows.empty());
  CHECK(s.sql("select * from audit") == before);
  CHECK(s.queued().empty());
  // The same id is another act there.
  CHECK(!must(begin(s.store, theirs)).duplicate);
  auto strange = act(2, "ACME' or 1=1");
  auto bad = begin(s.store, strange);
  REQUIRE(!bad);
  CHECK(bad.error().what == problem::not_found);
  CHECK(!record(s.store, {{strange, done()}}));
}

TEST_CASE("whatever is in a text is recorded and nothing of it stops the others") {
  stage s;
  auto e = act(1);
  e.by = std::string("op/\x00\x01\xff\xc3\xa9", 8);
  e.address = std::string(5'000, 'x');
  must(record(s.store, {{e, done(std::string(70'000, '\xff'))}, {act(2), done()}}));
  auto row = must(get(s.store, "acme", id(1)));
  CHECK(row.entry.by == "op/   \xc3\xa9");
  CHECK(row.entry.address.size() == 256);
  auto twice = record(s.store, {{act(3), done()}, {act(2), done()}});
  REQUIRE(!twice);
  CHECK(twice.error().what == problem::already_exists);
  CHECK(!get(s.store, "acme", id(3))); // all or nothing
}

TEST_CASE("what is older than it is kept goes when the first act of a day is recorded") {
  store::pg_options o;
  o.keep_audit = std::chrono::hours(24 * 30);
  stage s(o);
  s.sql("insert into audit (tenant, id, at, act, asked_by, channel, node, address, argument_hash, "
        "deadline, status) select t, gen_random_uuid(), now_ms() - d * 86400000::bigint, 'x', '', "
        "'', '', '', '', 0, 'done' from unnest(array['acme', 'globex', '-']) t, "
        "generate_series(1, 6000) n, unnest(array[29, 31]) d");
  must(record(s.store, {{act(1), done()}}));
  CHECK(eventually([&] {
    return s.sql("select count(*) from audit where at < now_ms() - 30 * 86400000::bigint") == "0";
  }));
  CHECK(s.sql("select count(*) from audit") == "18001");
}

TEST_CASE("lists of the trail walk an index and not the table") {
  stage s;
  s.sql("insert into audit (tenant, id, at, act, guid, asked_by, channel, node, address, "
        "argument_hash, deadline, status) select 'acme', gen_random_uuid(), n, 'a' || n % 50, "
        "gen_random_uuid(), 'op/' || n % 100, '', '', '', '', 0, "
        "case when n % 20 = 0 then 'failed' else 'done' end from generate_series(1, 20000) n; "
        "analyze audit");
  for (std::string where :
       {"", " and guid = '11111111-1111-4111-8111-111111111111'", " and asked_by = 'op/7'",
        " and act = 'a7'", " and status = 'failed'"}) {
    CAPTURE(where);
    auto plan = s.sql("explain select * from audit a where tenant = 'acme' and at >= 0 and at < "
                      "9000000 and (at, id) < (9000000, 'ffffffff-ffff-ffff-ffff-ffffffffffff')" +
                      where + " order by at desc, id desc limit 26");
    CHECK(plan.find("Seq Scan") == std::string::npos);
    CHECK(plan.find("Sort") == std::string::npos);
  }
}
