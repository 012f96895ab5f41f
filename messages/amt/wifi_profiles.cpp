#include "messages/amt/configure_8021x.hpp"
#include "messages/amt/status.hpp"
#include "messages/amt/wifi.hpp"

#include <algorithm>
#include <utility>

namespace outband::amt {

namespace {

constexpr std::string_view service = "AMT_WiFiPortConfigurationService";
constexpr std::string_view networks = "CIM_WiFiEndpointSettings";
constexpr std::size_t max_profiles = 8;

std::string code(std::uint32_t value) {
  return std::to_string(value);
}

/// `<h:NAME xmlns:q="URI">...</h:NAME>`, an instance as a parameter; `inner` uses prefix q.
std::string embedded(std::string_view name, std::string_view cls, const std::string& inner) {
  return "<h:" + std::string(name) + " xmlns:q=\"" + wsman::class_uri(cls) + "\">" + inner +
         "</h:" + std::string(name) + ">";
}
std::string q(std::string_view name, std::string_view value) {
  const std::string n(name);
  return "<q:" + n + ">" + wsman::escaped(value) + "</q:" + n + ">";
}

std::string certificate_parameter(std::string_view name, const std::string& handle) {
  return wsman::endpoint_parameter(
      name, {wsman::class_uri("AMT_PublicKeyCertificate"), wsman::named("InstanceID", handle)});
}

ieee8021x_credentials credentials_of(const wifi_profile_request::enterprise& e) {
  return {e.client_certificate, e.private_key, e.ca_certificate};
}

std::string properties_of(const wifi_profile_request& what, const std::string& instance_id,
                          const ieee8021x_handles& credentials) {
  auto network = q("ElementName", what.name) + q("InstanceID", instance_id) +
                 q("AuthenticationMethod", code(static_cast<std::uint32_t>(what.auth))) +
                 q("EncryptionMethod", code(static_cast<std::uint32_t>(what.cipher))) +
                 q("SSID", what.ssid) + q("Priority", code(what.priority));
  if (!what.password.empty())
    network += q("PSKPassPhrase", what.password);
  auto out = embedded("WiFiEndpointSettingsInput", networks, network);
  if (what.ieee8021x) {
    auto s = q("ElementName", what.name) +
             q("InstanceID", "Intel(r) AMT:IEEE 802.1x Settings " + what.name) +
             q("AuthenticationProtocol", code(what.ieee8021x->protocol)) +
             q("Username", what.ieee8021x->user);
    const auto optional = [&](std::string_view name, const std::string& value) {
      if (!value.empty())
        s += q(name, value);
    };
    optional("Password", what.ieee8021x->password);
    optional("Domain", what.ieee8021x->domain);
    optional("RoamingIdentity", what.ieee8021x->roaming_identity);
    optional("ServerCertificateName", what.ieee8021x->server_name);
    if (!what.ieee8021x->server_name.empty())
      s += q("ServerCertificateNameComparison", code(server_name_in_full));
    out += embedded("IEEE8021xSettingsInput", "CIM_IEEE8021xSettings", s);
  }
  if (!credentials.client.empty())
    out += certificate_parameter("ClientCredential", credentials.client);
  if (!credentials.ca.empty())
    out += certificate_parameter("CACredential", credentials.ca);
  return out;
}

/// What Add- and UpdateWiFiSettings return; not PT_STATUS.
status settings_done(const result<wsman::returned>& told, const std::string& method) {
  if (!told)
    return told.error();
  switch (told->value) {
  case 0:
    return success();
  case 1:
    return fail(problem::device_refused, method + ": this firmware does not support it (1)");
  case 3:
    return fail(problem::device_refused,
                method + ": the firmware does not accept one of the values (3); check the "
                         "password's length and that encryption and authentication go together");
  case 4:
    return fail(problem::device_refused,
                method + ": the firmware does not know one of the certificates (4)");
  default:
    return fail(problem::device_refused,
                method + ": the firmware failed (" + code(told->value) + ")");
  }
}

const wifi_network* by_name(const std::vector<wifi_network>& all, std::string_view name) {
  auto at = std::find_if(all.begin(), all.end(), [&](const auto& n) { return n.name == name; });
  return at == all.end() ? nullptr : &*at;
}
const wifi_network* by_priority(const std::vector<wifi_network>& all, std::uint32_t priority) {
  auto at =
      std::find_if(all.begin(), all.end(), [&](const auto& n) { return n.priority == priority; });
  return at == all.end() ? nullptr : &*at;
}

failure priority_taken(std::uint32_t priority) {
  return fail(problem::already_exists,
              "Wireless Profile with the requested priority already exists: " + code(priority) +
                  ".",
              "priority");
}
failure no_profile(std::string_view name) {
  return fail(problem::not_found, "Wireless Profile not found: " + std::string(name) + ".",
              "profileName");
}

result<std::vector<wifi_network>> networks_of_a_wifi_machine(wsman::talk& t) {
  auto ports = t.list("CIM_WiFiPort");
  if (!ports && !t.is_absent())
    return ports.error();
  if (!ports || wsman::instances(**ports, "CIM_WiFiPort").empty())
    return fail(problem::not_found, "No WiFi port found on the device");
  return get_wifi_networks(t);
}

} // namespace

status add_wifi_profile(wsman::talk& t, const wifi_profile_request& what) {
  auto all = networks_of_a_wifi_machine(t);
  if (!all)
    return all.error();
  if (by_name(*all, what.name) != nullptr)
    return fail(problem::already_exists, "Wireless Profile already exists: " + what.name + ".",
                "profileName");
  if (by_priority(*all, what.priority) != nullptr)
    return priority_taken(what.priority);
  if (all->size() >= max_profiles)
    return fail(problem::already_exists,
                "Maximum number of wireless profiles already configured on the device: 8");
  ieee8021x_handles credentials;
  if (what.ieee8021x) {
    auto provided = provide_credentials(t, credentials_of(*what.ieee8021x));
    if (!provided)
      return provided.error();
    credentials = std::move(*provided);
  }
  const auto endpoint =
      wsman::endpoint_parameter("WiFiEndpoint", {wsman::class_uri("CIM_WiFiEndpoint"),
                                                 wsman::named("Name", "WiFi Endpoint 0")});
  return settings_done(
      t.invoke(service, "AddWiFiSettings",
               endpoint + properties_of(what, "Intel(r) AMT:WiFi Endpoint Settings " + what.name,
                                        credentials)),
      "AddWiFiSettings");
}

status update_wifi_profile(wsman::talk& t, const wifi_profile_request& what) {
  auto all = networks_of_a_wifi_machine(t);
  if (!all)
    return all.error();
  const auto* now = by_name(*all, what.name);
  if (now == nullptr)
    return no_profile(what.name);
  const auto* owner = by_priority(*all, what.priority);
  if (owner != nullptr && owner->instance_id != now->instance_id)
    return priority_taken(what.priority);
  ieee8021x_handles credentials;
  if (what.ieee8021x) {
    auto provided = provide_credentials(t, credentials_of(*what.ieee8021x));
    if (!provided)
      return provided.error();
    credentials = std::move(*provided);
  }
  const auto which = wsman::endpoint_parameter(
      "WiFiEndpointSettings",
      {wsman::class_uri(networks), wsman::named("InstanceID", now->instance_id)});
  return settings_done(t.invoke(service, "UpdateWiFiSettings",
                                which + properties_of(what, now->instance_id, credentials)),
                       "UpdateWiFiSettings");
}

status remove_wifi_profile(wsman::talk& t, std::string_view name) {
  auto all = get_wifi_networks(t);
  if (!all)
    return all.error();
  const auto* now = by_name(*all, name);
  if (now == nullptr)
    return no_profile(name);
  return t.remove(networks, wsman::named("InstanceID", now->instance_id));
}

} // namespace outband::amt
