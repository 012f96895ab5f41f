// One-time tokens, and what activations have come to.
#include "tests/unit/gateway/rest/site.hpp"

#include "messages/domain/text.hpp"

#include <openssl/sha.h>

#include <doctest/doctest.h>

using namespace outband;
using namespace outband::testing;

namespace {
const std::string path = "/api/v1/admin/activation-tokens";

std::string sha256(const std::string& text) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  return to_hex(digest, sizeof digest);
}
} // namespace

TEST_CASE("a token's text is told once and only its hash is kept") {
  site s;
  auto made = s.send("POST", path, s.admin, "{}", {{"Host", "mgmt.example.com:8443"}});
  REQUIRE(made.status == 201);
  const auto text = made.at("token");
  CHECK(text.size() == 43); // 32 octets, base64url
  CHECK(made.at("url") == "wss://mgmt.example.com:8443/activate/" + text);
  CHECK(made.at("operation") == "activate");
  CHECK(made.header("Cache-Control") == "no-store");
  REQUIRE(s.provisioning.tokens.size() == 1);
  const auto& [hash, row] = *s.provisioning.tokens.begin();
  CHECK(hash == sha256(text));
  CHECK(row.tenant == "acme");
  CHECK(row.by == "op/ada");
  CHECK(row.expires == s.clock.time + 3'600'000);
  CHECK_FALSE(row.profile);
  CHECK_FALSE(row.device);
  auto all = s.send("GET", path, s.viewer);
  CHECK(all.body.items()->size() == 1);
  CHECK(all.text.find(text) == std::string::npos);
  CHECK(all.text.find(hash) == std::string::npos);
  for (const auto& [key, entry] : s.store.trail)
    CHECK(entry.entry.argument.find(text) == std::string::npos);
  CHECK(s.send("POST", path, s.admin, "{}").at("token") != text);
}

TEST_CASE("a token is for what its maker says and for a profile that exists") {
  site s;
  s.send("POST", "/api/v1/admin/profiles", s.admin,
         R"({"profileName":"Office","activation":"ccmactivate","generateRandomPassword":true,)"
         R"("dhcpEnabled":true})");
  auto made = s.send("POST", path, s.admin,
                     R"({"profile":"office","guid":")" + s.guid + R"(","expiresIn":60})");
  REQUIRE(made.status == 201);
  CHECK(made.at("profile") == "Office");
  CHECK(made.at("guid") == s.guid);
  CHECK(s.send("POST", path, s.admin, R"({"profile":"none"})").at("message") ==
        "AMT profile none Not Found");
  CHECK(s.send("POST", path, s.admin, R"({"operation":"deactivate"})").at("operation") ==
        "deactivate");
  for (const char* bad :
       {R"({"expiresIn":59})", R"({"expiresIn":2592001})", R"({"expiresIn":"60"})",
        R"({"guid":"x"})", R"({"guid":"00000000-0000-0000-0000-000000000000"})",
        R"({"operation":"erase"})", R"({"profile":7})", "[]", R"({"profil":"office"})",
        R"({"operation":"deactivate","profile":"office"})"}) {
    CAPTURE(bad);
    auto r = s.send("POST", path, s.admin, bad);
    CHECK(r.status == 400);
    CHECK(r.body.find("errors") != nullptr);
  }
  CHECK(s.send("POST", path, s.operator_, "{}").status == 403);
}

TEST_CASE("a token is withdrawn by its tenant only") {
  site s;
  const auto id = s.send("POST", path, s.admin, "{}").at("id");
  CHECK(s.send("GET", path, s.stranger).text == "[]");
  CHECK(s.send("DELETE", path + "/" + id, s.root, "", {{"x-tenant-id", "beta"}}).status == 404);
  CHECK(s.provisioning.tokens.size() == 1);
  CHECK(s.send("DELETE", path + "/nonsense", s.admin).status == 404);
  CHECK(s.send("DELETE", path + "/" + id, s.admin).status == 204);
  CHECK(s.provisioning.tokens.empty());
  CHECK(s.send("DELETE", path + "/" + id, s.admin).status == 404);
}

TEST_CASE("the last activation of a machine is shown in its tenant") {
  site s;
  activation_row a;
  a.device = s.machine;
  a.id = s.machine.device;
  a.profile = "p1";
  a.state = activation_state::failed;
  a.step = "cira";
  a.code = "device-refused";
  a.text = "The firmware refused.";
  a.mode = 1;
  a.node = "n1";
  a.started = a.updated = 1'800'000'000'000;
  s.provisioning.activations[to_string(s.machine)] = a;
  const std::string base = "/api/v1/admin/activations";
  auto one = s.send("GET", base + "/" + s.guid, s.viewer);
  REQUIRE(one.status == 200);
  CHECK(one.at("state") == "failed");
  CHECK(one.at("step") == "cira");
  CHECK(one.at("code") == "device-refused");
  CHECK(one.number("controlMode") == 1);
  CHECK(one.at("started") == "2027-01-15T08:00:00.000Z");
  CHECK(s.send("GET", base, s.viewer).text == "[" + one.text + "]");
  CHECK(s.send("GET", base, s.stranger).text == "[]");
  CHECK(s.send("GET", base + "/" + s.guid, s.stranger).status == 404);
  CHECK(s.send("GET", base + "/" + to_string(s.foreign.device), s.viewer).status == 404);
  CHECK(s.send("GET", base + "/x", s.viewer).status == 400);
}
