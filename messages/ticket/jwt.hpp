/// ES256 JSON Web Tokens (RFC 7515, 7518, 7519): signing and a strict verifier.
///
/// Only ES256 exists here: a header that names anything else ("none", "HS256") is refused before
/// the payload is looked at. What a payload says beyond the registered claims is the caller's:
/// claims.hpp for the tickets of the bus and of REST.
/// Context: pure but for OpenSSL's random numbers in generate() and sign(); any thread; the clock
/// is handed in. Limits: a token is at most `max_token` octets.
#pragma once

#include "messages/domain/result.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace outband::ticket {

inline constexpr std::size_t max_token = 4096;

/// A P-256 key pair. Copies share the key.
class signing_key {
public:
  static result<signing_key> generate();
  /// PKCS #8 or SEC 1 PEM, not encrypted. Anything but P-256 is refused.
  static result<signing_key> from_pem(std::string_view pem);

  std::string private_pem() const; ///< PKCS #8; a secret
  std::string public_pem() const;  ///< SubjectPublicKeyInfo; also what EMQX's JWT check reads
  const std::string& kid() const { return kid_; }

private:
  friend result<std::string> sign(std::string_view payload_json, const signing_key& key);
  std::shared_ptr<void> key_; // EVP_PKEY
  std::string kid_;
};

/// The public keys that are trusted at the moment; more than one while a key is being rotated.
class verifying_keys {
public:
  /// One or more SubjectPublicKeyInfo blocks; any other block or key type is refused.
  static result<verifying_keys> from_pem(std::string_view pem);
  static result<verifying_keys> of(const signing_key& key);
  std::size_t size() const { return keys_.size(); }

private:
  struct entry {
    std::string kid;
    std::shared_ptr<void> key; // EVP_PKEY
  };
  friend class jwt_checker;
  std::vector<entry> keys_;
};

/// Payload: a JSON object. Header: {"alg":"ES256","kid":...,"typ":"JWT"}. The kid is the first 16
/// hex digits of SHA-256 over the DER public key.
result<std::string> sign(std::string_view payload_json, const signing_key& key);

struct expectations {
  std::string issuer;   ///< `iss` must be equal
  std::string audience; ///< `aud` must be this string; an array is refused
  /// Difference of clocks that is forgiven for `nbf` and `iat`; `exp` is exact.
  std::chrono::seconds leeway{5};
};

/// The payload as JSON text after the signature, `iss`, `aud`, `exp`, `nbf` and `iat` have been
/// checked; `exp` and `iat` are required. `now_s`: seconds since 1970 UTC. Every refusal is
/// problem::unauthenticated, with the reason in `detail` and the claim in `field`.
result<std::string> verify(std::string_view token, const verifying_keys& keys,
                           const expectations& expected, std::int64_t now_s);

} // namespace outband::ticket
