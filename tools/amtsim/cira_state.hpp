/// How a machine is to call home: management presence servers, policies, environment detection.
///
/// What is configured over WS-MAN is kept in the form in which the machine can connect with it
/// later: home_call() is what its policies amount to.
/// Context: pure. Limits: those of AMT_RemoteAccessCapabilities.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace outband::amtsim {

class device_model;

inline constexpr std::size_t max_mps_servers = 6;
inline constexpr std::size_t max_mps_per_policy = 2;
inline constexpr std::size_t max_policies = 3;
inline constexpr std::size_t max_proxies = 15;

/// AMT_ManagementPresenceRemoteSAP with its credential.
struct mps_server {
  std::uint32_t number = 0; ///< "... Management Presence Server 0"
  std::string host;         ///< AccessInfo: address or name
  std::uint32_t format = 3; ///< 3 IPv4, 4 IPv6, 201 FQDN
  std::uint32_t port = 4433;
  std::uint32_t authentication = 2; ///< 1 mutual TLS, 2 user name and password
  std::string user;
  std::string password;                     ///< never shown
  std::string common_name;                  ///< that its certificate must have; empty: `host`
  std::optional<std::uint32_t> certificate; ///< handle, for mutual TLS
  /// From the command line: its address and root are, too, not those in the machine's store.
  bool as_made = false;
};

/// AMT_RemoteAccessPolicyAppliesToMPS.
struct mps_of_policy {
  std::uint32_t server = 0; ///< its number
  std::uint32_t type = 0;   ///< used 0 outside the enterprise, 1 inside, 2 both
  std::uint32_t order = 0;
};

/// AMT_RemoteAccessPolicyRule; one per trigger.
struct access_policy {
  std::uint32_t trigger = 0;  ///< 0 user, 1 alert, 2 periodic, 3 home provisioning
  std::uint32_t lifetime = 0; ///< seconds; 0: for ever
  std::string extended;       ///< octets; periodic: type and interval, big-endian
  std::vector<mps_of_policy> servers;
};

struct cira_state {
  std::vector<mps_server> servers;             ///< by number
  std::vector<access_policy> policies;         ///< by trigger
  std::optional<std::uint32_t> user_initiated; ///< 32768 off, 1 BIOS, 2 OS more
  std::uint32_t detection_algorithm = 0;
  std::vector<std::string> detection_strings; ///< DNS suffixes of the enterprise
};

/// "Intel(r) AMT:Management Presence Server 0"
std::string mps_name(std::uint32_t number);
/// "Periodic"
std::string policy_name(std::uint32_t trigger);
/// Four octets of a policy's extended data.
std::uint32_t big_endian(const std::string& octets, std::size_t at);
/// A machine that was told its server by the command line looks as if an RPS had configured it,
/// until somebody changes that.
cira_state current_cira(const device_model& device);
cira_state& change_cira(device_model& device);

/// IPS_HTTPProxyAccessPoint, in the order in which they are tried.
struct proxy_point {
  std::uint32_t number = 0;
  std::string host;
  std::uint32_t format = 201;
  std::uint32_t port = 0;
  std::string dns_suffix;
};
struct proxy_state {
  std::vector<proxy_point> points;
};

/// AMT_KerberosSettingData.
struct kerberos_state {
  bool enabled = false;
  bool cache = false;
  std::string realm;
  std::vector<std::string> service_names;
  std::uint32_t key_version = 0;
  std::uint32_t algorithm = 0;
  std::uint32_t clock_tolerance = 0;
  std::string master_key; ///< never shown
};

/// Where the firmware connects of itself, and as whom.
struct home_call {
  std::string host;
  std::uint16_t port = 4433;
  std::string common_name; ///< that the server's certificate must have
  std::uint32_t authentication = 2;
  std::string user;
  std::string password;
  std::uint32_t interval_s = 0;           ///< between attempts
  std::uint32_t lifetime_s = 0;           ///< of a tunnel; 0: for ever
  std::vector<std::string> trusted_roots; ///< DER; one of them must have signed the server
  bool as_made = false;                   ///< mps_server::as_made
};
/// nullopt: nothing makes it connect, or it believes to be inside the enterprise, where it does
/// not. `dns_suffix`: of the network that it is in.
std::optional<home_call> calls_home(const device_model& device, std::string_view dns_suffix = {});

/// As a machine that was unprovisioned: no server, no policy.
void forget_cira(device_model& device);

} // namespace outband::amtsim
