#include "tests/unit/gateway/rest/site.hpp"

#include "gateway/rest/router.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace outband;
using namespace outband::testing;

namespace {

struct filled {
  std::string method, target, body;
  role needed;
};

/// Every rule of kind route with parameters that fit the site's machine of acme.
std::vector<filled> all_routes(const site& s) {
  std::vector<filled> out;
  for (const auto& rule : access_rules()) {
    if (rule.kind != access_kind::route)
      continue;
    std::string name(rule.name);
    auto space = name.find(' ');
    filled f{name.substr(0, space), name.substr(space + 1), "{}", rule.needed};
    auto put = [&](const std::string& key, const std::string& value) {
      if (auto at = f.target.find(key); at != std::string::npos)
        f.target.replace(at, key.size(), value);
    };
    put("{guid}", s.guid);
    put("{project}", "acme");
    put("{name}", "vera");
    put("{id}", s.guid);
    put("{key}", "acme");
    out.push_back(f);
  }
  return out;
}

/// Bodies that provisioning takes, by what is behind /api/v1/admin/; domains need a certificate,
/// see admin_domains_test.cpp.
const std::map<std::string, std::string>& provisioning_bodies() {
  static const std::map<std::string, std::string> all = {
      {"ciraconfigs",
       R"({"configName":"c","mpsServerAddress":"a.example.com","mpsPort":4433,"username":"admin1",)"
       R"("serverAddressFormat":201,"authMethod":2,"mpsRootCertificate":"x"})"},
      {"profiles", R"({"profileName":"p","activation":"ccmactivate","dhcpEnabled":true,)"
                   R"("generateRandomPassword":true,"version":"1"})"},
      {"wirelessconfigs", R"({"profileName":"w","authenticationMethod":6,"encryptionMethod":4,)"
                          R"("ssid":"s","pskPassphrase":"12345678","version":"1"})"},
      {"ieee8021xconfigs", R"({"profileName":"e","wiredInterface":false,"version":"1",)"
                           R"("authenticationProtocol":0})"},
      {"proxyconfigs",
       R"({"name":"x","address":"192.0.2.1","port":1,"networkDnsSuffix":"example.com"})"},
      {"domains", R"({"profileName":"d"})"},
      {"activation-tokens", "{}"}};
  return all;
}
std::string provisioning_body(const filled& f) {
  const std::string front = "/api/v1/admin/";
  if (f.target.rfind(front, 0) != 0)
    return {};
  auto at = provisioning_bodies().find(f.target.substr(front.size()));
  return at == provisioning_bodies().end() ? std::string() : at->second;
}
const std::string judged_first = "POST /api/v1/admin/domains";

role one_below(role r) {
  return static_cast<role>(static_cast<int>(r) - 1);
}

} // namespace

TEST_CASE("every route of the role table is served and every served route is in it") {
  auto r = rest::make_router();
  CHECK(r.missing().empty());
  for (const auto& rule : r.unserved())
    MESSAGE("not served: " << rule);
  CHECK(r.unserved().empty());
}

TEST_CASE("a route without a row in the role table keeps the server from starting") {
  rest::router r;
  r.add("GET /api/v1/devices", rest::dialect::mps, [](const rest::call_ptr&) {});
  CHECK(r.missing().empty());
  r.add("GET /api/v1/backdoor", rest::dialect::mps, [](const rest::call_ptr&) {});
  CHECK(r.missing() == std::vector<std::string>{"GET /api/v1/backdoor"});
}

TEST_CASE("without a token every route but the public ones answers 401 with a JSON object") {
  site s;
  for (const auto& f : all_routes(s)) {
    CAPTURE(f.method + " " + f.target);
    auto r = s.send(f.method, f.target, "", f.body);
    if (f.needed == role::none) {
      CHECK(r.status != 401);
      continue;
    }
    CHECK(r.status == 401);
    CHECK(r.body.members() != nullptr);
    CHECK(r.header("WWW-Authenticate") == "Bearer");
  }
}

TEST_CASE("a forged or foreign token is refused by every route") {
  site s;
  auto other = ticket::signing_key::generate();
  auth::identity who;
  who.name = "root";
  who.site_admin = true;
  who.issued_s = s.clock.now() / 1000;
  who.expires_s = who.issued_s + 60;
  auto forged = *ticket::sign(auth::claims_json(who, "outband"), *other);
  auto cut = s.root.substr(0, s.root.size() - 2);
  auto ticket = s.auth->issue_bus_ticket(*s.auth->verify(s.admin), "acme");
  REQUIRE(ticket.ok());
  for (const auto& f : all_routes(s)) {
    if (f.needed == role::none)
      continue;
    CAPTURE(f.method + " " + f.target);
    CHECK(s.send(f.method, f.target, forged, f.body).status == 401);
    CHECK(s.send(f.method, f.target, cut, f.body).status == 401);
    CHECK(s.send(f.method, f.target, "x.y.z", f.body).status == 401);
    CHECK(s.send(f.method, f.target, ticket->password, f.body).status == 401);
  }
}

