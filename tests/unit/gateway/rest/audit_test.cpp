#include "tests/unit/gateway/rest/site.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace outband;
using namespace outband::testing;

namespace {

std::vector<audit_row> rows(const site& s, const std::string& act, const tenant_key& tenant) {
  std::vector<audit_row> out;
  for (const auto& [key, row] : s.store.trail)
    if (row.entry.act == act && key.first == tenant)
      out.push_back(row);
  return out;
}
audit_row only(const site& s, const std::string& act, const tenant_key& tenant = "acme") {
  auto all = rows(s, act, tenant);
  REQUIRE(all.size() == 1);
  return all[0];
}
/// The trail without what the site's own construction left there.
void forget(site& s) {
  s.store.trail.clear();
}
/// Reads the parts of an export to the end.
std::string drain(const web::response& r) {
  auto out = r.body;
  for (bool over = !r.more; !over;)
    r.more([&](result<std::string> part) {
      over = !part || part->empty();
      out += part ? *part : "failed: " + to_string(part.error());
    });
  return out;
}
void add_rows(site& s, int n, const tenant_key& tenant) {
  for (int i = 0; i < n; ++i) {
    audit_row r;
    r.entry.tenant = tenant;
    r.entry.id = s.clock.new_id();
    r.entry.act = i % 2 == 0 ? "boot.set" : "features.set";
    r.entry.by = i % 3 == 0 ? "op/ada" : "op/olaf";
    r.entry.device = s.machine.device;
    r.outcome.status = i % 5 == 0 ? audit_status::failed : audit_status::done;
    r.at = s.clock.now() + i;
    s.store.trail[{tenant, r.entry.id}] = r;
  }
}

} // namespace

TEST_CASE("who signs in is in the trail and so is who fails to") {
  site s;
  forget(s);
  REQUIRE(!s.sign_in("olaf").empty());
  auto in = only(s, "session.open");
  CHECK(in.entry.by == "op/olaf");
  CHECK(in.entry.address == "192.0.2.1");
  CHECK(in.entry.channel == "rest");
  CHECK(in.entry.node == "n1");
  CHECK(in.outcome.status == audit_status::done);
  forget(s);
  CHECK(s.sign_in("Olaf", "hunter2").empty());
  auto failed = only(s, "session.open");
  CHECK(failed.entry.by == "op/olaf");
  CHECK(failed.outcome.status == audit_status::rejected);
  CHECK(failed.outcome.code == "unauthenticated");
  forget(s);
  // A password in the wrong field is nobody's name, and is in nobody's trail.
  CHECK(s.sign_in("hunter2-is-my-password", "x").empty());
  CHECK(s.sign_in("Hunter 2!", "x").empty());
  CHECK(rows(s, "session.open", "acme").empty());
  auto nobody = rows(s, "session.open", "-");
  REQUIRE(nobody.size() == 2);
  for (const auto& r : nobody) {
    CHECK(r.entry.by.empty());
    CHECK(r.entry.argument.empty());
    CHECK(r.outcome.text.find("unter") == std::string::npos);
  }
}

TEST_CASE("a flood of failures is ten rows and then one with a count") {
  site s;
  std::vector<std::function<void()>> later;
  audit_log log{s.store, s.clock, {"n1", true, [&](auto, auto f) {
                                     later.push_back(f);
                                   }}};
  s.services.audit = &log;
  s.rebuild();
  forget(s);
  for (int i = 0; i < 200; ++i)
    CHECK(s.sign_in("no-" + std::to_string(i), "x").empty());
  CHECK(s.store.trail.size() == 10);
  REQUIRE(later.size() == 1);
  s.clock.time += 60'001;
  later[0]();
  CHECK(s.store.trail.size() == 11);
  std::uint64_t all = 0;
  for (const auto& [key, row] : s.store.trail)
    all += row.count;
  CHECK(all == 200);
  CHECK(later.size() == 1); // nothing is held any more
}

TEST_CASE("what a role does not allow is in the trail of who asked") {
  site s;
  forget(s);
  CHECK(s.send("DELETE", "/api/v1/devices/" + s.guid, s.viewer).status == 403);
  auto r = only(s, "request");
  CHECK(r.entry.by == "op/vera");
  CHECK(r.entry.device == s.machine.device);
  CHECK(r.entry.argument == R"({"route":"DELETE /api/v1/devices/{guid}"})");
  CHECK(r.outcome.status == audit_status::rejected);
  CHECK(r.outcome.code == "forbidden");
  forget(s);
  // Whatever is asked under a foreign tenant's name stays in one's own.
  CHECK(s.send("DELETE", "/api/v1/devices/" + s.guid, s.stranger, "", {{"x-tenant-id", "acme"}})
            .status == 403);
  for (const auto& [key, row] : s.store.trail)
    CHECK(key.first != "acme");
}

