// Signing in, and the tokens that open a relay.
#include "tests/unit/gateway/rest/site.hpp"

#include "messages/ticket/base64url.hpp"

#include <doctest/doctest.h>

using namespace outband;
using namespace outband::testing;

namespace {

json::value payload_of(const std::string& token) {
  auto first = token.find('.'), second = token.rfind('.');
  auto text = ticket::base64url_decode(token.substr(first + 1, second - first - 1));
  REQUIRE(text);
  auto parsed = json::parse(*text);
  REQUIRE(parsed.ok());
  return *parsed;
}

} // namespace

TEST_CASE("a redirection token has MPS's claims and lasts five minutes") {
  site s;
  auto r = s.send("GET", "/api/v1/authorize/redirection/" + s.guid, s.operator_);
  REQUIRE(r.status == 200);
  CHECK(r.body.members()->size() == 1);
  CHECK(r.header("Cache-Control") == "no-store");
  auto claims = payload_of(r.at("token"));
  CHECK(*claims.find("tenantId")->text() == "acme");
  CHECK(*claims.find("iss")->text() == "outband");
  CHECK(*claims.find("deviceId")->text() == s.guid);
  CHECK(*claims.find("exp")->integer() == s.clock.now() / 1000 + 300);
  CHECK(claims.find("iat") == nullptr);

  auto known = s.auth->verify_redirection(r.at("token"));
  REQUIRE(known.ok());
  CHECK(known->device == s.machine.device);
  CHECK(known->subject == "op/olaf");
  s.clock.time += 300'000;
  CHECK(s.auth->verify_redirection(r.at("token")).error().detail == "token expired");
}

TEST_CASE("a redirection token needs the machine's row in the caller's tenant but no tunnel") {
  site s;
  auto ask = [&](const std::string& guid, const std::string& token, site::header_list h = {}) {
    return s.send("GET", "/api/v1/authorize/redirection/" + guid, token, "", std::move(h));
  };
  CHECK_FALSE(s.store.devices.at(s.machine.device).record.connected);
  CHECK(ask(s.guid, s.operator_).status == 200);
  CHECK(ask(s.guid, s.viewer).status == 403);
  CHECK(ask(s.guid, "").status == 401);
  CHECK(ask(s.guid, s.stranger).status == 404);
  CHECK(ask(to_string(s.foreign.device), s.operator_).status == 404);
  CHECK(ask(to_string(s.foreign.device), s.root, {{"x-tenant-id", "beta"}}).status == 200);
  CHECK(ask("nonsense", s.operator_).status == 400);
  CHECK(ask("99999999-9999-9999-9999-999999999999", s.operator_).status == 404);
}

TEST_CASE("neither kind of token opens what the other one is for") {
  site s;
  auto relay = s.send("GET", "/api/v1/authorize/redirection/" + s.guid, s.operator_).at("token");
  CHECK(s.send("GET", "/api/v1/devices", relay).status == 401);
  CHECK_FALSE(s.auth->verify_redirection(s.operator_).ok());
  auto ticket = s.auth->issue_bus_ticket(*s.auth->verify(s.operator_), "acme");
  CHECK_FALSE(s.auth->verify_redirection(ticket->password).ok());
}

TEST_CASE("redirection tokens of one site mean nothing on another") {
  site s;
  auto token = s.send("GET", "/api/v1/authorize/redirection/" + s.guid, s.operator_).at("token");
  s.change_auth([](auth::options& o) { o.redirection_key = std::string(32, 'x'); });
  CHECK_FALSE(s.auth->verify_redirection(token).ok());
}

TEST_CASE("without a key no redirection token is made") {
  site s;
  s.change_auth([](auth::options& o) { o.redirection_key.clear(); });
  auto r = s.send("GET", "/api/v1/authorize/redirection/" + s.guid, s.sign_in("olaf"));
  CHECK(r.status == 500);
  CHECK(r.text.find("token\":") == std::string::npos);
}

TEST_CASE("where built-in sign-in is off the right password is a 405 in MPS's words") {
  site s;
  s.change_auth([](auth::options& o) { o.built_in = false; });
  for (auto body : {R"({"username":"vera","password":"correct horse"})", "{}", ""}) {
    auto r = s.send("POST", "/mps/login/api/v1/authorize", "", body);
    CHECK(r.status == 405);
    CHECK(r.at("message") == "Authentication disabled on MPS");
  }
}

TEST_CASE("a wrong sign-in tells MPS's words and not which half was wrong") {
  site s;
  auto wrong = s.send("POST", "/api/v1/authorize", "", R"({"username":"vera","password":"x"})");
  auto nobody = s.send("POST", "/api/v1/authorize", "", R"({"username":"nobody","password":"x"})");
  CHECK(wrong.status == 401);
  CHECK(wrong.at("message") == "Incorrect Username and/or Password!");
  CHECK(wrong.text == nobody.text);
  auto r = s.send("POST", "/api/v1/authorize", "", R"({"username":7})");
  CHECK(r.status == 400);
  REQUIRE(r.body.find("errors"));
  CHECK(r.body.find("errors")->items()->size() == 2);
  CHECK(s.send("POST", "/api/v1/authorize", "", R"({"username":"VERA","password":"correct horse"})")
            .status == 200); // MPS ignores the case of names
}
