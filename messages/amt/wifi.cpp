#include "messages/amt/wifi.hpp"

#include "messages/amt/if_there.hpp"
#include "messages/amt/properties.hpp"
#include "messages/amt/put_back.hpp"
#include "messages/amt/status.hpp"
#include "messages/domain/text.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace outband::amt {

namespace {

constexpr std::string_view port = "CIM_WiFiPort";
constexpr std::string_view service = "AMT_WiFiPortConfigurationService";
constexpr std::string_view networks = "CIM_WiFiEndpointSettings";
constexpr std::string_view ieee8021x = "CIM_IEEE8021xSettings";
constexpr std::string_view users_own = "Intel(r) AMT:WiFi Endpoint User Settings";
constexpr std::uint32_t sync_off = 0;
constexpr std::uint32_t sync_unrestricted = 3; ///< as RPS and MPS set it

result<const wsman::node*> wifi_port(wsman::talk& t) {
  auto ports = instances_if_any(t, port);
  if (!ports)
    return ports.error();
  if (ports->empty())
    return fail(problem::not_found, "the machine has no Wi-Fi port");
  return ports->front();
}

/// 0 to 3; older firmware writes false and true.
result<std::uint32_t> local_sync_of(const wsman::node& instance) {
  const auto text = instance.child_text("localProfileSynchronizationEnabled");
  if (text == "true")
    return 1U;
  if (text == "false" || text.empty())
    return sync_off;
  return wsman::number_or(instance, "localProfileSynchronizationEnabled", sync_off);
}

result<profile_sync> sync_of(const wsman::node& instance, bool uefi_supported) {
  auto local = local_sync_of(instance);
  if (!local)
    return local.error();
  auto uefi = wsman::bool_or(instance, "UEFIWiFiProfileShareEnabled", false);
  if (!uefi)
    return uefi.error();
  return profile_sync{*local != sync_off, *uefi, uefi_supported};
}

struct sync_reading {
  const wsman::node* service;
  profile_sync now;
};
result<sync_reading> read_sync(wsman::talk& t) {
  if (auto there = wifi_port(t); !there)
    return there.error();
  auto instance = t.get(service);
  if (!instance)
    return instance.error();
  bool supported = false;
  if (auto can = t.get("AMT_BootCapabilities")) {
    auto told = wsman::bool_or(**can, "UEFIWiFiCoExistenceAndProfileShare", false);
    if (!told)
      return told.error();
    supported = *told;
  }
  auto now = sync_of(**instance, supported);
  if (!now)
    return now.error();
  return sync_reading{*instance, *now};
}

/// Which 802.1x settings belong to which network, by InstanceID, in either direction.
result<std::map<std::string, std::string>> associations(wsman::talk& t) {
  std::map<std::string, std::string> out;
  auto items = t.list("CIM_ConcreteDependency");
  if (!items)
    return out; // then names have to do
  for (const auto* item : wsman::instances(**items, "CIM_ConcreteDependency")) {
    const auto* antecedent = item->child("Antecedent");
    const auto* dependent = item->child("Dependent");
    auto a = antecedent != nullptr ? wsman::read_endpoint(*antecedent) : std::nullopt;
    auto d = dependent != nullptr ? wsman::read_endpoint(*dependent) : std::nullopt;
    if (!a || !d || a->selectors.empty() || d->selectors.empty())
      continue;
    if (wsman::class_of_uri(a->resource_uri) == ieee8021x)
      std::swap(a, d);
    if (wsman::class_of_uri(a->resource_uri) == networks &&
        wsman::class_of_uri(d->resource_uri) == ieee8021x)
      out[a->selectors.front().value] = d->selectors.front().value;
  }
  return out;
}

} // namespace

result<wifi_state> get_wifi_state(wsman::talk& t) {
  auto there = wifi_port(t);
  if (!there)
    return there.error();
  auto code = wsman::number_in(**there, "EnabledState");
  if (!code)
    return code.error();
  const auto state = static_cast<wifi_state>(*code);
  if (to_string(state).empty())
    return fail(problem::device_protocol, "the Wi-Fi port's EnabledState is " +
                                              std::to_string(*code) +
                                              ", which is none of 3, 32768, 32769");
  return state;
}

status set_wifi_state(wsman::talk& t, wifi_state wanted) {
  auto there = wifi_port(t);
  if (!there)
    return there.error();
  const auto code = static_cast<std::uint32_t>(wanted);
  if (wsman::to_number((*there)->child_text("EnabledState")) == code)
    return success();
  return request_state(t, port, code);
}

result<profile_sync> get_profile_sync(wsman::talk& t) {
  auto read = read_sync(t);
  if (!read)
    return read.error();
  return read->now;
}

