#include "messages/provisioning/tls_leaf.hpp"

#include "messages/amt/base64.hpp"
#include "messages/amt/x509.hpp"
#include "tests/support/certs.hpp"
#include "tests/support/provisioning_pki.hpp"

#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <doctest/doctest.h>

#include <memory>
#include <set>

namespace outband::provisioning {
namespace {

using key_owner = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

key_owner rsa(unsigned bits) {
  return {EVP_RSA_gen(bits), EVP_PKEY_free};
}
key_owner curve(const char* name) {
  return {EVP_EC_gen(name), EVP_PKEY_free};
}

template <class Write> std::string der_key(const key_owner& key, Write write) {
  unsigned char* out = nullptr;
  const int size = write(key.get(), &out);
  REQUIRE(size > 0);
  auto text = amt::base64_encode({reinterpret_cast<char*>(out), static_cast<std::size_t>(size)});
  OPENSSL_free(out);
  return text;
}

const std::string& machine_key() {
  static const std::string key = der_key(rsa(2048), i2d_PublicKey);
  return key;
}

issuing_authority site() {
  static const test::certificate_authority made("Outband test CA");
  auto ca = issuing_authority::from_pem(made.certificate_pem(), made.key_pem());
  REQUIRE(ca.ok());
  return *ca;
}

tls_leaf_request named(std::string name) {
  static unsigned char count = 0;
  tls_leaf_request r;
  r.common_name = std::move(name);
  r.serial = std::string(serial_octets - 1, 's') + static_cast<char>(count += 2);
  return r;
}

TEST_CASE("a machine's key becomes a TLS server certificate of this site") {
  const auto ca = site();
  const auto leaf = issue_tls_leaf(ca, machine_key(), named("AMT-pc-17"));
  REQUIRE(leaf.ok());
  CHECK(leaf->subject == "O=None,ST=None,CN=AMT-pc-17");
  CHECK(leaf->common_name == "AMT-pc-17");
  CHECK(leaf->rsa);
  CHECK(leaf->key_bits == 2048);
  CHECK(leaf->signed_with == hash_kind::sha256);
  CHECK_FALSE(leaf->authority);
  CHECK_FALSE(leaf->self_signed);
  CHECK(issued_by(*leaf, ca.root()));
  CHECK(leaf->not_before == ca.root().not_before + 60000);
  CHECK(leaf->not_after == ca.root().not_after - 60000);
  // The firmware reads it as any other certificate, and OpenSSL takes it for a TLS server.
  CHECK(amt::read_certificate(amt::base64_encode(leaf->der)).ok());
  const auto* at = reinterpret_cast<const unsigned char*>(leaf->der.data());
  auto* const x = d2i_X509(nullptr, &at, static_cast<long>(leaf->der.size()));
  REQUIRE(x != nullptr);
  CHECK(X509_check_purpose(x, X509_PURPOSE_SSL_SERVER, 0) == 1);
  CHECK(X509_check_purpose(x, X509_PURPOSE_SSL_CLIENT, 0) == 0);
  CHECK(ASN1_STRING_length(X509_get_serialNumber(x)) >= 14);
  X509_free(x);
}

TEST_CASE("serial numbers of machines differ") {
  const auto ca = site();
  std::set<std::string> seen;
  for (int i = 0; i < 20; ++i)
    seen.insert(issue_tls_leaf(ca, machine_key(), named("AMT-same"))->prints.sha256);
  CHECK(seen.size() == 20);
}

TEST_CASE("both wrappings of a key and the keys of AMT 22 are taken") {
  const auto ca = site();
  CHECK(issue_tls_leaf(ca, der_key(rsa(3072), i2d_PUBKEY), named("AMT-a")).ok());
  auto hardened = named("AMT-b");
  hardened.hash = hash_kind::sha384;
  const auto leaf = issue_tls_leaf(ca, der_key(curve("P-384"), i2d_PUBKEY), hardened);
  REQUIRE(leaf.ok());
  CHECK_FALSE(leaf->rsa);
  CHECK(leaf->key_bits == 384);
  CHECK(leaf->signed_with == hash_kind::sha384);
  CHECK(issued_by(*leaf, ca.root()));
}

TEST_CASE("a key that is none or a weak one gets no certificate") {
  const auto ca = site();
  for (const auto& key :
       {std::string(), std::string("!"), std::string("AAAA"), std::string(5000, 'A'),
        der_key(rsa(1024), i2d_PublicKey), der_key(curve("P-256"), i2d_PUBKEY),
        machine_key().substr(0, machine_key().size() - 8),
        amt::base64_encode(*amt::base64_decode(machine_key()) + "x")}) {
    CAPTURE(key);
    const auto refused = issue_tls_leaf(ca, key, named("AMT-x"));
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().what == problem::device_protocol);
    CHECK(refused.error().field == "DERKey");
  }
}

TEST_CASE("names and times of a machine's certificate have limits") {
  const auto ca = site();
  for (const auto& name : {std::string(), std::string(65, 'x'), std::string("a\nb")}) {
    const auto refused = issue_tls_leaf(ca, machine_key(), named(name));
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().field == "common_name");
  }
  auto r = named("AMT-x");
  r.not_before = ca.root().not_before + 3600'000;
  r.not_after = ca.root().not_before + 7200'000;
  auto leaf = issue_tls_leaf(ca, machine_key(), r);
  REQUIRE(leaf.ok());
  CHECK(leaf->not_before == r.not_before);
  CHECK(leaf->not_after == r.not_after);
  r.not_before = 1000;
  r.not_after = ca.root().not_after + 3600'000;
  leaf = issue_tls_leaf(ca, machine_key(), r);
  REQUIRE(leaf.ok());
  CHECK(leaf->not_before == ca.root().not_before + 60000);
  CHECK(leaf->not_after == ca.root().not_after - 60000);
  r.not_before = ca.root().not_after;
  CHECK(issue_tls_leaf(ca, machine_key(), r).error().what == problem::expired);
}

TEST_CASE("an authority needs its own key and the right to sign") {
  const test::certificate_authority one("one");
  const test::certificate_authority two("two");
  test::leaf_options o;
  o.common_name = "server";
  o.server = true;
  const auto server = one.issue(o);
  const auto field_of = [](std::string_view certificate, std::string_view key) {
    const auto ca = issuing_authority::from_pem(certificate, key);
    return ca.ok() ? std::string("good") : ca.error().field;
  };
  CHECK(field_of(one.certificate_pem(), one.key_pem()) == "good");
  CHECK(field_of(one.certificate_pem(), two.key_pem()) == "key");
  CHECK(field_of(one.certificate_pem(), "") == "key");
  CHECK(field_of(one.certificate_pem(), one.certificate_pem()) == "key");
  CHECK(field_of("", one.key_pem()) == "certificate");
  CHECK(field_of(server.certificate_pem, server.key_pem) == "certificate");
  CHECK(site().root_base64() == amt::base64_encode(site().root().der));
}

} // namespace
} // namespace outband::provisioning
