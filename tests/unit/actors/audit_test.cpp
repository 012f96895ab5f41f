// The audit trail as desk, device and bus requests write it.
#include "actors/audit_log.hpp"
#include "messages/bus/envelope.hpp"
#include "messages/bus/topics.hpp"
#include "tests/unit/actors/site.hpp"

#include <algorithm>

using namespace outband;
using namespace outband::testing;

namespace {

std::vector<bus::decoded<event>> audit_events(const site& s) {
  std::vector<bus::decoded<event>> out;
  for (const auto& m : s.store.outbox) {
    auto t = bus::parse_topic(m.topic);
    REQUIRE(t);
    if (t->kind != bus::topic_kind::event || t->cls != event_class::audit ||
        t->root != bus::root::native)
      continue;
    CHECK(!m.retain);
    auto e = bus::decode_event(m.payload, bus::encoding::msgpack);
    REQUIRE(e);
    out.push_back(std::move(*e));
  }
  return out;
}

audit_entry sign_in(const std::string& by) {
  audit_entry e;
  e.tenant = "acme";
  e.act = "session.open";
  e.by = by;
  e.address = "192.0.2.1";
  return e;
}

audit_outcome refused() {
  return outcome_of(audit_status::rejected, fail(problem::unauthenticated));
}

} // namespace

TEST_CASE("a command is in the trail when it is accepted and its end is told once") {
  site s;
  s.comes();
  s.firmware_works();
  s.submit(ask_once{power_once::reset, power_policy::immediate});
  s.pass(5s);
  REQUIRE(s.store.trail.size() == 1);
  const auto& row = s.store.trail.begin()->second;
  CHECK(row.outcome.status == audit_status::done);
  CHECK(row.entry.act == "power.once");
  CHECK(row.entry.device == machine.device);
  CHECK(row.finished > 0);
  auto told = audit_events(s);
  REQUIRE(told.size() == 1);
  CHECK(told[0].body.type == "audit.power.once");
  CHECK(told[0].body.to == "done");
  CHECK(told[0].body.by == row.entry.by);
  CHECK(told[0].body.command == row.entry.id);
}

TEST_CASE("a wish is in the trail and on the bus as done when it is stored") {
  site s;
  desired_patch p;
  p.target = power_target::off;
  s.submit(ask_desired{p, {}});
  REQUIRE(s.store.trail.size() == 1);
  CHECK(s.store.trail.begin()->second.outcome.status == audit_status::done);
  auto told = audit_events(s);
  REQUIRE(told.size() == 1);
  CHECK(told[0].body.type == "audit.desired.patch");
}

TEST_CASE("machines that call home and looks at them leave nothing in the trail") {
  site s;
  s.comes();
  s.firmware_works();
  s.submit(ask_snapshot{});
  s.pass(60s);
  CHECK(s.store.trail.empty());
  CHECK(audit_events(s).empty());
}

TEST_CASE("who asks over the bus for what its role forbids is in the trail") {
  site s;
  audit_log log{s.store, s.clock, {"n1", false, {}}};
  s.with.audit = &log;
  request r;
  r.id = s.clock.new_id();
  r.target = machine;
  r.by = {principal::kind::person, "acme", "vera"};
  r.body = ask_action{power_action::on};
  r.channel = "mqtt";
  record_forbidden(s.with.audit, r, fail(problem::busy));
  s.run();
  CHECK(s.store.trail.empty()); // only what is forbidden
  record_forbidden(s.with.audit, r, fail(problem::forbidden, "needs the role operator"));
  s.run();
  REQUIRE(s.store.trail.size() == 1);
  const auto& row = s.store.trail.begin()->second;
  CHECK(row.entry.act == "power.action");
  CHECK(row.entry.by == "op/vera");
  CHECK(row.entry.argument == R"({"action":2})");
  CHECK(row.entry.id != r.id); // the id is still free for when it is allowed
  CHECK(row.outcome.code == "forbidden");
  CHECK(audit_events(s).size() == 1);
}

TEST_CASE("sources share one row when there are too many of them") {
  site s;
  std::vector<std::function<void()>> later;
  audit_log log{s.store, s.clock, {"n1", false, [&](auto, auto f) {
                                     later.push_back(f);
                                   }}};
  for (int i = 0; i < 1000; ++i) {
    auto e = sign_in("op/u" + std::to_string(i));
    e.tenant = i % 2 == 0 ? "acme" : "beta";
    log.record_limited("192.0.2." + std::to_string(i), e, refused());
  }
  s.run();
  CHECK(s.store.trail.size() == audit_log::together);
  s.clock.now_ += audit_log::window;
  REQUIRE(later.size() == 1);
  later[0]();
  s.run();
  REQUIRE(s.store.trail.size() == audit_log::together + 1);
  auto many = std::find_if(s.store.trail.begin(), s.store.trail.end(),
                           [](const auto& r) { return r.second.count > 1; });
  REQUIRE(many != s.store.trail.end());
  CHECK(many->second.count == 1000 - audit_log::together);
  CHECK(many->second.entry.tenant == site_tenant); // nobody's in particular
  CHECK(many->second.entry.by.empty());
}

TEST_CASE("an import of thousands is a row each and one event for administrators") {
  site s;
  audit_log log{s.store, s.clock, {"n1", false, {}}};
  std::vector<audit_entry> many(200, sign_in("op/ada"));
  for (auto& e : many)
    e.device = s.clock.new_id();
  log.record(std::move(many), {});
  s.run();
  CHECK(s.store.trail.size() == 200);
  REQUIRE(s.store.outbox.size() == 1);
  CHECK(s.store.outbox[0].topic == bus::admin_topic("acme", "audit"));
}

TEST_CASE("what concerns no tenant is on no topic") {
  stage_clock clock;
  auto e = sign_in("");
  e.tenant = std::string(site_tenant);
  CHECK(audit_documents(clock, "n1", true, e, refused()).empty());
  e.tenant = "acme";
  auto both = audit_documents(clock, "n1", true, e, refused());
  REQUIRE(both.size() == 2);
  CHECK(both[0].topic == "oob/v1/acme/admin/audit");
  CHECK(both[1].topic == "oobx/v1/acme/admin/audit");
  CHECK(both[1].payload.find("192.0.2.1") == std::string::npos);
}
