#include "messages/provisioning/certificate.hpp"

#include "messages/amt/base64.hpp"
#include "tests/support/certs.hpp"
#include "tests/support/provisioning_pki.hpp"

#include <doctest/doctest.h>

namespace outband::provisioning {
namespace {

TEST_CASE("a certificate tells what activation must know of it") {
  test::pki_options o;
  o.now_s = 1700000000;
  const auto pki = test::make_provisioning_pki(o);
  const auto leaf = read_certificate(pki.chain[0]);
  REQUIRE(leaf.ok());
  CHECK(leaf->common_name == "provisioning.example.com");
  CHECK(leaf->subject == "CN=provisioning.example.com");
  CHECK(leaf->issuer == "CN=Outband test intermediate 1");
  CHECK(leaf->not_before == (1700000000LL - 86400) * 1000);
  CHECK(leaf->not_after == (1700000000LL + 365 * 86400) * 1000);
  CHECK(leaf->rsa);
  CHECK(leaf->key_bits == 2048);
  CHECK(leaf->signed_with == hash_kind::sha256);
  CHECK(leaf->amt_provisioning);
  CHECK_FALSE(leaf->authority);
  CHECK_FALSE(leaf->self_signed);

  const auto root = read_certificate(pki.chain[2]);
  REQUIRE(root.ok());
  CHECK(root->self_signed);
  CHECK(root->authority);
  CHECK_FALSE(root->amt_provisioning);
  CHECK(root->prints.sha1 == pki.root_sha1);
  CHECK(root->prints.sha256 == pki.root_sha256);
  CHECK(root->prints.sha384 == pki.root_sha384);
}

TEST_CASE("the unit stands in for the extended key usage") {
  test::pki_options o;
  o.amt_usage = false;
  CHECK_FALSE(read_certificate(test::make_provisioning_pki(o).chain[0])->amt_provisioning);
  o.amt_unit = true;
  CHECK(read_certificate(test::make_provisioning_pki(o).chain[0])->amt_provisioning);
}

TEST_CASE("keys and hashes are told apart") {
  test::pki_options o;
  o.leaf_bits = 0;
  o.hash = test::pki_hash::sha384;
  o.root_hash = test::pki_hash::sha1;
  const auto pki = test::make_provisioning_pki(o);
  const auto leaf = read_certificate(pki.chain[0]);
  REQUIRE(leaf.ok());
  CHECK_FALSE(leaf->rsa);
  CHECK(leaf->key_bits == 256);
  CHECK(leaf->signed_with == hash_kind::sha384);
  CHECK(to_string(leaf->signed_with) == "SHA-384");
  CHECK(read_certificate(pki.chain[2])->signed_with == hash_kind::sha1);
}

TEST_CASE("a certificate of our stack is read however it is wrapped") {
  const auto pki = test::make_provisioning_pki();
  const auto& der = pki.chain[0];
  for (const auto& text : {der, amt::base64_encode(der), test::certificate_pem(der)}) {
    const auto read = read_certificate(text);
    REQUIRE(read.ok());
    CHECK(read->der == der);
  }
}

TEST_CASE("what is no certificate is refused in words") {
  const auto der = test::make_provisioning_pki().chain[0];
  for (const auto& text : {std::string(), std::string("AAAA"), std::string("!"), der + "x",
                           der.substr(0, der.size() - 1),
                           std::string("-----BEGIN CERTIFICATE-----\nAAAA\n"
                                       "-----END CERTIFICATE-----\n")}) {
    const auto read = read_certificate(text);
    REQUIRE_FALSE(read.ok());
    CHECK(read.error().what == problem::malformed);
    CHECK(read.error().detail.find("X.509") != std::string::npos);
  }
  CHECK(read_certificate(std::string(40000, 'A')).error().what == problem::too_large);
}

TEST_CASE("an issuer needs the name and the signature") {
  test::pki_options other;
  other.root_name = "Another root";
  const auto pki = test::make_provisioning_pki();
  const auto foreign = test::make_provisioning_pki(other);
  const auto leaf = *read_certificate(pki.chain[0]);
  const auto intermediate = *read_certificate(pki.chain[1]);
  const auto root = *read_certificate(pki.chain[2]);
  CHECK(issued_by(leaf, intermediate));
  CHECK(issued_by(intermediate, root));
  CHECK(issued_by(root, root));
  CHECK_FALSE(issued_by(leaf, root));
  CHECK_FALSE(issued_by(intermediate, leaf));
  CHECK_FALSE(issued_by(intermediate, *read_certificate(foreign.chain[2])));
  // Equal names, another key: an impostor of the root.
  test::pki_options impostor;
  impostor.authority_bits = 3072;
  CHECK_FALSE(
      issued_by(intermediate, *read_certificate(test::make_provisioning_pki(impostor).chain[2])));
}

} // namespace
} // namespace outband::provisioning
