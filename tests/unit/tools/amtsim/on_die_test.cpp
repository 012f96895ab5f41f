#include "tools/amtsim/on_die.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

namespace outband::amtsim {
namespace {

struct closer {
  void operator()(X509* p) const { X509_free(p); }
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
  void operator()(BIO* p) const { BIO_free(p); }
};
template <class T> using owned = std::unique_ptr<T, closer>;

owned<X509> certificate(const std::string& der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  return owned<X509>{d2i_X509(nullptr, &at, static_cast<long>(der.size()))};
}

std::string name_of(X509* c) {
  char name[64] = {};
  X509_NAME_get_text_by_NID(X509_get_subject_name(c), NID_commonName, name, sizeof name);
  return name;
}

bool signed_by(const std::string& der, const std::string& issuer) {
  const auto upper = certificate(issuer);
  return X509_verify(certificate(der).get(), X509_get0_pubkey(upper.get())) == 1;
}

} // namespace

TEST_CASE("a leaf leads over two authorities to the root of this process") {
  const on_die_authority authority;
  const auto leaf = authority.issue("AMT RCFG");
  const auto& issuers = authority.issuers();
  REQUIRE(issuers.size() == 3);
  CHECK(name_of(certificate(leaf.certificate).get()) == "AMT RCFG");
  CHECK(name_of(certificate(issuers[1]).get()) == "CSME ROM CA");
  CHECK(signed_by(leaf.certificate, issuers[0]));
  CHECK(signed_by(issuers[0], issuers[1]));
  CHECK(signed_by(issuers[1], issuers[2]));
  CHECK(signed_by(issuers[2], issuers[2]));

  const auto pem = authority.root_pem();
  const owned<BIO> text{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
  const owned<X509> root{PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr)};
  REQUIRE(root);
  CHECK(X509_cmp(root.get(), certificate(issuers[2]).get()) == 0);

  const auto* at = reinterpret_cast<const unsigned char*>(leaf.key.data());
  const owned<EVP_PKEY> key{d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(leaf.key.size()))};
  REQUIRE(key);
  CHECK(X509_check_private_key(certificate(leaf.certificate).get(), key.get()) == 1);
}

TEST_CASE("each machine has a leaf of its own and no process trusts another's") {
  const on_die_authority ours;
  const on_die_authority theirs;
  const auto one = ours.issue("AMT RCFG");
  const auto two = ours.issue("AMT RCFG");
  CHECK(one.certificate != two.certificate);
  CHECK_FALSE(signed_by(theirs.issue("AMT RCFG").certificate, ours.issuers()[0]));
}

} // namespace outband::amtsim
