#include "tools/amtsim/certificate_state.hpp"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <memory>

namespace outband::amtsim {

namespace {

struct closer {
  void operator()(X509* p) const { X509_free(p); }
  void operator()(X509_REQ* p) const { X509_REQ_free(p); }
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
  void operator()(EVP_PKEY_CTX* p) const { EVP_PKEY_CTX_free(p); }
  void operator()(BIO* p) const { BIO_free(p); }
};
template <class T> using owned = std::unique_ptr<T, closer>;

const unsigned char* start_of(std::string_view octets) {
  return reinterpret_cast<const unsigned char*>(octets.data());
}

/// A whole DER value, nothing after it; nullptr otherwise.
template <class T, class Read> owned<T> parse(std::string_view der, Read read) {
  const auto* at = start_of(der);
  owned<T> out{read(&at, static_cast<long>(der.size()))};
  if (out && at != start_of(der) + der.size())
    out.reset();
  return out;
}

template <class T> std::string written(int (*write)(const T*, unsigned char**), const T* what) {
  unsigned char* octets = nullptr;
  const int n = write(what, &octets);
  if (n <= 0)
    return {};
  std::string out(reinterpret_cast<const char*>(octets), static_cast<std::size_t>(n));
  OPENSSL_free(octets);
  return out;
}

/// Firmware writes names last part first: "C=...,O=...,CN=...".
std::string name_text(const X509_NAME* name) {
  const owned<BIO> out{BIO_new(BIO_s_mem())};
  if (!out ||
      X509_NAME_print_ex(out.get(), name, 0,
                         XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB)) < 0)
    return {};
  char* octets = nullptr;
  const auto n = BIO_get_mem_data(out.get(), &octets);
  return n > 0 ? std::string(octets, static_cast<std::size_t>(n)) : std::string{};
}

owned<EVP_PKEY> private_key(std::string_view pkcs1) {
  return parse<EVP_PKEY>(pkcs1, [](const unsigned char** at, long n) {
    return d2i_PrivateKey(EVP_PKEY_RSA, nullptr, at, n);
  });
}

/// As DERKey shows it: PKCS#1 of RSA, SubjectPublicKeyInfo of an elliptic curve.
std::string public_part(const EVP_PKEY* key) {
  return EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA ? written<EVP_PKEY>(i2d_PublicKey, key)
                                                   : written<EVP_PKEY>(i2d_PUBKEY, key);
}

key_pair pair_of(const EVP_PKEY* key) {
  return {0, written<EVP_PKEY>(i2d_PrivateKey, key), public_part(key)};
}

} // namespace

std::optional<certificate> read_certificate(std::string_view der) {
  const auto parsed =
      parse<X509>(der, [](const unsigned char** at, long n) { return d2i_X509(nullptr, at, n); });
  if (!parsed)
    return std::nullopt;
  certificate out;
  out.der = der;
  out.subject = name_text(X509_get_subject_name(parsed.get()));
  out.issuer = name_text(X509_get_issuer_name(parsed.get()));
  const auto* serial = X509_get0_serialNumber(parsed.get());
  out.serial.assign(reinterpret_cast<const char*>(ASN1_STRING_get0_data(serial)),
                    static_cast<std::size_t>(ASN1_STRING_length(serial)));
  const auto* key = X509_get0_pubkey(parsed.get());
  if (key == nullptr)
    return std::nullopt;
  const auto kind = EVP_PKEY_get_base_id(key);
  if (kind == EVP_PKEY_RSA || kind == EVP_PKEY_EC)
    out.public_key = public_part(key);
  return out;
}

std::optional<key_pair> read_key(std::string_view pkcs1) {
  const auto key = private_key(pkcs1);
  if (!key || EVP_PKEY_get_bits(key.get()) < 1024 || EVP_PKEY_get_bits(key.get()) > 4096)
    return std::nullopt;
  const owned<EVP_PKEY_CTX> check{EVP_PKEY_CTX_new(key.get(), nullptr)};
  if (!check || EVP_PKEY_pairwise_check(check.get()) != 1)
    return std::nullopt;
  auto out = pair_of(key.get());
  // OpenSSL would read PKCS#8 as well; firmware does not.
  if (out.private_key != pkcs1 || out.public_key.empty())
    return std::nullopt;
  return out;
}

std::optional<key_pair> generate_key(std::uint32_t bits) {
  if (bits != 1024 && bits != 2048 && bits != 3072 && bits != 4096)
    return std::nullopt;
  const owned<EVP_PKEY> key{EVP_RSA_gen(bits)};
  if (!key)
    return std::nullopt;
  return pair_of(key.get());
}

std::optional<key_pair> generate_curve_key() {
  const owned<EVP_PKEY> key{EVP_EC_gen("P-384")};
  if (!key)
    return std::nullopt;
  return pair_of(key.get());
}

std::optional<key_pair> read_own_key(std::string_view der) {
  if (auto rsa = read_key(der))
    return rsa;
  const auto key = parse<EVP_PKEY>(der, [](const unsigned char** at, long n) {
    return d2i_PrivateKey(EVP_PKEY_EC, nullptr, at, n);
  });
  if (!key)
    return std::nullopt;
  return pair_of(key.get());
}

std::optional<std::string> sign_request(const key_pair& key, std::string_view null_signed,
                                        bool sha256, request_problem& why) {
  why = request_problem::malformed;
  const auto request = parse<X509_REQ>(
      null_signed, [](const unsigned char** at, long n) { return d2i_X509_REQ(nullptr, at, n); });
  const auto* at = start_of(key.private_key);
  const owned<EVP_PKEY> own{
      d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(key.private_key.size()))};
  if (!request || !own)
    return std::nullopt;
  const auto* asked = X509_REQ_get0_pubkey(request.get());
  if (asked == nullptr)
    return std::nullopt;
  if (EVP_PKEY_eq(asked, own.get()) != 1) {
    why = request_problem::other_key;
    return std::nullopt;
  }
  if (X509_REQ_sign(request.get(), own.get(), sha256 ? EVP_sha256() : EVP_sha1()) <= 0)
    return std::nullopt;
  return written<X509_REQ>(i2d_X509_REQ, request.get());
}

} // namespace outband::amtsim
