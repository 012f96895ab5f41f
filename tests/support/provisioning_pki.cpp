#include "tests/support/provisioning_pki.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>

namespace outband::test {

namespace {

struct ossl_free {
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
  void operator()(X509* p) const { X509_free(p); }
  void operator()(X509_EXTENSION* p) const { X509_EXTENSION_free(p); }
  void operator()(BIO* p) const { BIO_free(p); }
  void operator()(PKCS12* p) const { PKCS12_free(p); }
  void operator()(OSSL_LIB_CTX* p) const { OSSL_LIB_CTX_free(p); }
  void operator()(OSSL_PROVIDER* p) const { OSSL_PROVIDER_unload(p); }
  void operator()(STACK_OF(PKCS7) * p) const { sk_PKCS7_pop_free(p, PKCS7_free); }
  void operator()(STACK_OF(PKCS12_SAFEBAG) * p) const {
    sk_PKCS12_SAFEBAG_pop_free(p, PKCS12_SAFEBAG_free);
  }
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

constexpr std::int64_t year_2020 = 1577836800;
constexpr std::int64_t year_2050 = 2524608000;

/// `bits` 0: P-256; 384: P-384; else RSA.
EVP_PKEY* key_of(const std::string& role, int bits) {
  static std::mutex lock;
  static std::map<std::pair<std::string, int>, ossl<EVP_PKEY>> made;
  const std::lock_guard guard(lock);
  auto& key = made[{role, bits}];
  if (!key)
    key.reset(must(bits == 0     ? EVP_EC_gen("P-256")
                   : bits == 384 ? EVP_EC_gen("P-384")
                                 : EVP_RSA_gen(static_cast<unsigned>(bits))));
  return key.get();
}

const EVP_MD* digest_of(pki_hash h) {
  return h == pki_hash::sha1 ? EVP_sha1() : h == pki_hash::sha256 ? EVP_sha256() : EVP_sha384();
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const auto size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string key_pem(EVP_PKEY* key) {
  const ossl<BIO> out(must(BIO_new(BIO_s_mem())));
  must(PEM_write_bio_PKCS8PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr));
  return text_of(out.get());
}

ossl<EVP_PKEY> parse_key(const std::string& pem) {
  const ossl<BIO> in(must(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))));
  return ossl<EVP_PKEY>(must(PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr)));
}

ossl<X509> parse(const std::string& der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  return ossl<X509>(must(d2i_X509(nullptr, &at, static_cast<long>(der.size()))));
}

template <class T, class Write> std::string der_of(T* what, Write write) {
  unsigned char* out = nullptr;
  const int size = write(what, &out);
  must(size);
  std::string der(reinterpret_cast<char*>(out), static_cast<std::size_t>(size));
  OPENSSL_free(out);
  return der;
}

void add_name(X509_NAME* name, const char* what, const std::string& value) {
  must(X509_NAME_add_entry_by_txt(name, what, MBSTRING_UTF8,
                                  reinterpret_cast<const unsigned char*>(value.data()),
                                  static_cast<int>(value.size()), -1, 0));
}

void extend(X509* cert, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX ctx;
  X509V3_set_ctx_nodb(&ctx);
  X509V3_set_ctx(&ctx, issuer, cert, nullptr, nullptr, 0);
  const ossl<X509_EXTENSION> ext(must(X509V3_EXT_conf_nid(nullptr, &ctx, nid, value.c_str())));
  must(X509_add_ext(cert, ext.get(), -1));
}

struct one_certificate {
  std::string common_name;
  std::string unit;
  EVP_PKEY* key = nullptr;
  X509* issuer = nullptr; ///< nullptr: signed by itself
  EVP_PKEY* issuer_key = nullptr;
  const EVP_MD* digest = EVP_sha256();
  std::int64_t from = year_2020, to = year_2050;
  long serial = 1;
  bool authority = true;
  std::string usage;
};

