#include "tests/unit/gateway/rest/site.hpp"

#include <doctest/doctest.h>

using namespace outband;
using namespace outband::testing;

namespace {
reply login(site& s, const std::string& body) {
  return s.send("POST", "/api/v1/authorize", "", body);
}
} // namespace

TEST_CASE("signing in has MPS's answers") {
  site s;
  auto good = login(s, R"({"username":"VERA","password":"correct horse"})"); // case is ignored
  CHECK(good.status == 200);
  CHECK_FALSE(good.at("token").empty());
  CHECK(good.header("Cache-Control") == "no-store");
  auto wrong = login(s, R"({"username":"vera","password":"Correct horse"})");
  CHECK(wrong.status == 401);
  CHECK(wrong.at("message") == "Incorrect Username and/or Password!");
  auto nobody = login(s, R"({"username":"nobody","password":"x"})");
  CHECK(nobody.text == wrong.text);
  auto bad = login(s, R"({"username":7})");
  CHECK(bad.status == 400);
  CHECK(bad.body.find("errors")->items()->size() == 2);
  CHECK(login(s, R"({"username":"vera","password":)" + std::string("\"") + std::string(5000, 'x') +
                     "\"}")
            .status == 400);
}

TEST_CASE("after too many failures the right password must wait too") {
  site s;
  for (int i = 0; i < 3; ++i)
    CHECK(login(s, R"({"username":"vera","password":"wrong one"})").status == 401);
  auto blocked = login(s, R"({"username":"vera","password":"correct horse"})");
  CHECK(blocked.status == 429);
  CHECK_FALSE(blocked.header("Retry-After").empty());
  CHECK(login(s, R"({"username":"olaf","password":"correct horse"})").status == 200);
  s.clock.time += 301'000;
  CHECK(login(s, R"({"username":"vera","password":"correct horse"})").status == 200);
}

TEST_CASE("who am I shows name, tenant, role and when it ends") {
  site s;
  auto r = s.send("GET", "/api/v1/authorize/whoami", s.operator_);
  CHECK(r.at("name") == "olaf");
  CHECK(r.at("tenant") == "acme");
  CHECK(r.at("role") == "operator");
  CHECK(r.at("expiresAt") == "2027-01-16T08:00:00.000Z");
  CHECK_FALSE(*r.body.find("siteAdmin")->boolean());
}

TEST_CASE("a bus ticket says who, where and until when") {
  site s;
  auto r = s.send("POST", "/api/v1/authorize/bus", s.operator_);
  REQUIRE(r.status == 200);
  CHECK(r.at("username") == "acme/op/olaf");
  CHECK(r.at("clientIdPrefix") == "op-olaf-");
  CHECK(r.at("tenant") == "acme");
  CHECK(r.at("role") == "operator");
  CHECK(r.at("mqttPath") == "/mqtt");
  CHECK(r.at("expiresAt") == "2027-01-15T08:15:00.000Z");
  CHECK(r.header("Cache-Control") == "no-store");
  auto pass = s.auth->verify_bus_ticket(r.at("password"));
  REQUIRE(pass.ok());
  CHECK(pass->username == "acme/op/olaf");
  CHECK_FALSE(s.auth->verify_bus_ticket(s.operator_).ok()); // a REST token is no ticket
  auto other = s.send("POST", "/api/v1/authorize/bus", s.root, "", {{"x-tenant-id", "beta"}});
  CHECK(other.at("username") == "beta/op/root");
}

TEST_CASE("a ticket never outlives the sign-in it came from") {
  site s;
  s.clock.time += 24 * 3'600'000 - 60'000;
  auto r = s.send("POST", "/api/v1/authorize/bus", s.operator_);
  CHECK(r.at("expiresAt") == "2027-01-16T08:00:00.000Z");
}

TEST_CASE("tenants are listed to whom they concern and made by site admins") {
  site s;
  auto mine = s.send("GET", "/api/v1/tenants", s.viewer);
  REQUIRE(mine.body.items()->size() == 1);
  CHECK(*mine.body.items()->front().find("key")->text() == "acme");
  CHECK(s.send("GET", "/api/v1/tenants", s.root).body.items()->size() == 2);
  auto made = s.send(
      "POST", "/api/v1/tenants", s.root,
      R"({"key":"gamma","displayName":"G","projectId":"33333333-3333-3333-3333-333333333333"})");
  CHECK(made.status == 201);
  CHECK(s.send("GET", "/v1/projects/G/compute/hosts", s.root).status == 200); // known at once
  CHECK(s.send("POST", "/api/v1/tenants", s.root, R"({"key":"gamma"})").status == 409);
  for (auto bad :
       {R"({"key":"Upper"})", R"({"key":"-a"})", R"({"key":"a-far-too-long-tenant-key"})",
        R"({"key":7})", R"({"key":"ok","projectId":"x"})", R"({"key":"ok","extra":1})",
        R"({"key":"ok","displayName":["x"]})"}) {
    CAPTURE(bad);
    CHECK(s.send("POST", "/api/v1/tenants", s.root, bad).status == 400);
  }
  CHECK(s.store.tenants.size() == 3);
}

