/// A tenant's provisioning certificate: PKCS#12 with an RSA key and its chain to a root.
///
/// The peers take the first certificate of the file for the leaf and the last key for its key
/// (rps src/certManager.ts, rpc internal/commands/activate/local.go); files of Windows and of some
/// authorities are in another order. Here the leaf is the certificate of the private key, and
/// the rest is put in order by names and signatures.
/// Context: pure, any thread; opening takes up to a second when the file asks for many iterations,
/// so not on an I/O thread. Limits: 64 KiB, 8 certificates, 4 keys, 1,000,000 iterations a
/// derivation and 3,000,000 a file. RC2 and RC4 need OpenSSL's legacy provider, which is loaded
/// into a library context of its own for that one file.
#pragma once

#include "messages/domain/result.hpp"
#include "messages/provisioning/certificate.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace outband::provisioning {

inline constexpr std::size_t max_pfx = 64 * 1024; ///< octets, before base64
inline constexpr std::size_t max_pfx_certificates = 8;
inline constexpr std::size_t max_pfx_password = 64; ///< octets, as RPS

/// An RSA private key that nobody can read out. Copies share it; OpenSSL wipes it with the last.
class private_key {
public:
  int bits() const;
  /// Whether the certificate is this key's.
  bool belongs_to(const certificate& c) const;
  /// PKCS#1 v1.5 over the hash of `data`; empty if OpenSSL refuses.
  std::string sign(std::string_view data, hash_kind hash) const;

private:
  friend class pfx_reader;
  explicit private_key(std::shared_ptr<void> key) : key_(std::move(key)) {}
  std::shared_ptr<void> key_; // EVP_PKEY
};

struct provisioning_certificate {
  private_key key;
  /// Every way from the leaf upwards, leaf first. Those that reach a root come first, shorter ones
  /// before longer ones; cross-signed intermediates make more than one. Never empty.
  std::vector<std::vector<certificate>> chains;
  std::vector<certificate> unrelated; ///< in the file, in no chain
  bool leaf_was_first = true;         ///< as the peers expect it

  const certificate& leaf() const { return chains.front().front(); }
  /// The chain to send to a machine that trusts these roots (hexadecimal digits of SHA-1, SHA-256
  /// or SHA-384, either case): the first whose root is among them, else the first.
  const std::vector<certificate>& chain_for(const std::vector<std::string>& trusted_roots) const;
};

/// The octets of a .pfx file. `field` of a failure is "provisioningCert" or
/// "provisioningCertPassword", as in RPS's body.
result<provisioning_certificate> open_pfx(std::string_view der, std::string_view password);
/// The same from base64, as RPS's body and store have it.
result<provisioning_certificate> open_pfx_base64(std::string_view text, std::string_view password);

/// Whether one of `trusted_roots` is a digest of this certificate.
bool is_among(const fingerprints& root, const std::vector<std::string>& trusted_roots);

} // namespace outband::provisioning
