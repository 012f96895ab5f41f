#include "messages/provisioning/nonce_signature.hpp"

#include "messages/amt/base64.hpp"
#include "messages/provisioning/openssl_raii.hpp"

#include <openssl/err.h>

namespace outband::provisioning {

signing_choice choose_signing(const certificate& leaf, const firmware_policy& policy) {
  const bool longer =
      policy.verifies_sha384 && (leaf.signed_with == hash_kind::sha384 || policy.needs_sha384);
  return longer ? signing_choice{hash_kind::sha384, 3} : signing_choice{};
}

result<std::string> sign_nonces(const private_key& key, std::string_view firmware_nonce,
                                std::string_view our_nonce, const signing_choice& choice) {
  // The length of the text first: it comes from outside.
  const auto theirs = firmware_nonce.size() <= 64 ? amt::base64_decode(firmware_nonce)
                                                  : std::optional<std::string>{};
  if (!theirs || theirs->size() != nonce_octets)
    return fail(problem::device_protocol, "must be base64 of exactly 20 octets",
                "ConfigurationNonce");
  if (our_nonce.size() != nonce_octets)
    return fail(problem::internal, "must have exactly 20 octets", "McNonce");
  const auto signature = key.sign(*theirs + std::string(our_nonce), choice.hash);
  if (signature.empty())
    return fail(problem::internal, "OpenSSL makes no signature with the provisioning key");
  return amt::base64_encode(signature);
}

status verify_nonces(const certificate& leaf, std::string_view firmware_nonce,
                     std::string_view our_nonce, int algorithm, std::string_view signature) {
  const auto refuse = [](const char* why, const char* field) {
    return fail(problem::unauthenticated, why, field);
  };
  if (firmware_nonce.size() != nonce_octets || our_nonce.size() != nonce_octets)
    return refuse("must have exactly 20 octets", "McNonce");
  const auto* const digest = algorithm == 2   ? EVP_sha256()
                             : algorithm == 3 ? EVP_sha384()
                                              : nullptr;
  if (digest == nullptr)
    return refuse("is neither 2 (RSA with SHA-256) nor 3 (RSA with SHA-384)", "SigningAlgorithm");
  const auto octets =
      signature.size() <= 2048 ? amt::base64_decode(signature) : std::optional<std::string>{};
  const auto x = ossl::parse_der(leaf.der);
  auto* const key = x ? X509_get0_pubkey(x.get()) : nullptr;
  if (key == nullptr || EVP_PKEY_is_a(key, "RSA") != 1)
    return refuse("is not of an RSA key", "NextCertificate");
  const std::string data = std::string(firmware_nonce) + std::string(our_nonce);
  const ossl::owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  const bool fits = octets && context &&
                    EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key) == 1 &&
                    EVP_DigestVerify(context.get(), ossl::octets(*octets), octets->size(),
                                     ossl::octets(data), data.size()) == 1;
  ERR_clear_error();
  return fits ? success() : status(refuse("does not fit", "DigitalSignature"));
}

} // namespace outband::provisioning
