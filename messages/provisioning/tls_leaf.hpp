/// The TLS server certificate of a machine: its own public key, signed by this site.
///
/// Form: rps src/certManager.ts (amtCertSignWithCAKey): CN "AMT-<host name or GUID>", O and ST
/// "None", 16 octets of serial number, EKU serverAuth, valid as long as the root but a minute at
/// each end, because the machine's clock may be anywhere. RPS's C "None" is left out: a country has
/// two letters. Keys: RSA-2048 of GenerateKeyPair, P-384 on AMT 22.
/// Context: pure, any thread.
#pragma once

#include "messages/provisioning/certificate.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace outband::provisioning {

/// The site's certificate authority with its key. Copies share the key, nobody reads it out.
class issuing_authority {
public:
  /// One certificate and its private key, PEM, not encrypted.
  static result<issuing_authority> from_pem(std::string_view certificate_pem,
                                            std::string_view key_pem);
  const certificate& root() const { return root_; }
  /// One line of base64, as AddTrustedRootCertificate and CIRA configurations want it.
  std::string root_base64() const;

private:
  friend result<certificate> issue_tls_leaf(const issuing_authority& by, std::string_view key,
                                            const struct tls_leaf_request& what);
  issuing_authority(certificate root, std::shared_ptr<void> key)
      : root_(std::move(root)), key_(std::move(key)) {}
  certificate root_;
  std::shared_ptr<void> key_; // EVP_PKEY
};

inline constexpr std::size_t serial_octets = 16;

struct tls_leaf_request {
  std::string common_name;            ///< 1 to 64 octets, no control characters
  std::string serial;                 ///< serial_octets random octets, others for each leaf
  hash_kind hash = hash_kind::sha256; ///< or SHA-384: firmware_policy::tls_leaf_hash
  /// Both are cut to the root's validity; 0: as long as the root.
  time_ms not_before = 0, not_after = 0;
};

/// `key`: the machine's DERKey (AMT_PublicPrivateKeyPair), base64 of an RSAPublicKey (PKCS#1) or of
/// a SubjectPublicKeyInfo. problem::device_protocol: it is neither, or not RSA of 2048 to 4096 bits
/// nor P-384.
result<certificate> issue_tls_leaf(const issuing_authority& by, std::string_view key,
                                   const tls_leaf_request& what);

} // namespace outband::provisioning
