#include "messages/provisioning/pfx.hpp"

#include "messages/amt/base64.hpp"
#include "messages/domain/text.hpp"
#include "messages/provisioning/pfx_reader.hpp"

#include <openssl/core_names.h>
#include <openssl/err.h>

#include <algorithm>
#include <array>

namespace outband::provisioning {

namespace {

using ossl::owned;

constexpr const char* file_field = "provisioningCert";
constexpr int max_key_bits = 8192;
constexpr std::size_t max_chains = 16;
constexpr std::string_view challenge = "does this private key belong to that certificate?";

failure odd(std::string why) {
  return fail(problem::malformed, std::move(why), file_field);
}

const EVP_MD* digest_for(hash_kind h) {
  switch (h) {
  case hash_kind::sha256:
    return EVP_sha256();
  case hash_kind::sha384:
    return EVP_sha384();
  case hash_kind::sha512:
    return EVP_sha512();
  default:
    return nullptr; // nobody shall sign with SHA-1 any more
  }
}

/// Whether every number of the key is as long as its modulus says: longer ones only cost time, and
/// a 64 KiB file has room for hours.
bool well_sized(const EVP_PKEY* key) {
  const int bits = EVP_PKEY_get_bits(key);
  if (bits > max_key_bits)
    return false;
  for (const char* name :
       {OSSL_PKEY_PARAM_RSA_D, OSSL_PKEY_PARAM_RSA_E, OSSL_PKEY_PARAM_RSA_FACTOR1,
        OSSL_PKEY_PARAM_RSA_FACTOR2, OSSL_PKEY_PARAM_RSA_EXPONENT1, OSSL_PKEY_PARAM_RSA_EXPONENT2,
        OSSL_PKEY_PARAM_RSA_COEFFICIENT1}) {
    BIGNUM* number = nullptr;
    const bool has = EVP_PKEY_get_bn_param(key, name, &number) == 1;
    const int length = has ? BN_num_bits(number) : 0;
    BN_clear_free(number);
    if (!has || length > bits)
      return false;
  }
  BIGNUM* third = nullptr;
  const bool more = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_FACTOR3, &third) == 1;
  BN_clear_free(third);
  ERR_clear_error();
  return !more;
}

bool same_key(const certificate& c, const EVP_PKEY* key) {
  const auto x = ossl::parse_der(c.der);
  const bool same = x && X509_check_private_key(x.get(), key) == 1;
  ERR_clear_error();
  return same;
}

bool verifies(const certificate& c, std::string_view data, std::string_view signature) {
  const auto x = ossl::parse_der(c.der);
  const owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  const bool fits = x && context &&
                    EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr,
                                         X509_get0_pubkey(x.get())) == 1 &&
                    EVP_DigestVerify(context.get(), ossl::octets(signature), signature.size(),
                                     ossl::octets(data), data.size()) == 1;
  ERR_clear_error();
  return fits;
}

/// Which of two certificates of one key is the provisioning certificate: that with the usage, then
/// a leaf rather than an authority, then the one that lasts longer.
bool more_likely(const certificate& a, const certificate& b) {
  if (a.amt_provisioning != b.amt_provisioning)
    return a.amt_provisioning;
  if (a.authority != b.authority)
    return b.authority;
  return a.not_after > b.not_after;
}

/// All ways upwards from `leaf`; indices into `all`.
class chain_finder {
public:
  explicit chain_finder(const std::vector<certificate>& all) : all_(all), parents_(all.size()) {
    for (std::size_t child = 0; child < all.size(); ++child)
      for (std::size_t parent = 0; !all[child].self_signed && parent < all.size(); ++parent)
        if (parent != child && issued_by(all[child], all[parent]))
          parents_[child].push_back(parent);
  }

  std::vector<std::vector<std::size_t>> from(std::size_t leaf) {
    path_ = {leaf};
    climb();
    const auto complete = [&](const auto& p) {
      return all_[p.back()].self_signed;
    };
    std::stable_sort(found_.begin(), found_.end(), [&](const auto& a, const auto& b) {
      if (complete(a) != complete(b))
        return complete(a);
      return complete(a) ? a.size() < b.size() : a.size() > b.size();
    });
    return std::move(found_);
  }

private:
  void climb() {
    if (found_.size() >= max_chains)
      return;
    bool higher = false;
    for (const auto parent : parents_[path_.back()]) {
      if (std::find(path_.begin(), path_.end(), parent) != path_.end())
        continue;
      higher = true;
      path_.push_back(parent);
      climb();
      path_.pop_back();
    }
    if (!higher)
      found_.push_back(path_);
  }

