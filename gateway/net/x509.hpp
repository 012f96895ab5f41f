/// Keys and certificates as PEM text: making, signing, reading, checking. Knows no files.
///
/// Context: any thread. Making an RSA key takes 50 to 500 ms: not for an I/O thread.
/// Limits: a common name of 1 to 64 octets (RFC 5280 ub-common-name).
#pragma once

#include "messages/domain/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace outband::net {

enum class key_kind : std::uint8_t { rsa2048, rsa3072, p256 };
/// PKCS #8, unencrypted.
result<std::string> make_key(key_kind kind);

struct certificate_spec {
  enum class usage : std::uint8_t {
    authority,
    server,      ///< EKU serverAuth
    cira_server, ///< server, and the Netscape type "server", as MPS issues it
    client,      ///< EKU clientAuth
  };
  std::string common_name;
  std::vector<std::string> alt_names; ///< host names and addresses; they become SAN entries
  usage what = usage::server;
  std::int64_t not_before = 0; ///< seconds since 1970
  std::int64_t not_after = 0;
};

struct issuer {
  std::string certificate_pem;
  std::string key_pem;
};

/// Signed by itself. RSA keys sign with SHA-384, EC keys with SHA-256.
result<std::string> make_self_signed(const certificate_spec& spec, const std::string& key_pem);
/// `key_pem` is the subject's private key; only its public half is used.
result<std::string> make_certificate(const certificate_spec& spec, const std::string& key_pem,
                                     const issuer& by);
/// The public key and nothing else is taken from the request, whose signature must be right. Its
/// key must be P-256, P-384 or RSA of 2048 to 4096 bits.
result<std::string> sign_request(const certificate_spec& spec, const std::string& request_pem,
                                 const issuer& by);
/// A certificate signing request; what an agent makes.
result<std::string> make_request(const std::string& common_name, const std::string& key_pem);

struct certificate_facts {
  std::string common_name;
  std::vector<std::string> alt_names; ///< DNS names and addresses, as written
  std::int64_t not_before = 0;        ///< seconds since 1970
  std::int64_t not_after = 0;
  int key_bits = 0;
  bool self_signed = false;
  std::string sha256; ///< of the DER, lower-case hex
};
/// The first certificate of `pem`.
result<certificate_facts> read_certificate(const std::string& pem);
/// Every certificate of `pem`, each as PEM.
std::vector<std::string> split_pem(const std::string& pem);

/// Whether the key belongs to the first certificate.
status check_pair(const std::string& certificate_pem, const std::string& key_pem);
/// Whether `chain_pem` (our certificate first) leads to a certificate of `roots_pem` and all are
/// valid at `now`.
status check_chain(const std::string& chain_pem, const std::string& roots_pem, std::int64_t now);

} // namespace outband::net
