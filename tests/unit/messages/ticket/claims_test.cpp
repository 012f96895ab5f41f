#include "messages/ticket/claims.hpp"

#include "messages/ticket/base64url.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <ostream>

namespace {

using namespace outband;
using namespace outband::ticket;

constexpr std::int64_t now = 1'800'000'000;

struct desk {
  signing_key key = *signing_key::generate();
  verifying_keys keys = *verifying_keys::of(key);

  result<claims> check(const std::string& token, std::string_view audience = bus_audience) const {
    expectations e;
    e.issuer = default_issuer;
    e.audience = audience;
    return verify_claims(token, keys, e, now);
  }
  /// The field that a payload with one member replaced (or removed) is refused for.
  std::string refused(const char* member, const nlohmann::json& value) const {
    nlohmann::json payload = {
        {"iss", "outband"}, {"aud", "outband-bus"}, {"sub", "alice"},
        {"jti", "j1"},      {"tenant", "acme"},     {"role", "viewer"},
        {"iat", now},       {"exp", now + 60},      {"username", "acme/op/alice"}};
    payload[member] = value;
    if (value.is_null())
      payload.erase(member);
    auto r = check(*sign(payload.dump(), key));
    return r ? "ok" : r.error().field;
  }
};

bus_identity person(std::string tenant, std::string name, role r,
                    principal::kind kind = principal::kind::person) {
  return {{kind, std::move(tenant), std::move(name)}, r};
}

TEST_CASE("a bus ticket says who somebody is and which topics the role has") {
  desk d;
  auto alice = person("acme", "alice", role::operator_);
  auto made = make_bus_claims(alice, "jti-1", now, std::chrono::minutes(15));
  REQUIRE(made.ok());
  auto token = sign_claims(*made, d.key);
  REQUIRE(token.ok());
  CHECK(token->size() < max_token);
  auto c = d.check(*token);
  REQUIRE(c.ok());
  CHECK(c->subject == "alice");
  CHECK(c->tenant == "acme");
  CHECK(c->held == role::operator_);
  CHECK(c->id == "jti-1");
  CHECK(c->username == "acme/op/alice");
  CHECK(c->issued_s == now);
  CHECK(c->expires_s == now + 900);
  CHECK(c->acl.publish == allowed_topics(alice, access_kind::publish));
  CHECK(c->acl.subscribe == allowed_topics(alice, access_kind::subscribe));
  CHECK(c->acl.both.empty());
  auto who = identity_of(*c);
  REQUIRE(who.ok());
  CHECK(who->who.name == "alice");
  CHECK(who->who.what == principal::kind::person);
  CHECK(who->held == role::operator_);
}

TEST_CASE("the payload has the names that EMQX reads") {
  desk d;
  auto token =
      *sign_claims(*make_bus_claims(person("acme", "ha", role::viewer, principal::kind::external),
                                    "j", now, std::chrono::hours(1)),
                   d.key);
  auto first = token.find('.') + 1;
  auto payload = nlohmann::json::parse(
      *base64url_decode(std::string_view(token).substr(first, token.rfind('.') - first)));
  CHECK(payload.at("username") == "acme/ext/ha");
  CHECK(payload.at("acl").at("pub").at(0) == "oob/v1/acme/ext/ha/req/+");
  CHECK(payload.at("acl").at("sub").is_array());
  CHECK(payload.at("acl").at("all").is_array());
  CHECK(payload.at("exp").is_number_integer());
}

TEST_CASE("the longest names still fit into a ticket") {
  desk d;
  auto who = person(std::string(20, 't'), std::string(64, 'n'), role::site_admin);
  auto made = make_bus_claims(who, std::string(64, 'j'), now, std::chrono::hours(1));
  REQUIRE(made.ok());
  auto token = sign_claims(*made, d.key);
  REQUIRE(token.ok());
  CHECK(d.check(*token).ok());
}

TEST_CASE("machines and people without a role get no bus ticket") {
  for (auto kind : {principal::kind::agent, principal::kind::node})
    CHECK_FALSE(
        make_bus_claims(person("acme", "n1", role::admin, kind), "j", now, std::chrono::hours(1))
            .ok());
  CHECK_FALSE(
      make_bus_claims(person("acme", "a", role::none), "j", now, std::chrono::hours(1)).ok());
  CHECK_FALSE(make_bus_claims(person("-", "a", role::admin), "j", now, std::chrono::hours(1)).ok());
  CHECK_FALSE(
      make_bus_claims(person("acme", "a/../b", role::admin), "j", now, std::chrono::hours(1)).ok());
}

TEST_CASE("a REST token opens no bus connection and the other way round") {
  desk d;
  claims c;
  c.audience = rest_audience;
  c.subject = "alice";
  c.tenant = "acme";
  c.held = role::admin;
  c.id = "j";
  c.issued_s = now;
  c.expires_s = now + 60;
  auto rest = *sign_claims(c, d.key);
  CHECK(d.check(rest, rest_audience).ok());
  CHECK(d.check(rest, bus_audience).error().field == "aud");
  auto bus = *sign_claims(
      *make_bus_claims(person("acme", "alice", role::admin), "j", now, std::chrono::hours(1)),
      d.key);
  CHECK(d.check(bus, rest_audience).error().field == "aud");
}

TEST_CASE("each claim has its type and its bounds") {
  desk d;
  CHECK(d.refused("sub", "alice") == "ok");
  CHECK(d.refused("sub", nullptr) == "sub");
  CHECK(d.refused("sub", 7) == "sub");
  CHECK(d.refused("sub", "") == "sub");
  CHECK(d.refused("sub", std::string(65, 'a')) == "sub");
  CHECK(d.refused("jti", nullptr) == "jti");
  CHECK(d.refused("jti", std::string(65, 'a')) == "jti");
  CHECK(d.refused("tenant", nullptr) == "tenant");
  CHECK(d.refused("tenant", "-") == "tenant");
  CHECK(d.refused("tenant", "ACME") == "tenant");
  CHECK(d.refused("tenant", std::string(21, 'a')) == "tenant");
  CHECK(d.refused("role", nullptr) == "role");
  CHECK(d.refused("role", "none") == "role");
  CHECK(d.refused("role", "root") == "role");
  CHECK(d.refused("username", 1) == "username");
  CHECK(d.refused("username", std::string(129, 'a')) == "username");
  CHECK(d.refused("acl", "all") == "acl");
  CHECK(d.refused("acl", {{"pub", "x"}}) == "acl.pub");
  CHECK(d.refused("acl", {{"sub", {1}}}) == "acl.sub");
  CHECK(d.refused("acl", {{"all", std::vector<std::string>(65, "x")}}) == "acl.all");
}

TEST_CASE("a ticket cannot name a machine or another than its subject") {
  claims c;
  c.subject = "alice";
  c.tenant = "acme";
  c.held = role::admin;
  c.username = "acme/op/alice";
  CHECK(identity_of(c).ok());
  for (auto name : {"", "-/inst/n1", "acme/dev/4c4c4544-004b-3510-8052-b4c04f564433", "acme/op/bob",
                    "globex/op/alice", "acme/inst/alice", "acme/op/alice/x"}) {
    c.username = name;
    CHECK_FALSE(identity_of(c).ok());
  }
  c.subject = "n1";
  c.tenant = "-";
  c.username = "-/op/n1";
  CHECK_FALSE(identity_of(c).ok());
}

} // namespace
