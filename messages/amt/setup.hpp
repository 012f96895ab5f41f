/// Making a machine ours and letting it go: host based setup, control modes, passwords.
///
/// Each function is a step of the activation and is run alone (wsman/conversation.hpp), for between
/// them stands what no firmware can tell: a signature, a time-out, a password stored first.
/// Setup, AdminSetup and UpgradeClientToAdmin are asked once and never again: firmware that did
/// what was asked often drops the connection without an answer. Then read_control_mode() tells.
///
/// Failures: `field` names the input at fault where it is one ("password", "certificateChain",
/// "signature"). problem::transition_refused: the machine is not in the state that this needs;
/// busy: later it may do it; device_refused: what is in `detail`.
/// Source: RPS src/stateMachines/activation.ts and deactivation.ts; ReturnValues of
/// go-wsman-messages pkg/wsman/ips/hostbasedsetup and pkg/wsman/amt/setupandconfiguration. Context:
/// pure, see wsman/talk.hpp.
#pragma once

#include "messages/wsman/talk.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace outband::amt {

enum class control_mode : std::uint8_t { pre_provisioning = 0, client = 1, admin = 2 };
/// "pre-provisioning", "client control mode", "admin control mode"
std::string_view to_string(control_mode m);

enum class chain_status : std::uint8_t { not_started = 0, in_progress = 1, complete = 2 };

inline constexpr std::size_t nonce_size = 20; ///< octets, the firmware's and ours

/// IPS_HostBasedSetupService.
struct host_setup {
  control_mode mode = control_mode::pre_provisioning;
  std::vector<control_mode> allowed; ///< that it could be brought into
  chain_status chain = chain_status::not_started;
  /// The firmware's nonce, nonce_size octets; it may be empty only in admin control mode. Another
  /// one each time it is used, so it is read anew for each signature.
  std::string nonce;

  bool allows(control_mode m) const;
};
result<host_setup> read_host_setup(wsman::talk& t);
/// Only the mode: what became of a request whose answer was lost.
result<control_mode> read_control_mode(wsman::talk& t);

/// AMT_GeneralSettings.DigestRealm, "Digest:" and 32 hexadecimal digits; anything else would make
/// us set a password that nobody can log in with, and is problem::device_protocol.
result<std::string> read_realm(wsman::talk& t);

/// The admin account's HA1, md5(user:realm:password), in the two spellings that firmware wants:
/// Setup and AdminSetup 32 lower-case hexadecimal digits, SetAdminAclEntryEx base64 of 16 octets.
/// Empty if MD5 is refused to us (FIPS mode).
std::string admin_ha1(std::string_view realm, std::string_view user, std::string_view password);
std::string admin_ha1_base64(std::string_view realm, std::string_view user,
                             std::string_view password);

/// Setup, as the local account: client control mode.
status setup_client_mode(wsman::talk& t, const std::string& ha1_hex);

/// AddNextCertInChain for each, base64 of DER: the leaf first, the root last.
/// Refused with field "certificateChain"; the detail tells which of them and why.
status add_certificate_chain(wsman::talk& t, const std::vector<std::string>& chain);

/// Proof that the activation was ordered by who owns the leaf's key. `signature` is that of
/// RSASSA-PKCS1-v1_5 over the firmware's nonce and then ours; with which hash, the generation of
/// the firmware decides (messages/provisioning/nonce_signature.hpp).
struct setup_proof {
  std::string our_nonce; ///< nonce_size random octets
  std::string signature; ///< octets
  int algorithm = 2;     ///< SigningAlgorithm: 2 SHA-256, 3 SHA-384
};
/// AdminSetup, as the local account: admin control mode at once.
status admin_setup(wsman::talk& t, const std::string& ha1_hex, const setup_proof& proof);
/// UpgradeClientToAdmin, as admin: from client to admin control mode; the password stays.
status upgrade_to_admin(wsman::talk& t, const setup_proof& proof);

/// SetAdminAclEntryEx: another password for the admin account; it holds from the next request on.
status set_admin_password(wsman::talk& t, const std::string& user, const std::string& ha1_base64);
/// Of the management BIOS extension; admin control mode only.
status set_mebx_password(wsman::talk& t, const std::string& password);

/// problem::transition_refused: something that must be there first is missing (2057): the MEBx
/// password where it was never changed, or the certificate where TLS is on.
/// The firmware's web server may restart afterwards, up to half a minute.
status commit_changes(wsman::talk& t);

/// All settings, accounts and certificates are gone; so are root hashes added by hand and the PKI
/// DNS suffix. The MEBx password stays. Firmware may close the connection without an answer.
status unprovision(wsman::talk& t);
/// As unprovision(), but hashes and suffix stay. Admin control mode only.
status partial_unprovision(wsman::talk& t);

} // namespace outband::amt
