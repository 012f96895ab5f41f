/// TLS of the firmware's own web server, step by step: what is between two steps is not the
/// firmware's (a leaf is signed) or takes time (its web server restarts).
///
///   prepare_tls()      trusted root, key pair; gives the public key
///   ... make and sign the leaf with that public key ...
///   sync_time()        maintenance.hpp: the firmware checks the leaf's dates
///   install_tls_certificate()
///   enable_tls()       network, then local interface, then CommitChanges; connections break then
///
/// Source: RPS src/stateMachines/tls.ts and unconfiguration.ts; settings are matched by InstanceID
/// where RPS trusts in their order. Context: pure, see wsman/talk.hpp.
#pragma once

#include "messages/wsman/talk.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace outband::amt {

/// As profiles number it (`tlsMode`).
enum class tls_mode : std::uint8_t {
  server = 1,
  server_and_plain = 2,
  mutual = 3,
  mutual_and_plain = 4,
};
constexpr bool is_mutual(tls_mode m) {
  return m == tls_mode::mutual || m == tls_mode::mutual_and_plain;
}
constexpr bool allows_plain(tls_mode m) {
  return m == tls_mode::server_and_plain || m == tls_mode::mutual_and_plain;
}

/// Parameters of GenerateKeyPair; which of them a generation of firmware wants is told by
/// messages/provisioning/firmware_policy.hpp.
struct key_kind {
  int algorithm = 0; ///< 0 RSA, 1 ECC
  int length = 2048; ///< bits
};
/// What a leaf is made for.
struct tls_key {
  std::string root; ///< handle of the trusted root
  bool root_was_there = false;
  std::string key;        ///< handle of the key pair, which never leaves the firmware
  std::string public_key; ///< base64, as the firmware lists it (DERKey): PKCS#1 of RSA keys
};
/// `root_certificate` (PEM or base64 of DER) is that of the leaf's issuer. The key is always a new
/// one: of one that is there already nobody knows who else holds it.
result<tls_key> prepare_tls(wsman::talk& t, const std::string& root_certificate,
                            key_kind kind = {});

/// GeneratePKCS10RequestEx: `unsigned_request` (base64 of a PKCS#10 request) signed with that key,
/// for an authority that wants a request.
result<std::string> sign_request(wsman::talk& t, const std::string& key_handle,
                                 const std::string& unsigned_request);

/// AddCertificate, then makes it the one that the web server shows. Gives its handle.
result<std::string> install_tls_certificate(wsman::talk& t, const std::string& leaf);

/// What came of a mode on this firmware.
struct applied_tls {
  bool plain = false; ///< still accepts connections without TLS from the network
  bool mutual = false;
};
/// Settings of the network interface; nothing takes effect before commit_changes() (setup.hpp).
/// From CSME 16.1 on firmware may refuse plain connections for good: then `plain` is as it is.
/// `trusted_names`: of the clients, where authentication is mutual.
result<applied_tls> put_network_tls(wsman::talk& t, tls_mode mode,
                                    const std::vector<std::string>& trusted_names = {});
/// Settings of the local interface (LMS): on. Nothing where the firmware has no such setting.
status put_local_tls(wsman::talk& t);
/// The three in one conversation, for who need not wait between them.
result<applied_tls> enable_tls(wsman::talk& t, tls_mode mode,
                               const std::vector<std::string>& trusted_names = {});

enum class tls_off : std::uint8_t {
  was_off,
  done, ///< committed: connections break now
  kept, ///< this firmware does not let go of TLS
};
result<tls_off> disable_tls(wsman::talk& t);

} // namespace outband::amt