  const std::vector<certificate>& all_;
  std::vector<std::vector<std::size_t>> parents_;
  std::vector<std::size_t> path_;
  std::vector<std::vector<std::size_t>> found_;
};

} // namespace

int private_key::bits() const {
  return EVP_PKEY_get_bits(static_cast<const EVP_PKEY*>(key_.get()));
}

bool private_key::belongs_to(const certificate& c) const {
  return same_key(c, static_cast<const EVP_PKEY*>(key_.get()));
}

std::string private_key::sign(std::string_view data, hash_kind hash) const {
  const owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  const auto* const digest = digest_for(hash);
  std::size_t size = 0;
  std::string out;
  // PKCS#1 v1.5 is OpenSSL's default padding for RSA.
  bool ok = context && digest != nullptr &&
            EVP_DigestSignInit(context.get(), nullptr, digest, nullptr,
                               static_cast<EVP_PKEY*>(key_.get())) == 1 &&
            EVP_DigestSign(context.get(), nullptr, &size, ossl::octets(data), data.size()) == 1;
  if (ok) {
    out.resize(size);
    ok = EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size,
                        ossl::octets(data), data.size()) == 1;
  }
  out.resize(ok ? size : 0);
  ERR_clear_error();
  return out;
}

bool is_among(const fingerprints& root, const std::vector<std::string>& trusted_roots) {
  return std::any_of(trusted_roots.begin(), trusted_roots.end(), [&](const std::string& listed) {
    std::string digits(listed);
    for (auto& c : digits)
      c = ascii_lower(c);
    return digits == root.sha256 || digits == root.sha384 || digits == root.sha1;
  });
}

const std::vector<certificate>&
provisioning_certificate::chain_for(const std::vector<std::string>& trusted_roots) const {
  for (const auto& chain : chains)
    if (chain.back().self_signed && is_among(chain.back().prints, trusted_roots))
      return chain;
  return chains.front();
}

result<provisioning_certificate> open_pfx(std::string_view der, std::string_view password) {
  if (der.size() > max_pfx)
    return fail(problem::too_large, "has more than 64 KiB", file_field);
  if (password.size() > max_pfx_password)
    return fail(problem::too_large, "has more than 64 octets", "provisioningCertPassword");
  pfx_reader file;
  if (auto ok = file.read(der, password); !ok)
    return ok.error();
  if (file.keys.empty())
    return odd("has no private key; export the certificate with its key");
  if (file.certificates.empty())
    return odd("has no certificate");

  owned<EVP_PKEY>* key = nullptr;
  std::size_t leaf = file.certificates.size();
  for (auto& candidate : file.keys)
    for (std::size_t i = 0; i < file.certificates.size(); ++i)
      if (same_key(file.certificates[i], candidate.get()) &&
          (key == nullptr || more_likely(file.certificates[i], file.certificates[leaf]))) {
        key = &candidate;
        leaf = i;
      }
  if (key == nullptr) {
    const auto count = file.certificates.size();
    return odd("has a private key that belongs to " +
               (count == 1 ? std::string("another certificate than the one in it")
                           : "none of its " + std::to_string(count) + " certificates"));
  }
  if (EVP_PKEY_is_a(key->get(), "RSA") != 1) {
    const char* type = EVP_PKEY_get0_type_name(key->get());
    return odd("has a private key of type " + std::string(type != nullptr ? type : "unknown") +
               "; AMT accepts only RSA");
  }
  if (!well_sized(key->get()))
    return odd("has an odd RSA key: more than 8192 bits, more than two primes, or numbers longer "
               "than its modulus");

  provisioning_certificate out{pfx_reader::hide(std::move(*key)), {}, {}, leaf == 0};
  const auto& all = file.certificates;
  // A file may have the right modulus with wrong secret numbers.
  if (!verifies(all[leaf], challenge, out.key.sign(challenge, hash_kind::sha256)))
    return odd("has a private key that does not sign: the file is damaged");
  std::vector<bool> used(all.size());
  for (const auto& path : chain_finder(all).from(leaf)) {
    auto& chain = out.chains.emplace_back();
    for (const auto i : path) {
      chain.push_back(all[i]);
      used[i] = true;
    }
  }
  for (std::size_t i = 0; i < all.size(); ++i)
    if (!used[i])
      out.unrelated.push_back(all[i]);
  return out;
}

result<provisioning_certificate> open_pfx_base64(std::string_view text, std::string_view password) {
  if (text.size() > max_pfx * 3 / 2)
    return fail(problem::too_large, "has more than 64 KiB", file_field);
  auto der = amt::base64_decode(text);
  if (!der)
    return odd("is not base64");
  if (der->empty())
    return odd("is empty");
  return open_pfx(*der, password);
}

} // namespace outband::provisioning
