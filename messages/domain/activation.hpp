/// What a machine's host says when it wants to be activated, and what it is told at the end: the
/// contents of the first and the last frame of RPS's WebSocket protocol (messages/rps).
/// Context: pure.
#pragma once

#include "messages/domain/provisioning.hpp"
#include "messages/domain/secret_text.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace outband {

/// What the first frame says of the machine. Everything in it is a claim of the client.
struct machine_claim {
  device_id guid{};
  std::string version; ///< "16.1.27"
  std::string build;   ///< "2192"
  std::string sku;     ///< decimal bits
  std::string features;
  int mode = 0; ///< control mode 0, 1, 2
  std::string hostname;
  std::string dns_suffix;
  std::vector<std::string> root_hashes; ///< hex, of certificates that the firmware trusts
  std::string local_user;               ///< "$$OsAdmin"; `password` is its password while mode is 0
  secret_text password;                 ///< else what the user gave as the AMT password
  std::string friendly_name;
  bool tls_enforced = false; ///< the local ports speak TLS only
  bool tls_tunnel = false;   ///< the user asked for TLS on the local port
  bool progress = false;     ///< the client understands progress labels
  struct addresses {
    bool dhcp = false, fixed = false, sync = false;
    std::string address, netmask, gateway, primary_dns, secondary_dns;
  } ip;                                   ///< of `syncip`
  std::string os_hostname, os_dns_suffix; ///< of `synchostname`
};

enum class maintenance_task : std::uint8_t {
  none,
  sync_time,
  sync_ip,
  sync_hostname,
  change_password,
  sync_device_info
};

/// The first frame: what is wanted, by whom is in the token.
struct provisioning_wish {
  provisioning_act act = provisioning_act::activate;
  std::string profile; ///< as the client names it; may be empty
  maintenance_task task = maintenance_task::none;
  secret_text task_argument; ///< of change_password: the new one; may be empty
  std::string tenant;        ///< as the client names it: only ever compared with the token's
  machine_claim machine;
};

enum class component : std::uint8_t {
  activation,
  wired_network,
  wireless_network,
  tls,
  cira_proxy,
  cira_connection
};
/// How one part of the work ended, for the client's last message (RPS's Status object).
struct component_result {
  component what = component::activation;
  enum class verdict : std::uint8_t { success, failure, not_applicable } result = verdict::success;
  std::string details;
  std::string mode; ///< "ACM", "CCM", "LocalProfileSync"; empty: none
};
struct provisioning_report {
  bool success = false;
  std::string status;                    ///< "Admin control mode."
  std::string network, cira, tls;        ///< flat lines; empty: left out
  std::vector<component_result> details; ///< in order; of one component several
};

} // namespace outband
