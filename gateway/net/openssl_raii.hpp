// Owners for OpenSSL's objects. Only for .cpp files.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string_view>

namespace outband::net {

template <auto Free> struct openssl_free {
  template <class T> void operator()(T* p) const { Free(p); }
};
using bio_ptr = std::unique_ptr<BIO, openssl_free<BIO_free_all>>;
using key_ptr = std::unique_ptr<EVP_PKEY, openssl_free<EVP_PKEY_free>>;
using x509_ptr = std::unique_ptr<X509, openssl_free<X509_free>>;
using request_ptr = std::unique_ptr<X509_REQ, openssl_free<X509_REQ_free>>;
using store_ptr = std::unique_ptr<X509_STORE, openssl_free<X509_STORE_free>>;
using store_context_ptr = std::unique_ptr<X509_STORE_CTX, openssl_free<X509_STORE_CTX_free>>;
using extension_ptr = std::unique_ptr<X509_EXTENSION, openssl_free<X509_EXTENSION_free>>;

/// Reads from `text`, which must outlive it.
inline bio_ptr read_from(std::string_view text) {
  return bio_ptr{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
}
/// An encrypted key must be an error, not a question on the terminal.
inline int no_passphrase(char*, int, int, void*) {
  return -1;
}

} // namespace outband::net
