#include "messages/provisioning/tls_leaf.hpp"

#include "messages/amt/base64.hpp"
#include "messages/provisioning/openssl_raii.hpp"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>
#include <ctime>

namespace outband::provisioning {

namespace {

using ossl::owned;

constexpr std::size_t max_key_text = 4096;
constexpr std::size_t max_common_name = 64; ///< RFC 5280, ub-common-name
constexpr time_ms minute = 60'000;

failure refused(const char* what) {
  ERR_clear_error();
  return fail(problem::internal, std::string("OpenSSL makes no TLS certificate: ") + what);
}

/// PKCS#1 or SubjectPublicKeyInfo, nothing behind it.
owned<EVP_PKEY> public_key_in(const std::string& der) {
  const auto* at = ossl::octets(der);
  const auto* const end = at + der.size();
  const auto size = static_cast<long>(der.size());
  owned<EVP_PKEY> key(d2i_PublicKey(EVP_PKEY_RSA, nullptr, &at, size));
  if (!key || at != end) {
    at = ossl::octets(der);
    key.reset(d2i_PUBKEY(nullptr, &at, size));
  }
  ERR_clear_error();
  return key && at == end ? std::move(key) : nullptr;
}

bool acceptable(EVP_PKEY* key) {
  const int bits = EVP_PKEY_get_bits(key);
  char group[32]{};
  const bool good = (EVP_PKEY_is_a(key, "RSA") == 1 && bits >= 2048 && bits <= 4096) ||
                    (EVP_PKEY_is_a(key, "EC") == 1 &&
                     EVP_PKEY_get_group_name(key, group, sizeof group, nullptr) == 1 &&
                     std::string_view(group) == SN_secp384r1);
  const owned<EVP_PKEY_CTX> check(good ? EVP_PKEY_CTX_new(key, nullptr) : nullptr);
  const bool sound = check && EVP_PKEY_public_check_quick(check.get()) == 1;
  ERR_clear_error();
  return sound;
}

bool add_name(X509_NAME* name, int nid, const std::string& value) {
  return X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8, ossl::octets(value),
                                    static_cast<int>(value.size()), -1, 0) == 1;
}

bool extend(X509* c, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, c, nullptr, nullptr, 0);
  const owned<X509_EXTENSION> one(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  return one && X509_add_ext(c, one.get(), -1) == 1;
}

bool set_serial(X509* c, const std::string& random) {
  std::array<unsigned char, serial_octets> octets{};
  std::copy(random.begin(), random.end(), octets.begin());
  octets.front() &= 0x7F; // positive (RFC 5280), and not zero
  octets.back() |= 1;
  const owned<BIGNUM> number(BN_bin2bn(octets.data(), serial_octets, nullptr));
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(c)) != nullptr;
}

bool set_time(ASN1_TIME* field, time_ms t) {
  return ASN1_TIME_set(field, static_cast<std::time_t>(t / 1000)) != nullptr;
}

status check_name(const std::string& name) {
  if (name.empty() || name.size() > max_common_name)
    return fail(problem::malformed, "must have 1 to 64 octets", "common_name");
  if (std::any_of(name.begin(), name.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; }))
    return fail(problem::malformed, "contains a control character", "common_name");
  return success();
}

} // namespace

result<issuing_authority> issuing_authority::from_pem(std::string_view certificate_pem,
                                                      std::string_view key_pem) {
  auto root = read_certificate(certificate_pem);
  if (!root)
    return fail(root.error().what, root.error().detail, "certificate");
  if (!root->authority)
    return fail(problem::malformed, "is not an authority's: it may not sign others", "certificate");
  const owned<BIO> bio(key_pem.size() <= max_certificate
                           ? BIO_new_mem_buf(key_pem.data(), static_cast<int>(key_pem.size()))
                           : nullptr);
  owned<EVP_PKEY> key(
      bio ? PEM_read_bio_PrivateKey(
                bio.get(), nullptr, [](char*, int, int, void*) { return -1; }, nullptr)
          : nullptr);
  const auto x = ossl::parse_der(root->der);
  const bool pair = key && x && X509_check_private_key(x.get(), key.get()) == 1;
  ERR_clear_error();
  if (!key)
    return fail(problem::malformed, "must be a private key in PEM without passphrase", "key");
  if (!pair)
    return fail(problem::malformed, "does not belong to the certificate", "key");
  return issuing_authority(std::move(*root), std::shared_ptr<void>(key.release(), [](void* p) {
                             EVP_PKEY_free(static_cast<EVP_PKEY*>(p));
                           }));
}

