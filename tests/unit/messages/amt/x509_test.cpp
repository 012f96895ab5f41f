#include "messages/amt/x509.hpp"

#include "tests/unit/messages/amt/pki.hpp"

#include <doctest/doctest.h>

namespace outband::amt {
namespace {

TEST_CASE("a certificate is read however it is wrapped") {
  const auto& one = pki::someone();
  const auto der = base64_encode(one.certificate);
  for (const auto& text : {der, base64_encode(one.certificate_pem), one.certificate_pem}) {
    CAPTURE(text.substr(0, 30));
    auto read = read_certificate(text);
    REQUIRE(read.ok());
    CHECK(read->der == der);
    CHECK(read->not_after == 4102444800000);
  }
  CHECK(read_certificate(base64_encode(pki::make("old", 1000000000).certificate))->not_after ==
        1000000000000);
}

TEST_CASE("what is no certificate is refused in words") {
  const auto& one = pki::someone();
  const auto cut = one.certificate.substr(0, one.certificate.size() - 1);
  for (const auto& text :
       {std::string{}, std::string("AAAA"), std::string("!"), base64_encode(cut),
        base64_encode(one.certificate + "x"), base64_encode(one.key), std::string(20000, 'A'),
        std::string("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")}) {
    CAPTURE(text.substr(0, 30));
    auto read = read_certificate(text);
    REQUIRE_FALSE(read.ok());
    CHECK(read.error().what == problem::malformed);
    CHECK(read.error().detail.find("X.509") != std::string::npos);
  }
}

TEST_CASE("a private key is read as PKCS1 and knows its public half") {
  const auto& one = pki::someone();
  for (const auto& der : {one.key, one.key_pkcs8}) {
    auto read = read_private_key(base64_encode(der));
    REQUIRE(read.ok());
    CHECK(read->private_key == base64_encode(one.key));
    CHECK(read->public_key == base64_encode(one.public_key));
  }
}

TEST_CASE("what is no RSA key is refused without repeating it") {
  auto* curve = EVP_EC_gen("P-256");
  const auto ec = pki::der(curve, i2d_PrivateKey);
  EVP_PKEY_free(curve);
  const auto& one = pki::someone();
  for (const auto& text : {std::string{}, std::string("AAAA"), base64_encode(ec),
                           base64_encode(one.certificate), base64_encode(one.key.substr(0, 100))}) {
    auto read = read_private_key(text);
    REQUIRE_FALSE(read.ok());
    CHECK(read.error().what == problem::malformed);
    if (!text.empty())
      CHECK(read.error().detail.find(text) == std::string::npos);
  }
}

} // namespace
} // namespace outband::amt
