#include "messages/provisioning/certificate_check.hpp"

#include "tests/support/provisioning_pki.hpp"

#include <doctest/doctest.h>

namespace outband::provisioning {
namespace {

constexpr time_ms now = 1'800'000'000'000; ///< January 2027
constexpr time_ms day = 86'400'000;

test::pki_options good_options() {
  test::pki_options o;
  o.now_s = now / 1000;
  return o;
}

provisioning_certificate open(const test::pki_options& o, const test::pfx_options& f = {}) {
  auto opened = open_pfx(test::make_pfx(test::make_provisioning_pki(o), f), f.password);
  REQUIRE_MESSAGE(opened.ok(), (opened.ok() ? "" : to_string(opened.error())));
  return *opened;
}

machine_facts machine(const char* version, const test::pki_options& o = good_options()) {
  const auto pki = test::make_provisioning_pki(o);
  return {version, {std::string(64, 'a'), pki.root_sha256}, "example.com"};
}

/// The codes, those that block with an exclamation mark.
std::string codes(const certificate_report& r) {
  std::string out;
  for (const auto& d : r.defects) {
    CHECK(d.text.back() == '.');
    out += (out.empty() ? "" : " ") + std::string(code(d.what)) + (d.blocks ? "!" : "");
  }
  return out;
}

std::string upload(const test::pki_options& o, const test::pfx_options& f = {}) {
  return codes(check_upload(open(o, f), "example.com", now));
}

std::string at_machine(const char* version, const test::pki_options& o,
                       const test::pfx_options& f = {}) {
  return codes(check_for_machine(open(o, f), machine(version, o), now));
}

/// What a certificate of today is told about AMT 22.
const std::string hint = "needs-sha384 key-too-small";

TEST_CASE("a good certificate has no defect but a word about AMT 22") {
  const auto o = good_options();
  const auto c = open(o);
  auto report = check_upload(c, "example.com", now);
  CHECK(codes(report) == hint);
  CHECK(report.usable());
  CHECK(report.expires == now + 365 * day);
  CHECK(report.suffixes == std::vector<std::string>{"example.com", "*.example.com"});
  for (const char* version : {"11.8.50", "16.1.27.2192", "21.0.6", ""}) {
    CAPTURE(version);
    report = check_for_machine(c, machine(version), now);
    CHECK(codes(report) == "");
    CHECK(report.text() == "");
  }
}

TEST_CASE("a chain that is not whole is named") {
  test::pfx_options f;
  f.leave_out = {2};
  auto report = check_upload(open(good_options(), f), "example.com", now);
  CHECK(report.has(defect_kind::no_root));
  CHECK(report.text() == "The chain ends without a root: Certificate 2 of 2 (CN=Outband test "
                         "intermediate 1) was issued by \"CN=Outband test provisioning root\", "
                         "which the file lacks.");
  f.leave_out = {1};
  report = check_upload(open(good_options(), f), "example.com", now);
  CHECK(report.has(defect_kind::chain_gap));
  CHECK(report.has(defect_kind::unrelated));
  CHECK_FALSE(report.usable());
  CHECK(report.text().find("\"CN=Outband test intermediate 1\", which the file lacks") !=
        std::string::npos);
}

TEST_CASE("the order of the file is no obstacle but is told") {
  test::pfx_options f;
  f.order = test::pki_order::root_first;
  CHECK(upload(good_options(), f) == "file-order " + hint);
  CHECK(at_machine("16.1", good_options(), f) == "file-order");
}

TEST_CASE("certificates outside the chain are told") {
  auto other = good_options();
  other.root_name = "Another root";
  test::pfx_options f;
  f.also = {test::make_provisioning_pki(other).chain.back()};
  CHECK(at_machine("16.1", good_options(), f) == "unrelated");
}

TEST_CASE("more than four certificates are too many") {
  auto o = good_options();
  o.intermediates = 2;
  CHECK(at_machine("16.1", o) == "");
  o.intermediates = 3;
  CHECK(at_machine("16.1", o) == "too-many!");
}

TEST_CASE("certificates are checked against the time") {
  auto o = good_options();
  o.valid_to_s = -1;
  CHECK(at_machine("16.1", o) == "expired!");
  CHECK(upload(o) == "expired! " + hint);
  const auto report = check_for_machine(open(o), machine("16.1", o), now);
  CHECK(report.text() == "The leaf certificate (CN=provisioning.example.com) expired on "
                         "2027-01-15.");
  o = good_options();
  o.valid_from_s = 3600;
  CHECK(at_machine("16.1", o) == "not-yet-valid!");
  o = good_options();
  o.valid_to_s = 29 * 86400;
  CHECK(at_machine("16.1", o) == "expires-soon");
  CHECK(check_for_machine(open(o), machine("16.1", o), now).text().find("within 30 days") !=
        std::string::npos);
}

TEST_CASE("notices of an end come at 90 and 30 and 7 days") {
  CHECK(expiry_notice(now + 91 * day, now) == std::nullopt);
  CHECK(expiry_notice(now + 90 * day, now) == 90);
  CHECK(expiry_notice(now + 31 * day, now) == 90);
  CHECK(expiry_notice(now + 30 * day, now) == 30);
  CHECK(expiry_notice(now + 7 * day, now) == 7);
  CHECK(expiry_notice(now + 1, now) == 7);
  CHECK(expiry_notice(now, now) == 0);
  CHECK(expiry_notice(now - day, now) == 0);
}

TEST_CASE("small keys and keys that are not RSA are refused") {
  auto o = good_options();
  o.leaf_bits = 1024;
  CHECK(at_machine("11.8", o) == "key-too-small!");
  o = good_options();
  o.authority_bits = 0;
  CHECK(upload(o) == "not-rsa! not-rsa! " + hint);
}

TEST_CASE("a certificate that is not for AMT is refused") {
  auto o = good_options();
  o.amt_usage = false;
  CHECK(at_machine("16.1", o) == "no-amt-usage!");
  o.amt_unit = true;
  CHECK(at_machine("16.1", o) == "");
}

TEST_CASE("SHA-1 is refused by AMT 16 and later and told at the upload") {
  auto o = good_options();
  o.root_hash = test::pki_hash::sha1;
  CHECK(at_machine("14.1", o) == "");
  CHECK(at_machine("16.1", o) == "weak-hash!");
  CHECK(upload(o) == "weak-hash " + hint);
  CHECK(check_for_machine(open(o), machine("16.1", o), now).text() ==
        "The root certificate (CN=Outband test provisioning root) is signed with SHA-1, which AMT "
        "16 refuses.");
}

TEST_CASE("AMT 22 needs SHA-384 and 3072 bits everywhere") {
  CHECK(at_machine("22.0.0", good_options()) ==
        "key-too-small! needs-sha384! key-too-small! needs-sha384! key-too-small! needs-sha384!");
  auto o = good_options();
  o.hash = o.root_hash = test::pki_hash::sha384;
  o.leaf_bits = o.authority_bits = 3072;
  CHECK(at_machine("22.0.0", o) == "");
  CHECK(at_machine("21.0.6", o) == "");
  CHECK(upload(o) == "");
  // Not known to be refused: told, and tried.
  CHECK(at_machine("11.8.95", o) == "unproven-sha384");
  o.root_hash = test::pki_hash::sha256;
  CHECK(at_machine("22.0.0", o) == "needs-sha384!");
  CHECK(at_machine("23.1", o) == "needs-sha384!");
}

TEST_CASE("a suffix that does not fit is told with those that would") {
  const auto c = open(good_options());
  auto m = machine("16.1");
  m.dns_suffix = "corp.local";
  auto report = check_for_machine(c, m, now);
  CHECK(codes(report) == "suffix-mismatch!");
  CHECK(report.text() == "The machine's DNS suffix \"corp.local\" does not fit the certificate's "
                         "name \"provisioning.example.com\". It would fit: example.com, "
                         "*.example.com.");
  m.dns_suffix = ".";
  CHECK(codes(check_for_machine(c, m, now)) == "suffix-unknown");
  m.dns_suffix = "bad\nsuffix";
  CHECK(check_for_machine(c, m, now).text().find('\n') == std::string::npos);
  report = check_upload(c, "example.org", now);
  CHECK(report.has(defect_kind::suffix_mismatch));
  CHECK_FALSE(report.usable());

  auto o = good_options();
  o.common_name = "provisioning.example.de";
  m.dns_suffix = "berlin.example.de";
  CHECK(codes(check_for_machine(open(o), m, now)) == "suffix-likely");
}

TEST_CASE("a root that the machine does not trust is told with the hashes that were looked for") {
  const auto pki = test::make_provisioning_pki(good_options());
  const auto c = open(good_options());
  auto m = machine("16.1");
  m.root_hashes = {std::string(64, 'b'), std::string(40, 'c')};
  const auto report = check_for_machine(c, m, now);
  CHECK(codes(report) == "root-not-trusted!");
  CHECK(report.text().find("none of its 2 hashes is " + pki.root_sha1 + " (SHA-1)") !=
        std::string::npos);
  CHECK(report.text().find(pki.root_sha256) != std::string::npos);
  CHECK(report.text().find(pki.root_sha384) != std::string::npos);
  m.root_hashes.clear();
  CHECK(codes(check_for_machine(c, m, now)) == "roots-unknown");
  m.root_hashes = {pki.root_sha1};
  CHECK(codes(check_for_machine(c, m, now)) == "");
}

TEST_CASE("the chain that is checked is the one the machine trusts") {
  auto old_root = good_options();
  old_root.root_name = "An older root";
  old_root.root_hash = test::pki_hash::sha1;
  const auto older = test::make_provisioning_pki(old_root);
  test::pfx_options f;
  f.also = {test::cross_sign(test::make_provisioning_pki(good_options()), older),
            older.chain.back()};
  const auto c = open(good_options(), f);
  auto m = machine("16.1");
  CHECK(codes(check_for_machine(c, m, now)) == "");
  m.root_hashes = {older.root_sha1};
  CHECK(codes(check_for_machine(c, m, now)) == "weak-hash!");
}

} // namespace
} // namespace outband::provisioning
