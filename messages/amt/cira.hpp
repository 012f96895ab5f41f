/// How a machine calls home: management presence servers, policies, environment detection.
///
/// Source: RPS src/stateMachines/ciraConfiguration.ts and unconfiguration.ts, in their order of
/// calls; what RPS builds by hand around wsman-messages is written out here.
/// Over the tunnel itself this would saw off the branch: it is for the local way and the LAN.
/// Context: pure, see wsman/talk.hpp. Limits: the firmware's own, 6 servers, 3 policies, 5
/// suffixes.
#pragma once

#include "messages/wsman/talk.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace outband::amt {

/// AMT_ManagementPresenceRemoteSAP.InfoFormat.
enum class server_address : std::uint32_t { ipv4 = 3, ipv6 = 4, fqdn = 201 };

/// AMT_ManagementPresenceRemoteSAP; its password cannot be read.
struct presence_server {
  std::string name; ///< "Intel(r) AMT:Management Presence Server 0"
  std::string address;
  std::uint32_t format = 0;
  std::uint32_t port = 0;
  std::string common_name;
};
/// AMT_RemoteAccessPolicyRule.
struct access_rule {
  std::string name;          ///< "Periodic", "User Initiated", "Alert"
  std::uint32_t trigger = 0; ///< 0 user initiated, 1 alert, 2 periodic, 3 home provisioning
  std::uint32_t lifetime_s = 0;
  std::string extended_data; ///< base64
};
struct cira_configuration {
  std::vector<presence_server> servers;
  std::vector<access_rule> rules;
  std::vector<std::string> inside; ///< DNS suffixes in which the machine does not call home
  bool connected = false;          ///< its tunnel is up

  /// It will call home: outside, to a server, at intervals.
  bool calls_home() const;
};
result<cira_configuration> read_cira(wsman::talk& t);

/// What was removed.
struct cleared_cira {
  std::size_t rules = 0;
  std::size_t servers = 0;
};
/// Removes all policies, then all servers. None there is success.
result<cleared_cira> clear_cira(wsman::talk& t);

struct cira_settings {
  std::string root_certificate; ///< of the server's chain: PEM or base64 of DER
  std::string address;          ///< at most 256 octets
  server_address format = server_address::fqdn;
  std::uint16_t port = 4433;
  std::string user;              ///< 5 to 16 letters and digits
  std::string password;          ///< 8 to 16 characters of all four kinds
  std::string common_name;       ///< of the server's certificate; sent where the address is no name
  std::uint32_t interval_s = 25; ///< between attempts, see periodic_data()
  /// Suffixes that no network has, so that the machine believes to be outside and calls home.
  std::vector<std::string> inside;
};
struct configured_cira {
  std::string server; ///< its name
  std::string root;   ///< handle of the trusted root
  bool root_was_there = false;
  cleared_cira before; ///< what was there and went
};
/// Clears what there is, then configures anew, so that a second attempt after a lost answer ends in
/// the same. The machine calls home some seconds after the last answer.
result<configured_cira> configure_cira(wsman::talk& t, const cira_settings& wanted);

/// ExtendedData of the periodic policy: type 0 (interval) and the seconds, each four octets in
/// network order, as base64.
std::string periodic_data(std::uint32_t interval_s);

/// The suffixes that mean "inside"; 1 to 5 of at most 192 octets.
status set_environment_detection(wsman::talk& t, const std::vector<std::string>& inside);
/// Inside everywhere: the machine does not call home. Was there anything to clear?
result<bool> clear_environment_detection(wsman::talk& t);

} // namespace outband::amt
