/// What one X.509 certificate says, as far as activation is concerned.
///
/// Source of the marks of a provisioning certificate: docs of Open AMT, "Remote Provisioning
/// Certificates"; rps src/routes/admin/domains/domain.ts.
/// Context: pure, any thread. Limits: 16 KiB of DER; names are cut for people to read.
#pragma once

#include "messages/domain/ids.hpp"
#include "messages/domain/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace outband::provisioning {

inline constexpr std::size_t max_certificate = 16 * 1024; ///< octets of DER

enum class hash_kind : std::uint8_t { other, md5, sha1, sha256, sha384, sha512 };
std::string_view to_string(hash_kind h); ///< "SHA-256"

/// Lower-case hexadecimal digits of the digest over the DER: 40, 64 and 96.
struct fingerprints {
  std::string sha1;
  std::string sha256;
  std::string sha384;
};
fingerprints fingerprints_of(std::string_view der);

struct certificate {
  std::string der;
  std::string subject;     ///< for people, at most 256 octets: "CN=a.example.com,O=Example"
  std::string issuer;      ///< likewise
  std::string common_name; ///< UTF-8, the last one if there are several; empty if none
  time_ms not_before = 0;
  time_ms not_after = 0;
  bool rsa = false;
  int key_bits = 0;
  hash_kind signed_with = hash_kind::other;
  bool self_signed = false;      ///< issuer = subject, and the signature fits its own key
  bool authority = false;        ///< may sign certificates
  bool amt_provisioning = false; ///< EKU 2.16.840.1.113741.1.2.3, or OU "Intel(R) Client Setup
                                 ///< Certificate"
  fingerprints prints;
};

/// DER, base64 of DER, or PEM (the first certificate). problem::malformed says what it must be.
result<certificate> read_certificate(std::string_view text);

/// Whether `child` names `parent` as its issuer and parent's key made its signature.
bool issued_by(const certificate& child, const certificate& parent);

} // namespace outband::provisioning
