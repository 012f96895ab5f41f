#include "messages/ticket/redirection.hpp"

#include "messages/rest/json.hpp"
#include "messages/ticket/base64url.hpp"

#include <doctest/doctest.h>
#include <ostream>

namespace {

using namespace outband;
using namespace outband::ticket;

constexpr std::int64_t now = 1'800'000'000;
const std::string key(32, '\x17');

redirection_claims some() {
  redirection_claims c;
  c.issuer = "outband";
  c.tenant = "acme";
  c.device = *parse_uuid("12345678-9abc-def0-1234-56789abcdef0");
  c.subject = "op/olaf";
  c.expires_s = now + 300;
  return c;
}

std::string signed_token(const redirection_claims& c = some()) {
  auto token = sign_redirection(c, key);
  REQUIRE(token.ok());
  return *token;
}

/// "ok", or the part that was refused.
std::string outcome(const std::string& token, std::int64_t at = now, const std::string& with = key,
                    const std::string& issuer = "outband") {
  auto c = verify_redirection(token, with, issuer, at);
  if (c)
    return "ok";
  CHECK(c.error().what == problem::unauthenticated);
  return c.error().field;
}

/// The right signature over whatever was made up.
std::string made_up(const std::string& header, const std::string& payload) {
  auto text = base64url_encode(header) + "." + base64url_encode(payload);
  return text + "." + base64url_encode(derived_key(key, text));
}

TEST_CASE("a redirection token has MPS's header and claims and comes back as it was") {
  auto token = signed_token();
  auto dot = token.find('.');
  CHECK(base64url_decode(token.substr(0, dot)) == R"({"alg":"HS256","typ":"JWT"})");
  CHECK(
      base64url_decode(token.substr(dot + 1, token.rfind('.') - dot - 1)) ==
      R"({"tenantId":"acme","iss":"outband","deviceId":"12345678-9abc-def0-1234-56789abcdef0","sub":"op/olaf","exp":1800000300})");
  auto c = verify_redirection(token, key, "outband", now);
  REQUIRE(c.ok());
  CHECK(c->tenant == "acme");
  CHECK(c->device == some().device);
  CHECK(c->subject == "op/olaf");
  CHECK(c->expires_s == now + 300);
}

TEST_CASE("a redirection token ends on its second") {
  CHECK(outcome(signed_token(), now + 299) == "ok");
  CHECK(outcome(signed_token(), now + 300) == "exp");
}

TEST_CASE("the signature of RFC 7515 A.1 is accepted and one of another key is not") {
  const std::string token =
      "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh"
      "0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
  auto rfc = base64url_decode(
      "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow");
  REQUIRE(rfc);
  CHECK(outcome(token, 1'300'819'379, *rfc, "joe") == "tenantId"); // all before it was right
  CHECK(outcome(token, 1'300'819'379, key, "joe") == "signature");
}

TEST_CASE("derived keys are HMAC-SHA256 as RFC 4231 section 4.2 has it") {
  std::string hex;
  for (unsigned char c : derived_key(std::string(20, '\x0b'), "Hi There")) {
    hex += "0123456789abcdef"[c >> 4];
    hex += "0123456789abcdef"[c & 15];
  }
  CHECK(hex == "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  CHECK(derived_key(key, "a") != derived_key(key, "b"));
}

TEST_CASE("no redirection token that was changed in any octet opens anything") {
  const auto token = signed_token();
  for (std::size_t i = 0; i < token.size(); ++i) {
    auto bad = token;
    bad[i] = bad[i] == 'A' ? 'B' : 'A';
    CAPTURE(i);
    CHECK(outcome(bad) != "ok");
  }
  for (std::size_t n = 0; n < token.size(); ++n)
    CHECK(outcome(token.substr(0, n)) != "ok");
  CHECK(outcome(token + ".") == "token");
  CHECK(outcome(std::string(5000, 'a')) == "token");
}

TEST_CASE("an unsigned or otherwise signed redirection token is refused by its algorithm") {
  const std::string good =
      R"({"tenantId":"acme","iss":"outband","deviceId":"12345678-9abc-def0-1234-56789abcdef0","exp":1800000300})";
  CHECK(outcome(made_up(R"({"alg":"HS256"})", good)) == "ok");
  for (auto header : {R"({"alg":"none"})", R"({"alg":"ES256"})", R"({"alg":"hs256"})", "{}"})
    CHECK(outcome(made_up(header, good)) == "alg");
  CHECK(outcome(made_up(R"({"alg":"HS256","crit":["x"]})", good)) == "crit");
  CHECK(outcome(made_up("[]", good)) == "header");
  auto unsigned_token = made_up(R"({"alg":"HS256"})", good);
  unsigned_token.erase(unsigned_token.rfind('.') + 1);
  CHECK(outcome(unsigned_token) == "signature");
}

TEST_CASE("a redirection token names one device of one tenant or is refused") {
  auto with = [](const std::string& tenant, const std::string& device, const std::string& exp) {
    return outcome(made_up(R"({"alg":"HS256"})", R"({"iss":"outband","tenantId":)" + tenant +
                                                     R"(,"deviceId":)" + device + R"(,"exp":)" +
                                                     exp + "}"));
  };
  const std::string guid = R"("12345678-9abc-def0-1234-56789abcdef0")";
  CHECK(with(R"("acme")", guid, "1800000300") == "ok");
  CHECK(with(R"("acme")", R"("*")", "1800000300") == "deviceId"); // a login token of MPS
  CHECK(with(R"("acme")", "7", "1800000300") == "deviceId");
  CHECK(with(R"("")", guid, "1800000300") == "tenantId");
  CHECK(with("null", guid, "1800000300") == "tenantId");
  CHECK(with(R"("acme")", guid, R"("1800000300")") == "exp");
  CHECK(outcome(signed_token(), now, key, "someone-else") == "iss");
}

TEST_CASE("a key that is too short signs and opens nothing") {
  CHECK_FALSE(sign_redirection(some(), std::string(31, 'k')).ok());
  CHECK_FALSE(sign_redirection(some(), "").ok());
  CHECK(outcome(signed_token(), now, "") == "signature");
}

} // namespace
