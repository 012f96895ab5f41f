/// 802.1x: what proves a machine to a network, wired or wireless.
///
/// Source: RPS src/stateMachines/wiredNetworkConfiguration.ts, MPS
/// src/routes/amt/networkSettings/wirelessProfileHelper.ts. Context: pure, see wsman/talk.hpp.
#pragma once

#include "messages/wsman/talk.hpp"

#include <cstdint>
#include <string>

namespace outband::amt {

/// AuthenticationProtocol; those that are provisioned.
enum class eap : std::uint32_t { tls = 0, peap_mschapv2 = 2 };

/// What the firmware must hold, as x509.hpp reads it; each may be empty.
struct ieee8021x_credentials {
  std::string client_certificate, private_key, ca_certificate;
};
struct ieee8021x_handles {
  std::string client, ca; ///< empty: none was given
};
/// Certificates and keys that the firmware holds already are not added again.
result<ieee8021x_handles> provide_credentials(wsman::talk& t, const ieee8021x_credentials& what);

/// Beside user name and password; each may be empty.
struct ieee8021x_identity {
  std::string domain, roaming_identity;
  std::string server_name; ///< full, as the authentication server's certificate has it
};
/// ServerCertificateNameComparison: DMTF CIM_IEEE8021xSettings 2.22, which both of the firmware's
/// classes are. (AMT_8021XProfile counts from 0.)
inline constexpr std::uint32_t server_name_in_full = 2;

struct wired_8021x_settings {
  std::string profile; ///< its name, added to the settings' own
  eap protocol = eap::peap_mschapv2;
  std::string user;
  std::string password;                ///< PEAP only
  std::uint32_t pxe_timeout_s = 120;   ///< how long the BIOS may boot from the network meanwhile
  ieee8021x_credentials credentials{}; ///< PEAP: the authority only
  ieee8021x_identity identity{};
};
/// Switches 802.1x of the wired port on. problem::unsupported where the firmware has none.
/// PEAP: with an authority it becomes a trusted root, among which the firmware finds the server's;
/// without one, "enabled without certificates".
result<ieee8021x_handles> configure_wired_8021x(wsman::talk& t, const wired_8021x_settings& what);
/// Off, and without user and password. Was it on?
result<bool> disable_wired_8021x(wsman::talk& t);

} // namespace outband::amt