TEST_CASE("registrations, accounts, tenants and tickets are in the trail") {
  site s;
  forget(s);
  const std::string fresh = "aaaaaaaa-0000-4000-8000-000000000001";
  CHECK(s.send("POST", "/api/v1/devices", s.admin,
               R"({"guid":")" + fresh + R"(","hostname":"h","mpspassword":"x"})")
            .status < 300);
  CHECK(only(s, "device.add").entry.device == parse_uuid(fresh));
  CHECK(only(s, "device.add").entry.argument ==
        R"({"created":true,"hostname":"h","mpsPasswordSet":true})");
  CHECK(s.send("PATCH", "/api/v1/devices", s.admin,
               R"({"guid":")" + fresh + R"(","friendlyName":"press"})")
            .status == 200);
  CHECK(only(s, "device.change").entry.argument == R"({"created":false,"friendlyName":"press"})");
  CHECK(s.send("DELETE", "/api/v1/devices/" + fresh, s.admin).status == 204);
  CHECK(only(s, "device.delete").entry.by == "op/ada");
  CHECK(s.send("DELETE", "/api/v1/devices/disconnect/" + s.guid, s.operator_).status == 200);
  CHECK(only(s, "device.disconnect").entry.by == "op/olaf");
  CHECK(s.send("POST", "/api/v1/accounts", s.admin,
               R"({"name":"new","password":"correct horse","role":"viewer"})")
            .status == 201);
  CHECK(only(s, "account.add").entry.argument ==
        R"({"name":"new","siteAdmin":false,"roles":["acme=viewer"],"passwordSet":true})");
  CHECK(s.send("DELETE", "/api/v1/accounts/new", s.admin).status == 204);
  CHECK(only(s, "account.delete").entry.argument == R"({"name":"new"})");
  CHECK(s.send("POST", "/api/v1/tenants", s.root, R"({"key":"gamma"})").status == 201);
  CHECK(only(s, "tenant.add").entry.by == "op/root");
  CHECK(s.send("POST", "/api/v1/authorize/bus", s.viewer).status == 200);
  CHECK(only(s, "bus.ticket").entry.argument == R"({"role":"viewer"})");
}

TEST_CASE("reading is not in the trail") {
  site s;
  forget(s);
  for (const auto* path : {"/api/v1/devices", "/compute/hosts", "/api/v1/authorize/whoami"})
    CHECK(s.send("GET", path, s.viewer).status == 200);
  s.send("GET", "/api/v1/amt/power/state/" + s.guid, s.viewer);
  CHECK(s.store.trail.empty());
}

TEST_CASE("no secret that any route is given comes to the trail or to the bus") {
  site s;
  forget(s);
  const std::string secret = "S3cr3t-0xC0FFEE";
  s.send("POST", "/api/v1/authorize", "",
         R"({"username":"ada","password":")" + secret + R"(","extra":")" + secret + "\"}");
  s.send("POST", "/api/v1/authorize", "", R"({"username":")" + secret + R"(","password":"x"})");
  s.send("POST", "/api/v1/accounts", s.admin,
         R"({"name":"new","password":")" + secret + R"(","role":"viewer"})");
  s.send("POST", "/api/v1/accounts", s.viewer,
         R"({"name":"new","password":")" + secret + R"(","role":"viewer"})");
  for (const auto& token : {s.admin, s.operator_, s.viewer, s.stranger}) {
    for (const auto* method : {"POST", "PATCH"})
      s.send(method, "/api/v1/devices", token,
             R"({"guid":")" + s.guid + R"(","hostname":"h","mpspassword":")" + secret +
                 R"(","amtpassword":")" + secret + R"(","mebxpass":")" + secret +
                 R"(","deviceInfo":{"x":")" + secret + "\"}}");
    s.send("POST", "/api/v1/amt/power/action/" + s.guid, token,
           R"({"action":2,"bootDetails":{"password":")" + secret + "\"}}");
    s.send("PATCH", "/compute/hosts/" + s.guid, token,
           R"({"desiredPowerState":"POWER_STATE_ON","password":")" + secret + "\"}");
    // Every route of the table, with a body that is secret all over.
    for (const auto& rule : access_rules()) {
      if (rule.kind != access_kind::route)
        continue;
      const auto space = rule.name.find(' ');
      auto path = std::string(rule.name.substr(space + 1));
      for (auto at = path.find('{'); at != std::string::npos; at = path.find('{'))
        path.replace(at, path.find('}') - at + 1, s.guid);
      json::object body{{"guid", s.guid}};
      for (const auto* name :
           {"password", "consentCode", "ssdPassword", "privateKey", "cert", "pskPassphrase"})
        body.push_back({name, secret});
      body.push_back({"ieee8021x", json::object{{"username", "u"}, {"password", secret}}});
      body.push_back(
          {"bootDetails", json::object{{"url", "https://u:" + secret + "@a.example/b?t=" + secret},
                                       {"password", secret}}});
      body.push_back({secret, secret});
      s.begin(std::string(rule.name.substr(0, space)), path, token, json::dump(std::move(body)),
              [](const reply&) {});
    }
  }
  CHECK(s.store.trail.size() > 4);
  for (const auto& [key, row] : s.store.trail) {
    const auto& e = row.entry;
    for (const auto& text : {e.act, e.by, e.channel, e.node, e.address, e.argument, e.argument_hash,
                             row.outcome.code, row.outcome.text, row.outcome.document}) {
      CAPTURE(e.act);
      CHECK(text.find(secret) == std::string::npos);
      CHECK(text.find("hunter") == std::string::npos);
    }
  }
  for (const auto& m : s.store.told)
    CHECK(m.payload.find(secret) == std::string::npos);
}

