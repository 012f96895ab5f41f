// CIM_WiFiPort, CIM_WiFiEndpointSettings, CIM_IEEE8021xSettings, AMT_WiFiPortConfigurationService,
// AMT_8021XCredentialContext.
#include "tools/amtsim/wifi_state.hpp"

#include "tools/amtsim/certificate_state.hpp"
#include "tools/amtsim/classes.hpp"
#include "tools/amtsim/firmware_version.hpp"
#include "tools/amtsim/kept_members.hpp"
#include "tools/amtsim/network_state.hpp"
#include "tools/amtsim/status.hpp"

#include <algorithm>
#include <cctype>

namespace outband::amtsim {

namespace {

using wsman::endpoint;
using wsman::instance;

// ReturnValues of AddWiFiSettings and UpdateWiFiSettings
constexpr std::uint32_t failed = 2;
constexpr std::uint32_t invalid_parameter = 3;
constexpr std::uint32_t invalid_reference = 4;

const std::string profile_prefix = "Intel(r) AMT:WiFi Endpoint Settings ";
const std::string ieee_prefix = "Intel(r) AMT:IEEE 802.1x Settings ";
const std::string port_name = "WiFi Port 0";
const std::string endpoint_name = "WiFi Endpoint 0";

instances port(const device_model& d) {
  return {{"CIM_WiFiPort",
           {{"CreationClassName", "CIM_WiFiPort"},
            {"DeviceID", port_name},
            {"ElementName", port_name},
            {"EnabledState", text(d.wifi->port)},
            {"HealthState", "5"},
            {"LinkTechnology", "11"},
            {"PermanentAddress", mac_address(d.who().guid, 1, false)},
            {"PortType", "0"},
            {"RequestedState", text(d.wifi->port)},
            {"SystemCreationClassName", "CIM_ComputerSystem"},
            {"SystemName", "Intel(r) AMT"}}}};
}

outcome request_port(const wsman::node& input, context& c) {
  const auto state = wsman::to_number(input.child_text("RequestedState"));
  if (!state)
    return soap_fault::schema_validation_error;
  if (*state != 3 && *state != 32768 && *state != 32769)
    return status::invalid_parameter;
  c.device.wifi.change().port = *state;
  return status::success;
}

instances configuration_service(const device_model& d) {
  const auto* joined = joined_network(d);
  auto out = with(
      service("AMT_WiFiPortConfigurationService", "Intel(r) AMT WiFi Port Configuration Service"),
      {{"EnabledState", "5"},
       {"HealthState", "5"},
       {"LastConnectedSsidUnderMeControl", joined != nullptr ? joined->ssid : std::string()},
       {"NoHostCsmeSoftwarePolicy", text(d.wifi->no_host_policy)},
       {"RequestedState", "12"},
       {"localProfileSynchronizationEnabled", text(d.wifi->profile_sync)}});
  out.fields.front().value = "Intel(r) AMT WiFiPort Configuration Service"; // its ElementName
  if (d.shared().kind.ocr)
    out.fields.push_back({"UEFIWiFiProfileShareEnabled", text(d.wifi->uefi_share)});
  return {out};
}

refusal put_configuration(const wsman::node& body, const instance&, context& c) {
  auto sync = c.device.wifi->profile_sync;
  auto policy = c.device.wifi->no_host_policy;
  auto share = c.device.wifi->uefi_share;
  if (!take(body, "localProfileSynchronizationEnabled", sync, 3) ||
      !take(body, "NoHostCsmeSoftwarePolicy", policy, 2) ||
      !take(body, "UEFIWiFiProfileShareEnabled", share))
    return soap_fault::invalid_representation;
  auto& wifi = c.device.wifi.change();
  if (sync != wifi.profile_sync)
    record_audit(c, 27, 3);
  if (!c.device.shared().kind.ocr)
    share = false; // such firmware does not know the property
  if (share != wifi.uefi_share)
    record_audit(c, 27, 5, std::string(1, share ? '\1' : '\0'));
  wifi.profile_sync = sync;
  wifi.no_host_policy = policy;
  wifi.uefi_share = share;
  return {};
}

// -- profiles -------------------------------------------------------------------------------------

instance shown(const wifi_profile& p) {
  return {"CIM_WiFiEndpointSettings",
          {{"AuthenticationMethod", text(p.authentication)},
           {"BSSType", text(p.bss_type)},
           {"ElementName", p.name},
           {"EncryptionMethod", text(p.encryption)},
           {"InstanceID", p.id},
           {"Priority", text(p.priority)},
           {"SSID", p.ssid}}};
}

/// What the host's software copies into the firmware while profiles are synchronised.
const wifi_profile& profile_of_the_user() {
  static const wifi_profile p{"Intel(r) AMT:WiFi Endpoint User Settings Home Office",
                              "Home Office",
                              "Home Office",
                              0,
                              6,
                              4,
                              3,
                              {},
                              {}};
  return p;
}

instances profiles(const device_model& d) {
  instances out;
  for (const auto& p : d.wifi->profiles)
    out.push_back(shown(p));
  if (d.wifi->profile_sync != 0)
    out.push_back(shown(profile_of_the_user()));
  return out;
}

refusal remove_profile(const instance& target, context& c) {
  auto& all = c.device.wifi.change().profiles;
  const auto found = std::find_if(all.begin(), all.end(), [&](const wifi_profile& p) {
    return p.id == text_of(target, "InstanceID");
  });
  if (found == all.end())
    return soap_fault::access_denied; // the user's own; the host would bring it back
  all.erase(found);
  record_audit(c, 27, 1);
  return {};
}

instances enterprise_settings(const device_model& d) {
  instances out;
  for (const auto& p : d.wifi->profiles) {
    if (!p.enterprise)
      continue;
    const auto& e = *p.enterprise;
    instance shown{"CIM_IEEE8021xSettings",
                   {{"AuthenticationProtocol", text(e.protocol)},
                    {"ElementName", e.name},
                    {"InstanceID", e.id},
                    {"Username", e.user}}};
    const auto optional = [&](const char* name, const std::string& value) {
      if (!value.empty())
        shown.fields.push_back({name, value});
    };
    optional("Domain", e.domain);
    optional("RoamingIdentity", e.roaming_identity);
    optional("ServerCertificateName", e.server_name);
    if (!e.server_name.empty())
      shown.fields.push_back({"ServerCertificateNameComparison", text(e.server_name_comparison)});
    out.push_back(std::move(shown));
  }
  return out;
}

/// Which certificates the profiles show and trust.
instances contexts_as(const std::string& class_name, const device_model& d) {
  instances out;
  for (const auto& p : d.wifi->profiles) {
    if (!p.enterprise)
      continue;
    for (const auto& handle : {p.enterprise->client_cert, p.enterprise->ca_cert})
      if (handle)
        out.push_back(
            {class_name,
             {{"ElementInContext", certificate_endpoint(*handle)},
              {"ElementProvidingContext", endpoint{wsman::class_uri("CIM_IEEE8021xSettings"),
                                                   {{"InstanceID", p.enterprise->id}}}}}});
  }
  return out;
}
instances contexts(const device_model& d) {
  return contexts_as("AMT_8021XCredentialContext", d);
}
/// Peers write the name with a small x.
instances contexts_small_x(const device_model& d) {
  return contexts_as("AMT_8021xCredentialContext", d);
}

// -- AddWiFiSettings, UpdateWiFiSettings ----------------------------------------------------------

bool is_hex(const std::string& s) {
  return std::all_of(s.begin(), s.end(),
                     [](char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; });
}

bool uses_passphrase(std::uint32_t authentication) {
  return authentication == 4 || authentication == 6 || authentication == 32768;
}
bool uses_8021x(std::uint32_t authentication) {
  return authentication == 5 || authentication == 7;
}

bool good_security(const wifi_profile& p, const device_model& d) {
  const bool wpa3 = p.authentication == 32768 || p.authentication == 32769;
  if (wpa3 && !version_at_least(d.shared().kind.version, 15))
    return false;
  if (uses_passphrase(p.authentication)) {
    const auto n = p.passphrase.size();
    if (n < 8 || n > 64 || (n == 64 && !is_hex(p.passphrase)))
      return false;
  } else if (!uses_8021x(p.authentication) && p.authentication != 2 && p.authentication != 32769) {
    return false;
  }
  if (uses_8021x(p.authentication) != p.enterprise.has_value())
    return false;
  const bool open = p.authentication == 2;
  return open ? p.encryption == 5 || p.encryption == 2 : p.encryption == 3 || p.encryption == 4;
}

/// Takes the embedded settings over; absent ones stay as they are. 0, or the ReturnValue.
std::uint32_t read_profile(const wsman::node& from, wifi_profile& p) {
  std::string id = p.id;
  if (!take(from, "ElementName", p.name, 32) || !take(from, "InstanceID", id, 128) ||
      !take(from, "SSID", p.ssid, 32) || !take(from, "Priority", p.priority, 255) ||
      !take(from, "AuthenticationMethod", p.authentication) ||
      !take(from, "EncryptionMethod", p.encryption) || !take(from, "BSSType", p.bss_type, 3) ||
      !take(from, "PSKPassPhrase", p.passphrase, 64))
    return invalid_parameter;
  if (p.name.empty() || p.ssid.empty() || p.priority == 0)
    return invalid_parameter;
  if (p.id.empty()) // a new one; later its name is fixed
    p.id = id.empty() ? profile_prefix + p.name : id;
  return 0;
}

/// The same for 802.1x: its settings and the certificates that the input refers to.
std::uint32_t read_enterprise(const wsman::node& input, wifi_profile& p, const device_model& d) {
  const auto* from = input.child("IEEE8021xSettingsInput");
  if (from == nullptr)
    return 0;
  auto next = p.enterprise.value_or(wifi_8021x{});
  std::string id = next.id;
  if (!take(*from, "ElementName", next.name, 64) || !take(*from, "InstanceID", id, 128) ||
      !take(*from, "AuthenticationProtocol", next.protocol, 10) ||
      !take(*from, "Username", next.user, 128) || !take(*from, "Password", next.password, 256) ||
      !take(*from, "Domain", next.domain, 255) ||
      !take(*from, "RoamingIdentity", next.roaming_identity, 80) ||
      !take(*from, "ServerCertificateName", next.server_name, 80) ||
      !take(*from, "ServerCertificateNameComparison", next.server_name_comparison, 3) ||
      !good_server_name(next.server_name, next.server_name_comparison))
    return invalid_parameter;
  if (next.id.empty())
    next.id = id.empty() ? ieee_prefix + p.name : id;
  if (next.name.empty())
    next.name = p.name;
  for (const auto& [name, into] : {std::pair{"ClientCredential", &next.client_cert},
                                   std::pair{"CACredential", &next.ca_cert}}) {
    if (input.child(name) == nullptr)
      continue;
    const auto to = endpoint_of(input, name);
    const auto* found = to ? find_certificate(d, *to) : nullptr;
    if (found == nullptr)
      return invalid_reference;
    *into = found->handle;
  }
  if (next.user.empty() || (next.protocol == 0 && !next.client_cert) ||
      (next.protocol == 2 && next.password.empty()))
    return invalid_parameter;
  p.enterprise = std::move(next);
  return 0;
}

/// Stores what was read unless it collides with another profile.
std::uint32_t store(wifi_profile p, context& c, wifi_profile* replaces) {
  if (!good_security(p, c.device))
    return invalid_parameter;
  auto& all = c.device.wifi.change().profiles;
  for (const auto& other : all)
    if (&other != replaces &&
        (other.id == p.id || other.name == p.name || other.priority == p.priority))
      return invalid_parameter;
  record_audit(c, 27, replaces != nullptr ? 2 : 0);
  if (replaces != nullptr)
    *replaces = std::move(p);
  else
    all.push_back(std::move(p));
  return status::success;
}

outcome add(const wsman::node& input, context& c) {
  const auto to = endpoint_of(input, "WiFiEndpoint");
  const auto* settings = input.child("WiFiEndpointSettingsInput");
  if (settings == nullptr)
    return soap_fault::schema_validation_error;
  if (!to || selector_of(*to, "Name") != endpoint_name)
    return invalid_reference;
  if (c.device.wifi->profiles.size() >= max_wifi_profiles)
    return failed;
  wifi_profile p;
  if (const auto rv = read_profile(*settings, p))
    return rv;
  if (const auto rv = read_enterprise(input, p, c.device))
    return rv;
  return store(std::move(p), c, nullptr);
}

outcome update(const wsman::node& input, context& c) {
  const auto to = endpoint_of(input, "WiFiEndpointSettings");
  const auto* settings = input.child("WiFiEndpointSettingsInput");
  if (settings == nullptr)
    return soap_fault::schema_validation_error;
  auto& all = c.device.wifi.change().profiles;
  const auto found = std::find_if(all.begin(), all.end(), [&](const wifi_profile& p) {
    return to && p.id == selector_of(*to, "InstanceID");
  });
  if (found == all.end())
    return invalid_reference;
  auto next = *found;
  if (const auto rv = read_profile(*settings, next))
    return rv;
  if (!uses_8021x(next.authentication))
    next.enterprise.reset();
  if (!uses_passphrase(next.authentication))
    next.passphrase.clear();
  if (const auto rv = read_enterprise(input, next, c.device))
    return rv;
  return store(std::move(next), c, &*found);
}

// -- what they are attached to --------------------------------------------------------------------

instances endpoints(const device_model& d) {
  return {{"CIM_WiFiEndpoint",
           {{"CreationClassName", "CIM_WiFiEndpoint"},
            {"ElementName", endpoint_name},
            {"EnabledState", d.wifi->port == 3 ? "3" : "2"},
            {"Name", endpoint_name},
            {"SystemCreationClassName", "CIM_ComputerSystem"},
            {"SystemName", "Intel(r) AMT"}}}};
}

instances endpoint_capabilities(const device_model&) {
  return {{"CIM_WiFiEndpointCapabilities", {{"ElementName", "CIM_WiFiEndpointCapabilities"}}}};
}
instances port_capabilities(const device_model&) {
  return {{"CIM_WiFiPortCapabilities", {{"ElementName", "CIM_WiFiPortCapabilities"}}}};
}

// -- flash ----------------------------------------------------------------------------------------

template <class V, class T> void enterprise_members(V& v, T& t) {
  v("id", t.id);
  v("name", t.name);
  v("protocol", t.protocol);
  v("user", t.user);
  v("password", t.password);
  v("domain", t.domain);
  v("roaming", t.roaming_identity);
  v("server", t.server_name);
  v("comparison", t.server_name_comparison);
  v("client", t.client_cert);
  v("ca", t.ca_cert);
}

template <class V, class T> void profile_members(V& v, T& t) {
  v("id", t.id);
  v("name", t.name);
  v("ssid", t.ssid);
  v("priority", t.priority);
  v("authentication", t.authentication);
  v("encryption", t.encryption);
  v("bss", t.bss_type);
  v("passphrase", t.passphrase);
}

void save(const device_model& d, kept_texts& out) {
  if (!d.wifi.changed())
    return;
  kept_writer to(out);
  to("port", d.wifi->port);
  to("sync", d.wifi->profile_sync);
  to("policy", d.wifi->no_host_policy);
  to("share", d.wifi->uefi_share);
  to.list("profiles", d.wifi->profiles, [](kept_writer& w, const wifi_profile& p) {
    profile_members(w, p);
    if (p.enterprise)
      w.within("8021x.", [&](kept_writer& x) { enterprise_members(x, *p.enterprise); });
  });
}

void load(const kept_texts& in, device_model& d) {
  if (in.empty())
    return;
  const kept_reader from(in);
  auto& wifi = d.wifi.change();
  from("port", wifi.port);
  from("sync", wifi.profile_sync);
  from("policy", wifi.no_host_policy);
  from("share", wifi.uefi_share);
  from.list("profiles", wifi.profiles, [](const kept_reader& r, wifi_profile& p) {
    profile_members(r, p);
    wifi_8021x e;
    r.within("8021x.", [&](const kept_reader& x) { enterprise_members(x, e); });
    if (!e.id.empty())
      p.enterprise = std::move(e);
  });
  if (wifi.profiles.size() > max_wifi_profiles)
    wifi.profiles.resize(max_wifi_profiles);
}

} // namespace

bool has_wifi(const device_model& device) {
  return device.shared().kind.wifi;
}

const wifi_profile* joined_network(const device_model& device) {
  const auto& all = device.wifi->profiles;
  if (device.wifi->port == 3 || device.network->link_preference != 1 || all.empty())
    return nullptr;
  return &*std::min_element(all.begin(), all.end(),
                            [](const auto& a, const auto& b) { return a.priority < b.priority; });
}

class_table wifi_classes() {
  const auto row = [](std::string_view name, instances (*list)(const device_model&)) {
    class_row out{name, list};
    out.exists = has_wifi;
    return out;
  };
  auto service_row = row("AMT_WiFiPortConfigurationService", configuration_service);
  service_row.put = put_configuration;
  auto profile_row = row("CIM_WiFiEndpointSettings", profiles);
  profile_row.remove = remove_profile;
  return {{row("CIM_WiFiPort", port),
           service_row,
           profile_row,
           row("CIM_WiFiEndpoint", endpoints),
           row("CIM_WiFiEndpointCapabilities", endpoint_capabilities),
           row("CIM_WiFiPortCapabilities", port_capabilities),
           // These exist without a radio too, empty: consoles ask for them in one go.
           {"CIM_IEEE8021xSettings", enterprise_settings},
           {"AMT_8021XCredentialContext", contexts},
           {"AMT_8021xCredentialContext", contexts_small_x}},
          {{"CIM_WiFiPort", "RequestStateChange", request_port},
           {"AMT_WiFiPortConfigurationService", "AddWiFiSettings", add},
           {"AMT_WiFiPortConfigurationService", "UpdateWiFiSettings", update}},
          {},
          {{"wifi", save, load}}};
}

} // namespace outband::amtsim
