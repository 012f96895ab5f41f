#include "tools/amtsim/provisioning_chain.hpp"

#include "messages/domain/text.hpp"
#include "tools/amtsim/device_model.hpp"
#include "tools/amtsim/firmware_version.hpp"
#include "tools/amtsim/lan_certificate.hpp"
#include "tools/amtsim/on_die.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <memory>

namespace outband::amtsim {

namespace {

constexpr std::string_view setup_purpose = "2.16.840.1.113741.1.2.3";
constexpr std::string_view setup_unit = "Intel(R) Client Setup Certificate";

struct closer {
  void operator()(X509* p) const { X509_free(p); }
  void operator()(BIO* p) const { BIO_free(p); }
  void operator()(EVP_MD_CTX* p) const { EVP_MD_CTX_free(p); }
  void operator()(EXTENDED_KEY_USAGE* p) const { EXTENDED_KEY_USAGE_free(p); }
};
template <class T> using owned = std::unique_ptr<T, closer>;

const unsigned char* start_of(std::string_view octets) {
  return reinterpret_cast<const unsigned char*>(octets.data());
}

owned<X509> parse(std::string_view der) {
  const auto* at = start_of(der);
  owned<X509> out{d2i_X509(nullptr, &at, static_cast<long>(der.size()))};
  if (out && at != start_of(der) + der.size())
    out.reset();
  return out;
}

/// How many bits of hash the signature on it has; 0: nothing that firmware verifies.
int signature_bits(const X509* c) {
  switch (X509_get_signature_nid(c)) {
  case NID_sha1WithRSAEncryption:
    return 160;
  case NID_sha256WithRSAEncryption:
    return 256;
  case NID_sha384WithRSAEncryption:
    return 384;
  case NID_sha512WithRSAEncryption:
    return 512;
  default:
    return 0;
  }
}

/// What the subject's name has of that kind, in its order.
std::vector<std::string> entries(const X509* c, int nid) {
  std::vector<std::string> out;
  const auto* name = X509_get_subject_name(c);
  for (int at = X509_NAME_get_index_by_NID(name, nid, -1); at >= 0;
       at = X509_NAME_get_index_by_NID(name, nid, at)) {
    const auto* data = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
    out.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(data)),
                     static_cast<std::size_t>(ASN1_STRING_length(data)));
  }
  return out;
}

std::string last_entry(const X509* c, int nid) {
  const auto all = entries(c, nid);
  return all.empty() ? std::string{} : all.back();
}

bool is_for_setup(const X509* c) {
  const owned<EXTENDED_KEY_USAGE> usage{
      static_cast<EXTENDED_KEY_USAGE*>(X509_get_ext_d2i(c, NID_ext_key_usage, nullptr, nullptr))};
  for (int i = 0; usage && i < sk_ASN1_OBJECT_num(usage.get()); ++i) {
    std::array<char, 64> text{};
    OBJ_obj2txt(text.data(), static_cast<int>(text.size()), sk_ASN1_OBJECT_value(usage.get(), i),
                1);
    if (setup_purpose == text.data())
      return true;
  }
  const auto units = entries(c, NID_organizationalUnitName); // authorities add others of their own
  return std::find(units.begin(), units.end(), setup_unit) != units.end();
}

bool is_current(const X509* c, std::time_t now) {
  return X509_cmp_time(X509_get0_notBefore(c), &now) < 0 &&
         X509_cmp_time(X509_get0_notAfter(c), &now) > 0;
}

} // namespace

chain_problem check_alone(std::string_view der, bool leaf, const device_model& d, sim_time now) {
  const auto c = parse(der);
  if (!c)
    return chain_problem::malformed;
  const auto& version = d.shared().kind.version;
  const bool strict = version_at_least(version, 22);
  const auto* key = X509_get0_pubkey(c.get());
  if (key == nullptr || EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA ||
      EVP_PKEY_get_bits(key) < (strict ? 3072 : 2048))
    return chain_problem::weak;
  const int least = strict ? 384 : version_at_least(version, 16) ? 256 : 160;
  if (signature_bits(c.get()) < least)
    return chain_problem::weak;
  if (!is_current(c.get(), static_cast<std::time_t>(d.clock_s(now))))
    return chain_problem::out_of_time;
  // -1: no basic constraints and no key usage that forbid; old roots have neither.
  if (leaf ? !is_for_setup(c.get()) : X509_check_ca(c.get()) == 0)
    return chain_problem::wrong_purpose;
  return chain_problem::none;
}

chain_problem check_link(std::string_view der, std::string_view issuer) {
  const auto child = parse(der);
  const auto parent = parse(issuer);
  if (!child || !parent)
    return chain_problem::malformed;
  if (X509_NAME_cmp(X509_get_issuer_name(child.get()), X509_get_subject_name(parent.get())) != 0 ||
      X509_verify(child.get(), X509_get0_pubkey(parent.get())) != 1)
    return chain_problem::not_signed_by;
  return chain_problem::none;
}

chain_problem check_root(std::string_view der, const device_model& d) {
  const auto all = trusted_hashes(d);
  const bool known = std::any_of(all.begin(), all.end(), [&](const trusted_hash& h) {
    return h.active && hash_of(der, h.algorithm) == h.hash;
  });
  return known ? chain_problem::none : chain_problem::unknown_root;
}

