#include "tests/support/certs.hpp"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdexcept>

namespace outband::test {

namespace {

struct ossl_free {
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
  void operator()(X509* p) const { X509_free(p); }
  void operator()(X509_EXTENSION* p) const { X509_EXTENSION_free(p); }
  void operator()(BIO* p) const { BIO_free(p); }
};
template <class T> using ossl = std::unique_ptr<T, ossl_free>;

template <class T> T* must(T* p) {
  if (!p)
    throw std::runtime_error("OpenSSL refused to make a test certificate");
  return p;
}
void must(int ok) {
  if (ok <= 0)
    throw std::runtime_error("OpenSSL refused to make a test certificate");
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  auto size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string pem(X509* cert) {
  ossl<BIO> out(must(BIO_new(BIO_s_mem())));
  must(PEM_write_bio_X509(out.get(), cert));
  return text_of(out.get());
}

std::string pem(EVP_PKEY* key) {
  ossl<BIO> out(must(BIO_new(BIO_s_mem())));
  must(PEM_write_bio_PKCS8PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr));
  return text_of(out.get());
}

void extend(X509* cert, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX ctx;
  X509V3_set_ctx_nodb(&ctx);
  X509V3_set_ctx(&ctx, issuer, cert, nullptr, nullptr, 0);
  ossl<X509_EXTENSION> ext(must(X509V3_EXT_conf_nid(nullptr, &ctx, nid, value.c_str())));
  must(X509_add_ext(cert, ext.get(), -1));
}

ossl<X509> begin(const std::string& cn, EVP_PKEY* key, long from_s, long to_s) {
  ossl<X509> cert(must(X509_new()));
  must(X509_set_version(cert.get(), X509_VERSION_3));
  std::uint64_t serial = 0;
  must(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial));
  must(ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert.get()), serial >> 1));
  must(X509_gmtime_adj(X509_getm_notBefore(cert.get()), from_s));
  must(X509_gmtime_adj(X509_getm_notAfter(cert.get()), to_s));
  if (!cn.empty())
    must(X509_NAME_add_entry_by_NID(
        X509_get_subject_name(cert.get()), NID_commonName, MBSTRING_UTF8,
        reinterpret_cast<const unsigned char*>(cn.data()), static_cast<int>(cn.size()), -1, 0));
  must(X509_set_pubkey(cert.get(), key));
  return cert;
}

} // namespace

struct certificate_authority::parts {
  ossl<EVP_PKEY> key;
  ossl<X509> cert;
};

certificate_authority::certificate_authority(const std::string& common_name)
    : parts_(std::make_unique<parts>()) {
  parts_->key.reset(must(EVP_EC_gen("P-256")));
  parts_->cert = begin(common_name, parts_->key.get(), -3600, 10L * 86400);
  auto* cert = parts_->cert.get();
  must(X509_set_issuer_name(cert, X509_get_subject_name(cert)));
  extend(cert, cert, NID_basic_constraints, "critical,CA:TRUE");
  extend(cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign");
  extend(cert, cert, NID_subject_key_identifier, "hash");
  must(X509_sign(cert, parts_->key.get(), EVP_sha256()));
  certificate_pem_ = pem(cert);
  key_pem_ = pem(parts_->key.get());
}

certificate_authority::~certificate_authority() = default;

key_and_certificate certificate_authority::issue(const leaf_options& leaf) const {
  ossl<EVP_PKEY> key(must(leaf.rsa_bits == 0 ? EVP_EC_gen("P-256")
                                             : EVP_RSA_gen(static_cast<unsigned>(leaf.rsa_bits))));
  auto cert = begin(leaf.common_name, key.get(), leaf.valid_from_s, leaf.valid_to_s);
  auto* issuer = parts_->cert.get();
  must(X509_set_issuer_name(cert.get(), X509_get_subject_name(issuer)));
  extend(cert.get(), issuer, NID_basic_constraints, "critical,CA:FALSE");
  extend(cert.get(), issuer, NID_key_usage,
         leaf.rsa_bits == 0 ? "critical,digitalSignature"
                            : "critical,digitalSignature,keyEncipherment");
  extend(cert.get(), issuer, NID_authority_key_identifier, "keyid");
  std::string usage;
  if (leaf.server)
    usage = "serverAuth";
  if (leaf.client)
    usage += usage.empty() ? "clientAuth" : ",clientAuth";
  if (!usage.empty())
    extend(cert.get(), issuer, NID_ext_key_usage, usage);
  std::string names;
  for (const auto& dns : leaf.dns_names)
    names += (names.empty() ? "DNS:" : ",DNS:") + dns;
  for (const auto& ip : leaf.ip_names)
    names += (names.empty() ? "IP:" : ",IP:") + ip;
  if (!names.empty())
    extend(cert.get(), issuer, NID_subject_alt_name, names);
  must(X509_sign(cert.get(), parts_->key.get(), EVP_sha256()));
  return {pem(key.get()), pem(cert.get())};
}

key_and_certificate certificate_authority::issue_server() const {
  leaf_options leaf;
  leaf.common_name = "localhost";
  leaf.dns_names = {"localhost"};
  leaf.ip_names = {"127.0.0.1"};
  leaf.server = true;
  return issue(leaf);
}

key_and_certificate certificate_authority::issue_client(const std::string& common_name) const {
  leaf_options leaf;
  leaf.common_name = common_name;
  leaf.client = true;
  return issue(leaf);
}

} // namespace outband::test
