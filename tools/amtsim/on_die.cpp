#include "tools/amtsim/on_die.hpp"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdint>
#include <stdexcept>

namespace outband::amtsim {

namespace {

constexpr long years_30 = 30L * 365 * 86400;

struct closer {
  void operator()(X509* p) const { X509_free(p); }
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
  void operator()(X509_EXTENSION* p) const { X509_EXTENSION_free(p); }
  void operator()(BIO* p) const { BIO_free(p); }
};
template <class T> using owned = std::unique_ptr<T, closer>;

template <class T> std::string der_of(int (*write)(const T*, unsigned char**), const T* what) {
  unsigned char* octets = nullptr;
  const int n = write(what, &octets);
  std::string out;
  if (n > 0)
    out.assign(reinterpret_cast<const char*>(octets), static_cast<std::size_t>(n));
  OPENSSL_free(octets);
  return out;
}

void extend(X509* cert, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, cert, nullptr, nullptr, 0);
  const owned<X509_EXTENSION> e{X509V3_EXT_conf_nid(nullptr, &context, nid, value)};
  if (e)
    X509_add_ext(cert, e.get(), -1);
}

struct authority {
  owned<EVP_PKEY> key;
  owned<X509> certificate;
};

/// issuer nullptr: signed by itself.
owned<X509> certify(const std::string& name, EVP_PKEY* key, const authority* issuer, bool is_ca) {
  owned<X509> cert{X509_new()};
  if (!cert)
    return cert;
  std::uint64_t serial = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial);
  X509_set_version(cert.get(), 2);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert.get()), serial | 1);
  X509_gmtime_adj(X509_getm_notBefore(cert.get()), -86400);
  X509_gmtime_adj(X509_getm_notAfter(cert.get()), years_30);
  auto* subject = X509_get_subject_name(cert.get());
  X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>("Simulated"), -1, -1, 0);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509* signer = issuer != nullptr ? issuer->certificate.get() : cert.get();
  X509_set_issuer_name(cert.get(), X509_get_subject_name(signer));
  X509_set_pubkey(cert.get(), key);
  extend(cert.get(), signer, NID_subject_key_identifier, "hash");
  if (is_ca) {
    extend(cert.get(), signer, NID_basic_constraints, "critical,CA:TRUE");
    extend(cert.get(), signer, NID_key_usage, "critical,keyCertSign,cRLSign");
  } else {
    // No serverAuth: firmware's leaf is not a web server's by the letter either.
    extend(cert.get(), signer, NID_key_usage, "critical,digitalSignature");
  }
  if (X509_sign(cert.get(), issuer != nullptr ? issuer->key.get() : key, EVP_sha384()) == 0)
    cert.reset();
  return cert;
}

authority make(const std::string& name, const authority* issuer) {
  authority out;
  out.key.reset(EVP_EC_gen("P-384"));
  if (out.key)
    out.certificate = certify(name, out.key.get(), issuer, true);
  if (!out.certificate)
    throw std::runtime_error("OpenSSL makes no certificate for " + name);
  return out;
}

} // namespace

struct on_die_authority::parts {
  authority root = make("OnDie CA Root", nullptr);
  authority rom = make("CSME ROM CA", &root);
  authority kernel = make("CSME SVN01 Kernel CA", &rom);
};

on_die_authority::on_die_authority() : parts_(std::make_unique<parts>()) {
  for (const auto* a : {&parts_->kernel, &parts_->rom, &parts_->root})
    issuers_.push_back(der_of<X509>(i2d_X509, a->certificate.get()));
}

on_die_authority::~on_die_authority() = default;

std::string on_die_authority::root_pem() const {
  const owned<BIO> out{BIO_new(BIO_s_mem())};
  PEM_write_bio_X509(out.get(), parts_->root.certificate.get());
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

on_die_leaf on_die_authority::issue(const std::string& common_name) const {
  on_die_leaf out;
  const owned<EVP_PKEY> key{EVP_EC_gen("P-256")};
  if (!key)
    return out;
  const auto cert = certify(common_name, key.get(), &parts_->kernel, false);
  if (!cert)
    return out;
  out.certificate = der_of<X509>(i2d_X509, cert.get());
  out.key = der_of<EVP_PKEY>(i2d_PrivateKey, key.get());
  return out;
}

} // namespace outband::amtsim
