/// What each generation of the firmware demands of keys, hashes and signatures.
///
/// Sources. SHA-1: Intel support article 000090051 ("Starting from Intel ME version 15.0 firmware
/// for the H chipset, and ME 16.0 for all platforms, Intel is removing support of SHA1 root
/// certificates and RSA key sizes smaller than 2048 bits"; none of the chain may be SHA-1).
/// AMT 22: Open AMT's "ADR: Intel AMT 22 support" (deployment wiki, 2026-10-12: no SHA-256,
/// RSA-2048 or P-256; SigningAlgorithm 3 and a SHA-384 nonce signature), deployment#605 (SHA-384
/// and RSA-3072), and what rps measured for it (src/utils/amtCertificatePolicy.ts of its
/// development line, autumn 2026): SigningAlgorithm 3 is answered with 3 by AMT 20.0.5, with 0
/// by 21.0.6 and 22.0.0; SigningAlgorithm 2 fails on 22.0.0. rps 2.40 always sends 2 (rps#2538).
/// GenerateKeyPair knows RSA-2048 and ECC-384 only; RSA-3072 is answered with 2066. Context: pure,
/// any thread.
#pragma once

#include "messages/provisioning/certificate.hpp"

#include <string>
#include <string_view>

namespace outband::provisioning {

struct firmware_policy {
  int major = 0;                ///< of the AMT version; 0: unknown, judged as an old one
  bool refuses_sha1 = false;    ///< anywhere in the provisioning chain
  bool needs_sha384 = false;    ///< everywhere in the provisioning chain
  bool verifies_sha384 = false; ///< a nonce signature with SigningAlgorithm 3
  int smallest_rsa = 2048;      ///< bits, of the provisioning chain's keys
  hash_kind tls_leaf_hash = hash_kind::sha256; ///< to sign the machine's TLS certificate with
  /// For AMT_PublicKeyManagementService.GenerateKeyPair.
  int key_algorithm = 0; ///< 0 RSA, 1 ECC
  int key_length = 2048; ///< bits
};

/// `version` as the machine tells it, "16.1.27.2192". By the version alone: updates may bring the
/// hardening to older machines, but what tells of it (the MEI answer IsChangeToAMTEnabled) stays
/// with rpc, which sends one bit of that octet, `tlsEnforced` (rpc-go internal/rps/message.go).
/// Such a machine refuses the chain itself, and that is told as its answer.
firmware_policy policy_for(std::string_view version);

/// The number before the first dot; 0 if there is none, or it is not from 1 to 99.
int major_version(std::string_view version);

} // namespace outband::provisioning
