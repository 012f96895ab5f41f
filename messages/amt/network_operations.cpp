#include "messages/amt/argument.hpp"
#include "messages/amt/catalogue.hpp"
#include "messages/amt/forms.hpp"
#include "messages/amt/network.hpp"
#include "messages/amt/wifi.hpp"

#include <limits>
#include <utility>

namespace outband::amt {

namespace {

using namespace std::chrono_literals;

template <class Enum> json::value word(const std::optional<Enum>& e) {
  return e ? to_string(*e) : std::string_view{};
}

json::object wired_json(const ethernet_port& port, const wired_8021x& x) {
  auto out = port_json(port);
  out.push_back({"ieee8021x", json::object{{"enabled", word(x.enabled)},
                                           {"availableInS0", x.available_in_s0},
                                           {"pxeTimeout", x.pxe_timeout}}});
  return out;
}

json::value networks_json(const std::vector<wifi_network>& all) {
  json::array out;
  for (const auto& n : all)
    out.push_back(json::object{{"elementName", n.name},
                               {"ssid", n.ssid},
                               {"authenticationMethod", word(n.auth)},
                               {"encryptionMethod", word(n.cipher)},
                               {"priority", n.priority},
                               {"bsstype", word(n.bss)}});
  return out;
}

json::value ieee8021x_json(const std::vector<wifi_8021x>& all) {
  json::array out;
  for (const auto& s : all)
    out.push_back(json::object{{"authenticationProtocol", s.protocol},
                               {"roamingIdentity", s.roaming_identity},
                               {"serverCertificateName", s.server_certificate_name},
                               {"serverCertificateNameComparison", s.name_comparison},
                               {"username", s.user},
                               {"domain", s.domain}});
  return out;
}

json::value service_json(const wifi_service& s) {
  return json::object{{"requestedState", s.requested_state},
                      {"enabledState", s.enabled_state},
                      {"healthState", s.health_state},
                      {"elementName", s.element_name},
                      {"systemCreationClassName", s.system_creation_class_name},
                      {"systemName", s.system_name},
                      {"creationClassName", s.creation_class_name},
                      {"name", s.name},
                      {"localProfileSynchronizationEnabled", s.local_sync},
                      {"lastConnectedSsidUnderMeControl", s.last_ssid},
                      {"noHostCsmeSoftwarePolicy", s.no_host_software_policy},
                      {"uefiWiFiProfileShareEnabled", s.uefi_share}};
}

result<json::value> read_wired(wsman::talk& t, const ethernet_port& port) {
  auto x = get_wired_8021x(t);
  if (!x)
    return x.error();
  return json::value(wired_json(port, *x));
}

/// Of what a firmware does not tell about its Wi-Fi the port is told all the same.
result<json::value> read_wireless(wsman::talk& t, const ethernet_port& port) {
  auto networks = get_wifi_networks(t);
  if (!networks)
    return networks.error();
  auto settings = get_wifi_8021x(t);
  if (!settings)
    return settings.error();
  auto service = get_wifi_service(t);
  if (!service)
    return service.error();
  auto out = port_json(port);
  out.push_back({"linkPreference", word(port.preference)});
  out.push_back({"linkControl", word(port.control)});
  out.push_back({"wlanLinkProtectionLevel", word(port.protection)});
  out.push_back({"wifiNetworks", networks_json(*networks)});
  out.push_back({"ieee8021xSettings", ieee8021x_json(*settings)});
  out.push_back({"wifiPortConfigService", service_json(*service)});
  return json::value(std::move(out));
}

result<json::value> network_get(wsman::talk& t, const json::value&) {
  auto ports = get_ethernet_ports(t);
  if (!ports)
    return ports.error();
  if (!ports->wired && !ports->wireless)
    return fail(problem::not_found, "Network Settings not found");
  json::value wired;
  json::value wireless;
  if (ports->wired) {
    auto told = read_wired(t, *ports->wired);
    if (!told)
      return told.error();
    wired = std::move(*told);
  }
  if (ports->wireless) {
    auto told = read_wireless(t, *ports->wireless);
    if (!told)
      return told.error();
    wireless = std::move(*told);
  }
  return json::value(json::object{{"wired", std::move(wired)}, {"wireless", std::move(wireless)}});
}

result<json::value> wired_get(wsman::talk& t, const json::value&) {
  auto ports = get_ethernet_ports(t);
  if (!ports)
    return ports.error();
  if (!ports->wired)
    return fail(problem::not_found, "Wired Network Settings not found");
  return read_wired(t, *ports->wired);
}

constexpr std::string_view address_members[] = {"ipAddress", "subnetMask", "defaultGateway",
                                                "primaryDNS", "secondaryDNS"};

std::vector<rest::field_error> check_wired(const json::value& argument) {
  argument_reader in(argument);
  in.boolean("dhcpEnabled");
  in.boolean("ipSyncEnabled", argument_reader::must::may_miss);
  for (auto name : address_members) {
    const auto* v = argument.find(name);
    if (!is_falsy(v) && (v->text() == nullptr || !is_ipv4(*v->text())))
      in.wrong(name, "must be an IPv4 address");
  }
  return std::move(in).errors();
}

/// MPS's validateWiredNetworkConfig(), whose mistakes are no field errors.
status sensible(const wired_request& r) {
  const bool addresses = !r.ip_address.empty() || !r.subnet_mask.empty() ||
                         !r.default_gateway.empty() || !r.primary_dns.empty() ||
                         !r.secondary_dns.empty();
  const bool ip_sync = r.ip_sync.value_or(false);
  if (r.dhcp && addresses)
    return fail(problem::malformed, "cannot specify static IP settings when DHCP is enabled");
  if (ip_sync && addresses)
    return fail(problem::malformed, "cannot specify static IP settings when IP sync is enabled");
  if (!r.dhcp && !ip_sync && !addresses)
    return fail(problem::malformed,
                "must enable DHCP, enable IP sync, or provide static IP settings");
  if (!addresses)
    return success();
  const std::pair<std::string_view, const std::string&> needed[] = {
      {"ipAddress", r.ip_address},
      {"subnetMask", r.subnet_mask},
      {"defaultGateway", r.default_gateway},
      {"primaryDNS", r.primary_dns}};
  for (const auto& [name, value] : needed)
    if (value.empty())
      return fail(problem::malformed,
                  std::string(name) + " is required for static IP configuration",
                  std::string(name));
  return success();
}

result<json::value> wired_set(wsman::talk& t, const json::value& argument) {
  if (const auto* x = argument.find("ieee8021x"); x != nullptr && !x->is_null())
    return fail(problem::unsupported, "Wired 802.1X configuration is not yet supported",
                "ieee8021x");
  wired_request r;
  r.dhcp = boolean_at(argument, "dhcpEnabled").value_or(false);
  r.ip_sync = boolean_at(argument, "ipSyncEnabled");
  r.ip_address = text_at(argument, "ipAddress");
  r.subnet_mask = text_at(argument, "subnetMask");
  r.default_gateway = text_at(argument, "defaultGateway");
  r.primary_dns = text_at(argument, "primaryDNS");
  r.secondary_dns = text_at(argument, "secondaryDNS");
  if (auto ok = sensible(r); !ok)
    return ok.error();
  if (auto ok = set_wired(t, r); !ok)
    return ok.error();
  return json::value();
}

std::vector<rest::field_error> check_preference(const json::value& argument) {
  argument_reader in(argument);
  const auto owner = integer_at(argument, "linkPreference");
  if (owner != 1 && owner != 2)
    in.wrong("linkPreference", "must be 1 (management engine) or 2 (host)");
  const auto timeout = integer_at(argument, "timeout");
  if (!timeout || *timeout < 0 || *timeout > std::numeric_limits<std::uint32_t>::max())
    in.wrong("timeout", "must be whole seconds from 0");
  return std::move(in).errors();
}

result<json::value> preference_set(wsman::talk& t, const json::value& argument) {
  const auto owner = static_cast<link_owner>(*integer_at(argument, "linkPreference"));
  const auto timeout = static_cast<std::uint32_t>(*integer_at(argument, "timeout"));
  if (auto ok = set_link_preference(t, owner, timeout); !ok)
    return ok.error();
  return json::value(json::object{{"ReturnValue", 0}, {"ReturnValueStr", "SUCCESS"}});
}

} // namespace

json::object port_json(const ethernet_port& p) {
  json::array policies;
  for (auto policy : p.policies)
    policies.push_back(to_string(policy).empty() ? "Unknown" : to_string(policy));
  json::object out{{"elementName", p.element_name},
                   {"instanceID", p.instance_id},
                   {"vlanTag", p.vlan_tag},
                   {"sharedMAC", p.shared_mac.value_or(false)},
                   {"macAddress", p.mac_address},
                   {"linkIsUp", p.link_is_up},
                   {"linkPolicy", std::move(policies)},
                   {"sharedStaticIP", p.shared_static_ip.value_or(false)},
                   {"sharedDynamicIP", p.shared_dynamic_ip},
                   {"ipSyncEnabled", p.ip_sync.value_or(false)},
                   {"dhcpEnabled", p.dhcp},
                   {"ipAddress", p.ip_address},
                   {"subnetMask", p.subnet_mask},
                   {"defaultGateway", p.default_gateway},
                   {"primaryDNS", p.primary_dns},
                   {"secondaryDNS", p.secondary_dns},
                   {"physicalConnectionType", word(p.connection)},
                   {"physicalNICMedium", word(p.medium)}};
  if (p.tcp_max_retransmissions != 0)
    out.push_back({"consoleTCPMaxRetransmissions", p.tcp_max_retransmissions});
  return out;
}

std::vector<operation> network_operations() {
  constexpr auto reads = wsman::effect::none;
  constexpr auto changes = wsman::effect::change;
  return {{"network.get", reads, network_get, nullptr, 20s, false, "network"},
          {"wired.get", reads, wired_get},
          {"wired.set", changes, wired_set, check_wired, 15s, false, {}, "network.get"},
          {"link_preference.set",
           changes,
           preference_set,
           check_preference,
           15s,
           false,
           {},
           "network.get"}};
}

} // namespace outband::amt
