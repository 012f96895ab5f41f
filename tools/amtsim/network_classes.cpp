// AMT_EthernetPortSettings, IPS_IEEE8021xSettings, AMT_8021XProfile and the wired credential
// contexts; CIM_EthernetPort, IPS_LANEndpoint.
#include "tools/amtsim/network_state.hpp"

#include "tools/amtsim/activation_state.hpp"
#include "tools/amtsim/certificate_state.hpp"
#include "tools/amtsim/classes.hpp"
#include "tools/amtsim/firmware_version.hpp"
#include "tools/amtsim/kept_members.hpp"
#include "tools/amtsim/status.hpp"
#include "tools/amtsim/wifi_state.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace outband::amtsim {

namespace {

using wsman::endpoint;
using wsman::instance;

const std::string settings_name = "Intel(r) AMT Ethernet Port Settings";
const std::string wired_id = settings_name + " 0";
const std::string wireless_id = settings_name + " 1";
const std::string ieee_id = "Intel(r) AMT: 8021X Settings";

// What the site's DHCP server hands out (values of a captured device).
const std::string lease_gateway = "192.168.6.1";
const std::string lease_mask = "255.255.255.0";

std::uint64_t hash_of(const device_id& guid, unsigned salt) {
  std::uint64_t h = 14695981039346656037ULL + salt; // FNV-1a
  for (const auto octet : guid.bytes)
    h = (h ^ octet) * 1099511628211ULL;
  return h;
}

/// Dotted IPv4 as a number; nullopt if it is none.
std::optional<std::uint32_t> ipv4(const std::string& s) {
  std::uint32_t out = 0;
  std::size_t at = 0;
  for (int part = 0; part < 4; ++part) {
    std::uint32_t n = 0;
    const auto from = at;
    for (; at < s.size() && at - from < 3 && s[at] >= '0' && s[at] <= '9'; ++at)
      n = n * 10 + static_cast<std::uint32_t>(s[at] - '0');
    if (at == from || n > 255)
      return std::nullopt;
    out = out << 8U | n;
    if (part < 3 && (at >= s.size() || s[at++] != '.'))
      return std::nullopt;
  }
  return at == s.size() ? std::optional(out) : std::nullopt;
}

bool is_mask(const std::string& s) {
  const auto m = ipv4(s);
  return m && *m != 0 && (~*m & (~*m + 1)) == 0;
}

std::string host_address(const device_id& guid) {
  return "192.168.6." + std::to_string(2 + hash_of(guid, 9) % 250);
}

void optional_field(instance& to, const char* name, const std::string& value) {
  if (!value.empty())
    to.fields.push_back({name, value});
}

void addresses(instance& to, const port_settings& p, const device_id& guid) {
  if (p.dhcp || p.shared_static) {
    to.fields.push_back({"DefaultGateway", lease_gateway});
    to.fields.push_back({"PrimaryDNS", lease_gateway});
    to.fields.push_back({"SubnetMask", lease_mask});
    if (!p.dhcp) // the host's own
      to.fields.push_back({"IPAddress", host_address(guid)});
    return;
  }
  optional_field(to, "IPAddress", p.address);
  optional_field(to, "SubnetMask", p.mask);
  optional_field(to, "DefaultGateway", p.gateway);
  optional_field(to, "PrimaryDNS", p.primary_dns);
  optional_field(to, "SecondaryDNS", p.secondary_dns);
}

instance port_base(const device_model& d, const port_settings& p, unsigned which) {
  instance out{"AMT_EthernetPortSettings",
               {{"DHCPEnabled", text(p.dhcp)},
                {"ElementName", settings_name},
                {"InstanceID", which == 0 ? wired_id : wireless_id},
                {"MACAddress", mac_address(d.who().guid, which)},
                {"SharedMAC", "true"}}};
  for (const auto policy : p.link_policy)
    out.fields.push_back({"LinkPolicy", text(policy)});
  if (p.vlan_tag != 0)
    out.fields.push_back({"VLANTag", text(p.vlan_tag)});
  if (version_at_least(d.shared().kind.version, 15))
    out.fields.push_back({"PhysicalConnectionType", which == 0 ? "0" : "3"});
  return out;
}

instances ports(const device_model& d) {
  const auto& net = *d.network;
  auto wired =
      with(port_base(d, net.wired, 0), {{"IpSyncEnabled", text(net.wired.ip_sync)},
                                        {"LinkIsUp", text(d.activation->wired_link)},
                                        {"SharedDynamicIP", "true"},
                                        {"SharedStaticIp", text(net.wired.shared_static)}});
  addresses(wired, net.wired, d.who().guid);
  if (!has_wifi(d))
    return {wired};
  auto wireless =
      with(port_base(d, net.wireless, 1),
           {{"ConsoleTcpMaxRetransmissions", text(net.wireless.console_retransmissions)},
            {"LinkControl", text(net.link_preference)},
            {"LinkIsUp", text(joined_network(d) != nullptr)},
            {"LinkPreference", text(net.link_preference)},
            {"WLANLinkProtectionLevel", "1"}});
  if (!net.wireless.dhcp)
    addresses(wireless, net.wireless, d.who().guid);
  return {wired, wireless};
}

// -- Put AMT_EthernetPortSettings -----------------------------------------------------------------

struct address_field {
  const char* name;
  std::string port_settings::*member;
};
constexpr std::array<address_field, 5> address_fields{{
    {"IPAddress", &port_settings::address},
    {"SubnetMask", &port_settings::mask},
    {"DefaultGateway", &port_settings::gateway},
    {"PrimaryDNS", &port_settings::primary_dns},
    {"SecondaryDNS", &port_settings::secondary_dns},
}};

/// The three modes there are: by DHCP, static as the host has it, static of its own.
bool read_addresses(const wsman::node& body, port_settings& next) {
  const bool own = !next.dhcp && !next.shared_static && !next.ip_sync;
  if (!own && !next.dhcp && (!next.shared_static || !next.ip_sync))
    return false;
  for (const auto& f : address_fields) {
    if (own && !take(body, f.name, next.*f.member, 15))
      return false;
    if (!own && body.child(f.name) != nullptr)
      return false; // firmware finds them out itself
    if (!own)
      (next.*f.member).clear();
  }
  if (!own)
    return true;
  const auto good = [](const std::string& s) {
    return s.empty() || ipv4(s);
  };
  return ipv4(next.address) && is_mask(next.mask) && good(next.gateway) && good(next.primary_dns) &&
         good(next.secondary_dns);
}

bool read_link_policy(const wsman::node& body, port_settings& next) {
  if (body.child("LinkPolicy") == nullptr)
    return true;
  next.link_policy.clear();
  for (const auto& child : body.children) {
    if (child.name != "LinkPolicy")
      continue;
    const auto policy = wsman::to_number(child.value());
    if (!policy || (*policy != 1 && *policy != 14 && *policy != 16 && *policy != 224) ||
        next.link_policy.size() == 4)
      return false;
    next.link_policy.push_back(*policy);
  }
  return true;
}

void append(std::string& to, std::uint32_t n) {
  for (const unsigned shift : {24U, 16U, 8U, 0U})
    to += static_cast<char>(n >> shift & 255U);
}

std::string audit_of(std::uint32_t interface, const port_settings& p) {
  std::string out;
  append(out, interface);
  out += p.dhcp ? '\1' : '\0';
  for (const auto& f : {p.address, p.mask, p.gateway, p.primary_dns, p.secondary_dns})
    append(out, ipv4(f).value_or(0));
  return out;
}

refusal put_port(const wsman::node& body, const instance& target, context& c) {
  const bool wireless = text_of(target, "InstanceID") == wireless_id;
  const auto member = wireless ? &network_state::wireless : &network_state::wired;
  // An empty address makes firmware store nothing at all (go-wsman-messages amt/ethernetport).
  for (const auto& f : address_fields)
    if (const auto* found = body.child(f.name); found != nullptr && found->value().empty())
      return {};
  auto next = (*c.device.network).*member;
  if (!take(body, "DHCPEnabled", next.dhcp) || !take(body, "IpSyncEnabled", next.ip_sync) ||
      !take(body, "SharedStaticIp", next.shared_static) ||
      !take(body, "VLANTag", next.vlan_tag, 0x1FFF) ||
      !take(body, "ConsoleTcpMaxRetransmissions", next.console_retransmissions, 7) ||
      next.console_retransmissions < 5 || !read_link_policy(body, next) ||
      !read_addresses(body, next))
    return soap_fault::invalid_representation;
  const std::uint32_t interface = wireless ? 1 : 0;
  record_audit(c, 22, 0, audit_of(interface, next));
  c.device.network.change().*member = std::move(next);
  return {};
}

outcome set_link_preference(const wsman::node& input, context& c) {
  const auto preference = wsman::to_number(input.child_text("LinkPreference"));
  const auto timeout = wsman::to_number(input.child_text("Timeout"));
  if (!preference || !timeout)
    return soap_fault::schema_validation_error;
  if (!has_wifi(c.device) || selected(c, "InstanceID", wireless_id) != wireless_id ||
      (*preference != 1 && *preference != 2))
    return status::invalid_parameter;
  auto& net = c.device.network.change();
  net.link_preference = *preference;
  net.link_preference_until = sim_time{0};
  if (*preference == 1 && *timeout != 0)
    net.link_preference_until = c.now + std::chrono::seconds(*timeout);
  record_audit(c, 27, 4);
  return status::success;
}

// -- 802.1x ---------------------------------------------------------------------------------------

instances ieee8021x(const device_model& d) {
  const auto& s = d.network->ieee8021x;
  instance out{"IPS_IEEE8021xSettings",
               {{"AvailableInS0", text(s.available_in_s0)},
                {"ElementName", s.name},
                {"Enabled", text(s.enabled)},
                {"InstanceID", ieee_id},
                {"PxeTimeout", text(s.pxe_timeout)}}};
  if (s.enabled != 3) {
    out.fields.push_back({"AuthenticationProtocol", text(s.protocol)});
    out.fields.push_back({"Username", s.user});
    optional_field(out, "Domain", s.domain);
    optional_field(out, "RoamingIdentity", s.roaming_identity);
    optional_field(out, "ServerCertificateName", s.server_name);
    if (!s.server_name.empty())
      out.fields.push_back({"ServerCertificateNameComparison", text(s.server_name_comparison)});
  }
  return {out};
}

refusal put_ieee8021x(const wsman::node& body, const instance&, context& c) {
  auto next = c.device.network->ieee8021x;
  if (!take(body, "Enabled", next.enabled) || !take(body, "AvailableInS0", next.available_in_s0) ||
      !take(body, "PxeTimeout", next.pxe_timeout, 86400) ||
      !take(body, "ElementName", next.name, 256) ||
      !take(body, "AuthenticationProtocol", next.protocol, 10) ||
      !take(body, "Username", next.user, 128) || !take(body, "Password", next.password, 256) ||
      !take(body, "Domain", next.domain, 255) ||
      !take(body, "RoamingIdentity", next.roaming_identity, 80) ||
      !take(body, "ServerCertificateName", next.server_name, 80) ||
      !take(body, "ServerCertificateNameComparison", next.server_name_comparison, 3) ||
      !good_server_name(next.server_name, next.server_name_comparison))
    return soap_fault::invalid_representation;
  if (next.enabled == 3) {
    // Switched off, firmware forgets whose credentials they were.
    wired_8021x off;
    off.name = next.name;
    off.pxe_timeout = next.pxe_timeout;
    off.available_in_s0 = next.available_in_s0;
    next = std::move(off);
  } else if ((next.enabled != 2 && next.enabled != 6) || next.user.empty() ||
             (next.protocol == 2 && next.password.empty())) {
    return soap_fault::invalid_representation;
  }
  c.device.network.change().ieee8021x = std::move(next);
  return {};
}

outcome set_certificates(const wsman::node& input, context& c) {
  auto client = c.device.network->ieee8021x.client_cert;
  auto issuer = c.device.network->ieee8021x.ca_cert;
  for (const auto& [name, into] :
       {std::pair{"ServerCertificateIssuer", &issuer}, std::pair{"ClientCertificate", &client}}) {
    if (input.child(name) == nullptr)
      continue;
    const auto to = endpoint_of(input, name);
    const auto* found = to ? find_certificate(c.device, *to) : nullptr;
    if (found == nullptr)
      return status::invalid_handle;
    *into = found->handle;
  }
  auto& s = c.device.network.change().ieee8021x;
  s.client_cert = client;
  s.ca_cert = issuer;
  return status::success;
}

instances wired_contexts_as(const std::string& class_name, const device_model& d) {
  instances out;
  const auto& s = d.network->ieee8021x;
  for (const auto& handle : {s.client_cert, s.ca_cert})
    if (handle)
      out.push_back(
          {class_name,
           {{"ElementInContext", certificate_endpoint(*handle)},
            {"ElementProvidingContext",
             endpoint{wsman::class_uri("IPS_IEEE8021xSettings"), {{"InstanceID", ieee_id}}}}}});
  return out;
}
instances wired_contexts(const device_model& d) {
  return wired_contexts_as("AMT_8021XWiredCredentialContext", d);
}
instances ips_contexts(const device_model& d) {
  return wired_contexts_as("IPS_8021xCredentialContext", d);
}

instances profile(const device_model& d) {
  const auto& p = d.network->profile;
  instance out{"AMT_8021XProfile",
               {{"ActiveInS0", text(p.active_in_s0)},
                {"ElementName", "Intel(r) AMT 802.1x Profile"},
                {"Enabled", text(p.enabled)},
                {"InstanceID", "Intel(r) AMT 802.1x Profile 0"},
                {"PxeTimeout", text(p.pxe_timeout)}}};
  if (p.enabled) {
    out.fields.push_back({"AuthenticationProtocol", text(p.protocol)});
    out.fields.push_back({"Username", p.user});
  }
  return {out};
}

refusal put_profile(const wsman::node& body, const instance&, context& c) {
  auto next = c.device.network->profile;
  if (!take(body, "ActiveInS0", next.active_in_s0) || !take(body, "Enabled", next.enabled) ||
      !take(body, "PxeTimeout", next.pxe_timeout, 86400) ||
      !take(body, "AuthenticationProtocol", next.protocol, 10) ||
      !take(body, "Username", next.user, 128) || !take(body, "Password", next.password, 256) ||
      (next.enabled && next.user.empty()))
    return soap_fault::invalid_representation;
  c.device.network.change().profile = std::move(next);
  return {};
}

// -- the port as hardware -------------------------------------------------------------------------

instances hardware_port(const device_model& d) {
  return {{"CIM_EthernetPort",
           {{"CreationClassName", "CIM_EthernetPort"},
            {"Description", "Wired0"},
            {"DeviceID", "Intel(r) AMT Ethernet Port 0"},
            {"ElementName", "Intel(r) AMT Ethernet Port"},
            {"EnabledDefault", "5"},
            {"EnabledState", "2"},
            {"LinkTechnology", "2"},
            {"MaxSpeed", "2500000000"},
            {"NetworkAddresses", mac_address(d.who().guid, 0, false)},
            {"OperationalStatus", "0"},
            {"PortType", "53"},
            {"RequestedState", "12"},
            {"Speed", "1000000000"},
            {"SystemCreationClassName", "CIM_ComputerSystem"},
            {"SystemName", "Intel(r) AMT"}}}};
}

instances lan_endpoint(const device_model& d) {
  return {{"IPS_LANEndpoint",
           {{"CreationClassName", "IPS_LANEndpoint"},
            {"EnabledState", "2"},
            {"LANType", "2"},
            {"MACAddress", mac_address(d.who().guid, 0, false)},
            {"Name", "Intel(r) AMT LAN Endpoint"},
            {"ProtocolType", "0"},
            {"RequestedState", "12"},
            {"SystemCreationClassName", "CIM_ComputerSystem"},
            {"SystemName", "Intel(r) AMT"}}}};
}

instances host_ip(const device_model&) {
  return {{"IPS_HostIPSettings",
           {{"DHCPEnabled", "false"},
            {"ElementName", "Intel(r) AMT: Host IP Settings"},
            {"InstanceID", "Intel(r) AMT: Host IP Settings"}}}};
}

// -- flash ----------------------------------------------------------------------------------------

template <class V, class T> void port_members(V& v, T& p) {
  v("dhcp", p.dhcp);
  v("sync", p.ip_sync);
  v("shared", p.shared_static);
  for (const auto& f : address_fields)
    v(f.name, p.*f.member);
  v("vlan", p.vlan_tag);
  v("retransmissions", p.console_retransmissions);
  v.list("policy", p.link_policy, [](auto& w, auto& n) { w("n", n); });
}

template <class V, class T> void members(V& v, T& n) {
  v.within("wired.", [&](auto& w) { port_members(w, n.wired); });
  v.within("wireless.", [&](auto& w) { port_members(w, n.wireless); });
  v.within("8021x.", [&](auto& w) {
    auto& s = n.ieee8021x;
    w("enabled", s.enabled);
    w("protocol", s.protocol);
    w("pxe", s.pxe_timeout);
    w("s0", s.available_in_s0);
    w("name", s.name);
    w("user", s.user);
    w("password", s.password);
    w("domain", s.domain);
    w("roaming", s.roaming_identity);
    w("server", s.server_name);
    w("comparison", s.server_name_comparison);
    w("client", s.client_cert);
    w("ca", s.ca_cert);
  });
  v.within("profile.", [&](auto& w) {
    auto& p = n.profile;
    w("enabled", p.enabled);
    w("s0", p.active_in_s0);
    w("protocol", p.protocol);
    w("pxe", p.pxe_timeout);
    w("user", p.user);
    w("password", p.password);
  });
}

void save(const device_model& d, kept_texts& out) {
  if (!d.network.changed())
    return;
  kept_writer to(out);
  members(to, *d.network); // not who owns the wireless link: that is of the moment
}

void load(const kept_texts& in, device_model& d) {
  if (in.empty())
    return;
  kept_reader from(in);
  members(from, d.network.change());
}

} // namespace

