/// The proof that we own the provisioning certificate: a signature over two nonces, in AdminSetup
/// and UpgradeClientToAdmin of IPS_HostBasedSetupService.
///
/// base64(RSASSA-PKCS1-v1_5(firmware's nonce || our nonce)), 20 octets each (rps
/// src/stateMachines/activation.ts, createSignedString). Whoever claims to be a machine chooses
/// the first half; both lengths are fixed and the second half is ours and random, so that nothing
/// else that such a signature could pass for can be had from this server.
/// Context: pure, any thread; one signature takes 1 to 5 ms.
#pragma once

#include "messages/provisioning/firmware_policy.hpp"
#include "messages/provisioning/pfx.hpp"

#include <string>
#include <string_view>

namespace outband::provisioning {

inline constexpr std::size_t nonce_octets = 20;

/// Hash and SigningAlgorithm go together: the firmware computes the one that the other names.
struct signing_choice {
  hash_kind hash = hash_kind::sha256;
  int algorithm = 2; ///< SigningAlgorithm: 2 RSA with SHA-256, 3 RSA with SHA-384
};
/// SHA-384 where the firmware can verify it and the certificate is signed with it, or where the
/// firmware takes nothing else; else SHA-256.
signing_choice choose_signing(const certificate& leaf, const firmware_policy& policy);

/// DigitalSignature. `firmware_nonce` is ConfigurationNonce as it came, base64 of 20 octets;
/// `our_nonce` 20 random octets, sent as base64 in McNonce. problem::device_protocol: the
/// firmware's nonce is of another length.
result<std::string> sign_nonces(const private_key& key, std::string_view firmware_nonce,
                                std::string_view our_nonce, const signing_choice& choice);

/// What the firmware does with it: `algorithm`, both nonces and the signature as they were sent.
/// Nonces are octets, the signature is base64. problem::unauthenticated: it does not fit.
status verify_nonces(const certificate& leaf, std::string_view firmware_nonce,
                     std::string_view our_nonce, int algorithm, std::string_view signature);

} // namespace outband::provisioning
