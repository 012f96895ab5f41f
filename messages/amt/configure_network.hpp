/// The network of a machine as a profile wants it: general settings, wired and wireless port,
/// proxies. Each function is a step of its own and tells what it found and did, for a machine is
/// managed even if its Wi-Fi is not as it should be.
///
/// Source: RPS src/stateMachines/{network,wiredNetwork,wifiNetwork,proxy}Configuration.ts; ports
/// are matched by InstanceID. Context: pure, see wsman/talk.hpp.
#pragma once

#include "messages/amt/cira.hpp"
#include "messages/amt/configure_8021x.hpp"
#include "messages/amt/features.hpp"
#include "messages/amt/wifi.hpp"
#include "messages/wsman/talk.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace outband::amt {

/// What became of a step whose subject a machine may not have.
enum class step_result : std::uint8_t { absent, was_so, done };

/// Network on, name shared with the host, answers to RMCP pings.
result<step_result> configure_general_settings(wsman::talk& t);

struct wired_wish {
  bool dhcp = true;
  bool ip_sync = true; ///< static: the host's address
  /// Static and not the host's. Empty: the one that the machine has.
  std::string ip_address, subnet_mask, default_gateway, primary_dns, secondary_dns;
};
/// Not for machines whose TLS is enforced (AMT 19 and later): this Put makes them unreachable.
/// absent: no wired port, or one without MAC address.
result<step_result> configure_wired(wsman::talk& t, const wired_wish& wish);

/// configure_wired_8021x() where there is a wired port; absent: there is none.
result<step_result> configure_wired_access(wsman::talk& t, const wired_8021x_settings& what);

/// What was added one by one, with what the firmware thought of each.
struct additions {
  struct refusal {
    std::string name;
    failure why;
  };
  std::vector<std::string> added;
  std::vector<refusal> failed;
};

struct wireless_wish {
  bool local_sync = true; ///< takes the host's profiles over
  bool uefi_sync = false; ///< shares its own with the firmware that boots
  std::vector<wifi_profile_request> profiles;
};
struct wireless_report {
  bool present = false;
  bool uefi_unsupported = false; ///< it was wished for and this machine cannot
  additions profiles;
};
result<wireless_report> configure_wireless(wsman::talk& t, const wireless_wish& wish);

/// IPS_HTTPProxyAccessPoint.
struct proxy_point {
  std::string address;
  server_address format = server_address::fqdn;
  std::uint16_t port = 0;
  std::string dns_suffix; ///< of the networks in which it is used
};
/// One that is there already counts as added.
result<additions> configure_proxies(wsman::talk& t, const std::vector<proxy_point>& proxies);

struct features_report {
  bool kvm_absent = false;   ///< it was wished for and this firmware has none
  bool consent_kept = false; ///< in client control mode the policy is the firmware's
};
/// As set_features(), but what this machine cannot do is told instead of refused.
result<features_report> configure_features(wsman::talk& t, const feature_wish& wish);

} // namespace outband::amt
