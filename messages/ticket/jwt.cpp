#include "messages/ticket/jwt.hpp"

#include "messages/ticket/base64url.hpp"

#include <array>
#include <nlohmann/json.hpp>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

namespace outband::ticket {

namespace {

using nlohmann::json;

struct ossl_free {
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
  void operator()(EVP_MD_CTX* p) const { EVP_MD_CTX_free(p); }
  void operator()(BIO* p) const { BIO_free(p); }
  void operator()(ECDSA_SIG* p) const { ECDSA_SIG_free(p); }
};
template <class T> using ossl = std::unique_ptr<T, ossl_free>;

constexpr std::size_t half = 32; ///< octets of r and of s on P-256 (RFC 7518 section 3.4)

std::shared_ptr<void> share(EVP_PKEY* key) {
  return {key, [](void* p) {
            EVP_PKEY_free(static_cast<EVP_PKEY*>(p));
          }};
}
EVP_PKEY* raw(const std::shared_ptr<void>& key) {
  return static_cast<EVP_PKEY*>(key.get());
}

failure refuse(std::string why, std::string field = {}) {
  return fail(problem::unauthenticated, std::move(why), std::move(field));
}

bool is_p256(EVP_PKEY* key) {
  std::array<char, 64> group{};
  std::size_t size = 0;
  return EVP_PKEY_is_a(key, "EC") == 1 &&
         EVP_PKEY_get_group_name(key, group.data(), group.size(), &size) == 1 &&
         std::string_view(group.data(), size) == "prime256v1";
}

std::string kid_of(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  int size = i2d_PUBKEY(key, &der);
  if (size <= 0)
    return {};
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  int ok = EVP_Digest(der, static_cast<std::size_t>(size), digest.data(), &length, EVP_sha256(),
                      nullptr);
  OPENSSL_free(der);
  if (ok != 1)
    return {};
  constexpr std::string_view hex = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < 8; ++i) {
    out += hex[digest[i] >> 4];
    out += hex[digest[i] & 15];
  }
  return out;
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  auto size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

ossl<BIO> reader(std::string_view text) {
  return ossl<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

/// An encrypted key must not make OpenSSL ask for a passphrase on the terminal.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

/// r and s as fixed octets, from OpenSSL's DER.
std::optional<std::string> fixed_from_der(const std::vector<unsigned char>& der) {
  const unsigned char* at = der.data();
  ossl<ECDSA_SIG> sig(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  if (!sig)
    return std::nullopt;
  std::string out(2 * half, '\0');
  auto* octets = reinterpret_cast<unsigned char*>(out.data());
  if (BN_bn2binpad(ECDSA_SIG_get0_r(sig.get()), octets, half) != half ||
      BN_bn2binpad(ECDSA_SIG_get0_s(sig.get()), octets + half, half) != half)
    return std::nullopt;
  return out;
}

std::optional<std::vector<unsigned char>> der_from_fixed(std::string_view fixed) {
  auto* octets = reinterpret_cast<const unsigned char*>(fixed.data());
  ossl<ECDSA_SIG> sig(ECDSA_SIG_new());
  BIGNUM* r = BN_bin2bn(octets, half, nullptr);
  BIGNUM* s = BN_bin2bn(octets + half, half, nullptr);
  if (!sig || !r || !s || ECDSA_SIG_set0(sig.get(), r, s) != 1) {
    BN_free(r);
    BN_free(s);
    return std::nullopt;
  }
  unsigned char* der = nullptr;
  int size = i2d_ECDSA_SIG(sig.get(), &der);
  if (size <= 0)
    return std::nullopt;
  std::vector<unsigned char> out(der, der + size);
  OPENSSL_free(der);
  return out;
}

bool signature_holds(EVP_PKEY* key, std::string_view signed_text,
                     const std::vector<unsigned char>& der) {
  ossl<EVP_MD_CTX> ctx(EVP_MD_CTX_new());
  return ctx && EVP_DigestVerifyInit(ctx.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
         EVP_DigestVerify(ctx.get(), der.data(), der.size(),
                          reinterpret_cast<const unsigned char*>(signed_text.data()),
                          signed_text.size()) == 1;
}

std::optional<json> parse_object(std::string_view text) {
  auto value = json::parse(text, nullptr, false);
  if (value.is_discarded() || !value.is_object())
    return std::nullopt;
  return value;
}

struct parts {
  std::string_view header, payload, signature, signed_text;
};

result<parts> split(std::string_view token) {
  if (token.size() > max_token)
    return refuse("a token has at most " + std::to_string(max_token) + " octets");
  auto first = token.find('.');
  auto second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos)
    return refuse("a token has exactly three parts");
  return parts{token.substr(0, first), token.substr(first + 1, second - first - 1),
               token.substr(second + 1), token.substr(0, second)};
}

/// The kid that the header names; empty if it names none.
result<std::string> check_header(std::string_view encoded) {
  auto text = base64url_decode(encoded);
  if (!text)
    return refuse("not base64url", "header");
  auto header = parse_object(*text);
  if (!header)
    return refuse("not a JSON object", "header");
  auto alg = header->find("alg");
  if (alg == header->end() || !alg->is_string() || alg->get_ref<const std::string&>() != "ES256")
    return refuse("only ES256 is accepted", "alg");
  if (header->contains("crit"))
    return refuse("no critical extension is understood", "crit");
  if (auto typ = header->find("typ"); typ != header->end() && *typ != "JWT")
    return refuse("must be JWT", "typ");
  auto kid = header->find("kid");
  if (kid == header->end())
    return std::string();
  if (!kid->is_string())
    return refuse("must be a string", "kid");
  return kid->get<std::string>();
}

/// nullopt: absent.
result<std::optional<std::int64_t>> seconds_of(const json& payload, const char* name) {
  auto it = payload.find(name);
  if (it == payload.end())
    return std::optional<std::int64_t>();
  const bool fits = it->is_number_unsigned()
                        ? it->get<std::uint64_t>() <= static_cast<std::uint64_t>(INT64_MAX)
                        : it->is_number_integer();
  if (!fits)
    return refuse("must be an integer", name);
  return std::optional<std::int64_t>(it->get<std::int64_t>());
}

status check_times(const json& payload, std::int64_t leeway_s, std::int64_t now_s) {
  auto expires = seconds_of(payload, "exp");
  if (!expires)
    return expires.error();
  auto issued = seconds_of(payload, "iat");
  if (!issued)
    return issued.error();
  auto not_before = seconds_of(payload, "nbf");
  if (!not_before)
    return not_before.error();
  if (!*expires)
    return refuse("is missing", "exp");
  if (!*issued)
    return refuse("is missing", "iat");
  if (now_s >= **expires)
    return refuse("the ticket expired " + std::to_string(now_s - **expires) + " s ago", "exp");
  if (**issued > now_s + leeway_s)
    return refuse("the ticket was issued in the future", "iat");
  if (*not_before && **not_before > now_s + leeway_s)
    return refuse("the ticket is not valid yet", "nbf");
  return success();
}

status check_text(const json& payload, const char* name, const std::string& expected) {
  auto it = payload.find(name);
  if (it == payload.end())
    return refuse("is missing", name);
  if (!it->is_string())
    return refuse("must be a string", name);
  if (it->get_ref<const std::string&>() != expected)
    return refuse("must be '" + expected + "'", name);
  return success();
}

} // namespace

result<signing_key> signing_key::generate() {
  signing_key out;
  out.key_ = share(EVP_EC_gen("P-256"));
  if (!out.key_)
    return fail(problem::internal, "OpenSSL made no P-256 key");
  out.kid_ = kid_of(raw(out.key_));
  return out;
}

result<signing_key> signing_key::from_pem(std::string_view pem) {
  auto bio = reader(pem);
  ossl<EVP_PKEY> key(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr)
                         : nullptr);
  if (!key)
    return fail(problem::malformed, "not an unencrypted private key in PEM", "key");
  if (!is_p256(key.get()))
    return fail(problem::unsupported, "tickets are signed with P-256 keys only", "key");
  signing_key out;
  out.kid_ = kid_of(key.get());
  out.key_ = share(key.release());
  return out;
}

std::string signing_key::private_pem() const {
  ossl<BIO> out(BIO_new(BIO_s_mem()));
  if (!out || PEM_write_bio_PKCS8PrivateKey(out.get(), raw(key_), nullptr, nullptr, 0, nullptr,
                                            nullptr) != 1)
    return {};
  return text_of(out.get());
}

std::string signing_key::public_pem() const {
  ossl<BIO> out(BIO_new(BIO_s_mem()));
  if (!out || PEM_write_bio_PUBKEY(out.get(), raw(key_)) != 1)
    return {};
  return text_of(out.get());
}

result<verifying_keys> verifying_keys::of(const signing_key& key) {
  return from_pem(key.public_pem());
}

result<verifying_keys> verifying_keys::from_pem(std::string_view pem) {
  verifying_keys out;
  constexpr std::string_view begin = "-----BEGIN ";
  constexpr std::string_view end = "-----END PUBLIC KEY-----";
  for (auto at = pem.find(begin); at != std::string_view::npos; at = pem.find(begin, at)) {
    auto stop = pem.find(end, at);
    if (stop == std::string_view::npos)
      return fail(problem::malformed, "not a PEM public key", "key");
    auto bio = reader(pem.substr(at, stop + end.size() - at));
    ossl<EVP_PKEY> key(bio ? PEM_read_bio_PUBKEY(bio.get(), nullptr, no_passphrase, nullptr)
                           : nullptr);
    if (!key)
      return fail(problem::malformed, "not a PEM public key", "key");
    if (!is_p256(key.get()))
      return fail(problem::unsupported, "tickets are verified with P-256 keys only", "key");
    auto kid = kid_of(key.get());
    out.keys_.push_back({std::move(kid), share(key.release())});
    at = stop;
  }
  if (out.keys_.empty())
    return fail(problem::malformed, "no public key in PEM", "key");
  return out;
}

result<std::string> sign(std::string_view payload_json, const signing_key& key) {
  json header = {{"alg", "ES256"}, {"kid", key.kid()}, {"typ", "JWT"}};
  std::string token = base64url_encode(header.dump()) + "." + base64url_encode(payload_json);
  ossl<EVP_MD_CTX> ctx(EVP_MD_CTX_new());
  auto* text = reinterpret_cast<const unsigned char*>(token.data());
  std::size_t size = 0;
  if (!ctx || EVP_DigestSignInit(ctx.get(), nullptr, EVP_sha256(), nullptr, raw(key.key_)) != 1 ||
      EVP_DigestSign(ctx.get(), nullptr, &size, text, token.size()) != 1)
    return fail(problem::internal, "OpenSSL did not sign");
  std::vector<unsigned char> der(size);
  if (EVP_DigestSign(ctx.get(), der.data(), &size, text, token.size()) != 1)
    return fail(problem::internal, "OpenSSL did not sign");
  der.resize(size);
  auto fixed = fixed_from_der(der);
  if (!fixed)
    return fail(problem::internal, "OpenSSL's signature has an unexpected form");
  token += "." + base64url_encode(*fixed);
  if (token.size() > max_token)
    return fail(problem::too_large,
                "the token would exceed " + std::to_string(max_token) + " octets");
  return token;
}

/// Has the keys' friendship.
class jwt_checker {
public:
  static bool any_holds(const verifying_keys& keys, const std::string& kid,
                        std::string_view signed_text, const std::vector<unsigned char>& der) {
    for (const auto& k : keys.keys_)
      if ((kid.empty() || kid == k.kid) && signature_holds(raw(k.key), signed_text, der))
        return true;
    return false;
  }
};

result<std::string> verify(std::string_view token, const verifying_keys& keys,
                           const expectations& expected, std::int64_t now_s) {
  auto p = split(token);
  if (!p)
    return p.error();
  auto kid = check_header(p->header);
  if (!kid)
    return kid.error();
  auto signature = base64url_decode(p->signature);
  if (!signature || signature->size() != 2 * half)
    return refuse("must be 64 octets in base64url", "signature");
  auto der = der_from_fixed(*signature);
  if (!der || !jwt_checker::any_holds(keys, *kid, p->signed_text, *der))
    return refuse("not made by a key of ours over this text", "signature");
  auto text = base64url_decode(p->payload);
  if (!text)
    return refuse("not base64url", "payload");
  auto payload = parse_object(*text);
  if (!payload)
    return refuse("not a JSON object", "payload");
  if (auto ok = check_text(*payload, "iss", expected.issuer); !ok)
    return ok.error();
  if (auto ok = check_text(*payload, "aud", expected.audience); !ok)
    return ok.error();
  if (auto ok = check_times(*payload, expected.leeway.count(), now_s); !ok)
    return ok.error();
  return std::move(*text);
}

} // namespace outband::ticket
