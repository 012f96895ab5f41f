// Certificates for the machine's store, made with OpenSSL as a console makes them.
#pragma once

#include "tools/amtsim/certificate_state.hpp"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>

namespace outband::amtsim::test {

using owned_key = std::shared_ptr<EVP_PKEY>;

inline owned_key fresh_key() {
  return {EVP_RSA_gen(2048), EVP_PKEY_free};
}

/// A public key from PKCS#1, as AMT_PublicPrivateKeyPair shows it.
inline owned_key public_key(const std::string& pkcs1) {
  const auto* at = reinterpret_cast<const unsigned char*>(pkcs1.data());
  owned_key out(d2i_PublicKey(EVP_PKEY_RSA, nullptr, &at, static_cast<long>(pkcs1.size())),
                EVP_PKEY_free);
  const bool read = out != nullptr;
  REQUIRE(read);
  return out;
}

template <class T> std::string der_of(int (*write)(const T*, unsigned char**), const T* what) {
  unsigned char* octets = nullptr;
  const int n = write(what, &octets);
  REQUIRE(n > 0);
  std::string out(reinterpret_cast<const char*>(octets), static_cast<std::size_t>(n));
  OPENSSL_free(octets);
  return out;
}

/// O=Example,CN=`name`, carrying `key`, signed by `signer`; DER.
inline std::string made_certificate(const std::string& name, const owned_key& key,
                                    const owned_key& signer, long serial = 77) {
  const std::unique_ptr<X509, decltype(&X509_free)> cert(X509_new(), X509_free);
  ASN1_INTEGER_set(X509_get_serialNumber(cert.get()), serial);
  X509_gmtime_adj(X509_getm_notBefore(cert.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(cert.get()), 86400);
  auto* subject = X509_get_subject_name(cert.get());
  for (const auto& [type, value] : {std::pair{"CN", name}, std::pair{"O", std::string("Example")}})
    X509_NAME_add_entry_by_txt(subject, type, MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(value.data()),
                               static_cast<int>(value.size()), -1, 0);
  X509_set_issuer_name(cert.get(), subject);
  X509_set_pubkey(cert.get(), key.get());
  REQUIRE(X509_sign(cert.get(), signer.get(), EVP_sha256()) > 0);
  return der_of<X509>(i2d_X509, cert.get());
}

inline std::string made_root(const std::string& name) {
  const auto key = fresh_key();
  return made_certificate(name, key, key);
}

} // namespace outband::amtsim::test