TEST_CASE("a tenant's admin makes accounts of its tenant only") {
  site s;
  auto post = [&](const std::string& token, const std::string& body) {
    return s.send("POST", "/api/v1/accounts", token, body);
  };
  auto made = post(s.admin, R"({"name":"nina","password":"long enough","role":"operator"})");
  CHECK(made.status == 201);
  CHECK(made.text.find("scrypt") == std::string::npos);
  CHECK(made.text.find("long enough") == std::string::npos);
  CHECK_FALSE(s.sign_in("nina", "long enough").empty());
  CHECK(
      post(s.admin, R"({"name":"n2","password":"long enough","roles":{"beta":"viewer"}})").status ==
      403);
  CHECK(post(s.admin, R"({"name":"n2","password":"long enough","siteAdmin":true})").status == 403);
  CHECK(post(s.root, R"({"name":"n2","password":"long enough","siteAdmin":true})").status == 201);
  // Names are unique on the site; taking over somebody else's account is not updating.
  CHECK(post(s.admin, R"({"name":"bob","password":"long enough","role":"viewer"})").status == 409);
  CHECK(post(s.admin, R"({"name":"root","password":"long enough","role":"viewer"})").status == 409);
  CHECK(s.store.accounts.at("root").site_admin);
  for (auto bad : {R"({"name":"n3","password":"short","role":"viewer"})",
                   R"({"name":"n3","role":"viewer"})", R"({"name":"n3","password":"long enough"})",
                   R"({"name":"N 3","password":"long enough","role":"viewer"})",
                   R"({"name":"n3","password":"long enough","role":"site-admin"})",
                   R"({"name":"n3","password":"long enough","role":"none"})",
                   R"({"name":"n3","password":"long enough","role":7})",
                   R"({"name":"n3","password":"long enough","roles":["acme"]})",
                   R"({"name":"n3","password":12345678,"role":"viewer"})",
                   R"({"name":"n3","password":"long enough","role":"viewer","x":1})"}) {
    CAPTURE(bad);
    CHECK(post(s.admin, bad).status == 400);
  }
  CHECK(s.store.accounts.count("n3") == 0);
}

TEST_CASE("an account is updated by who may and keeps its creation time") {
  site s;
  s.clock.time += 1000;
  auto r = s.send("POST", "/api/v1/accounts", s.admin,
                  R"({"name":"vera","password":"a new password","role":"operator"})");
  CHECK(r.status == 200);
  CHECK(s.store.accounts.at("vera").created == 1);
  CHECK(s.sign_in("vera").empty());
  CHECK_FALSE(s.sign_in("vera", "a new password").empty());
}

TEST_CASE("an admin sees only accounts that share a tenant and only those roles") {
  site s;
  s.account("both", {{"acme", "viewer"}, {"beta", "admin"}});
  auto r = s.send("GET", "/api/v1/accounts", s.admin);
  CHECK(r.body.items()->size() == 4); // vera, olaf, ada, both
  CHECK(r.text.find("beta") == std::string::npos);
  CHECK(r.text.find("bob") == std::string::npos);
  CHECK(r.text.find("scrypt") == std::string::npos);
  CHECK(s.send("GET", "/api/v1/accounts", s.root).body.items()->size() == 6);
}

TEST_CASE("accounts are deleted within reach and the last site admin stays") {
  site s;
  s.account("both", {{"acme", "viewer"}, {"beta", "admin"}});
  auto del = [&](const std::string& token, const std::string& name) {
    return s.send("DELETE", "/api/v1/accounts/" + name, token).status;
  };
  CHECK(del(s.admin, "vera") == 204);
  CHECK(del(s.admin, "vera") == 404);
  CHECK(del(s.admin, "bob") == 404);
  CHECK(del(s.admin, "root") == 404);
  CHECK(del(s.admin, "both") == 403);
  CHECK(del(s.root, "both") == 204);
  CHECK(del(s.root, "root") == 403);
  s.account("root2", {}, true);
  CHECK(del(s.root, "root2") == 204);
}
