/// What an RPS tells about a step, word for word: `rpc` prints these, and scripts of its users look
/// for them ("CIRA: Configured"). Our own reasons stand in the failure; see rpc's log for both.
///
/// A failure's text depends on what was asked last, which a conversation knows even if it broke:
///   peer_failure(peer_step::cira, run.last_question()) == "Failed to add mps"
/// Source: RPS src/stateMachines/*.ts (2.40). Context: pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace outband::amt {

namespace peer_text {
inline constexpr std::string_view configured = "Configured";                 ///< CIRA, TLS
inline constexpr std::string_view already_configured = "Already configured"; ///< TLS
inline constexpr std::string_view unconfigured = "unconfigured";             ///< CIRA, TLS
inline constexpr std::string_view wired = "Wired Network Configured";
inline constexpr std::string_view wireless = "Wireless Configured";
inline constexpr std::string_view wireless_sync = "Wireless Only Local Profile Sync Configured";
inline constexpr std::string_view wireless_sync_details = "Local Profile Sync Configured";
inline constexpr std::string_view proxies = "Proxy Configured";
inline constexpr std::string_view wifi_profiles = "WiFi Profiles";       ///< for peer_counts()
inline constexpr std::string_view proxy_points = "Proxy Configurations"; ///< for peer_counts()
inline constexpr std::string_view hostname_missing = "host name was not provided";
inline constexpr std::string_view hostname_was_so = "host name already synchronized";
inline constexpr std::string_view ip_was_so = "IPAddress already synchronized";
} // namespace peer_text

enum class peer_step : std::uint8_t {
  clear,
  network, ///< general settings, and looking for ports
  wired,
  wireless,
  proxies,
  features,
  tls,
  cira,
  time,
};

/// `last_question` as conversation_base::last_question() has it. What RPS never says, because it
/// never asks, is "Failed at AMT_X Get".
std::string peer_failure(peer_step step, std::string_view last_question);

/// "Added a, b WiFi Profiles. Failed to add c"; empty if nothing failed.
std::string peer_counts(const std::vector<std::string>& added,
                        const std::vector<std::string>& failed, std::string_view label);

} // namespace outband::amt
