/// What people upload and machines send: PKCS#12 files, certificates, public keys, suffixes.
///
/// The first octet chooses the reader. Files without encryption and MAC among the seeds let the
/// fuzzer reach the keys and certificates inside; what opens is checked, signed with, and verified.
#include "messages/amt/base64.hpp"
#include "messages/provisioning/certificate_check.hpp"
#include "messages/provisioning/domain_suffix.hpp"
#include "messages/provisioning/firmware_chain.hpp"
#include "messages/provisioning/nonce_signature.hpp"
#include "messages/provisioning/profile_export.hpp"
#include "messages/provisioning/tls_leaf.hpp"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdlib>

using namespace outband;
using namespace outband::provisioning;

namespace {

constexpr time_ms now = 1'800'000'000'000;

void require(bool ok) {
  if (!ok)
    std::abort();
}

/// Texts for people must not carry what a file's author put there to fool a terminal or a log.
void require_plain(const std::string& text) {
  for (const unsigned char c : text)
    require(c >= 0x20 && c != 0x7F);
}

void check(const certificate_report& report) {
  require(report.usable() || !report.text().empty());
  for (const auto& d : report.defects) {
    require(!code(d.what).empty());
    require_plain(d.text);
  }
}

void use(const provisioning_certificate& p) {
  require(!p.chains.empty() && !p.chains.front().empty() && p.key.belongs_to(p.leaf()));
  check(check_upload(p, "example.com", now));
  for (const char* version : {"", "16.1", "22.0"})
    check(check_for_machine(p, {version, {p.chains.front().back().prints.sha256}, "example.com"},
                            now));
  const std::string nonce(nonce_octets, 'n');
  const auto signature = sign_nonces(p.key, amt::base64_encode(nonce), nonce, {});
  require(!signature || verify_nonces(p.leaf(), nonce, nonce, 2, *signature).ok());
}

void open(const result<provisioning_certificate>& opened) {
  if (opened)
    use(*opened);
  else
    require(!opened.error().detail.empty());
}

void read_one(std::string_view text) {
  const auto c = read_certificate(text);
  if (!c)
    return;
  require_plain(c->subject + c->issuer + c->common_name);
  require(issued_by(*c, *c) == c->self_signed || !c->self_signed);
  (void)check_firmware_chain({c->der, c->der}, {intel_ondie_root()}, now);
  (void)check_site_chain({c->der}, {{*c}, "", ""}, now);
  (void)fitting_suffixes(c->common_name);
}

/// An authority with a key of this run.
const issuing_authority& site() {
  static const issuing_authority made = [] {
    auto* const key = EVP_EC_gen("P-256");
    auto* const x = X509_new();
    ASN1_TIME_set(X509_getm_notBefore(x), 0);
    ASN1_TIME_set(X509_getm_notAfter(x), 4'000'000'000);
    X509_set_version(x, 2);
    X509_set_pubkey(x, key);
    auto* const name = X509_get_subject_name(x);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("fuzz"), -1, -1, 0);
    X509_set_issuer_name(x, name);
    auto* const usage =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_basic_constraints, "critical,CA:TRUE");
    X509_add_ext(x, usage, -1);
    require(X509_sign(x, key, EVP_sha256()) > 0);
    auto* const out = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(out, x);
    const auto taken = [&] {
      char* text = nullptr;
      const auto length = BIO_get_mem_data(out, &text);
      std::string pem(text, static_cast<std::size_t>(length));
      (void)BIO_reset(out);
      return pem;
    };
    const auto certificate_pem = taken();
    PEM_write_bio_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
    auto authority = issuing_authority::from_pem(certificate_pem, taken());
    require(authority.ok());
    BIO_free(out);
    X509_EXTENSION_free(usage);
    X509_free(x);
    EVP_PKEY_free(key);
    return *authority;
  }();
  return made;
}

void issue_for(std::string_view key) {
  tls_leaf_request what;
  what.common_name = "AMT-fuzz";
  what.serial.assign(serial_octets, 's');
  const auto leaf = issue_tls_leaf(site(), amt::base64_encode(key), what);
  require(leaf ? issued_by(*leaf, site().root()) : !leaf.error().detail.empty());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
  case 'p':
    open(open_pfx(rest, "P@ssw0rd"));
    break;
  case 'e':
    open(open_pfx(rest, ""));
    break;
  case 'b':
    open(open_pfx_base64(rest, "P@ssw0rd"));
    break;
  case 'c':
    read_one(rest);
    break;
  case 's':
    for (const auto& one : suffix_candidates(rest))
      require(!one.empty() && one.size() <= 253);
    (void)fits_suffix("provisioning.example.com", rest);
    (void)fits_suffix(rest, "example.com");
    (void)fitting_suffixes(rest);
    (void)policy_for(rest);
    break;
  case 'k':
    issue_for(rest);
    break;
  case 'f':
    (void)open_profile(rest, std::string(32, 'k'));
    break;
  case 'y': {
    exported_profile p;
    p.what.name = p.amt_password = rest;
    if (const auto yaml = profile_yaml(p))
      for (const char c : *yaml)
        require(c == '\n' || (c >= 0x20 && c < 0x7F));
    break;
  }
  default:
    break;
  }
  return 0;
}
