#include "messages/provisioning/pfx.hpp"

#include "messages/amt/base64.hpp"
#include "tests/support/provisioning_pki.hpp"

#include <doctest/doctest.h>

namespace outband::provisioning {
namespace {

constexpr const char* password = "P@ssw0rd";

const test::provisioning_pki& usual() {
  static const auto pki = test::make_provisioning_pki();
  return pki;
}

std::vector<std::string> ders(const std::vector<certificate>& chain) {
  std::vector<std::string> out;
  for (const auto& c : chain)
    out.push_back(c.der);
  return out;
}

void check_refused(const std::string& pfx, const std::string& with, const std::string& field,
                   const std::string& words) {
  CAPTURE(words);
  const auto opened = open_pfx(pfx, with);
  REQUIRE_FALSE(opened.ok());
  CHECK(opened.error().field == field);
  CAPTURE(opened.error().detail);
  CHECK(opened.error().detail.find(words) != std::string::npos);
}

TEST_CASE("a PFX gives its chain from the leaf to the root in whatever order it has them") {
  for (const auto order :
       {test::pki_order::leaf_first, test::pki_order::root_first, test::pki_order::leaf_last}) {
    test::pfx_options o;
    o.order = order;
    const auto opened = open_pfx(test::make_pfx(usual(), o), password);
    REQUIRE(opened.ok());
    REQUIRE(opened->chains.size() == 1);
    CHECK(ders(opened->chains[0]) == usual().chain);
    CHECK(opened->unrelated.empty());
    CHECK(opened->leaf_was_first == (order == test::pki_order::leaf_first));
    CHECK(opened->key.bits() == 2048);
    CHECK(opened->key.belongs_to(opened->leaf()));
    CHECK_FALSE(opened->key.belongs_to(opened->chains[0][1]));
  }
}

TEST_CASE("old and new encryption of a PFX are both read") {
  for (const auto cipher :
       {test::pfx_cipher::aes256, test::pfx_cipher::des3, test::pfx_cipher::rc2_40}) {
    test::pfx_options o;
    o.cipher = cipher;
    const auto opened = open_pfx(test::make_pfx(usual(), o), password);
    REQUIRE_MESSAGE(opened.ok(), (opened.ok() ? "" : to_string(opened.error())));
    CHECK(ders(opened->chains[0]) == usual().chain);
    CHECK(opened->key.sign("x", hash_kind::sha256).size() == 256);
  }
}

TEST_CASE("base64 of a PFX may have line breaks and nothing foreign") {
  auto text = amt::base64_encode(test::make_pfx(usual()));
  CHECK(open_pfx_base64(text, password).ok());
  for (std::size_t at = 64; at < text.size(); at += 65)
    text.insert(at, "\n");
  CHECK(open_pfx_base64(text, password).ok());
  text[5] = '*';
  CHECK(open_pfx_base64(text, password).error().detail == "is not base64");
  CHECK(open_pfx_base64("", password).error().detail == "is empty");
  CHECK(open_pfx_base64(std::string(200000, 'A'), password).error().what == problem::too_large);
}

TEST_CASE("an empty password opens a PFX that has one") {
  test::pfx_options o;
  o.password.clear();
  CHECK(open_pfx(test::make_pfx(usual(), o), "").ok());
  CHECK_FALSE(open_pfx(test::make_pfx(usual(), o), "x").ok());
}

TEST_CASE("a PFX that cannot be used is refused with what is wrong") {
  const auto good = test::make_pfx(usual());
  check_refused("", password, "provisioningCert", "not a PKCS#12");
  check_refused("hello", password, "provisioningCert", "not a PKCS#12");
  check_refused(usual().chain[0], password, "provisioningCert", "not a PKCS#12");
  check_refused(good + "x", password, "provisioningCert", "not a PKCS#12");
  check_refused(good.substr(0, good.size() / 2), password, "provisioningCert", "not a PKCS#12");
  check_refused(good, "wrong", "provisioningCertPassword", "wrong password");
  check_refused(good, "", "provisioningCertPassword", "wrong password");
  check_refused(good, std::string(65, 'x'), "provisioningCertPassword", "64 octets");
  check_refused(std::string(70000, 'x'), password, "provisioningCert", "64 KiB");

  test::pfx_options o;
  o.with_key = false;
  check_refused(test::make_pfx(usual(), o), password, "provisioningCert", "no private key");
  o = {};
  o.leave_out = {0, 1, 2};
  check_refused(test::make_pfx(usual(), o), password, "provisioningCert", "no certificate");
  o.leave_out = {0};
  check_refused(test::make_pfx(usual(), o), password, "provisioningCert",
                "none of its 2 certificates");
  o = {};
  o.iterations = 1100000;
  check_refused(test::make_pfx(usual(), o), password, "provisioningCert", "iterations");

  test::pki_options curve;
  curve.leaf_bits = 0;
  check_refused(test::make_pfx(test::make_provisioning_pki(curve)), password, "provisioningCert",
                "type EC; AMT accepts only RSA");

  o = {};
  for (int i = 0; i < 6; ++i) {
    test::pki_options more;
    more.common_name = "host" + std::to_string(i) + ".example.com";
    o.also.push_back(test::make_provisioning_pki(more).chain[0]);
  }
  check_refused(test::make_pfx(usual(), o), password, "provisioningCert", "more than 8");
}

TEST_CASE("any single damaged octet of a PFX is refused or harmless but never believed") {
  const auto good = test::make_pfx(usual());
  for (std::size_t at = 0; at < good.size(); at += 37) {
    auto bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x41);
    const auto opened = open_pfx(bad, password);
    if (opened.ok())
      CHECK(ders(opened->chains[0]) == usual().chain);
    else
      CHECK_FALSE(opened.error().detail.empty());
  }
}

TEST_CASE("without its root a chain ends where the file ends") {
  test::pfx_options o;
  o.leave_out = {2};
  auto opened = open_pfx(test::make_pfx(usual(), o), password);
  REQUIRE(opened.ok());
  CHECK(opened->chains[0].size() == 2);
  CHECK_FALSE(opened->chains[0].back().self_signed);

  o.leave_out = {1};
  opened = open_pfx(test::make_pfx(usual(), o), password);
  REQUIRE(opened.ok());
  CHECK(opened->chains[0].size() == 1);
  REQUIRE(opened->unrelated.size() == 1);
  CHECK(opened->unrelated[0].der == usual().chain[2]);
}

TEST_CASE("of two ways to a root the machine's own is taken") {
  test::pki_options old_root;
  old_root.root_name = "An older root";
  const auto older = test::make_provisioning_pki(old_root);
  test::pfx_options o;
  o.also = {test::cross_sign(usual(), older), older.chain.back()};
  const auto opened = open_pfx(test::make_pfx(usual(), o), password);
  REQUIRE(opened.ok());
  REQUIRE(opened->chains.size() == 2);
  CHECK(opened->chains[0].size() == 3); // the shorter one first
  CHECK(opened->chains[1].size() == 4);
  CHECK(opened->chain_for({older.root_sha256}).size() == 4);
  CHECK(opened->chain_for({usual().root_sha1}).size() == 3);
  CHECK(opened->chain_for({std::string(64, '0')}).size() == 3);
}

TEST_CASE("roots are found by digests of any length and case") {
  auto upper = usual().root_sha384;
  for (auto& c : upper)
    c = static_cast<char>(c >= 'a' && c <= 'f' ? c - 32 : c);
  const auto root = read_certificate(usual().chain[2]);
  CHECK(is_among(root->prints, {upper}));
  CHECK(is_among(root->prints, {"00", usual().root_sha1}));
  CHECK(is_among(root->prints, {usual().root_sha256}));
  CHECK_FALSE(is_among(root->prints, {}));
  CHECK_FALSE(is_among(root->prints, {""}));
  CHECK_FALSE(is_among(root->prints, {usual().root_sha256.substr(0, 40)}));
}

} // namespace
} // namespace outband::provisioning
