/// General settings, and what setup leaves. Context: pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace outband::amtsim {

struct setup_state {
  std::optional<std::string> host_name; ///< nothing: as the machine was made
  std::string domain_name;
  std::string realm; ///< empty: as the machine was made
  std::uint32_t network_enabled = 1;
  std::uint32_t ddns_interval = 1440;
  std::uint32_t ddns_ttl = 900;
  bool ddns_by_dhcp = true;
  bool ddns_enabled = false;
  std::uint32_t idle_wake_timeout = 1;
  bool ping = true;
  std::uint32_t address_family = 0;
  std::uint32_t presence_interval = 0;
  bool rmcp_ping = true;
  bool shared_fqdn = true;
  bool wsman_only = false;
};

} // namespace outband::amtsim