std::string wired_address(const device_model& d) {
  const auto& p = d.network->wired;
  return p.dhcp || p.shared_static ? host_address(d.who().guid) : p.address;
}

std::string mac_address(const device_id& guid, unsigned port, bool dashes) {
  const auto h = hash_of(guid, 0) + port;
  std::array<char, 24> out{};
  const auto octet = [&](unsigned i) {
    return static_cast<unsigned>(h >> (8U * i) & 255U);
  };
  std::snprintf(out.data(), out.size(),
                dashes ? "02-%02x-%02x-%02x-%02x-%02x" : "02%02x%02x%02x%02x%02x", octet(4),
                octet(3), octet(2), octet(1), octet(0));
  return out.data();
}

void expire_link_preference(device_model& device, sim_time now) {
  const auto until = device.network->link_preference_until;
  if (until.count() == 0 || until > now)
    return;
  auto& net = device.network.change();
  net.link_preference = 2;
  net.link_preference_until = sim_time{0};
}

class_table network_classes() {
  return {{{"AMT_EthernetPortSettings", ports, put_port},
           {"IPS_IEEE8021xSettings", ieee8021x, put_ieee8021x},
           {"IPS_8021xCredentialContext", ips_contexts},
           {"AMT_8021XWiredCredentialContext", wired_contexts},
           {"AMT_8021XProfile", profile, put_profile},
           {"CIM_EthernetPort", hardware_port},
           {"IPS_LANEndpoint", lan_endpoint},
           {"IPS_HostIPSettings", host_ip}},
          {{"AMT_EthernetPortSettings", "SetLinkPreference", set_link_preference},
           {"IPS_IEEE8021xSettings", "SetCertificates", set_certificates}},
          {},
          {{"network", save, load}}};
}

} // namespace outband::amtsim
