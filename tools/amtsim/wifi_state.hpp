/// Wireless: the port's state, the profiles that an administrator stored, synchronisation with the
/// host. Context: pure. Limits: 8 profiles.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace outband::amtsim {

class device_model;

struct wifi_8021x {
  std::string id;
  std::string name;
  std::uint32_t protocol = 0; ///< 0 EAP-TLS, 2 PEAP ...
  std::string user;
  std::string password; ///< never shown
  std::string domain;
  std::string roaming_identity;
  std::string server_name;
  std::uint32_t server_name_comparison = 0; ///< 2 in full, 3 its suffix
  std::optional<std::uint32_t> client_cert; ///< handles
  std::optional<std::uint32_t> ca_cert;
};

struct wifi_profile {
  std::string id;
  std::string name;
  std::string ssid;
  std::uint32_t priority = 0;
  std::uint32_t authentication = 0; ///< 4 WPA-PSK, 5 WPA-802.1x, 6 WPA2-PSK, 7 WPA2-802.1x ...
  std::uint32_t encryption = 0;     ///< 3 TKIP, 4 CCMP
  std::uint32_t bss_type = 3;       ///< infrastructure
  std::string passphrase;           ///< never shown
  std::optional<wifi_8021x> enterprise;
};

inline constexpr std::size_t max_wifi_profiles = 8;

struct wifi_state {
  std::uint32_t port = 3;         ///< 3 disabled, 32768 in S0, 32769 in S0 and Sx on AC
  std::uint32_t profile_sync = 0; ///< 0 off, 1 the local user's profiles, 3 unrestricted
  std::uint32_t no_host_policy = 0;
  bool uefi_share = false;
  std::vector<wifi_profile> profiles;
};

/// Has the machine a radio at all?
bool has_wifi(const device_model& device);
/// The network that the management engine itself would be in; nullptr: none.
const wifi_profile* joined_network(const device_model& device);

} // namespace outband::amtsim
