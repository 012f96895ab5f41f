#include "messages/ticket/jwt.hpp"

#include "messages/ticket/base64url.hpp"

#include <doctest/doctest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <ostream>

namespace {

using namespace outband;
using namespace outband::ticket;

constexpr std::int64_t now = 1'800'000'000;

signing_key a_key() {
  auto key = signing_key::generate();
  REQUIRE(key.ok());
  return *key;
}

expectations expected() {
  expectations e;
  e.issuer = "outband";
  e.audience = "outband-bus";
  return e;
}

std::string good_payload() {
  return R"({"iss":"outband","aud":"outband-bus","iat":1799999990,"exp":1800000060})";
}

std::string signed_by(const signing_key& key, const std::string& payload) {
  auto token = sign(payload, key);
  REQUIRE(token.ok());
  return *token;
}

/// "ok", or the field that was refused.
std::string outcome(const std::string& token, const signing_key& key, std::int64_t at = now) {
  auto keys = verifying_keys::of(key);
  REQUIRE(keys.ok());
  auto r = verify(token, *keys, expected(), at);
  if (r)
    return "ok";
  CHECK(r.error().what == problem::unauthenticated);
  CHECK_FALSE(r.error().detail.empty());
  return r.error().field;
}

std::string with_header(const std::string& token, const std::string& header) {
  return base64url_encode(header) + token.substr(token.find('.'));
}

TEST_CASE("base64url has exactly one text per value") {
  for (std::string octets : {"", "f", "fo", "foo", "foob", "fooba", "foobar"})
    CHECK(base64url_decode(base64url_encode(octets)) == octets);
  CHECK(base64url_encode(std::string("\xfb\xff\xfe", 3)) == "-__-");
  for (auto bad : {"A", "AAAAA", "AA=", "AA==", "A+AA", "A/AA", "AB", "AAB", " AAA", "AA\n"})
    CHECK_FALSE(base64url_decode(bad));
}

TEST_CASE("a signed payload comes back unchanged") {
  auto key = a_key();
  auto keys = verifying_keys::of(key);
  REQUIRE(keys.ok());
  auto r = verify(signed_by(key, good_payload()), *keys, expected(), now);
  REQUIRE(r.ok());
  CHECK(*r == good_payload());
}

TEST_CASE("the signature of RFC 7515 A.3 is accepted") {
  const std::string head("\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48"
                         "\xce\x3d\x03\x01\x07\x03\x42\x00\x04",
                         27);
  const auto der = head + *base64url_decode("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU") +
                   *base64url_decode("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
  std::string base64(4 * ((der.size() + 2) / 3) + 1, '\0');
  base64.resize(static_cast<std::size_t>(EVP_EncodeBlock(
      reinterpret_cast<unsigned char*>(base64.data()),
      reinterpret_cast<const unsigned char*>(der.data()), static_cast<int>(der.size()))));
  auto keys = verifying_keys::from_pem("-----BEGIN PUBLIC KEY-----\n" + base64.substr(0, 64) +
                                       "\n" + base64.substr(64) + "\n-----END PUBLIC KEY-----\n");
  REQUIRE(keys.ok());
  const std::string token =
      "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxl"
      "LmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISl"
      "SApmWQxfKTUJqPP3-Kg6NU1Q";
  expectations joe = expected();
  joe.issuer = "joe";
  // It has no audience, which is looked at only after the signature.
  CHECK(verify(token, *keys, joe, now).error().field == "aud");
  auto tampered = token;
  tampered[30] = tampered[30] == 'A' ? 'B' : 'A';
  CHECK(verify(tampered, *keys, joe, now).error().field == "signature");
}

TEST_CASE("no octet of a token may change") {
  auto key = a_key();
  const auto token = signed_by(key, good_payload());
  REQUIRE(outcome(token, key) == "ok");
  for (std::size_t i = 0; i < token.size(); ++i) {
    auto changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    if (changed == token)
      continue;
    CAPTURE(i);
    CHECK(outcome(changed, key) != "ok");
  }
  for (std::size_t cut = 0; cut < token.size(); ++cut)
    CHECK(outcome(token.substr(0, cut), key) != "ok");
}

TEST_CASE("a token of another key is refused") {
  auto key = a_key(), other = a_key();
  CHECK(outcome(signed_by(other, good_payload()), key) == "signature");
  // Also when it claims to be ours.
  auto token = signed_by(other, good_payload());
  auto forged = with_header(token, R"({"alg":"ES256","kid":")" + key.kid() + R"("})");
  CHECK(outcome(forged, key) == "signature");
}

TEST_CASE("only ES256 is accepted") {
  auto key = a_key();
  const auto token = signed_by(key, good_payload());
  for (auto header : {R"({"alg":"none"})", R"({"alg":"HS256"})", R"({"alg":"RS256"})",
                      R"({"alg":"es256"})", R"({"alg":["ES256"]})", R"({"alg":null})", R"({})"})
    CHECK(outcome(with_header(token, header), key) == "alg");
  CHECK(outcome(with_header(token, R"({"alg":"ES256","crit":["b64"]})"), key) == "crit");
  CHECK(outcome(with_header(token, R"({"alg":"ES256","typ":"JWE"})"), key) == "typ");
  CHECK(outcome(with_header(token, R"({"alg":"ES256","kid":7})"), key) == "kid");
  CHECK(outcome(with_header(token, "[]"), key) == "header");
  CHECK(outcome(with_header(token, "{"), key) == "header");
  // Unsigned.
  auto dot = token.rfind('.');
  CHECK(outcome(base64url_encode(R"({"alg":"none"})") +
                    token.substr(token.find('.'), dot + 1 - token.find('.')),
                key) == "alg");
  CHECK(outcome(token.substr(0, dot + 1), key) == "signature");
}

TEST_CASE("the public key as an HMAC secret opens nothing") {
  auto key = a_key();
  const auto secret = key.public_pem();
  const auto text =
      base64url_encode(R"({"alg":"HS256","typ":"JWT"})") + "." + base64url_encode(good_payload());
  unsigned char mac[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  REQUIRE(HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
               reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac, &size));
  const auto token = text + "." + base64url_encode({reinterpret_cast<const char*>(mac), size});
  CHECK(outcome(token, key) == "alg");
}

TEST_CASE("the form is three parts of at most 4096 octets") {
  auto key = a_key();
  const auto token = signed_by(key, good_payload());
  for (auto bad : {std::string(), std::string("."), std::string(".."), std::string("a.b"),
                   token + ".", token + ".x", "." + token, token + "=", token + "\n"})
    CHECK(outcome(bad, key) != "ok");
  const std::string padding(5000, 'x');
  CHECK_FALSE(sign(R"({"pad":")" + padding + "\"}", key).ok());
  CHECK(outcome(std::string(4097, 'a'), key).empty());
  CHECK(outcome(std::string(4095, '.'), key).empty());
}

TEST_CASE("times are integers and decide with the clock that was handed in") {
  auto key = a_key();
  auto with = [&](const std::string& claims) {
    return outcome(signed_by(key, R"({"iss":"outband","aud":"outband-bus",)" + claims + "}"), key);
  };
  CHECK(with(R"("iat":1799999990,"exp":1800000001)") == "ok");
  CHECK(with(R"("iat":1799999990,"exp":1800000000)") == "exp"); // it ends now
  CHECK(with(R"("iat":1799999990)") == "exp");
  CHECK(with(R"("exp":1800000060)") == "iat");
  CHECK(with(R"("iat":1799999990,"exp":"1800000060")") == "exp");
  CHECK(with(R"("iat":1799999990,"exp":1800000060.5)") == "exp");
  CHECK(with(R"("iat":1799999990,"exp":18446744073709551615)") == "exp");
  CHECK(with(R"("iat":1799999990,"exp":-1)") == "exp");
  CHECK(with(R"("iat":null,"exp":1800000060)") == "iat");
  CHECK(with(R"("iat":1800000005,"exp":1800000060)") == "ok"); // five seconds are forgiven
  CHECK(with(R"("iat":1800000006,"exp":1800000060)") == "iat");
  CHECK(with(R"("iat":1799999990,"nbf":1800000005,"exp":1800000060)") == "ok");
  CHECK(with(R"("iat":1799999990,"nbf":1800000006,"exp":1800000060)") == "nbf");
  CHECK(with(R"("iat":1799999990,"nbf":true,"exp":1800000060)") == "nbf");
}

TEST_CASE("issuer and audience are pinned") {
  auto key = a_key();
  auto with = [&](const std::string& claims) {
    return outcome(signed_by(key, "{" + claims + R"(,"iat":1799999990,"exp":1800000060})"), key);
  };
  CHECK(with(R"("iss":"outband","aud":"outband-bus")") == "ok");
  CHECK(with(R"("iss":"outband","aud":"outband-rest")") == "aud");
  CHECK(with(R"("iss":"outband","aud":["outband-bus"])") == "aud");
  CHECK(with(R"("iss":"outband")") == "aud");
  CHECK(with(R"("iss":"mallory","aud":"outband-bus")") == "iss");
  CHECK(with(R"("aud":"outband-bus")") == "iss");
}

TEST_CASE("two keys are trusted while one replaces the other") {
  auto old_key = a_key(), new_key = a_key();
  auto both = verifying_keys::from_pem(old_key.public_pem() + "\n" + new_key.public_pem());
  REQUIRE(both.ok());
  CHECK(both->size() == 2);
  for (const auto& key : {old_key, new_key}) {
    CHECK(verify(signed_by(key, good_payload()), *both, expected(), now).ok());
    // A header without kid is tried with each.
    CHECK(key.kid().size() == 16);
  }
}

TEST_CASE("keys survive PEM and only P-256 keys are taken") {
  auto key = a_key();
  auto again = signing_key::from_pem(key.private_pem());
  REQUIRE(again.ok());
  CHECK(again->kid() == key.kid());
  CHECK(outcome(signed_by(*again, good_payload()), key) == "ok");

  CHECK_FALSE(signing_key::from_pem("").ok());
  CHECK_FALSE(signing_key::from_pem(key.public_pem()).ok());
  CHECK_FALSE(verifying_keys::from_pem("").ok());
  CHECK_FALSE(verifying_keys::from_pem(key.private_pem()).ok());
  CHECK_FALSE(verifying_keys::from_pem(key.public_pem() + key.private_pem()).ok());

  auto pem_of = [](EVP_PKEY* pkey, bool secret) {
    BIO* bio = BIO_new(BIO_s_mem());
    if (secret)
      PEM_write_bio_PKCS8PrivateKey(bio, pkey, nullptr, nullptr, 0, nullptr, nullptr);
    else
      PEM_write_bio_PUBKEY(bio, pkey);
    char* data = nullptr;
    auto size = BIO_get_mem_data(bio, &data);
    std::string out(data, static_cast<std::size_t>(size));
    BIO_free(bio);
    return out;
  };
  for (EVP_PKEY* wrong : {EVP_EC_gen("P-384"), EVP_RSA_gen(2048)}) {
    REQUIRE(wrong != nullptr);
    CHECK(signing_key::from_pem(pem_of(wrong, true)).error().what == problem::unsupported);
    CHECK(verifying_keys::from_pem(pem_of(wrong, false)).error().what == problem::unsupported);
    EVP_PKEY_free(wrong);
  }
}

} // namespace
