// Provisioning certificates with their chains, made with OpenSSL; keys are made once per process.
#pragma once

#include "messages/wsman/envelope.hpp"
#include "tests/unit/tools/amtsim/made_certificates.hpp"
#include "tools/amtsim/activation_state.hpp"

#include <openssl/x509v3.h>

#include <string>
#include <vector>

namespace outband::amtsim::test {

struct wanted_certificate {
  std::string name;
  std::string unit{}; ///< OU; empty: none
  std::string unit_too{};
  bool authority = true; ///< else for client setup, unless `purpose` is another
  std::string purpose = "2.16.840.1.113741.1.2.3";
  const EVP_MD* hash = EVP_sha256();
  long from_s = -86400; ///< from the bench machine's own clock
  long to_s = 86400;
};

/// What bench_machine's clock says at its start.
inline constexpr std::int64_t bench_epoch_s = 1704586865;

inline std::string issue(const wanted_certificate& w, const owned_key& key,
                         const std::string& issuer, const owned_key& signer) {
  const std::unique_ptr<X509, decltype(&X509_free)> c(X509_new(), X509_free);
  static long serial = 1000;
  X509_set_version(c.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(c.get()), ++serial);
  ASN1_TIME_set(X509_getm_notBefore(c.get()), bench_epoch_s + w.from_s);
  ASN1_TIME_set(X509_getm_notAfter(c.get()), bench_epoch_s + w.to_s);
  const auto named = [](X509_NAME* to, const char* type, const std::string& value) {
    X509_NAME_add_entry_by_txt(to, type, MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(value.data()),
                               static_cast<int>(value.size()), -1, 0);
  };
  for (const auto& unit : {w.unit, w.unit_too})
    if (!unit.empty())
      named(X509_get_subject_name(c.get()), "OU", unit);
  named(X509_get_subject_name(c.get()), "CN", w.name);
  named(X509_get_issuer_name(c.get()), "CN", issuer);
  X509_set_pubkey(c.get(), key.get());
  const auto extend = [&](int nid, const std::string& value) {
    if (value.empty())
      return;
    auto* e = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
    REQUIRE(e != nullptr);
    X509_add_ext(c.get(), e, -1);
    X509_EXTENSION_free(e);
  };
  extend(NID_basic_constraints, w.authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  extend(NID_ext_key_usage, w.authority ? "" : w.purpose);
  REQUIRE(X509_sign(c.get(), signer.get(), w.hash) > 0);
  return der_of<X509>(i2d_X509, c.get());
}

/// leaf <- intermediate <- root, as a PFX holds them.
struct made_chain {
  static const owned_key& key(int which) {
    static const owned_key keys[] = {fresh_key(), fresh_key(), fresh_key()};
    return keys[which];
  }
  explicit made_chain(wanted_certificate leaf_wish = leaf("vpro.example.org"),
                      wanted_certificate between = {"Between"}) {
    wanted_certificate root{"Root"};
    root.hash = between.hash;
    const auto issuer = between.name;
    certificates = {issue(leaf_wish, key(0), issuer, key(1)),
                    issue(between, key(1), "Root", key(2)), issue(root, key(2), "Root", key(2))};
  }
  static wanted_certificate leaf(const std::string& name) {
    wanted_certificate out{name};
    out.authority = false;
    return out;
  }
  std::string sign(const std::string& octets, const EVP_MD* with = EVP_sha256()) const {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> c(EVP_MD_CTX_new(),
                                                                    EVP_MD_CTX_free);
    std::string out(512, '\0');
    std::size_t n = out.size();
    REQUIRE(EVP_DigestSignInit(c.get(), nullptr, with, nullptr, key(0).get()) == 1);
    REQUIRE(EVP_DigestSign(c.get(), reinterpret_cast<unsigned char*>(out.data()), &n,
                           reinterpret_cast<const unsigned char*>(octets.data()),
                           octets.size()) == 1);
    out.resize(n);
    return out;
  }
  std::vector<std::string> certificates;
};

} // namespace outband::amtsim::test