TEST_CASE("a token that has ended is refused with the words that sign the web UI out") {
  site s;
  s.clock.time += 25 * 3'600'000;
  auto r = s.send("GET", "/api/v1/devices", s.admin);
  CHECK(r.status == 401);
  CHECK(r.at("exp") == "token expired");
}

TEST_CASE("each route is refused to the role just below the one it needs") {
  site s;
  const std::map<role, std::string> holder = {
      {role::viewer, s.viewer}, {role::operator_, s.operator_}, {role::admin, s.admin}};
  for (const auto& f : all_routes(s)) {
    if (f.needed == role::none || f.needed == role::viewer)
      continue;
    CAPTURE(f.method + " " + f.target);
    auto r = s.send(f.method, f.target, holder.at(one_below(f.needed)), f.body);
    CHECK(r.status == 403);
    CHECK(s.control.submitted.empty());
    CHECK(s.control.removed.empty());
  }
}

TEST_CASE("nobody of another tenant sees or moves anything by any route") {
  site s;
  s.control.live = amt_outcome(amt::power_reading{power_state::on, 2});
  for (const auto& f : all_routes(s)) {
    if (f.needed == role::none)
      continue;
    CAPTURE(f.method + " " + f.target);
    for (const site::header_list& headers :
         {site::header_list{}, site::header_list{{"x-tenant-id", "acme"}},
          site::header_list{{"ActiveProjectID", "11111111-1111-1111-1111-111111111111"}}}) {
      auto body = f.method == "PATCH" && f.target == "/api/v1/devices"
                      ? "{\"guid\":\"" + s.guid + "\",\"hostname\":\"mine\"}"
                      : f.body;
      auto r = s.send(f.method, f.target, s.stranger, body, headers);
      CHECK(r.text.find("host-one") == std::string::npos);
      CHECK(r.text.find("Acme") == std::string::npos);
      if (!headers.empty())
        CHECK((r.status == 403 || r.status == 404));
      for (const auto& ref : s.control.asked)
        CHECK(ref.tenant == "beta");
    }
  }
  CHECK(s.control.submitted.empty());
  CHECK(s.store.devices.at(s.machine.device).record.hostname == "host-one");
  CHECK(s.store.accounts.count("vera") == 1);
}

TEST_CASE("a tenant that does not exist and one that is not the caller's look the same") {
  site s;
  auto path = [](const std::string& p) {
    return "/v1/projects/" + p + "/compute/hosts";
  };
  CHECK(s.send("GET", path("acme"), s.stranger).text ==
        s.send("GET", path("nix"), s.stranger).text);
  CHECK(s.send("GET", path("acme"), s.stranger).status == 404);
  auto by_header = [&](const std::string& t) {
    return s.send("GET", "/api/v1/devices", s.stranger, "", {{"x-tenant-id", t}});
  };
  CHECK(by_header("acme").status == 403);
  CHECK(by_header("acme").text == by_header("nix").text);
}

TEST_CASE("a tenant is chosen by key, project id, display name or the token's default") {
  site s;
  auto tenant = [&](const std::string& target, site::header_list h = {}) {
    auto r = s.send("GET", target, s.root, "", std::move(h));
    return r.status == 200 ? r.at("tenant") : std::to_string(r.status);
  };
  const std::string who = "/api/v1/authorize/whoami";
  CHECK(tenant(who) == "acme");
  CHECK(tenant(who, {{"x-tenant-id", "beta"}}) == "beta");
  CHECK(tenant(who, {{"activeprojectid", "22222222-2222-2222-2222-222222222222"}}) == "beta");
  CHECK(tenant(who, {{"ActiveProjectID", "beta"}}) == "beta");
  CHECK(tenant(who, {{"x-tenant-id", "Beta"}}) == "403"); // a display name only in EMF's path
  CHECK(tenant(who, {{"x-tenant-id", "beta"}, {"ActiveProjectID", "acme"}}) == "400");
  for (auto project : {"beta", "Beta", "22222222-2222-2222-2222-222222222222"}) {
    auto r = s.send("GET", "/v1/projects/" + std::string(project) + "/compute/hosts", s.root);
    CHECK(r.status == 200);
    CHECK(r.text.find("secret-name-of-beta") != std::string::npos);
  }
  auto r = s.send("GET", "/api/v1/devices?tenantId=beta", s.root);
  CHECK(r.text.find("secret-name-of-beta") != std::string::npos);
  CHECK(s.send("GET", "/api/v1/devices?tenantId=beta", s.viewer).status == 403);
}

