/// Certificates and keys that the firmware holds, and what it uses them for.
///
/// Source: MPS src/amt/DeviceAction.ts (getCertificates, addCertificate, removeCertificate),
/// src/routes/amt/certificates/. Context: pure, see wsman/talk.hpp.
#pragma once

#include "messages/amt/x509.hpp"
#include "messages/wsman/talk.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace outband::amt {

/// AMT_PublicKeyCertificate.
struct certificate {
  std::string element_name;
  std::string instance_id; ///< "Intel(r) AMT Certificate: Handle: 1", the handle
  std::string issuer, subject;
  std::string x509; ///< base64 of DER
  bool trusted_root = false;
  std::optional<bool> read_only;
};
/// AMT_PublicPrivateKeyPair.
struct key_pair {
  std::string element_name;
  std::string instance_id;
  std::string der_key; ///< base64 of the PKCS#1 public key
};
enum class certificate_use { tls, wireless, wired };
/// "TLS", "Wireless", "Wired"
std::string_view to_string(certificate_use use);

/// CIM_CredentialContext: who uses a certificate.
struct credential_context {
  certificate_use use = certificate_use::tls;
  std::string certificate; ///< its handle
  std::string profile;     ///< name of the 802.1x profile; of TLS the collection
};
/// CIM_ConcreteDependency between a certificate and its key.
struct key_of_certificate {
  std::string certificate, key; ///< handles
};

struct certificate_store {
  std::vector<certificate> certificates;
  std::vector<key_pair> keys;
  std::vector<credential_context> contexts;
  std::vector<key_of_certificate> pairs;
};
result<certificate_store> get_certificate_store(wsman::talk& t);
result<std::vector<certificate>> get_certificates(wsman::talk& t);
result<std::vector<key_pair>> get_keys(wsman::talk& t);

/// Gives the handle; the present one if the firmware holds the certificate already.
result<std::string> add_certificate(wsman::talk& t, const std::string& der_base64, bool trusted);
struct provided_certificate {
  std::string handle;
  bool was_there = false;
};
/// As add_certificate(), but looks first: some firmware takes the same one twice.
result<provided_certificate> provide_certificate(wsman::talk& t, const std::string& der_base64,
                                                 bool trusted);
/// A key that the firmware holds already is success too.
status add_private_key(wsman::talk& t, const std::string& pkcs1_base64);
/// problem::not_found, malformed if it is read-only, transition_refused while something uses it.
status remove_certificate(wsman::talk& t, const std::string& handle);

/// "CN=MPSRoot-0af1d5" of a subject, without "CN="; `otherwise` if there is none.
std::string common_name(std::string_view subject, std::string_view otherwise);
/// "Wireless - corp"
std::string in_words(const credential_context& use);

} // namespace outband::amt
