/// Provisioning certificates for tests: root, intermediates, leaf, the PFX of it, and everything
/// that can be wrong with one. And the chain that AMT 19+ shows on its local TLS port.
///
/// Keys are made once for each role and size and shared by all that ask again in this process, so
/// equal options give the same root (with RSA authorities): RSA keys take long under sanitizers.
/// Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace outband::test {

enum class pki_hash { sha1, sha256, sha384 };
enum class pki_order { leaf_first, root_first, leaf_last };
enum class pfx_cipher {
  aes256, ///< PBES2, what OpenSSL 3 writes
  des3,   ///< PBE-SHA1-3DES, what Windows writes
  rc2_40, ///< certificates under PBE-SHA1-RC2-40, what old Windows and Java write
};

struct pki_options {
  std::string common_name = "provisioning.example.com";
  std::string root_name = "Outband test provisioning root";
  int intermediates = 1;
  int leaf_bits = 2048; ///< 0: P-256
  int authority_bits = 2048;
  pki_hash hash = pki_hash::sha256;      ///< of leaf and intermediates
  pki_hash root_hash = pki_hash::sha256; ///< of the root's own signature
  bool amt_usage = true;                 ///< EKU 2.16.840.1.113741.1.2.3
  bool amt_unit = false;                 ///< OU "Intel(R) Client Setup Certificate"
  std::int64_t now_s = 0;                ///< what validity counts from; 0: the clock
  std::int64_t valid_from_s = -86400;    ///< of the leaf, from now_s
  std::int64_t valid_to_s = 365 * 86400LL;
};

struct provisioning_pki {
  std::vector<std::string> chain; ///< DER: leaf, intermediates upwards, root
  std::string leaf_key_pem;       ///< PKCS #8
  std::string root_key_pem;
  std::string root_sha1, root_sha256, root_sha384; ///< lower-case hexadecimal digits
};
/// The root is valid from 2020 to 2050.
provisioning_pki make_provisioning_pki(const pki_options& options = {});

struct pfx_options {
  std::string password = "P@ssw0rd";
  pki_order order = pki_order::leaf_first;
  pfx_cipher cipher = pfx_cipher::aes256;
  int iterations = 2048;
  bool with_key = true;
  std::vector<std::size_t> leave_out; ///< positions in `chain`
  std::vector<std::string> also;      ///< further certificates, DER
  std::string other_key_pem;          ///< instead of the leaf's; empty: the leaf's
};
/// Octets of a .pfx file.
std::string make_pfx(const provisioning_pki& pki, const pfx_options& options = {});

/// DER of the certificate with other authorities: `name` signed by the root's key of `by`, for
/// cross-signing. The key is that of the root of `of`.
std::string cross_sign(const provisioning_pki& of, const provisioning_pki& by);

/// What a machine's firmware shows as TLS server before it was given a certificate of ours: EC
/// P-384, CN "AMT RCFG", a few issuers, a root in place of Intel's OnDie CA.
struct firmware_pki {
  std::vector<std::string> chain; ///< DER: leaf, issuers upwards; without the root
  std::string root;               ///< DER
  std::string leaf_key_pem;
};
firmware_pki make_firmware_pki(const std::string& leaf_name = "AMT RCFG", int issuers = 3,
                               std::int64_t now_s = 0);

/// One PEM block of a DER certificate.
std::string certificate_pem(const std::string& der);

} // namespace outband::test