TEST_CASE(
    "paths ignore case and a trailing slash and the peers' prefixes lead to the same routes") {
  site s;
  for (auto target : {"/API/V1/Devices/Stats/", "/mps/api/v1/devices/stats",
                      "/v1/projects/acme/dm/devices/stats"}) {
    CAPTURE(target);
    auto r = s.send("GET", target, s.viewer);
    CHECK(r.status == 200);
    CHECK(r.number("totalCount") == 1);
  }
  CHECK(s.send("POST", "/mps/login/api/v1/authorize", "",
               R"({"username":"vera","password":"correct horse"})")
            .status == 200);
}

TEST_CASE("a wrong method names the right ones and OPTIONS lists them") {
  site s;
  auto r = s.send("PUT", "/api/v1/devices", s.admin);
  CHECK(r.status == 405);
  CHECK(r.header("Allow") == "GET, HEAD, POST, PATCH, OPTIONS");
  auto o = s.send("OPTIONS", "/api/v1/amt/power/action/" + s.guid);
  CHECK(o.status == 204);
  CHECK(o.header("Allow") == "POST, OPTIONS");
  CHECK(s.send("GET", "/api/v1/nothing", s.admin).status == 404);
  CHECK(s.send("GET", "/api/v1/devices/a/b/c/d", s.admin).status == 404);
}

TEST_CASE("no body that is not what it must be gets past any route that reads one") {
  site s;
  const std::string deep(2000, '[');
  const std::vector<std::string> bodies = {"",
                                           " ",
                                           "{",
                                           "[",
                                           "null",
                                           "true",
                                           "7",
                                           "\"text\"",
                                           "[]",
                                           "[1]",
                                           "[{}]",
                                           deep,
                                           "{\"a\":1,\"a\":2}",
                                           "1e999",
                                           "{\"guid\":1e400}",
                                           "\xFF\xFE",
                                           "{\"action\":99999999999999999999}",
                                           "{\"name\":{\"a\":[]}}",
                                           "<xml/>",
                                           "{}x",
                                           std::string(3, '\0')};
  for (const auto& f : all_routes(s)) {
    if (f.method != "POST" && f.method != "PATCH")
      continue;
    if (f.target == "/api/v1/authorize/bus" || f.target.find("/amt/events/") != std::string::npos)
      continue; // reads none
    for (const auto& body : bodies) {
      CAPTURE(f.method + " " + f.target + " " + body.substr(0, 40));
      auto r = s.send(f.method, f.target, s.root, body);
      // MPS looks at an alarm only when the machine is connected; this one is not. Of a profile's
      // synchronisation every member may be absent.
      const bool later = f.target.find("alarmOccurrences") != std::string::npos ||
                         f.target.find("profileSync") != std::string::npos;
      CHECK((r.status == 400 || r.status == 413 || (later && r.status == 404)));
      CHECK(r.body.members() != nullptr);
    }
  }
  CHECK(s.control.submitted.empty());
  CHECK(s.control.added.empty());
  CHECK(s.store.tenants.size() == 2);
  CHECK(s.store.accounts.size() == 5);
}

TEST_CASE("unknown ids are a clean 404 or 400 on every route that takes one") {
  site s;
  for (const std::string id : {"99999999-9999-9999-9999-999999999999", "nonsense", "host-00000000",
                               "%F0%9F%92%BB", "..", "'%20OR%201=1"}) {
    for (const auto& rule : access_rules()) {
      std::string name(rule.name);
      auto at = name.find("{guid}") != std::string::npos ? name.find("{guid}") : name.find("{id}");
      if (rule.kind != access_kind::route || at == std::string::npos)
        continue;
      name.replace(at, name.find('}', at) - at + 1, id);
      if (auto p = name.find("{project}"); p != std::string::npos)
        name.replace(p, 9, "acme");
      auto space = name.find(' ');
      CAPTURE(name);
      auto r = s.send(name.substr(0, space), name.substr(space + 1), s.root, R"({"action":2})");
      const bool emf_patch = name.rfind("PATCH", 0) == 0; // "action" is no member there
      CHECK((r.status == 404 || r.status == 400));
      // Operations look at their argument first.
      const bool argument_first =
          (name.rfind("GET", 0) != 0 || name.find("/explorer/") != std::string::npos) &&
          name.find("/amt/") != std::string::npos;
      if (!emf_patch && !argument_first && id[0] == '9')
        CHECK(r.status == 404);
    }
  }
  CHECK(s.control.submitted.empty());
}

