/// The network as firmware sees it: wired port, wireless port, link preference.
///
/// Words are those of MPS (src/routes/amt/networkSettings/helper.ts), which are Console's too.
/// Context: pure, see wsman/talk.hpp.
#pragma once

#include "messages/rest/json.hpp"
#include "messages/wsman/talk.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace outband::amt {

enum class link_policy : std::uint32_t { s0_ac = 1, sx_ac = 14, s0_dc = 16, sx_dc = 224 };
/// Also of LinkControl.
enum class link_owner : std::uint32_t { management_engine = 1, host = 2 };
enum class link_protection : std::uint32_t { override_ = 0, none = 1, passive = 2, high = 3 };
enum class connection_type : std::uint32_t { integrated = 0, discrete = 1, dock = 2, wireless = 3 };
enum class nic_medium : std::uint32_t { smbus = 0, pcie = 1 };
enum class ieee8021x_state : std::uint32_t {
  with_certificates = 2,
  disabled = 3,
  without_certificates = 6,
};

/// "S0 AC"; empty for a value outside the enumeration.
std::string_view to_string(link_policy p);
std::string_view to_string(link_owner o);
std::string_view to_string(link_protection p);
std::string_view to_string(connection_type c);
std::string_view to_string(nic_medium m);
std::string_view to_string(ieee8021x_state s);

/// AMT_EthernetPortSettings. What the firmware does not tell is empty, 0 or false.
struct ethernet_port {
  std::string element_name;
  std::string instance_id;
  std::uint32_t vlan_tag = 0;
  std::optional<bool> shared_mac;
  std::string mac_address;
  bool link_is_up = false;
  std::vector<link_policy> policies;
  std::optional<bool> shared_static_ip;
  bool shared_dynamic_ip = false;
  std::optional<bool> ip_sync;
  bool dhcp = false;
  std::string ip_address, subnet_mask, default_gateway, primary_dns, secondary_dns;
  std::optional<connection_type> connection;
  std::optional<nic_medium> medium;
  std::uint32_t tcp_max_retransmissions = 0;
  std::optional<link_owner> preference, control; ///< wireless ports only
  std::optional<link_protection> protection;     ///< wireless ports only
};
result<ethernet_port> read_ethernet_port(const wsman::node& instance);

struct ethernet_ports {
  std::optional<ethernet_port> wired, wireless;
};
result<ethernet_ports> get_ethernet_ports(wsman::talk& t);

/// IPS_IEEE8021xSettings: 802.1x of the wired port.
struct wired_8021x {
  std::optional<ieee8021x_state> enabled;
  bool available_in_s0 = false;
  std::uint32_t pxe_timeout = 0; ///< seconds
};
/// What this firmware refuses to tell is left empty.
result<wired_8021x> get_wired_8021x(wsman::talk& t);

/// What is to be set of the wired port. `ip_sync` not given: the firmware's own, but off where
/// addresses are given (MPS drops the addresses silently in that case).
struct wired_request {
  bool dhcp = false;
  std::optional<bool> ip_sync;
  std::string ip_address, subnet_mask, default_gateway, primary_dns, secondary_dns;
};
/// Fails if the firmware keeps what it had, as some do without saying so.
status set_wired(wsman::talk& t, const wired_request& what);
/// The same for who has read the port already.
status set_wired(wsman::talk& t, const ethernet_port& now, const wired_request& what);

/// problem::not_found if the machine has no wireless port.
status set_link_preference(wsman::talk& t, link_owner owner, std::uint32_t timeout_seconds);

/// The members that wired and wireless ports have in common, as MPS has them.
json::object port_json(const ethernet_port& port);

} // namespace outband::amt
