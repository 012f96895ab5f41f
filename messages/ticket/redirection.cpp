#include "messages/ticket/redirection.hpp"

#include "messages/rest/json.hpp"
#include "messages/ticket/base64url.hpp"
#include "messages/ticket/jwt.hpp"

#include <array>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace outband::ticket {

namespace {

failure refuse(std::string why, std::string field) {
  return fail(problem::unauthenticated, std::move(why), std::move(field));
}

/// Empty if OpenSSL refuses.
std::string hmac_sha256(std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned int size = 0;
  if (!HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
            reinterpret_cast<const unsigned char*>(text.data()), text.size(), out.data(), &size))
    return {};
  return {reinterpret_cast<const char*>(out.data()), size};
}

bool equal(std::string_view a, std::string_view b) {
  return !a.empty() && a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

result<json::value> object_of(std::string_view encoded, const char* part) {
  auto text = base64url_decode(encoded);
  if (!text)
    return refuse("not base64url", part);
  auto parsed = json::parse(*text);
  if (!parsed || !parsed->members())
    return refuse("not a JSON object", part);
  return parsed;
}

const std::string* text_claim(const json::value& payload, const char* name) {
  const auto* v = payload.find(name);
  return v ? v->text() : nullptr;
}

} // namespace

std::string derived_key(std::string_view master, std::string_view purpose) {
  return hmac_sha256(master, purpose);
}

result<std::string> sign_redirection(const redirection_claims& c, std::string_view key) {
  if (key.size() < redirection_key_octets)
    return fail(problem::internal, "the key of redirection tokens is too short");
  json::object payload{{"tenantId", c.tenant},
                       {"iss", c.issuer},
                       {"deviceId", to_string(c.device)},
                       {"sub", c.subject},
                       {"exp", c.expires_s}};
  auto text = base64url_encode(R"({"alg":"HS256","typ":"JWT"})") + "." +
              base64url_encode(json::dump(std::move(payload)));
  auto mac = hmac_sha256(key, text);
  if (mac.empty())
    return fail(problem::internal, "OpenSSL makes no HMAC");
  return text + "." + base64url_encode(mac);
}

result<redirection_claims> verify_redirection(std::string_view token, std::string_view key,
                                              std::string_view issuer, std::int64_t now_s) {
  if (token.size() > max_token)
    return refuse("a token has at most " + std::to_string(max_token) + " octets", "token");
  const auto first = token.find('.');
  const auto second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos)
    return refuse("a token has exactly three parts", "token");
  // The algorithm before the signature: "none" must not get as far as being compared.
  auto header = object_of(token.substr(0, first), "header");
  if (!header)
    return header.error();
  if (const auto* alg = text_claim(*header, "alg"); !alg || *alg != "HS256")
    return refuse("only HS256 is accepted", "alg");
  if (header->find("crit"))
    return refuse("no critical extension is understood", "crit");
  auto mac = base64url_decode(token.substr(second + 1));
  if (key.size() < redirection_key_octets || !mac ||
      !equal(*mac, hmac_sha256(key, token.substr(0, second))))
    return refuse("the signature does not fit", "signature");

  auto payload = object_of(token.substr(first + 1, second - first - 1), "payload");
  if (!payload)
    return payload.error();
  redirection_claims c;
  const auto* iss = text_claim(*payload, "iss");
  if (!iss || *iss != issuer)
    return refuse("is not ours", "iss");
  c.issuer = *iss;
  const auto* exp = payload->find("exp");
  if (!exp || !exp->integer())
    return refuse("must be an integer", "exp");
  c.expires_s = *exp->integer();
  if (now_s >= c.expires_s)
    return refuse("token expired", "exp");
  const auto* tenant = text_claim(*payload, "tenantId");
  if (!tenant || !valid_tenant_key(*tenant))
    return refuse("must be a tenant's key", "tenantId");
  c.tenant = *tenant;
  const auto* device = text_claim(*payload, "deviceId");
  auto id = device ? parse_uuid(*device) : std::nullopt;
  if (!id)
    return refuse("must be a GUID", "deviceId"); // a login token's "*" opens no relay
  c.device = *id;
  if (const auto* sub = text_claim(*payload, "sub"))
    c.subject = *sub;
  return c;
}

} // namespace outband::ticket