TEST_CASE("while the database is away every route that needs it says so with 503 and why") {
  site s;
  s.store.away = true;
  for (const auto& f : all_routes(s)) {
    // Operations: amt_routes_test.cpp.
    if (f.needed == role::none || f.target.find("authorize") != std::string::npos ||
        (f.target.find("/amt/") != std::string::npos &&
         f.target.find("/power/action/") == std::string::npos))
      continue;
    if (f.method + " " + f.target == judged_first)
      continue;
    auto body = !provisioning_body(f).empty()   ? provisioning_body(f)
                : f.target == "/api/v1/devices" ? "{\"guid\":\"" + s.guid + "\"}"
                : f.target == "/api/v1/tenants" ? std::string(R"({"key":"new"})")
                : f.target == "/api/v1/accounts"
                    ? std::string(R"({"name":"new","password":"12345678","role":"viewer"})")
                : f.method == "POST" ? std::string(R"({"action":2})")
                                     : std::string(R"({"desiredPowerState":"POWER_STATE_ON"})");
    CAPTURE(f.method + " " + f.target);
    auto r = s.send(f.method, f.target, s.root, body);
    CHECK(r.status == 503);
    CHECK(r.text.find("database") != std::string::npos);
    CHECK(r.header("Retry-After") == "5");
  }
}

TEST_CASE("while the store is away every route that needs it answers 503 with what to do") {
  site s;
  const std::map<std::string, std::string> bodies = {
      {"POST /api/v1/authorize", R"({"username":"vera","password":"correct horse"})"},
      {"POST /api/v1/tenants", R"({"key":"gamma","displayName":"Gamma"})"},
      {"POST /api/v1/accounts",
       R"({"name":"new","password":"correct horse battery","roles":{"acme":"viewer"}})"},
      {"POST /api/v1/devices", "[{\"guid\":\"" + s.guid + "\"}]"},
      {"PATCH /api/v1/devices", "{\"guid\":\"" + s.guid + "\",\"hostname\":\"x\"}"},
      {"POST /api/v1/amt/power/action/" + s.guid, R"({"action":10})"},
      {"PATCH /compute/hosts/" + s.guid, R"({"desiredPowerState":"POWER_STATE_ON"})"},
      {"PATCH /v1/projects/acme/compute/hosts/" + s.guid,
       R"({"desiredPowerState":"POWER_STATE_ON"})"},
  };
  // They tell what they know without the store, or ask the machine, or have an answer of their own.
  const std::set<std::string> without = {"GET /healthz",
                                         "GET /readyz",
                                         "GET /metrics",
                                         "GET /api/v1/health",
                                         "GET /api/v1/version",
                                         "GET /api/v1/ciracert",
                                         "GET /api/v1/admin",
                                         "GET /api/v1/admin/version",
                                         "GET /api/v1/admin/health",
                                         judged_first,
                                         "GET /api/openapi.json",
                                         "GET /api/asyncapi.json",
                                         "GET /api/docs",
                                         "POST /api/v1/authorize/bus",
                                         "GET /api/v1/authorize/whoami",
                                         "GET /api/v1/amt/power/state/" + s.guid,
                                         "GET /api/v1/amt/power/capabilities/" + s.guid};
  s.control.closes = fail(problem::store_unavailable);
  s.store.away = true;
  for (const auto& f : all_routes(s)) {
    const auto name = f.method + " " + f.target;
    CAPTURE(name);
    const bool operation = f.target.find("/amt/") != std::string::npos; // amt_routes_test.cpp
    if (without.count(name) != 0 || (operation && bodies.count(name) == 0))
      continue;
    const auto body = bodies.count(name) != 0 ? bodies.at(name) : provisioning_body(f);
    auto r = s.send(f.method, f.target, f.needed == role::none ? "" : s.root, body);
    CAPTURE(r.text);
    CHECK(r.status == 503);
    CHECK(r.header("Retry-After") == "5");
    CHECK((r.at("code") == "store-unavailable" || r.at("problem") == "store-unavailable"));
    CHECK_FALSE(r.at("message").empty());
    CHECK_FALSE(r.at("next").empty());
    CHECK(*r.body.find("retry")->boolean());
  }
  CHECK(s.control.submitted.empty());
}
