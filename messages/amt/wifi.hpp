/// Wi-Fi of the firmware: radio state, synchronisation with the host, profiles.
///
/// Source: MPS src/routes/amt/networkSettings/{helper,wirelessProfileHelper}.ts and
/// set/get*Wireless*.ts. Context: pure, see wsman/talk.hpp. Limits: eight profiles.
#pragma once

#include "messages/wsman/talk.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace outband::amt {

/// CIM_WiFiPort.EnabledState.
enum class wifi_state : std::uint32_t { disabled = 3, s0 = 32768, s0_sx_ac = 32769 };
enum class authentication : std::uint32_t {
  other = 1,
  open_system = 2,
  shared_key = 3,
  wpa_psk = 4,
  wpa_8021x = 5,
  wpa2_psk = 6,
  wpa2_8021x = 7,
  wpa3_sae = 32768,
  wpa3_owe = 32769,
};
enum class encryption : std::uint32_t { other = 1, wep = 2, tkip = 3, ccmp = 4, none = 5 };
enum class bss_type : std::uint32_t { unknown = 0, independent = 2, infrastructure = 3 };

/// "WifiEnabledS0SxAC", "WPA2PSK", "CCMP", "Infrastructure"; empty outside the enumeration.
std::string_view to_string(wifi_state s);
std::string_view to_string(authentication a);
std::string_view to_string(encryption e);
std::string_view to_string(bss_type b);
/// In any case of letters.
std::optional<wifi_state> parse_wifi_state(std::string_view word);
std::optional<authentication> parse_authentication(std::string_view word);
std::optional<encryption> parse_encryption(std::string_view word);

/// problem::not_found if the machine has no wireless port.
result<wifi_state> get_wifi_state(wsman::talk& t);
/// Asks for nothing where it is so already.
status set_wifi_state(wsman::talk& t, wifi_state wanted);

/// Does the firmware take the host's profiles over, and does it share its own with UEFI?
struct profile_sync {
  bool local = false;
  bool uefi = false;
  bool uefi_supported = false;
};
result<profile_sync> get_profile_sync(wsman::talk& t);
/// nullopt: as it is. problem::transition_refused for UEFI where the machine cannot.
result<profile_sync> set_profile_sync(wsman::talk& t, std::optional<bool> local,
                                      std::optional<bool> uefi);

/// AMT_WiFiPortConfigurationService.
struct wifi_service {
  std::uint32_t requested_state = 0, enabled_state = 0, health_state = 0;
  std::string element_name, system_creation_class_name, system_name, creation_class_name, name;
  std::uint32_t local_sync = 0; ///< 0 off, 1 local user's, 3 unrestricted
  std::string last_ssid;
  std::uint32_t no_host_software_policy = 0;
  bool uefi_share = false;
};
/// What this firmware refuses to tell is left empty.
result<wifi_service> get_wifi_service(wsman::talk& t);

/// CIM_WiFiEndpointSettings.
struct wifi_network {
  std::string name; ///< ElementName
  std::string instance_id;
  std::string ssid;
  std::optional<authentication> auth;
  std::optional<encryption> cipher;
  std::uint32_t priority = 0;
  std::optional<bss_type> bss;
};
/// Without those that the machine's user made. Empty where the machine has no Wi-Fi.
result<std::vector<wifi_network>> get_wifi_networks(wsman::talk& t);

/// CIM_IEEE8021xSettings, without its secrets.
struct wifi_8021x {
  std::string name; ///< ElementName
  std::string instance_id;
  std::uint32_t protocol = 0; ///< 0 EAP-TLS, 2 PEAPv0/EAP-MSCHAPv2
  std::string roaming_identity, server_certificate_name;
  std::uint32_t name_comparison = 0;
  std::string user, domain;
};
result<std::vector<wifi_8021x>> get_wifi_8021x(wsman::talk& t);

struct wifi_profile {
  wifi_network network;
  std::optional<wifi_8021x> ieee8021x;
};
result<std::vector<wifi_profile>> get_wifi_profiles(wsman::talk& t);

/// What a profile is to become.
struct wifi_profile_request {
  std::string name; ///< letters and digits
  std::string ssid;
  std::uint32_t priority = 0; ///< 1 to 255, each only once
  authentication auth = authentication::wpa2_psk;
  encryption cipher = encryption::ccmp;
  std::string password; ///< PSK: 8 to 63 characters or 64 hexadecimal digits
  struct enterprise {
    std::string user;
    std::string password;
    std::uint32_t protocol = 0;
    std::string client_certificate{}, private_key{}, ca_certificate{}; ///< base64 of DER
    std::string domain{}, roaming_identity{};
    std::string server_name{}; ///< full, as the authentication server's certificate has it
  };
  std::optional<enterprise> ieee8021x;
};
/// problem::already_exists: the name or the priority is taken, or there are eight already.
/// Certificates and keys that the firmware does not hold yet are added before.
status add_wifi_profile(wsman::talk& t, const wifi_profile_request& what);
status update_wifi_profile(wsman::talk& t, const wifi_profile_request& what);
status remove_wifi_profile(wsman::talk& t, std::string_view name);

} // namespace outband::amt