TEST_CASE("the trail is listed newest first with filters and a cursor") {
  site s;
  forget(s);
  add_rows(s, 30, "acme");
  add_rows(s, 3, "beta");
  auto page = s.send("GET", "/api/v1/audit?$top=20", s.admin);
  REQUIRE(page.status == 200);
  CHECK(page.body.find("data")->items()->size() == 20);
  CHECK(*page.body.find("data")->items()->front().find("at")->text() > std::string("2027-01-15"));
  auto rest = s.send("GET", "/api/v1/audit?$top=20&after=" + page.at("next"), s.admin);
  CHECK(rest.body.find("data")->items()->size() == 10);
  CHECK(rest.body.find("next")->is_null());
  auto count = [&](const std::string& query) {
    auto r = s.send("GET", "/api/v1/audit?$top=1000&" + query, s.admin);
    REQUIRE(r.status == 200);
    return r.body.find("data")->items()->size();
  };
  CHECK(count("by=ada") == 10);
  CHECK(count("by=op/ada") == 10);
  CHECK(count("act=boot.set") == 15);
  CHECK(count("status=failed") == 6);
  CHECK(count("device=" + s.guid) == 30);
  CHECK(count("device=" + to_string(s.foreign.device)) == 0);
  CHECK(count("from=2027-01-15T08:00:00.010Z") == 20);
  CHECK(count("to=2027-01-15T08:00:00.010Z") == 10);
  CHECK(count("$skip=25") == 5);
  for (const auto* bad : {"device=x", "status=accepted", "from=yesterday", "$top=0", "$top=1001",
                          "$skip=-1", "site=maybe"})
    CHECK(s.send("GET", std::string("/api/v1/audit?") + bad, s.admin).status == 400);
}

TEST_CASE("the trail is for administrators of its own tenant") {
  site s;
  forget(s);
  add_rows(s, 1, "beta");
  const auto id = to_string(s.store.trail.begin()->first.second);
  for (const auto* path : {"/api/v1/audit", "/api/v1/audit/export"}) {
    CHECK(s.send("GET", path, s.viewer).status == 403);
    CHECK(s.send("GET", path, s.operator_).status == 403);
    CHECK(s.send("GET", path).status == 401);
  }
  CHECK(s.send("GET", "/api/v1/audit/" + id, s.operator_).status == 403);
  CHECK(s.send("GET", "/api/v1/audit/" + id, s.admin).status == 404);
  CHECK(s.send("GET", "/api/v1/audit/x", s.admin).status == 404);
  auto mine = s.send("GET", "/api/v1/audit/" + id, s.stranger);
  CHECK(mine.status == 200);
  CHECK(mine.at("id") == id);
  // What concerns no tenant is the site's.
  add_rows(s, 2, "-");
  CHECK(s.send("GET", "/api/v1/audit?site=true", s.admin).status == 403);
  auto site_rows = s.send("GET", "/api/v1/audit?site=true", s.root);
  REQUIRE(site_rows.status == 200);
  CHECK(site_rows.body.find("data")->items()->size() == 2);
}

TEST_CASE("an export is a line of JSON for every row, read page by page") {
  site s;
  forget(s);
  add_rows(s, 1203, "acme");
  auto r = s.raw("GET", "/api/v1/audit/export?status=done", s.admin);
  CHECK(r.status == 200);
  CHECK(r.content_type == "application/x-ndjson; charset=utf-8");
  const auto first = static_cast<std::size_t>(std::count(r.body.begin(), r.body.end(), '\n'));
  CHECK(first == 500);
  auto text = drain(r);
  CHECK(std::count(text.begin(), text.end(), '\n') == 962);
  CHECK(text.find("failed") == std::string::npos);
  // A database that goes away in the middle is no end.
  r = s.raw("GET", "/api/v1/audit/export", s.admin);
  s.store.away = true;
  CHECK(drain(r).find("failed: ") != std::string::npos);
  CHECK(s.send("GET", "/api/v1/audit/export", s.admin).status == 503);
}
