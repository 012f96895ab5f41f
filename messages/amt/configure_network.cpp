#include "messages/amt/configure_network.hpp"

#include "messages/amt/if_there.hpp"
#include "messages/amt/network.hpp"
#include "messages/amt/put_back.hpp"
#include "messages/amt/status.hpp"

#include <algorithm>
#include <utility>

namespace outband::amt {

namespace {

constexpr std::string_view general = "AMT_GeneralSettings";
constexpr std::string_view port_settings = "AMT_EthernetPortSettings";
constexpr std::string_view wireless_id = "Intel(r) AMT Ethernet Port Settings 1";
constexpr std::uint32_t tcp_retransmissions = 7; // RPS's for Wi-Fi; the firmware's own is 5
constexpr std::uint32_t duplicate = 2058;
constexpr std::size_t max_profiles = 8; // AMT_WiFiPortConfigurationService
constexpr std::size_t max_proxies = 15; // AMT_RemoteAccessCapabilities.MaxTotalProxyEntryPoints

bool is_so(const ethernet_port& now, const wired_request& wanted) {
  return now.dhcp == wanted.dhcp && now.ip_sync == wanted.ip_sync &&
         now.shared_static_ip == (!wanted.dhcp && *wanted.ip_sync) &&
         (wanted.dhcp || *wanted.ip_sync ||
          (now.ip_address == wanted.ip_address && now.subnet_mask == wanted.subnet_mask &&
           now.default_gateway == wanted.default_gateway && now.primary_dns == wanted.primary_dns &&
           now.secondary_dns == wanted.secondary_dns));
}

wired_request request_for(const ethernet_port& now, const wired_wish& wish) {
  wired_request out;
  out.dhcp = wish.dhcp;
  out.ip_sync = wish.dhcp || wish.ip_sync;
  if (*out.ip_sync)
    return out;
  const bool own = !wish.ip_address.empty();
  out.ip_address = own ? wish.ip_address : now.ip_address;
  out.subnet_mask = own ? wish.subnet_mask : now.subnet_mask;
  out.default_gateway = own ? wish.default_gateway : now.default_gateway;
  out.primary_dns = own ? wish.primary_dns : now.primary_dns;
  out.secondary_dns = own ? wish.secondary_dns : now.secondary_dns;
  return out;
}

/// Over the air a packet is lost more often.
status set_retransmissions(wsman::talk& t, const wsman::node& port) {
  auto now = wsman::number_or(port, "ConsoleTcpMaxRetransmissions", 0);
  if (!now)
    return now.error();
  if (*now == tcp_retransmissions)
    return success();
  auto dhcp = wsman::bool_or(port, "DHCPEnabled", true);
  if (!dhcp)
    return dhcp.error();
  std::vector<std::string_view> without; // with DHCP addresses must be absent
  if (*dhcp)
    without = {"IPAddress", "SubnetMask", "DefaultGateway", "PrimaryDNS", "SecondaryDNS"};
  auto put =
      t.put(port_settings,
            put_back(port, {{"ConsoleTcpMaxRetransmissions", std::to_string(tcp_retransmissions)}},
                     without),
            wsman::named("InstanceID", std::string(wireless_id)));
  if (!put)
    return put.error();
  return success();
}

/// nullptr: no wireless port, or one without MAC address.
result<const wsman::node*> wireless_port(wsman::talk& t) {
  auto ports = instances_if_any(t, port_settings);
  if (!ports)
    return ports.error();
  for (const auto* p : *ports)
    if (p->child_text("InstanceID") == wireless_id && !p->child_text("MACAddress").empty())
      return p;
  return static_cast<const wsman::node*>(nullptr);
}

/// What the machine's state or the input makes impossible, as against a conversation that fails.
void note(additions& all, std::string name, const status& told) {
  if (told)
    all.added.push_back(std::move(name));
  else
    all.failed.push_back({std::move(name), told.error()});
}

} // namespace

result<step_result> configure_general_settings(wsman::talk& t) {
  auto now = t.get(general);
  if (!now)
    return now.error();
  auto shared = wsman::bool_or(**now, "SharedFQDN", false);
  if (!shared)
    return shared.error();
  auto enabled = wsman::number_or(**now, "AMTNetworkEnabled", 0);
  if (!enabled)
    return enabled.error();
  auto ping = wsman::bool_or(**now, "RmcpPingResponseEnabled", false);
  if (!ping)
    return ping.error();
  if (*shared && *enabled == 1 && *ping)
    return step_result::was_so;
  auto put = t.put(general, put_back(**now, {{"SharedFQDN", "true"},
                                             {"AMTNetworkEnabled", "1"},
                                             {"RmcpPingResponseEnabled", "true"}}));
  if (!put)
    return put.error();
  return step_result::done;
}

result<step_result> configure_wired(wsman::talk& t, const wired_wish& wish) {
  auto ports = get_ethernet_ports(t);
  if (!ports)
    return ports.error();
  if (!ports->wired || ports->wired->mac_address.empty())
    return step_result::absent;
  const auto wanted = request_for(*ports->wired, wish);
  if (!*wanted.ip_sync && (wanted.ip_address.empty() || wanted.subnet_mask.empty()))
    return fail(problem::transition_refused,
                "Invalid configuration - IPAddress and SubnetMask are required when AMT profile is "
                "static and IpSyncEnabled is false; give them, or let the machine take the host's "
                "address",
                "ipAddress");
  if (is_so(*ports->wired, wanted))
    return step_result::was_so;
  if (auto ok = set_wired(t, *ports->wired, wanted); !ok)
    return ok.error();
  return step_result::done;
}

result<step_result> configure_wired_access(wsman::talk& t, const wired_8021x_settings& what) {
  auto ports = get_ethernet_ports(t);
  if (!ports)
    return ports.error();
  if (!ports->wired || ports->wired->mac_address.empty())
    return step_result::absent;
  if (auto ok = configure_wired_8021x(t, what); !ok)
    return ok.error();
  return step_result::done;
}

result<wireless_report> configure_wireless(wsman::talk& t, const wireless_wish& wish) {
  wireless_report out;
  if (wish.profiles.size() > max_profiles)
    return fail(problem::malformed, "the firmware holds at most 8 Wi-Fi profiles", "wifiConfigs");
  auto port = wireless_port(t);
  if (!port)
    return port.error();
  if (*port == nullptr)
    return out;
  out.present = true;
  if (auto ok = set_retransmissions(t, **port); !ok)
    return ok.error();
  auto sync = get_profile_sync(t);
  if (!sync)
    return sync.error();
  out.uefi_unsupported = wish.uefi_sync && !sync->uefi_supported;
  auto synced = set_profile_sync(
      t, wish.local_sync, sync->uefi_supported ? std::optional(wish.uefi_sync) : std::nullopt);
  if (!synced)
    return synced.error();
  if (auto ok = set_wifi_state(t, wifi_state::s0_sx_ac); !ok)
    return ok.error();
  for (const auto& p : wish.profiles)
    note(out.profiles, p.name, add_wifi_profile(t, p));
  return out;
}

result<additions> configure_proxies(wsman::talk& t, const std::vector<proxy_point>& proxies) {
  using wsman::property;
  if (proxies.size() > max_proxies)
    return fail(problem::malformed, "the firmware holds at most 15 proxies", "proxyConfigs");
  additions out;
  for (const auto& p : proxies) {
    auto told = t.invoke(
        "IPS_HTTPProxyService", "AddProxyAccessPoint",
        property("AccessInfo", p.address) +
            property("InfoFormat", std::to_string(static_cast<std::uint32_t>(p.format))) +
            property("Port", std::to_string(p.port)) + property("NetworkDnsSuffix", p.dns_suffix));
    note(out, p.address,
         told && told->value == duplicate ? success() : done(told, "AddProxyAccessPoint"));
  }
  return out;
}

result<features_report> configure_features(wsman::talk& t, const feature_wish& wish) {
  features_report out;
  auto possible = wish;
  auto now = get_features(t);
  if (!now)
    return now.error();
  if (wish.kvm && !now->kvm_available) {
    out.kvm_absent = true;
    possible.kvm = false;
  }
  if (now->user_consent && *now->user_consent != wish.user_consent) {
    auto consent = get_if_there(t, "IPS_OptInService");
    if (!consent)
      return consent.error();
    auto modifiable = *consent == nullptr ? result<std::uint32_t>(0U)
                                          : wsman::number_or(**consent, "CanModifyOptInPolicy", 1);
    if (!modifiable)
      return modifiable.error();
    if (*modifiable == 0) {
      out.consent_kept = true;
      possible.user_consent = *now->user_consent;
    }
  }
  if (auto ok = set_features(t, possible); !ok)
    return ok.error();
  return out;
}

} // namespace outband::amt
