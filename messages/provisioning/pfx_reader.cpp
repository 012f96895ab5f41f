#include "messages/provisioning/pfx_reader.hpp"

#include <openssl/err.h>
#include <openssl/provider.h>

#include <algorithm>

namespace outband::provisioning {

namespace {

using ossl::owned;

constexpr const char* file_field = "provisioningCert";
constexpr const char* password_field = "provisioningCertPassword";
constexpr std::int64_t max_iterations = 1'000'000; ///< NSS writes 600,000, OpenSSL 2,048
constexpr int max_bags = 64;
constexpr int max_nesting = 3;
constexpr std::size_t max_keys = 4;

failure odd(std::string why) {
  return fail(problem::malformed, std::move(why), file_field);
}

failure damaged() {
  return odd("is a damaged PKCS#12 file");
}

failure wrong_password() {
  return fail(problem::malformed, "does not open the file: wrong password", password_field);
}

std::string name_of(int nid) {
  const char* name = OBJ_nid2sn(nid);
  return name != nullptr && nid != NID_undef ? name : "an unknown algorithm";
}

bool can_fetch(OSSL_LIB_CTX* context, int cipher) {
  auto* const found = EVP_CIPHER_fetch(context, OBJ_nid2sn(cipher), nullptr);
  EVP_CIPHER_free(found);
  ERR_clear_error();
  return found != nullptr;
}

template <class T> struct item_free;
template <> struct item_free<PBEPARAM> {
  void operator()(PBEPARAM* p) const { PBEPARAM_free(p); }
};
template <> struct item_free<PBE2PARAM> {
  void operator()(PBE2PARAM* p) const { PBE2PARAM_free(p); }
};
template <> struct item_free<PBKDF2PARAM> {
  void operator()(PBKDF2PARAM* p) const { PBKDF2PARAM_free(p); }
};
template <class T>
std::unique_ptr<T, item_free<T>> unpack(const ASN1_ITEM* item, const ASN1_TYPE* value) {
  return std::unique_ptr<T, item_free<T>>(
      value != nullptr ? static_cast<T*>(ASN1_TYPE_unpack_sequence(item, value)) : nullptr);
}

} // namespace

void pfx_reader::provider_free::operator()(OSSL_PROVIDER* p) const {
  OSSL_PROVIDER_unload(p);
}
void pfx_reader::context_free::operator()(OSSL_LIB_CTX* c) const {
  OSSL_LIB_CTX_free(c);
}

private_key pfx_reader::hide(owned<EVP_PKEY> key) {
  return private_key(std::shared_ptr<void>(
      key.release(), [](void* p) { EVP_PKEY_free(static_cast<EVP_PKEY*>(p)); }));
}

const char* pfx_reader::password_octets() const {
  return password_.data(); // null: no password at all, which differs from the empty one
}

status pfx_reader::spend(const ASN1_INTEGER* iterations) {
  std::int64_t count = 1; // the default of MacData
  if (iterations != nullptr && (ASN1_INTEGER_get_int64(&count, iterations) != 1 || count < 1))
    return damaged();
  if (count > max_iterations || count > iterations_left_)
    return odd("asks for more than 1,000,000 iterations of its key derivation; export it again "
               "with fewer");
  iterations_left_ -= count;
  return success();
}

status pfx_reader::provide(int cipher) {
  if (legacy_ || can_fetch(nullptr, cipher)) {
    if (!legacy_ || can_fetch(legacy_.get(), cipher))
      return success();
    return odd("is encrypted with " + name_of(cipher) + ", which OpenSSL does not know");
  }
  legacy_.reset(OSSL_LIB_CTX_new());
  for (const char* name : {"default", "legacy"}) {
    auto* const loaded = legacy_ ? OSSL_PROVIDER_load(legacy_.get(), name) : nullptr;
    if (loaded != nullptr)
      providers_.emplace_back(loaded);
  }
  const bool known = legacy_ && can_fetch(legacy_.get(), cipher);
  ERR_clear_error();
  if (!known)
    return odd("is encrypted with " + name_of(cipher) +
               ", which this server's OpenSSL cannot read (its legacy provider is missing or does "
               "not know it); export it again with AES-256");
  return success();
}

status pfx_reader::allow(const X509_ALGOR* encryption) {
  const ASN1_OBJECT* object = nullptr;
  int type = 0;
  const void* value = nullptr;
  if (encryption == nullptr)
    return damaged();
  X509_ALGOR_get0(&object, &type, &value, encryption);
  const int nid = OBJ_obj2nid(object);
  if (nid == NID_pbes2) {
    const auto parameters = unpack<PBE2PARAM>(ASN1_ITEM_rptr(PBE2PARAM), encryption->parameter);
    if (!parameters || parameters->keyfunc == nullptr || parameters->encryption == nullptr)
      return damaged();
    // scrypt's costs are three numbers, each in the file's hand.
    if (OBJ_obj2nid(parameters->keyfunc->algorithm) != NID_id_pbkdf2)
      return odd("derives its keys with " + name_of(OBJ_obj2nid(parameters->keyfunc->algorithm)) +
                 "; only PBKDF2 is accepted");
    const auto derivation =
        unpack<PBKDF2PARAM>(ASN1_ITEM_rptr(PBKDF2PARAM), parameters->keyfunc->parameter);
    if (!derivation)
      return damaged();
    if (auto ok = spend(derivation->iter); !ok)
      return ok;
    return provide(OBJ_obj2nid(parameters->encryption->algorithm));
  }
  int cipher = NID_undef;
  if (EVP_PBE_find(EVP_PBE_TYPE_OUTER, nid, &cipher, nullptr, nullptr) != 1 || cipher <= 0) {
    ERR_clear_error();
    return odd("is encrypted with " + name_of(nid) + ", which OpenSSL does not know");
  }
  const auto parameters = unpack<PBEPARAM>(ASN1_ITEM_rptr(PBEPARAM), encryption->parameter);
  if (!parameters)
    return damaged();
  if (auto ok = spend(parameters->iter); !ok)
    return ok;
  return provide(cipher);
}

status pfx_reader::check_mac(PKCS12* file) {
  if (PKCS12_mac_present(file) != 1)
    return success(); // allowed by RFC 7292; a wrong password then shows when decrypting
  const X509_ALGOR* kind = nullptr;
  const ASN1_INTEGER* iterations = nullptr;
  PKCS12_get0_mac(nullptr, &kind, nullptr, &iterations, file);
  const int digest = kind != nullptr ? OBJ_obj2nid(kind->algorithm) : NID_undef;
  if (EVP_get_digestbynid(digest) == nullptr)
    return odd("is protected by " + name_of(digest) + ", which OpenSSL does not know");
  if (auto ok = spend(iterations); !ok)
    return ok;
  const auto fits = [&] {
    const bool ok =
        PKCS12_verify_mac(file, password_octets(), static_cast<int>(password_.size())) == 1;
    ERR_clear_error();
    return ok;
  };
  password_is_right_ = fits();
  if (!password_is_right_ && password_.empty()) {
    if (auto ok = spend(iterations); !ok)
      return ok;
    // Writers disagree whether an empty password is "" or none.
    password_ = password_.data() == nullptr ? std::string_view("") : std::string_view();
    password_is_right_ = fits();
  }
  return password_is_right_ ? success() : status(wrong_password());
}

status pfx_reader::take_key(const PKCS8_PRIV_KEY_INFO* info) {
  if (keys.size() >= max_keys)
    return odd("has more than 4 private keys");
  owned<EVP_PKEY> key(info != nullptr ? EVP_PKCS82PKEY(info) : nullptr);
  ERR_clear_error();
  if (!key)
    return odd("has a private key that OpenSSL cannot read");
  keys.push_back(std::move(key));
  return success();
}

status pfx_reader::take_certificate(const PKCS12_SAFEBAG* bag) {
  const owned<X509> c(PKCS12_SAFEBAG_get1_cert(bag));
  ERR_clear_error();
  if (!c)
    return odd("has a certificate that OpenSSL cannot read");
  auto facts = read_certificate(ossl::der_of(c.get(), i2d_X509));
  if (!facts)
    return fail(facts.error().what,
                "has a certificate that cannot be used: " + facts.error().detail, file_field);
  for (const auto& known : certificates)
    if (known.der == facts->der)
      return success();
  if (certificates.size() >= max_pfx_certificates)
    return fail(problem::too_large, "has more than 8 certificates", file_field);
  certificates.push_back(std::move(*facts));
  return success();
}

status pfx_reader::take_bags(const STACK_OF(PKCS12_SAFEBAG) * bags, int depth) {
  if (depth > max_nesting)
    return damaged();
  for (int i = 0; i < sk_PKCS12_SAFEBAG_num(bags); ++i) {
    if (++bags_ > max_bags)
      return fail(problem::too_large, "has more than 64 entries", file_field);
    const auto* const bag = sk_PKCS12_SAFEBAG_value(bags, i);
    status ok = success();
    switch (PKCS12_SAFEBAG_get_nid(bag)) {
    case NID_keyBag:
      ok = take_key(PKCS12_SAFEBAG_get0_p8inf(bag));
      break;
    case NID_pkcs8ShroudedKeyBag: {
      const X509_ALGOR* encryption = nullptr;
      if (const auto* shrouded = PKCS12_SAFEBAG_get0_pkcs8(bag))
        X509_SIG_get0(shrouded, &encryption, nullptr);
      if (ok = allow(encryption); !ok)
        break;
      const owned<PKCS8_PRIV_KEY_INFO> info(PKCS12_decrypt_skey_ex(
          bag, password_octets(), static_cast<int>(password_.size()), legacy_.get(), nullptr));
      ERR_clear_error();
      if (!info)
        return password_is_right_ ? odd("has a private key under another password than the file's")
                                  : wrong_password();
      ok = take_key(info.get());
      break;
    }
    case NID_certBag:
      if (PKCS12_SAFEBAG_get_bag_nid(bag) == NID_x509Certificate)
        ok = take_certificate(bag);
      break;
    case NID_safeContentsBag:
      ok = take_bags(PKCS12_SAFEBAG_get0_safes(bag), depth + 1);
      break;
    default: // revocation lists and secrets are nothing to us
      break;
    }
    if (!ok)
      return ok;
  }
  return success();
}

status pfx_reader::take_safe(PKCS7* safe) {
  owned<STACK_OF(PKCS12_SAFEBAG)> bags;
  if (PKCS7_type_is_data(safe)) {
    bags.reset(PKCS12_unpack_p7data(safe));
  } else if (PKCS7_type_is_encrypted(safe)) {
    const auto* const content =
        safe->d.encrypted != nullptr ? safe->d.encrypted->enc_data : nullptr;
    if (content == nullptr || content->enc_data == nullptr)
      return damaged();
    if (auto ok = allow(content->algorithm); !ok)
      return ok;
    bags.reset(static_cast<STACK_OF(PKCS12_SAFEBAG)*>(PKCS12_item_decrypt_d2i_ex(
        content->algorithm, ASN1_ITEM_rptr(PKCS12_SAFEBAGS), password_octets(),
        static_cast<int>(password_.size()), content->enc_data, 1, legacy_.get(), nullptr)));
    ERR_clear_error();
    if (!bags && !password_is_right_)
      return wrong_password();
  } else {
    return odd("is encrypted for a certificate's owner; export it with a password");
  }
  ERR_clear_error();
  return bags ? take_bags(bags.get(), 0) : status(damaged());
}

status pfx_reader::read(std::string_view der, std::string_view password) {
  password_ = password;
  const auto* at = ossl::octets(der);
  const auto* const end = at + der.size();
  const owned<PKCS12> file(d2i_PKCS12(nullptr, &at, static_cast<long>(der.size())));
  ERR_clear_error();
  if (!file || at != end)
    return odd("is not a PKCS#12 (.pfx, .p12) file");
  if (auto ok = check_mac(file.get()); !ok)
    return ok;
  const owned<STACK_OF(PKCS7)> safes(PKCS12_unpack_authsafes(file.get()));
  ERR_clear_error();
  if (!safes)
    return damaged();
  for (int i = 0; i < sk_PKCS7_num(safes.get()); ++i)
    if (auto ok = take_safe(sk_PKCS7_value(safes.get(), i)); !ok)
      return ok;
  return success();
}

} // namespace outband::provisioning
