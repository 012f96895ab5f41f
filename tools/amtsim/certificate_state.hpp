/// The certificate store of a machine: certificates and RSA key pairs, by handle.
///
/// Handles are the lowest free number from 0, for certificates and for keys. A certificate belongs
/// to a key pair when it carries its public key. Context: pure but for generate_key(), whose
/// randomness is OpenSSL's. Limits: 16 certificates of 8 KiB, 16 keys of 4096 bits.
#pragma once

#include "messages/wsman/envelope.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace outband::amtsim {

class device_model;

struct certificate {
  std::uint32_t handle = 0;
  bool trusted_root = false;
  std::string der;
  std::string subject; ///< "C=unknown,O=unknown,CN=MPSRoot-0af1d5"
  std::string issuer;
  std::string serial;     ///< octets
  std::string public_key; ///< as key_pair's; empty for another kind of key
};

/// RSA, or P-384 (AMT 22).
struct key_pair {
  std::uint32_t handle = 0;
  std::string private_key; ///< DER: PKCS#1; of a curve SEC 1
  std::string public_key;  ///< DER: PKCS#1; of a curve SubjectPublicKeyInfo
};

struct certificate_state {
  std::vector<certificate> certificates; ///< by handle
  std::vector<key_pair> keys;            ///< by handle
};

inline constexpr std::size_t max_certificates = 16;
inline constexpr std::size_t max_keys = 16;
inline constexpr std::size_t max_certificate_octets = 8192;

// -- OpenSSL (certificate_store.cpp) --------------------------------------------------------------

/// nullopt: it is not exactly one X.509 certificate.
std::optional<certificate> read_certificate(std::string_view der);
/// nullopt: it is not exactly one RSA key in PKCS#1, of 1024 to 4096 bits, or its parts do not fit.
std::optional<key_pair> read_key(std::string_view pkcs1);
/// bits: 1024, 2048, 3072 or 4096; takes some 100 ms.
std::optional<key_pair> generate_key(std::uint32_t bits);
/// From flash: what generate_key() and generate_curve_key() made, or what was read before.
std::optional<key_pair> read_own_key(std::string_view der);
/// On P-384.
std::optional<key_pair> generate_curve_key();
enum class request_problem : std::uint8_t { malformed, other_key };
/// A PKCS#10 request signed with the key, from one whose signature is of no use.
std::optional<std::string> sign_request(const key_pair& key, std::string_view null_signed,
                                        bool sha256, request_problem& why);

// -- what other topics ask ------------------------------------------------------------------------

/// "Intel(r) AMT Certificate: Handle: 3"
std::string certificate_id(std::uint32_t handle);
wsman::endpoint certificate_endpoint(std::uint32_t handle);
/// The certificate that a reference means; nullptr if there is none such.
const certificate* find_certificate(const device_model& device, const wsman::endpoint& to);
const certificate* find_certificate(const device_model& device, std::uint32_t handle);
/// Does the machine have the private key to it?
bool has_key(const device_model& device, const certificate& c);

} // namespace outband::amtsim
