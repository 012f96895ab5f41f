#include "messages/provisioning/firmware_chain.hpp"

#include "tests/support/certs.hpp"
#include "tests/support/provisioning_pki.hpp"

#include <doctest/doctest.h>

namespace outband::provisioning {
namespace {

constexpr time_ms now = 1'800'000'000'000; ///< January 2027

const test::firmware_pki& chip() {
  static const auto made = test::make_firmware_pki("AMT RCFG", 3, now / 1000);
  return made;
}

std::vector<certificate> roots() {
  return {intel_ondie_root(), *read_certificate(chip().root)};
}

void check_refused(const std::vector<std::string>& chain, const std::string& words,
                   time_ms at = now) {
  CAPTURE(words);
  const auto refused = check_firmware_chain(chain, roots(), at);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().what == problem::unauthenticated);
  CAPTURE(refused.error().detail);
  CHECK(refused.error().detail.find(words) != std::string::npos);
}

TEST_CASE("the root of Intel's OnDie CA is the published one") {
  const auto& root = intel_ondie_root();
  CHECK(root.prints.sha256 == "beb40bb7507b33967226aa80e084749fbb6593893c642e818d682e9a8d07fc24");
  CHECK(root.self_signed);
  CHECK(root.authority);
  CHECK(root.key_bits == 384);
  CHECK(root.subject.find("OnDie CA Root Cert Signing") != std::string::npos);
}

TEST_CASE("a chip's own chain is accepted with and without its root") {
  auto leaf = check_firmware_chain(chip().chain, roots(), now);
  REQUIRE_MESSAGE(leaf.ok(), (leaf.ok() ? "" : to_string(leaf.error())));
  CHECK(leaf->common_name == "AMT RCFG");
  CHECK(leaf->der == chip().chain[0]);
  auto longer = chip().chain;
  longer.push_back(chip().root);
  CHECK(check_firmware_chain(longer, roots(), now).ok());
  const auto newer = test::make_firmware_pki("iAMT CSME IDevID RCFG", 5, now / 1000);
  CHECK(check_firmware_chain(newer.chain, roots(), now).ok());
}

TEST_CASE("a chain that is not a chip's is refused with what is wrong") {
  const auto& good = chip().chain;
  check_refused({}, "shows no certificate");
  check_refused({good[0], good[1]}, "leads to no trusted root");
  check_refused({good[0], good[2], good[1]}, "was not signed by the next one");
  check_refused({good[0], good[1], good[3]}, "certificate 2 of 3");
  check_refused({good[1], good[2], good[3]}, "is not that of unconfigured AMT");
  check_refused({"x"}, "certificate 1 of 1 cannot be read");
  check_refused(std::vector<std::string>(11, good[0]), "more than 10");
  check_refused(good, "is valid only from", now - 2 * 86'400'000);
  check_refused(good, "expired on", now + 4000LL * 86'400'000);
  CHECK_FALSE(check_firmware_chain(good, {intel_ondie_root()}, now).ok());
  CHECK_FALSE(check_firmware_chain(good, {}, now).ok());
}

TEST_CASE("a leaf of a chip cannot issue leaves") {
  // Whoever broke one chip would otherwise pass for every other: a second "AMT RCFG" under it.
  auto chain = chip().chain;
  chain.insert(chain.begin(), chip().chain[0]);
  check_refused(chain, "certificate 2 of 5 (CN=AMT RCFG) is not an authority's");
}

TEST_CASE("after its configuration a machine shows what this site issued") {
  const test::certificate_authority site;
  const test::certificate_authority other;
  test::leaf_options o;
  o.common_name = "AMT-pc-17";
  o.server = true;
  const auto leaf = read_certificate(site.issue(o).certificate_pem);
  const auto foreign = read_certificate(other.issue(o).certificate_pem);
  REQUIRE(leaf.ok());
  REQUIRE(foreign.ok());
  const auto at = leaf->not_before + 1000;
  site_trust trust;
  trust.authorities = {*read_certificate(site.certificate_pem())};
  CHECK(check_site_chain({leaf->der}, trust, at).ok());
  CHECK_FALSE(check_site_chain({foreign->der}, trust, at).ok());
  CHECK_FALSE(check_site_chain({foreign->der, leaf->der}, trust, at).ok());
  CHECK_FALSE(check_site_chain({}, trust, at).ok());
  CHECK(check_site_chain({leaf->der}, trust, leaf->not_after).error().detail.find("expired") !=
        std::string::npos);
  CHECK_FALSE(check_site_chain({leaf->der}, trust, leaf->not_before - 1).ok());

  trust.common_name = "AMT-pc-17";
  CHECK(check_site_chain({leaf->der}, trust, at).ok());
  trust.common_name = "AMT-pc-18";
  CHECK(check_site_chain({leaf->der}, trust, at).error().detail.find("another machine's") !=
        std::string::npos);

  // The pinned one needs nobody's signature.
  site_trust pin;
  pin.pinned_sha256 = foreign->prints.sha256;
  CHECK(check_site_chain({foreign->der}, pin, at).ok());
  CHECK_FALSE(check_site_chain({leaf->der}, pin, at).ok());
  for (auto& c : pin.pinned_sha256)
    c = static_cast<char>(c >= 'a' && c <= 'f' ? c - 32 : c);
  CHECK(check_site_chain({foreign->der}, pin, foreign->not_after + 1).ok());
  CHECK_FALSE(check_site_chain({leaf->der}, {}, at).ok());
}

} // namespace
} // namespace outband::provisioning
