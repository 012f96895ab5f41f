// Certificates and keys made for a test.
#pragma once

#include "messages/amt/base64.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <doctest/doctest.h>

#include <string>

namespace outband::amt::pki {

struct identity {
  std::string certificate; ///< DER
  std::string certificate_pem;
  std::string key;        ///< PKCS#1 DER
  std::string key_pkcs8;  ///< DER
  std::string public_key; ///< PKCS#1 DER
};

template <class T, class Write> std::string der(T* what, Write write) {
  unsigned char* out = nullptr;
  const int size = write(what, &out);
  REQUIRE(size > 0);
  std::string text(reinterpret_cast<char*>(out), static_cast<std::size_t>(size));
  OPENSSL_free(out);
  return text;
}

/// Valid from 1970 until that second.
inline identity make(const char* name, long not_after) {
  identity out;
  auto* key = EVP_RSA_gen(1024);
  REQUIRE(key != nullptr);
  auto* x = X509_new();
  X509_set_version(x, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x), 7);
  ASN1_TIME_set(X509_getm_notBefore(x), 0);
  ASN1_TIME_set(X509_getm_notAfter(x), not_after);
  X509_set_pubkey(x, key);
  auto* subject = X509_get_subject_name(x);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  X509_set_issuer_name(x, subject);
  REQUIRE(X509_sign(x, key, EVP_sha256()) > 0);
  out.certificate = der(x, i2d_X509);
  out.key = der(key, i2d_PrivateKey);
  out.public_key = der(key, i2d_PublicKey);
  auto* wrapped = EVP_PKEY2PKCS8(key);
  out.key_pkcs8 = der(wrapped, i2d_PKCS8_PRIV_KEY_INFO);
  auto* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, x);
  char* text = nullptr;
  const auto size = BIO_get_mem_data(bio, &text);
  out.certificate_pem.assign(text, static_cast<std::size_t>(size));
  BIO_free(bio);
  PKCS8_PRIV_KEY_INFO_free(wrapped);
  X509_free(x);
  EVP_PKEY_free(key);
  return out;
}

/// Until 2100; made once.
inline const identity& someone() {
  static const identity one = make("corp", 4102444800);
  return one;
}

} // namespace outband::amt::pki