ossl<X509> make(const one_certificate& c) {
  ossl<X509> cert(must(X509_new()));
  must(X509_set_version(cert.get(), X509_VERSION_3));
  must(ASN1_INTEGER_set(X509_get_serialNumber(cert.get()), c.serial));
  must(ASN1_TIME_set(X509_getm_notBefore(cert.get()), c.from) != nullptr);
  must(ASN1_TIME_set(X509_getm_notAfter(cert.get()), c.to) != nullptr);
  add_name(X509_get_subject_name(cert.get()), "CN", c.common_name);
  if (!c.unit.empty())
    add_name(X509_get_subject_name(cert.get()), "OU", c.unit);
  must(X509_set_pubkey(cert.get(), c.key));
  auto* const issuer = c.issuer != nullptr ? c.issuer : cert.get();
  must(X509_set_issuer_name(cert.get(), X509_get_subject_name(issuer)));
  if (c.authority) {
    extend(cert.get(), issuer, NID_basic_constraints, "critical,CA:TRUE");
    extend(cert.get(), issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
  } else {
    extend(cert.get(), issuer, NID_basic_constraints, "critical,CA:FALSE");
    extend(cert.get(), issuer, NID_key_usage, "critical,digitalSignature,keyEncipherment");
  }
  if (!c.usage.empty())
    extend(cert.get(), issuer, NID_ext_key_usage, c.usage);
  must(X509_sign(cert.get(), c.issuer_key != nullptr ? c.issuer_key : c.key, c.digest));
  return cert;
}

std::string hex(const unsigned char* octets, std::size_t count) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    out += digits[octets[i] >> 4];
    out += digits[octets[i] & 15];
  }
  return out;
}

std::string digest_hex(const std::string& data, const EVP_MD* kind) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  must(EVP_Digest(data.data(), data.size(), out, &size, kind, nullptr));
  return hex(out, size);
}

std::int64_t now_or(std::int64_t now_s) {
  return now_s != 0 ? now_s : static_cast<std::int64_t>(std::time(nullptr));
}

} // namespace

provisioning_pki make_provisioning_pki(const pki_options& o) {
  const auto now = now_or(o.now_s);
  std::vector<ossl<X509>> made; // root first
  one_certificate root;
  root.common_name = o.root_name;
  root.key = key_of(o.root_name, o.authority_bits);
  root.digest = digest_of(o.root_hash);
  made.push_back(make(root));
  EVP_PKEY* above = root.key;
  for (int i = 0; i < o.intermediates; ++i) {
    one_certificate c;
    c.common_name = "Outband test intermediate " + std::to_string(i + 1);
    c.key = key_of(c.common_name, o.authority_bits);
    c.issuer = made.back().get();
    c.issuer_key = above;
    c.digest = digest_of(o.hash);
    c.serial = i + 2;
    made.push_back(make(c));
    above = c.key;
  }
  one_certificate leaf;
  leaf.common_name = o.common_name;
  leaf.unit = o.amt_unit ? "Intel(R) Client Setup Certificate" : "";
  leaf.key = key_of("leaf", o.leaf_bits);
  leaf.issuer = made.back().get();
  leaf.issuer_key = above;
  leaf.digest = digest_of(o.hash);
  leaf.from = now + o.valid_from_s;
  leaf.to = now + o.valid_to_s;
  leaf.serial = 100;
  leaf.authority = false;
  leaf.usage = o.amt_usage ? "serverAuth,2.16.840.1.113741.1.2.3" : "serverAuth";
  made.push_back(make(leaf));

  provisioning_pki out;
  for (auto at = made.rbegin(); at != made.rend(); ++at)
    out.chain.push_back(der_of(at->get(), i2d_X509));
  out.leaf_key_pem = key_pem(leaf.key);
  out.root_key_pem = key_pem(root.key);
  out.root_sha1 = digest_hex(out.chain.back(), EVP_sha1());
  out.root_sha256 = digest_hex(out.chain.back(), EVP_sha256());
  out.root_sha384 = digest_hex(out.chain.back(), EVP_sha384());
  return out;
}

