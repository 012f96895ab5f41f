#include "tools/amtsim/local_interface.hpp"

#include "messages/domain/text.hpp"
#include "tools/amtsim/cira_state.hpp"
#include "tools/amtsim/classes.hpp"
#include "tools/amtsim/firmware_version.hpp"
#include "tools/amtsim/network_state.hpp"
#include "tools/amtsim/provisioning_chain.hpp"
#include "tools/amtsim/wifi_state.hpp"

#include <utility>

namespace outband::amtsim {

namespace {

constexpr std::size_t max_suffixes = 4;

/// Dotted as number; 0 if it is none.
std::uint32_t as_number(const std::string& dotted) {
  std::uint32_t out = 0;
  std::uint32_t part = 0;
  for (const char c : dotted) {
    if (c == '.') {
      out = out << 8U | part;
      part = 0;
    } else {
      part = part * 10 + static_cast<std::uint32_t>(c - '0');
    }
  }
  return out << 8U | part;
}

std::array<std::uint8_t, 6> mac_octets(const device_id& guid, unsigned port) {
  std::array<std::uint8_t, 6> out{};
  const auto digits = mac_address(guid, port, false);
  for (std::size_t i = 0; i < out.size() && 2 * i + 1 < digits.size(); ++i)
    out[i] =
        static_cast<std::uint8_t>(hex_digit(digits[2 * i]) << 4 | hex_digit(digits[2 * i + 1]));
  return out;
}

} // namespace

local_account local_system_account(const device_model& d) {
  // Printable, and another one after each boot.
  auto password = base64(d.derived("lsa|" + std::to_string(d.boots())));
  return {"$$OsAdmin", password.substr(0, 24)};
}

std::vector<code_version> code_versions(const device_model& d) {
  const auto& kind = d.shared().kind;
  return {{"Flash", kind.version},
          {"Netstack", kind.version},
          {"AMTApps", kind.version},
          {"AMT", kind.version},
          {"Sku", kind.sku},
          {"VendorID", "8086"},
          {"Build Number", kind.build},
          {"Recovery Version", kind.version},
          {"Recovery Build Num", kind.build},
          {"Legacy Mode", "False"}};
}

std::string bios_version(const device_model&) {
  return "OBSIM.1.0";
}

lan_interface lan_interface_settings(const device_model& d, std::uint32_t index) {
  lan_interface out;
  if (index > 1)
    return {false};
  out.enabled = d.activation->amt_enabled;
  out.mac = mac_octets(d.who().guid, index);
  if (index == 0) {
    const auto& port = d.network->wired;
    out.dhcp = port.dhcp;
    out.link_up = d.activation->wired_link;
    if (out.link_up)
      out.ipv4 = as_number(wired_address(d));
    return out;
  }
  if (!has_wifi(d)) { // as firmware without a radio answers: an interface without an address
    out.mac = {};
    out.enabled = false;
    return out;
  }
  out.dhcp = d.network->wireless.dhcp;
  out.link_up = joined_network(d) != nullptr;
  return out;
}

remote_access_status remote_access(const device_model& d) {
  remote_access_status out;
  const auto home = d.control_mode == 0 ? std::nullopt : calls_home(d, dhcp_suffix(d));
  const bool tunnel = d.tunnel_up || d.tunnel_connecting;
  out.network = home || tunnel ? 2 : 0;
  out.remote = d.tunnel_up ? 2 : d.tunnel_connecting ? 1 : 0;
  if (tunnel) {
    out.trigger = 2;
    out.mps_host = home ? home->host : d.shared().server_host;
  }
  return out;
}

std::uint8_t watchdog_state::octet() const {
  return static_cast<std::uint8_t>((change_allowed ? 1U : 0U) | (enabled ? 2U : 0U) |
                                   (hardened ? 16U : 0U) | (restricted ? 32U : 0U) |
                                   (tls_enforced ? 64U : 0U) | (new_interface ? 128U : 0U));
}

watchdog_state watchdog(const device_model& d) {
  const auto& version = d.shared().kind.version;
  return {d.activation->may_be_enabled,
          d.activation->amt_enabled,
          version_at_least(version, 22),
          false,
          tls_enforced(d),
          version_at_least(version, 16, 1)};
}

std::uint32_t host_unprovision(device_model& d, sim_time) {
  // A configuration that stopped halfway may be ended by the host even in admin control mode.
  if (d.control_mode == 2 && !d.activation->in_provisioning)
    return host_status::invalid_mode;
  if (d.control_mode == 0 && !d.activation->in_provisioning)
    return host_status::success; // nothing to undo
  ++d.activation.change().counts.unprovisions;
  d.unprovision();
  return host_status::success;
}

started_configuration start_configuration_hbased(device_model& d, hash_algorithm algorithm,
                                                 std::string client_hash,
                                                 std::vector<std::string> suffixes, sim_time now) {
  const auto refused = [](std::uint32_t why) {
    return started_configuration{why, hash_algorithm::sha256, {}};
  };
  if (!tls_enforced(d))
    return refused(host_status::not_permitted);
  if (d.control_mode != 0)
    return refused(host_status::invalid_mode);
  if (is_busy(d, now))
    return refused(host_status::not_ready);
  if (algorithm == hash_algorithm::sha1 || client_hash.size() < octets_of(algorithm) ||
      suffixes.size() > max_suffixes)
    return refused(host_status::invalid_parameter);
  client_hash.resize(octets_of(algorithm)); // the field has 64 octets
  auto& a = d.activation.change();
  if (!make_rcfg_certificate(d, a.rcfg_certificate, a.rcfg_key))
    return refused(host_status::internal_error);
  a.in_provisioning = true;
  a.secure = secure_configuration{algorithm, std::move(client_hash), std::move(suffixes)};
  a.pending_admin_ha1.clear();
  return {host_status::success, algorithm, hash_of(a.rcfg_certificate, algorithm)};
}

std::uint32_t stop_configuration(device_model& d, sim_time) {
  if (!d.activation->in_provisioning)
    return host_status::success;
  forget_attempt(d);
  return host_status::success;
}

std::uint32_t set_operational_state(device_model& d, bool enabled, sim_time) {
  if (!d.activation->may_be_enabled)
    return host_status::not_permitted;
  if (d.activation->amt_enabled != enabled)
    d.activation.change().amt_enabled = enabled;
  return host_status::success;
}

} // namespace outband::amtsim