result<profile_sync> set_profile_sync(wsman::talk& t, std::optional<bool> local,
                                      std::optional<bool> uefi) {
  auto read = read_sync(t);
  if (!read)
    return read.error();
  if (uefi.value_or(false) && !read->now.uefi_supported)
    return fail(problem::transition_refused,
                "UEFI WiFi profile sync is not supported on this device", "uefiProfileSync");
  auto local_now = local_sync_of(*read->service);
  if (!local_now)
    return local_now.error();
  const auto local_then = local ? (*local ? sync_unrestricted : sync_off) : *local_now;
  const auto uefi_then = uefi.value_or(read->now.uefi);
  if (local_then == *local_now && uefi_then == read->now.uefi)
    return read->now;
  auto echoed =
      t.put(service, put_back(*read->service,
                              {{"localProfileSynchronizationEnabled", std::to_string(local_then)},
                               {"UEFIWiFiProfileShareEnabled", uefi_then ? "1" : "0"}}));
  if (!echoed)
    return echoed.error();
  if (*echoed == nullptr)
    return profile_sync{local_then != sync_off, uefi_then, read->now.uefi_supported};
  return sync_of(**echoed, read->now.uefi_supported);
}

result<wifi_service> get_wifi_service(wsman::talk& t) {
  wifi_service s;
  auto instance = t.get(service);
  if (!instance)
    return s;
  property_reader in(**instance);
  in.number("RequestedState", s.requested_state)
      .number("EnabledState", s.enabled_state)
      .number("HealthState", s.health_state)
      .text("ElementName", s.element_name)
      .text("SystemCreationClassName", s.system_creation_class_name)
      .text("SystemName", s.system_name)
      .text("CreationClassName", s.creation_class_name)
      .text("Name", s.name)
      .text("LastConnectedSsidUnderMeControl", s.last_ssid)
      .number("NoHostCsmeSoftwarePolicy", s.no_host_software_policy)
      .flag("UEFIWiFiProfileShareEnabled", s.uefi_share);
  if (in.wrong())
    return *in.wrong();
  auto local = local_sync_of(**instance);
  if (!local)
    return local.error();
  s.local_sync = *local;
  return s;
}

result<std::vector<wifi_network>> get_wifi_networks(wsman::talk& t) {
  auto items = instances_if_any(t, networks);
  if (!items)
    return items.error();
  std::vector<wifi_network> out;
  for (const auto* item : *items) {
    wifi_network n;
    property_reader in(*item);
    in.text("ElementName", n.name)
        .text("InstanceID", n.instance_id)
        .text("SSID", n.ssid)
        .code("AuthenticationMethod", n.auth)
        .code("EncryptionMethod", n.cipher)
        .number("Priority", n.priority)
        .code("BSSType", n.bss);
    if (in.wrong())
      return *in.wrong();
    const bool users = n.instance_id.compare(0, users_own.size(), users_own) == 0;
    if (!n.instance_id.empty() && !users)
      out.push_back(std::move(n));
  }
  return out;
}

result<std::vector<wifi_8021x>> get_wifi_8021x(wsman::talk& t) {
  auto items = instances_if_any(t, ieee8021x);
  if (!items)
    return items.error();
  std::vector<wifi_8021x> out;
  for (const auto* item : *items) {
    wifi_8021x s;
    property_reader in(*item);
    in.text("ElementName", s.name)
        .text("InstanceID", s.instance_id)
        .number("AuthenticationProtocol", s.protocol)
        .text("RoamingIdentity", s.roaming_identity)
        .text("ServerCertificateName", s.server_certificate_name)
        .number("ServerCertificateNameComparison", s.name_comparison)
        .text("Username", s.user)
        .text("Domain", s.domain);
    if (in.wrong())
      return *in.wrong();
    out.push_back(std::move(s));
  }
  return out;
}

result<std::vector<wifi_profile>> get_wifi_profiles(wsman::talk& t) {
  auto all = get_wifi_networks(t);
  if (!all)
    return all.error();
  auto settings = get_wifi_8021x(t);
  if (!settings)
    return settings.error();
  auto belongs = associations(t);
  if (!belongs)
    return belongs.error();
  auto find = [&](auto fits) -> std::optional<wifi_8021x> {
    auto at = std::find_if(settings->begin(), settings->end(), fits);
    return at == settings->end() ? std::nullopt : std::optional(*at);
  };
  std::vector<wifi_profile> out;
  for (auto& n : *all) {
    wifi_profile p;
    if (auto id = belongs->find(n.instance_id); id != belongs->end())
      p.ieee8021x = find([&](const auto& s) { return s.instance_id == id->second; });
    if (!p.ieee8021x && !n.name.empty())
      p.ieee8021x = find([&](const auto& s) {
        return s.instance_id == "Intel(r) AMT:IEEE 802.1x Settings " + n.name;
      });
    if (!p.ieee8021x && !n.name.empty())
      p.ieee8021x = find([&](const auto& s) { return lower(s.name) == lower(n.name); });
    p.network = std::move(n);
    out.push_back(std::move(p));
  }
  return out;
}

} // namespace outband::amt
