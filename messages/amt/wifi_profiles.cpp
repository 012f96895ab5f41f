#include "messages/amt/certificates.hpp"
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

struct handles {
  std::string client, ca;
};

/// Certificates that the firmware holds already are not added again.
result<std::string> handle_of(wsman::talk& t, const std::vector<certificate>& held,
                              const std::string& der, bool root) {
  for (const auto& c : held)
    if (c.x509 == der && c.trusted_root == root)
      return c.instance_id;
  return add_certificate(t, der, root);
}

result<handles> provide_credentials(wsman::talk& t, const wifi_profile_request::enterprise& e) {
  handles out;
  if (e.client_certificate.empty() && e.private_key.empty() && e.ca_certificate.empty())
    return out;
  auto held = get_certificates(t);
  if (!held)
    return held.error();
  if (!e.private_key.empty()) {
    auto key = read_private_key(e.private_key);
    if (!key)
      return key.error();
    auto keys = get_keys(t);
    if (!keys)
      return keys.error();
    const bool known = std::any_of(keys->begin(), keys->end(),
                                   [&](const auto& k) { return k.der_key == key->public_key; });
    if (!known)
      if (auto added = add_private_key(t, key->private_key); !added)
        return added.error();
  }
  const auto provide = [&](const std::string& text, bool root, std::string& handle) -> status {
    if (text.empty())
      return success();
    auto c = read_certificate(text);
    if (!c)
      return c.error();
    auto told = handle_of(t, *held, c->der, root);
    if (!told)
      return told.error();
    handle = std::move(*told);
    return success();
  };
  if (auto ok = provide(e.client_certificate, false, out.client); !ok)
    return ok.error();
  if (auto ok = provide(e.ca_certificate, true, out.ca); !ok)
    return ok.error();
  // MPS waits a second before it uses what it added. Firmware that lists it can use it.
  const auto known_before = [&](const std::string& handle) {
    return handle.empty() || std::any_of(held->begin(), held->end(),
                                         [&](const auto& c) { return c.instance_id == handle; });
  };
  if (!known_before(out.client) || !known_before(out.ca)) {
    auto then = get_certificates(t);
    if (!then)
      return then.error();
  }
  return out;
}

std::string properties_of(const wifi_profile_request& what, const std::string& instance_id,
                          const handles& credentials) {
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
    if (!what.ieee8021x->password.empty())
      s += q("Password", what.ieee8021x->password);
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
  handles credentials;
  if (what.ieee8021x) {
    auto provided = provide_credentials(t, *what.ieee8021x);
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
  handles credentials;
  if (what.ieee8021x) {
    auto provided = provide_credentials(t, *what.ieee8021x);
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