std::string make_pfx(const provisioning_pki& pki, const pfx_options& o) {
  int key_cipher = NID_aes_256_cbc;
  int certificate_cipher = NID_aes_256_cbc;
  if (o.cipher != pfx_cipher::aes256)
    key_cipher = certificate_cipher = NID_pbe_WithSHA1And3_Key_TripleDES_CBC;
  if (o.cipher == pfx_cipher::rc2_40)
    certificate_cipher = NID_pbe_WithSHA1And40BitRC2_CBC;
  const ossl<OSSL_LIB_CTX> context(must(OSSL_LIB_CTX_new()));
  const ossl<OSSL_PROVIDER> base(must(OSSL_PROVIDER_load(context.get(), "default")));
  const ossl<OSSL_PROVIDER> legacy(OSSL_PROVIDER_load(context.get(), "legacy"));

  std::vector<std::string> certificates;
  for (std::size_t i = 0; i < pki.chain.size(); ++i)
    if (std::find(o.leave_out.begin(), o.leave_out.end(), i) == o.leave_out.end())
      certificates.push_back(pki.chain[i]);
  if (o.order == pki_order::root_first)
    std::reverse(certificates.begin(), certificates.end());
  else if (o.order == pki_order::leaf_last && !certificates.empty())
    std::rotate(certificates.begin(), certificates.begin() + 1, certificates.end());
  certificates.insert(certificates.end(), o.also.begin(), o.also.end());

  const char* const password = o.password.c_str();
  STACK_OF(PKCS7)* raw_safes = nullptr;
  STACK_OF(PKCS12_SAFEBAG)* raw_bags = nullptr;
  for (const auto& der : certificates)
    must(PKCS12_add_cert(&raw_bags, parse(der).get()) != nullptr);
  ossl<STACK_OF(PKCS12_SAFEBAG)> bags(raw_bags);
  if (bags)
    must(PKCS12_add_safe_ex(&raw_safes, bags.get(), certificate_cipher, o.iterations, password,
                            context.get(), nullptr));
  if (o.with_key) {
    const auto key = parse_key(o.other_key_pem.empty() ? pki.leaf_key_pem : o.other_key_pem);
    STACK_OF(PKCS12_SAFEBAG)* key_bags = nullptr;
    must(PKCS12_add_key_ex(&key_bags, key.get(), 0, o.iterations, key_cipher, password,
                           context.get(), nullptr) != nullptr);
    const ossl<STACK_OF(PKCS12_SAFEBAG)> kept(key_bags);
    must(PKCS12_add_safe_ex(&raw_safes, key_bags, -1, 0, nullptr, context.get(), nullptr));
  }
  if (raw_safes == nullptr) // neither certificate nor key
    raw_safes = must(sk_PKCS7_new_null());
  const ossl<STACK_OF(PKCS7)> safes(raw_safes);
  const ossl<PKCS12> file(must(PKCS12_add_safes_ex(raw_safes, 0, context.get(), nullptr)));
  must(PKCS12_set_mac(file.get(), password, -1, nullptr, 0, o.iterations, EVP_sha256()));
  return der_of(file.get(), i2d_PKCS12);
}

std::string cross_sign(const provisioning_pki& of, const provisioning_pki& by) {
  const auto old = parse(of.chain.back());
  const auto issuer = parse(by.chain.back());
  const auto key = parse_key(of.root_key_pem);
  const auto issuer_key = parse_key(by.root_key_pem);
  ossl<X509> cert(must(X509_dup(old.get())));
  must(X509_set_issuer_name(cert.get(), X509_get_subject_name(issuer.get())));
  must(X509_sign(cert.get(), issuer_key.get(), EVP_sha256()));
  return der_of(cert.get(), i2d_X509);
}

firmware_pki make_firmware_pki(const std::string& leaf_name, int issuers, std::int64_t now_s) {
  const auto now = now_or(now_s);
  one_certificate root;
  root.common_name = "Outband test OnDie CA root";
  root.key = key_of(root.common_name, 384);
  root.digest = EVP_sha384();
  auto above = make(root);
  firmware_pki out;
  out.root = der_of(above.get(), i2d_X509);
  EVP_PKEY* above_key = root.key;
  std::vector<std::string> upwards;
  for (int i = 0; i < issuers; ++i) {
    one_certificate c;
    c.common_name = "Outband test ODCA issuer " + std::to_string(i + 1);
    c.unit = "ODCA 2 CSME P_TEST";
    c.key = key_of(c.common_name, 384);
    c.issuer = above.get();
    c.issuer_key = above_key;
    c.digest = EVP_sha384();
    c.serial = i + 2;
    auto made = make(c);
    upwards.push_back(der_of(made.get(), i2d_X509));
    above = std::move(made);
    above_key = c.key;
  }
  one_certificate leaf;
  leaf.common_name = leaf_name;
  leaf.key = key_of("firmware leaf", 384);
  leaf.issuer = above.get();
  leaf.issuer_key = above_key;
  leaf.digest = EVP_sha384();
  leaf.from = now - 86400;
  leaf.to = now + 10 * 365 * 86400LL;
  leaf.serial = 100;
  leaf.authority = false;
  out.chain.push_back(der_of(make(leaf).get(), i2d_X509));
  out.chain.insert(out.chain.end(), upwards.rbegin(), upwards.rend());
  out.leaf_key_pem = key_pem(leaf.key);
  return out;
}

std::string certificate_pem(const std::string& der) {
  const ossl<BIO> out(must(BIO_new(BIO_s_mem())));
  must(PEM_write_bio_X509(out.get(), parse(der).get()));
  return text_of(out.get());
}

} // namespace outband::test