std::string issuing_authority::root_base64() const {
  return amt::base64_encode(root_.der);
}

result<certificate> issue_tls_leaf(const issuing_authority& by, std::string_view key,
                                   const tls_leaf_request& what) {
  if (what.serial.size() != serial_octets)
    return fail(problem::internal, "a serial number is made from 16 random octets", "serial");
  if (auto ok = check_name(what.common_name); !ok)
    return ok.error();
  const auto der =
      key.size() <= max_key_text ? amt::base64_decode(key) : std::optional<std::string>{};
  const auto subject_key = der ? public_key_in(*der) : nullptr;
  if (!subject_key || !acceptable(subject_key.get()))
    return fail(problem::device_protocol,
                "must be base64 of an RSA key of 2048 to 4096 bits, or of a P-384 key", "DERKey");
  const auto from = std::max(what.not_before, by.root_.not_before + minute);
  const auto latest = by.root_.not_after - minute;
  const auto to = what.not_after == 0 ? latest : std::min(what.not_after, latest);
  if (from >= to)
    return fail(problem::expired, "the root certificate is not valid in that time", "not_after");

  const auto issuer = ossl::parse_der(by.root_.der);
  const owned<X509> c(X509_new());
  if (!issuer || !c)
    return refused("no memory");
  auto* const name = X509_get_subject_name(c.get());
  const bool rsa = EVP_PKEY_is_a(subject_key.get(), "RSA") == 1;
  if (X509_set_version(c.get(), X509_VERSION_3) != 1 || !set_serial(c.get(), what.serial) ||
      !set_time(X509_getm_notBefore(c.get()), from) || !set_time(X509_getm_notAfter(c.get()), to) ||
      !add_name(name, NID_commonName, what.common_name) ||
      !add_name(name, NID_stateOrProvinceName, "None") ||
      !add_name(name, NID_organizationName, "None") ||
      X509_set_issuer_name(c.get(), X509_get_subject_name(issuer.get())) != 1 ||
      X509_set_pubkey(c.get(), subject_key.get()) != 1)
    return refused("its fields");
  // AMT 11 and 12 may choose an RSA key exchange.
  if (!extend(c.get(), issuer.get(), NID_basic_constraints, "critical,CA:FALSE") ||
      !extend(c.get(), issuer.get(), NID_key_usage,
              rsa ? "critical,digitalSignature,keyEncipherment" : "critical,digitalSignature") ||
      !extend(c.get(), issuer.get(), NID_ext_key_usage, "serverAuth") ||
      !extend(c.get(), issuer.get(), NID_subject_key_identifier, "hash"))
    return refused("its extensions");
  // A root without a key identifier has none to point to.
  if (X509_get0_subject_key_id(issuer.get()) != nullptr &&
      !extend(c.get(), issuer.get(), NID_authority_key_identifier, "keyid"))
    return refused("its issuer's identifier");
  const auto* const digest = what.hash == hash_kind::sha384 ? EVP_sha384() : EVP_sha256();
  if (X509_sign(c.get(), static_cast<EVP_PKEY*>(by.key_.get()), digest) == 0)
    return refused("its signature");
  ERR_clear_error();
  return read_certificate(ossl::der_of(c.get(), i2d_X509));
}

} // namespace outband::provisioning
