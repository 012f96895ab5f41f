#include "messages/amt/x509.hpp"

#include "messages/amt/base64.hpp"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

namespace outband::amt {

namespace {

constexpr std::size_t max_text = 16 * 1024;

template <class T, void (*Free)(T*)> struct freed {
  void operator()(T* p) const { Free(p); }
};
using x509_ptr = std::unique_ptr<X509, freed<X509, X509_free>>;
using key_ptr = std::unique_ptr<EVP_PKEY, freed<EVP_PKEY, EVP_PKEY_free>>;
using time_ptr = std::unique_ptr<ASN1_TIME, freed<ASN1_TIME, ASN1_STRING_free>>;
struct bio_free {
  void operator()(BIO* b) const { BIO_free(b); }
};
using bio_ptr = std::unique_ptr<BIO, bio_free>;

/// Never asks anybody for the passphrase of an encrypted key.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

/// The octets that the text stands for: decoded base64, or the text itself if it is PEM.
std::optional<std::string> octets_of(std::string_view text) {
  if (text.size() > max_text)
    return std::nullopt;
  if (text.find("-----BEGIN ") != std::string_view::npos)
    return std::string(text);
  return base64_decode(text);
}

bio_ptr memory(const std::string& octets) {
  return bio_ptr(BIO_new_mem_buf(octets.data(), static_cast<int>(octets.size())));
}

/// `write` is an i2d function.
template <class T, class Write> std::string der_of(T* what, Write write) {
  unsigned char* out = nullptr;
  const int size = write(what, &out);
  if (size <= 0)
    return {};
  std::string der(reinterpret_cast<char*>(out), static_cast<std::size_t>(size));
  OPENSSL_clear_free(out, static_cast<std::size_t>(size));
  return der;
}

bool is_pem(const std::string& octets) {
  return octets.find("-----BEGIN ") != std::string::npos;
}

x509_ptr certificate_in(const std::string& octets) {
  if (is_pem(octets)) {
    auto bio = memory(octets);
    return x509_ptr(bio ? PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr) : nullptr);
  }
  const auto* at = reinterpret_cast<const unsigned char*>(octets.data());
  const auto* end = at + octets.size();
  x509_ptr out(d2i_X509(nullptr, &at, static_cast<long>(octets.size())));
  return at == end ? std::move(out) : nullptr;
}

key_ptr key_in(const std::string& octets) {
  if (is_pem(octets)) {
    auto bio = memory(octets);
    return key_ptr(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr)
                       : nullptr);
  }
  const auto* at = reinterpret_cast<const unsigned char*>(octets.data());
  return key_ptr(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(octets.size())));
}

std::optional<time_ms> moment_of(const ASN1_TIME* t) {
  const time_ptr epoch(ASN1_TIME_set(nullptr, 0));
  int days = 0;
  int seconds = 0;
  if (!epoch || t == nullptr || ASN1_TIME_diff(&days, &seconds, epoch.get(), t) != 1)
    return std::nullopt;
  return (static_cast<time_ms>(days) * 86400 + seconds) * 1000;
}

} // namespace

result<certificate_text> read_certificate(std::string_view text) {
  const auto odd =
      fail(problem::malformed, "must be an X.509 certificate: base64 of DER or of PEM");
  const auto octets = octets_of(text);
  if (!octets)
    return odd;
  const auto certificate = certificate_in(*octets);
  const auto until = certificate ? moment_of(X509_get0_notAfter(certificate.get())) : std::nullopt;
  if (!until)
    return odd;
  return certificate_text{base64_encode(der_of(certificate.get(), i2d_X509)), *until};
}

result<key_text> read_private_key(std::string_view text) {
  const auto octets = octets_of(text);
  const auto key = octets ? key_in(*octets) : nullptr;
  if (!key || EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA)
    return fail(problem::malformed, "must be an RSA private key: base64 of PKCS#1 DER");
  // Both write PKCS#1 for RSA.
  key_text out{base64_encode(der_of(key.get(), i2d_PrivateKey)),
               base64_encode(der_of(key.get(), i2d_PublicKey))};
  if (out.private_key.empty() || out.public_key.empty())
    return fail(problem::malformed, "must be an RSA private key: base64 of PKCS#1 DER");
  return out;
}

} // namespace outband::amt
