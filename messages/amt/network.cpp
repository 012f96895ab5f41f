#include "messages/amt/network.hpp"

#include "messages/amt/properties.hpp"
#include "messages/amt/put_back.hpp"
#include "messages/amt/status.hpp"

#include <utility>

namespace outband::amt {

namespace {

constexpr std::string_view settings = "AMT_EthernetPortSettings";
constexpr std::string_view wired_id = "Intel(r) AMT Ethernet Port Settings 0";
constexpr std::string_view wireless_id = "Intel(r) AMT Ethernet Port Settings 1";
constexpr std::size_t max_policies = 32;

/// The firmware's own instance is put back as a whole by RPS; MPS sends these few, which all
/// generations accept.
std::string wired_properties(const ethernet_port& now, const wired_request& wanted, bool ip_sync) {
  using wsman::property;
  const bool dhcp = wanted.dhcp;
  auto out = property("ElementName", now.element_name) + property("InstanceID", now.instance_id);
  if (now.shared_mac)
    out += property("SharedMAC", truth(*now.shared_mac));
  // A static address is shared exactly when it is synchronised with the host's.
  out += property("SharedStaticIp", truth(!dhcp && ip_sync));
  out += property("IpSyncEnabled", truth(dhcp || ip_sync));
  out += property("DHCPEnabled", truth(dhcp));
  if (dhcp || ip_sync) // then addresses must be absent
    return out;
  const std::pair<std::string_view, const std::string&> addresses[] = {
      {"IPAddress", wanted.ip_address},
      {"SubnetMask", wanted.subnet_mask},
      {"DefaultGateway", wanted.default_gateway},
      {"PrimaryDNS", wanted.primary_dns},
      {"SecondaryDNS", wanted.secondary_dns}};
  for (const auto& [name, value] : addresses)
    if (!value.empty()) // an empty element makes the firmware ignore the whole Put
      out += property(name, value);
  return out;
}

} // namespace

result<ethernet_port> read_ethernet_port(const wsman::node& instance) {
  ethernet_port p;
  property_reader in(instance);
  in.text("ElementName", p.element_name)
      .text("InstanceID", p.instance_id)
      .number("VLANTag", p.vlan_tag)
      .flag("SharedMAC", p.shared_mac)
      .text("MACAddress", p.mac_address)
      .flag("LinkIsUp", p.link_is_up)
      .flag("SharedStaticIp", p.shared_static_ip)
      .flag("SharedDynamicIP", p.shared_dynamic_ip)
      .flag("IpSyncEnabled", p.ip_sync)
      .flag("DHCPEnabled", p.dhcp)
      .text("IPAddress", p.ip_address)
      .text("SubnetMask", p.subnet_mask)
      .text("DefaultGateway", p.default_gateway)
      .text("PrimaryDNS", p.primary_dns)
      .text("SecondaryDNS", p.secondary_dns)
      .code("PhysicalConnectionType", p.connection)
      .code("PhysicalNicMedium", p.medium)
      .number("ConsoleTcpMaxRetransmissions", p.tcp_max_retransmissions)
      .code("LinkPreference", p.preference)
      .code("LinkControl", p.control)
      .code("WLANLinkProtectionLevel", p.protection);
  if (in.wrong())
    return *in.wrong();
  for (const auto& c : instance.children) {
    if (c.name != "LinkPolicy")
      continue;
    const auto code = wsman::to_number(c.value());
    if (!code || p.policies.size() == max_policies)
      return fail(problem::device_protocol, "AMT_EthernetPortSettings.LinkPolicy contains '" +
                                                std::string(c.value().substr(0, 40)) + "'");
    p.policies.push_back(static_cast<link_policy>(*code));
  }
  return p;
}

result<ethernet_ports> get_ethernet_ports(wsman::talk& t) {
  auto items = t.list(settings);
  if (!items)
    return items.error();
  ethernet_ports out;
  for (const auto* item : wsman::instances(**items, settings)) {
    const auto id = item->child_text("InstanceID");
    auto* to = id == wired_id ? &out.wired : id == wireless_id ? &out.wireless : nullptr;
    if (to == nullptr || *to)
      continue;
    auto port = read_ethernet_port(*item);
    if (!port)
      return port.error();
    *to = std::move(*port);
  }
  return out;
}

result<wired_8021x> get_wired_8021x(wsman::talk& t) {
  wired_8021x out;
  auto instance = t.get("IPS_IEEE8021xSettings");
  if (!instance)
    return out;
  property_reader in(**instance);
  in.code("Enabled", out.enabled)
      .flag("AvailableInS0", out.available_in_s0)
      .number("PxeTimeout", out.pxe_timeout);
  if (in.wrong())
    return *in.wrong();
  return out;
}

status set_wired(wsman::talk& t, const wired_request& what) {
  auto ports = get_ethernet_ports(t);
  if (!ports)
    return ports.error();
  if (!ports->wired)
    return fail(problem::not_found, "the machine has no wired network port");
  return set_wired(t, *ports->wired, what);
}

status set_wired(wsman::talk& t, const ethernet_port& now, const wired_request& what) {
  const bool ip_sync =
      what.ip_sync ? *what.ip_sync : what.ip_address.empty() && now.ip_sync.value_or(false);
  auto echoed = t.put(settings, wired_properties(now, what, ip_sync),
                      wsman::named("InstanceID", now.instance_id));
  if (!echoed)
    return echoed.error();
  if (*echoed == nullptr)
    return success();
  auto then = read_ethernet_port(**echoed);
  if (!then)
    return then.error();
  const auto differs = [](const std::optional<bool>& told, bool wanted) {
    return told && *told != wanted;
  };
  if (then->dhcp != what.dhcp || differs(then->ip_sync, what.dhcp || ip_sync) ||
      differs(then->shared_static_ip, !what.dhcp && ip_sync))
    return fail(problem::device_refused,
                "the firmware accepted the network settings and did not take them over; look at "
                "them again and compare what the host has");
  return success();
}

status set_link_preference(wsman::talk& t, link_owner owner, std::uint32_t timeout_seconds) {
  auto ports = get_ethernet_ports(t);
  if (!ports)
    return ports.error();
  if (!ports->wireless)
    return fail(problem::not_found, "the machine has no wireless network port");
  return done(t.invoke(settings, "SetLinkPreference",
                       wsman::property("LinkPreference",
                                       std::to_string(static_cast<std::uint32_t>(owner))) +
                           wsman::property("Timeout", std::to_string(timeout_seconds)),
                       wsman::effect::change, wsman::named("InstanceID", std::string(wireless_id))),
              "SetLinkPreference");
}

} // namespace outband::amt
