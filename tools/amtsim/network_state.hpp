/// The network ports of a machine as its firmware sees them, and wired 802.1x.
/// Context: pure.
#pragma once

#include "messages/domain/ids.hpp"
#include "tools/amtsim/faults.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace outband::amtsim {

class device_model;

/// AMT_EthernetPortSettings of one port.
struct port_settings {
  bool dhcp = true;
  bool ip_sync = true;
  bool shared_static = false;
  std::string address; ///< of its own, static; so are the next four
  std::string mask;
  std::string gateway;
  std::string primary_dns;
  std::string secondary_dns;
  std::vector<std::uint32_t> link_policy;
  std::uint32_t vlan_tag = 0;
  std::uint32_t console_retransmissions = 5;
};

/// IPS_IEEE8021xSettings.
struct wired_8021x {
  std::uint32_t enabled = 3; ///< 2 with certificates, 3 disabled, 6 without certificates
  std::uint32_t protocol = 0;
  std::uint32_t pxe_timeout = 120;
  bool available_in_s0 = false;
  std::string name = "Intel(r) AMT: 8021X Settings";
  std::string user;
  std::string password; ///< never shown
  std::string domain;
  std::string roaming_identity;
  std::string server_name;
  std::uint32_t server_name_comparison = 0; ///< 2 in full, 3 its suffix
  std::optional<std::uint32_t> client_cert; ///< handles
  std::optional<std::uint32_t> ca_cert;
};

/// DMTF CIM_IEEE8021xSettings: which comparison must be said where there is a name to compare.
inline bool good_server_name(const std::string& name, std::uint32_t comparison) {
  return name.empty() || (comparison >= 1 && comparison <= 3);
}

/// AMT_8021XProfile, which older consoles use instead.
struct profile_8021x {
  bool enabled = false;
  bool active_in_s0 = true;
  std::uint32_t protocol = 0;
  std::uint32_t pxe_timeout = 0;
  std::string user;
  std::string password; ///< never shown
};

struct network_state {
  port_settings wired{true, true, false, {}, {}, {}, {}, {}, {1, 14}, 0, 5};
  port_settings wireless{true, false, false, {}, {}, {}, {}, {}, {}, 0, 5};
  std::uint32_t link_preference = 2; ///< 1 the management engine, 2 the host
  sim_time link_preference_until{0}; ///< then the host has it again; 0: nothing is temporary
  wired_8021x ieee8021x;
  profile_8021x profile;
};

/// Six octets that the GUID decides, locally administered: "02-1f-..." or "021f...".
/// port: 0 wired, 1 wireless.
std::string mac_address(const device_id& guid, unsigned port, bool dashes = true);

/// The wired port's IPv4 address, dotted; with DHCP or sharing it is the host's.
std::string wired_address(const device_model& device);

/// The link belongs to the host again once its time is over.
void expire_link_preference(device_model& device, sim_time now);

} // namespace outband::amtsim