chain_problem check_chain(const std::vector<std::string>& chain, const device_model& d,
                          sim_time now) {
  if (chain.empty() || chain.size() > max_chain)
    return chain_problem::malformed;
  for (std::size_t i = 0; i < chain.size(); ++i) {
    if (const auto p = check_alone(chain[i], i == 0, d, now); p != chain_problem::none)
      return p;
    if (i > 0)
      if (const auto p = check_link(chain[i - 1], chain[i]); p != chain_problem::none)
        return p;
  }
  return check_root(chain.back(), d);
}

std::optional<hash_algorithm> signing_hash(std::string_view signing_algorithm,
                                           const device_model& d) {
  const auto& version = d.shared().kind.version;
  if (signing_algorithm == "2" && !version_at_least(version, 22))
    return hash_algorithm::sha256;
  if (signing_algorithm == "3" && version_at_least(version, 21))
    return hash_algorithm::sha384;
  return std::nullopt;
}

bool belongs_to_domain(std::string_view leaf_der, const device_model& d) {
  const auto c = parse(leaf_der);
  if (!c)
    return false;
  const auto name = lower(last_entry(c.get(), NID_commonName));
  const auto dot = name.find('.');
  if (dot == std::string::npos)
    return false;
  auto suffix = lower(pki_suffix(d));
  if (suffix.find_first_not_of('.') == std::string::npos) // MEBx leaves a lone dot behind
    suffix = lower(dhcp_suffix(d));
  if (suffix.empty())
    return false;
  if (suffix == name.substr(dot + 1) || suffix == name)
    return true;
  const auto last_two = [](const std::string& s) {
    const auto last = s.rfind('.');
    const auto before = last == std::string::npos || last == 0 ? last : s.rfind('.', last - 1);
    return last == std::string::npos ? std::string{} : s.substr(before + 1);
  };
  const auto own = last_two(name);
  const auto tld = own.substr(own.find('.') + 1);
  return (tld == "com" || tld == "net") && own == last_two(suffix);
}

bool signed_octets(std::string_view leaf_der, std::string_view octets, std::string_view signature,
                   hash_algorithm a) {
  const auto c = parse(leaf_der);
  const owned<EVP_MD_CTX> verify{EVP_MD_CTX_new()};
  return c && verify &&
         EVP_DigestVerifyInit(verify.get(), nullptr,
                              a == hash_algorithm::sha384 ? EVP_sha384() : EVP_sha256(), nullptr,
                              X509_get0_pubkey(c.get())) == 1 &&
         EVP_DigestVerify(verify.get(), start_of(signature), signature.size(), start_of(octets),
                          octets.size()) == 1;
}

std::string hash_of(std::string_view der, hash_algorithm a) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned n = 0;
  const auto* kind = a == hash_algorithm::sha1     ? EVP_sha1()
                     : a == hash_algorithm::sha256 ? EVP_sha256()
                                                   : EVP_sha384();
  if (EVP_Digest(der.data(), der.size(), out.data(), &n, kind, nullptr) != 1)
    return {};
  return {reinterpret_cast<const char*>(out.data()), n};
}

std::optional<std::vector<trusted_hash>> entries_of(std::string_view root_der) {
  const auto c = parse(root_der);
  if (!c)
    return std::nullopt;
  auto name = last_entry(c.get(), NID_commonName);
  if (name.empty())
    name = last_entry(c.get(), NID_organizationalUnitName);
  name.resize(std::min<std::size_t>(name.size(), 64));
  std::vector<trusted_hash> out;
  for (const auto a : {hash_algorithm::sha256, hash_algorithm::sha384})
    out.push_back({0, name, true, true, a, hash_of(root_der, a)});
  return out;
}

namespace {

/// The next certificate of a PEM text as DER; empty: there is none.
std::string next_of(BIO* pem) {
  // The callback keeps OpenSSL from asking a terminal about encrypted PEM.
  const owned<X509> c{PEM_read_bio_X509(
      pem, nullptr, [](char*, int, int, void*) { return -1; }, nullptr)};
  unsigned char* octets = nullptr;
  const int n = c ? i2d_X509(c.get(), &octets) : 0;
  if (n <= 0)
    return {};
  std::string out(reinterpret_cast<const char*>(octets), static_cast<std::size_t>(n));
  OPENSSL_free(octets);
  return out;
}

} // namespace

std::string read_trusted_roots(const std::string& file, std::vector<trusted_hash>& into) {
  const owned<BIO> pem{BIO_new_file(file.c_str(), "r")};
  if (!pem)
    return "'" + file + "' cannot be read";
  const auto before = into.size();
  for (auto der = next_of(pem.get()); !der.empty(); der = next_of(pem.get()))
    if (const auto entries = entries_of(der))
      into.insert(into.end(), entries->begin(), entries->end());
  ERR_clear_error();
  return into.size() > before ? std::string{} : "'" + file + "' holds no certificate in PEM";
}

std::string der_from_pem(const std::string& pem) {
  const owned<BIO> from{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
  auto out = from ? next_of(from.get()) : std::string{};
  ERR_clear_error();
  return out;
}

bool make_rcfg_certificate(const device_model& d, std::string& certificate_der,
                           std::string& key_der) {
  const auto& authority = d.shared().on_die;
  if (!authority)
    return make_self_signed("AMT RCFG", certificate_der, key_der);
  auto leaf = authority->issue("AMT RCFG");
  certificate_der = std::move(leaf.certificate);
  key_der = std::move(leaf.key);
  return !certificate_der.empty();
}

} // namespace outband::amtsim
