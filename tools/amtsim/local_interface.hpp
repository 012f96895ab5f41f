/// What the host of a machine, its operating system, sees of the firmware and may ask of it: the
/// facts behind PTHI and watchdog commands, and connections to the local ports 16992 and 16993.
///
/// The host half (MEI, LMS) encodes; nothing here knows a wire format.
/// Example, on the machine's thread:
///     const auto mode = m.model().control_mode;
///     auto c = m.open_local(16992, my_peer);           // nullptr: refused
///     c->feed("POST /wsman HTTP/1.1\r\n...");           // my_peer.local_data(...) answers
///     m.change([&](device_model& d, sim_time now) { status = host_unprovision(d, now); });
/// Context: the machine's thread throughout (post to machine::executor()); the facts are pure.
/// Limits: 8 local connections at a time, as firmware has channels.
#pragma once

#include "tools/amtsim/activation_state.hpp"
#include "tools/amtsim/device_model.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace outband::amtsim {

// -- facts ----------------------------------------------------------------------------------------

/// GetLocalSystemAccount: "$$OsAdmin" with a password of this machine and this boot.
struct local_account {
  std::string user;
  std::string password;
};
local_account local_system_account(const device_model& d);

/// GetCodeVersions, in the firmware's order.
struct code_version {
  std::string description; ///< "AMT", "Build Number", "Sku", ...
  std::string version;
};
std::vector<code_version> code_versions(const device_model& d);
/// Of GetCodeVersions too.
std::string bios_version(const device_model& d);

/// GetLANInterfaceSettings. index: 0 wired, 1 WiFi.
struct lan_interface {
  bool exists = true; ///< false: invalid parameter
  bool enabled = false;
  std::uint32_t ipv4 = 0; ///< first octet most significant
  bool dhcp = true;
  bool dhcp_active = false; ///< else passive: the host asks, firmware listens
  bool link_up = false;
  std::array<std::uint8_t, 6> mac{};
};
lan_interface lan_interface_settings(const device_model& d, std::uint32_t index);

/// GetRemoteAccessConnectionStatus.
struct remote_access_status {
  std::uint32_t network = 0; ///< 0 direct, 1 VPN, 2 outside the enterprise
  std::uint32_t remote = 0;  ///< 0 not connected, 1 connecting, 2 connected
  std::uint32_t trigger = 0; ///< 0 user, 1 alert, 2 periodic, 3 provisioning
  std::string mps_host;
};
remote_access_status remote_access(const device_model& d);

/// IsChangeToAMTEnabled.
struct watchdog_state {
  bool change_allowed = true; ///< bit 0
  bool enabled = true;        ///< bit 1
  bool hardened = false;      ///< bit 4: weak algorithms were removed, as in AMT 22
  bool restricted = false;    ///< bit 5
  bool tls_enforced = false;  ///< bit 6
  bool new_interface = false; ///< bit 7: from 16.1 on
  std::uint8_t octet() const;
};
watchdog_state watchdog(const device_model& d);

// Others: device_model::who().guid, ::control_mode, and in activation_state.hpp
// provisioning_state(), trusted_hashes(), pki_suffix(), dhcp_suffix(), tls_enforced().

// -- what the host may ask for (run it through machine::change())
// ------------------------------------

/// PT_STATUS as in the header of a PTHI answer.
namespace host_status {
inline constexpr std::uint32_t success = 0;
inline constexpr std::uint32_t internal_error = 1;
inline constexpr std::uint32_t not_ready = 2;
inline constexpr std::uint32_t invalid_mode = 3;
inline constexpr std::uint32_t not_permitted = 16;
inline constexpr std::uint32_t invalid_parameter = 36;
inline constexpr std::uint32_t invalid_handle = 2053;
} // namespace host_status

/// CFG_Unprovision: client control mode, or a configuration that got stuck; not admin control mode.
std::uint32_t host_unprovision(device_model& d, sim_time now);

struct started_configuration {
  std::uint32_t status = host_status::success;
  hash_algorithm algorithm = hash_algorithm::sha256;
  std::string certificate_hash; ///< of the certificate that port 16993 shows from now on
};
/// StartConfigurationHBased, of machines whose local ports enforce TLS: from now on a client that
/// shows the leaf with that hash, and its chain, on 16993 is the administrator until it commits.
started_configuration start_configuration_hbased(device_model& d, hash_algorithm algorithm,
                                                 std::string client_hash,
                                                 std::vector<std::string> suffixes, sim_time now);
std::uint32_t stop_configuration(device_model& d, sim_time now);
/// SetAMTOperationalState.
std::uint32_t set_operational_state(device_model& d, bool enabled, sim_time now);

// -- local ports --------------------------------------------------------------------------------

/// Who is at the other end of a local connection. Must outlive it.
class local_peer {
public:
  virtual void local_data(std::string_view octets) = 0;
  /// The firmware ended it, after everything it had to say; with_reset: as a port that restarts
  /// does. Not said after the connection was destroyed; it may be destroyed in here.
  virtual void local_closed(bool with_reset) = 0;

protected:
  ~local_peer() = default;
};

/// What machine::open_local() gives: a TCP connection to port 16992 (HTTP) or 16993 (TLS inside,
/// which is done here). Calls to the peer come later, never from within feed(). Destroying it is
/// closing it from the host's side.
class local_connection {
public:
  virtual ~local_connection() = default;
  virtual void feed(std::string_view octets) = 0;
};

} // namespace outband::amtsim
