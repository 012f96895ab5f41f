/// AES-256-GCM with associated data, as the built-in secret store uses it.
///
/// Sealed form: 12 octets nonce, ciphertext, 16 octets tag (NIST SP 800-38D). The nonce is random:
/// with one key, safe far beyond the number of passwords a fleet will ever store (2^32 messages).
/// Context: pure apart from the system's random generator; any thread.
/// Limits: at most `max_secret` octets of text.
#pragma once

#include "messages/domain/result.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace outband::secrets {

inline constexpr std::size_t key_octets = 32;
inline constexpr std::size_t nonce_octets = 12;
inline constexpr std::size_t tag_octets = 16;
inline constexpr std::size_t max_secret = 98'304; ///< a provisioning certificate with its chain

/// 32 octets that wipe themselves. Copies are as secret as the original.
class aes_key {
public:
  explicit aes_key(const std::array<std::uint8_t, key_octets>& octets);
  aes_key(const aes_key&) = default;
  aes_key& operator=(const aes_key&) = default;
  ~aes_key();

  const std::uint8_t* data() const { return octets_.data(); }
  /// 16 hex digits that tell keys apart and say nothing about them; kept with every sealed row.
  std::string id() const;

private:
  std::array<std::uint8_t, key_octets> octets_;
};

/// `internal` when OpenSSL refuses, `too_large` above the limit.
result<std::string> seal(const aes_key& key, std::string_view text, std::string_view associated);

/// `malformed` when it is too short to be a sealed value, `internal` when it was sealed with
/// another key or for another place, or was changed: GCM cannot tell which.
result<std::string> unseal(const aes_key& key, std::string_view sealed,
                           std::string_view associated);

/// For published vectors: the nonce is given. Never call it twice with one nonce.
result<std::string> seal_with_nonce(const aes_key& key, std::string_view nonce,
                                    std::string_view text, std::string_view associated);

} // namespace outband::secrets
