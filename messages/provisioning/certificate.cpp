#include "messages/provisioning/certificate.hpp"

#include "messages/amt/base64.hpp"
#include "messages/domain/text.hpp"
#include "messages/provisioning/openssl_raii.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>

namespace outband::provisioning {

namespace ossl {

owned<X509> parse_der(std::string_view der) {
  if (der.size() > max_certificate)
    return nullptr;
  const auto* at = octets(der);
  const auto* end = at + der.size();
  owned<X509> out(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  ERR_clear_error();
  return at == end ? std::move(out) : nullptr;
}

std::optional<time_ms> moment_of(const ASN1_TIME* t) {
  const owned<ASN1_TIME> epoch(ASN1_TIME_set(nullptr, 0));
  int days = 0;
  int seconds = 0;
  if (!epoch || t == nullptr || ASN1_TIME_diff(&days, &seconds, epoch.get(), t) != 1)
    return std::nullopt;
  return (static_cast<time_ms>(days) * 86400 + seconds) * 1000;
}

std::string digest_of(std::string_view data, const EVP_MD* kind) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (EVP_Digest(data.data(), data.size(), out, &size, kind, nullptr) != 1)
    return {};
  return {reinterpret_cast<char*>(out), size};
}

} // namespace ossl

namespace {

using ossl::owned;

constexpr std::size_t max_name = 256; ///< octets of a name that is shown
constexpr std::string_view amt_usage_oid = "2.16.840.1.113741.1.2.3";
constexpr std::string_view amt_unit = "Intel(R) Client Setup Certificate";

/// Names come from whoever made the certificate: no control characters into logs, bounded.
std::string shown(std::string text) {
  if (text.size() > max_name)
    text.resize(max_name);
  for (auto& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
      c = '?';
  return text;
}

std::string line_of(const X509_NAME* name) {
  const owned<BIO> out(BIO_new(BIO_s_mem()));
  if (!out || X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) < 0)
    return {};
  char* data = nullptr;
  const auto size = BIO_get_mem_data(out.get(), &data);
  return size > 0 ? shown(std::string(data, static_cast<std::size_t>(size))) : std::string{};
}

std::string utf8_of(const X509_NAME_ENTRY* entry) {
  unsigned char* text = nullptr;
  const int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry));
  if (size < 0)
    return {};
  std::string out(reinterpret_cast<char*>(text), static_cast<std::size_t>(size));
  OPENSSL_free(text);
  return shown(std::move(out));
}

std::string common_name_of(const X509_NAME* name) {
  std::string last;
  for (int at = -1; (at = X509_NAME_get_index_by_NID(name, NID_commonName, at)) >= 0;)
    last = utf8_of(X509_NAME_get_entry(name, at));
  return last;
}

bool has_amt_unit(const X509_NAME* name) {
  for (int at = -1; (at = X509_NAME_get_index_by_NID(name, NID_organizationalUnitName, at)) >= 0;)
    if (utf8_of(X509_NAME_get_entry(name, at)) == amt_unit)
      return true;
  return false;
}

bool has_amt_usage(const X509* c) {
  const owned<EXTENDED_KEY_USAGE> all(
      static_cast<EXTENDED_KEY_USAGE*>(X509_get_ext_d2i(c, NID_ext_key_usage, nullptr, nullptr)));
  for (int i = 0; all && i < sk_ASN1_OBJECT_num(all.get()); ++i) {
    char text[80];
    const int size = OBJ_obj2txt(text, sizeof text, sk_ASN1_OBJECT_value(all.get(), i), 1);
    if (size > 0 && std::string_view(text) == amt_usage_oid)
      return true;
  }
  return false;
}

hash_kind signature_hash(const X509* c) {
  int digest = NID_undef;
  int key = NID_undef;
  if (OBJ_find_sigid_algs(X509_get_signature_nid(c), &digest, &key) != 1)
    return hash_kind::other;
  switch (digest) {
  case NID_md5:
    return hash_kind::md5;
  case NID_sha1:
    return hash_kind::sha1;
  case NID_sha256:
    return hash_kind::sha256;
  case NID_sha384:
    return hash_kind::sha384;
  case NID_sha512:
    return hash_kind::sha512;
  default:
    return hash_kind::other;
  }
}

std::string hex(const std::string& octets) {
  return to_hex(ossl::octets(octets), octets.size());
}

result<certificate> facts_of(X509* c) {
  const auto from = ossl::moment_of(X509_get0_notBefore(c));
  const auto to = ossl::moment_of(X509_get0_notAfter(c));
  certificate out;
  out.der = ossl::der_of(c, i2d_X509);
  if (!from || !to || out.der.empty())
    return fail(problem::malformed, "is a certificate without readable dates");
  out.not_before = *from;
  out.not_after = *to;
  out.subject = line_of(X509_get_subject_name(c));
  out.issuer = line_of(X509_get_issuer_name(c));
  out.common_name = common_name_of(X509_get_subject_name(c));
  if (const auto* key = X509_get0_pubkey(c)) {
    out.rsa = EVP_PKEY_is_a(key, "RSA") == 1;
    out.key_bits = EVP_PKEY_get_bits(key);
  }
  out.signed_with = signature_hash(c);
  out.self_signed = X509_self_signed(c, 1) == 1;
  out.authority = X509_check_ca(c) > 0;
  out.amt_provisioning = has_amt_usage(c) || has_amt_unit(X509_get_subject_name(c));
  out.prints = fingerprints_of(out.der);
  ERR_clear_error();
  return out;
}

} // namespace

std::string_view to_string(hash_kind h) {
  switch (h) {
  case hash_kind::md5:
    return "MD5";
  case hash_kind::sha1:
    return "SHA-1";
  case hash_kind::sha256:
    return "SHA-256";
  case hash_kind::sha384:
    return "SHA-384";
  case hash_kind::sha512:
    return "SHA-512";
  case hash_kind::other:
    break;
  }
  return "an unknown hash";
}

fingerprints fingerprints_of(std::string_view der) {
  return {hex(ossl::digest_of(der, EVP_sha1())), hex(ossl::digest_of(der, EVP_sha256())),
          hex(ossl::digest_of(der, EVP_sha384()))};
}

result<certificate> read_certificate(std::string_view text) {
  const auto odd =
      fail(problem::malformed, "must be an X.509 certificate: DER, its base64, or PEM");
  if (text.size() > 2 * max_certificate)
    return fail(problem::too_large, "a certificate has at most 16 KiB");
  owned<X509> c;
  if (text.find("-----BEGIN ") != std::string_view::npos) {
    const owned<BIO> bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
    // The callback keeps OpenSSL from asking a terminal about encrypted PEM.
    c.reset(bio ? PEM_read_bio_X509(
                      bio.get(), nullptr, [](char*, int, int, void*) { return -1; }, nullptr)
                : nullptr);
    ERR_clear_error();
  } else {
    c = ossl::parse_der(text);
    if (!c)
      if (const auto der = amt::base64_decode(text))
        c = ossl::parse_der(*der);
  }
  if (!c)
    return odd;
  return facts_of(c.get());
}

bool issued_by(const certificate& child, const certificate& parent) {
  const auto c = ossl::parse_der(child.der);
  const auto p = ossl::parse_der(parent.der);
  if (!c || !p || X509_NAME_cmp(X509_get_issuer_name(c.get()), X509_get_subject_name(p.get())) != 0)
    return false;
  auto* const key = X509_get0_pubkey(p.get());
  const bool fits = key != nullptr && X509_verify(c.get(), key) == 1;
  ERR_clear_error();
  return fits;
}

} // namespace outband::provisioning
