// IPS_HTTPProxyService, IPS_HTTPProxyAccessPoint; AMT_KerberosSettingData.
#include "tools/amtsim/cira_state.hpp"

#include "tools/amtsim/classes.hpp"
#include "tools/amtsim/kept_members.hpp"
#include "tools/amtsim/status.hpp"

#include <algorithm>

namespace outband::amtsim {

namespace {

using wsman::endpoint;
using wsman::instance;

const std::string point_class = "IPS_HTTPProxyAccessPoint";

std::string point_name(std::uint32_t number) {
  return "Intel(r) ME:HTTP Proxy Access Point " + std::to_string(number);
}

instances proxy_service(const device_model&) {
  return {service("IPS_HTTPProxyService", "Intel(r) ME:HTTP Proxy Service")};
}

instances points(const device_model& d) {
  instances out;
  for (const auto& p : d.proxies->points)
    out.push_back({point_class,
                   {{"AccessInfo", p.host},
                    {"CreationClassName", point_class},
                    {"ElementName", "Intel(r) ME:HTTP Proxy Access Point"},
                    {"InfoFormat", text(p.format)},
                    {"Name", point_name(p.number)},
                    {"NetworkDnsSuffix", p.dns_suffix},
                    {"Port", text(p.port)},
                    {"SystemCreationClassName", "CIM_ComputerSystem"},
                    {"SystemName", "Intel(r) AMT"}}});
  return out;
}

outcome add_point(const wsman::node& input, context& c) {
  proxy_point p;
  if (!take(input, "AccessInfo", p.host, 256) || p.host.empty() ||
      !take(input, "InfoFormat", p.format) || (p.format != 3 && p.format != 4 && p.format != 201) ||
      !take(input, "Port", p.port, 65535) || p.port == 0 ||
      !take(input, "NetworkDnsSuffix", p.dns_suffix, 192))
    return status::invalid_parameter;
  const auto& now = c.device.proxies->points;
  if (std::any_of(now.begin(), now.end(), [&](const proxy_point& k) {
        return k.host == p.host && k.port == p.port && k.dns_suffix == p.dns_suffix;
      }))
    return {status::duplicate, {{"ProxyAccessPoint", endpoint{}}}};
  if (now.size() >= max_proxies)
    return status::max_limit_reached;
  while (std::any_of(now.begin(), now.end(),
                     [&](const proxy_point& k) { return k.number == p.number; }))
    ++p.number;
  const auto number = p.number;
  c.device.proxies.change().points.push_back(std::move(p));
  return {status::success,
          {{"ProxyAccessPoint", service_endpoint(point_class, "Name", point_name(number))}}};
}

refusal remove_point(const instance& target, context& c) {
  auto& all = c.device.proxies.change().points;
  all.erase(std::remove_if(all.begin(), all.end(),
                           [&](const proxy_point& p) {
                             return point_name(p.number) == text_of(target, "Name");
                           }),
            all.end());
  return {};
}

/// Its place in the order: 0 is tried first.
outcome update_priority(const wsman::node& input, context& c) {
  const auto priority = wsman::to_number(input.child_text("Priority"));
  if (!priority)
    return soap_fault::schema_validation_error;
  const auto& now = c.device.proxies->points;
  // Without a selector the first is meant, as elsewhere.
  const auto name = selected(c, "Name", now.empty() ? "" : point_name(now.front().number));
  const auto at = std::find_if(now.begin(), now.end(),
                               [&](const proxy_point& p) { return point_name(p.number) == name; });
  if (at == now.end())
    return soap_fault::destination_unreachable;
  if (*priority >= now.size())
    return status::invalid_parameter;
  const auto from = at - now.begin();
  const auto to = static_cast<std::ptrdiff_t>(*priority);
  auto& all = c.device.proxies.change().points;
  if (from < to)
    std::rotate(all.begin() + from, all.begin() + from + 1, all.begin() + to + 1);
  else
    std::rotate(all.begin() + to, all.begin() + from, all.begin() + from + 1);
  return status::success;
}

// -- Kerberos -------------------------------------------------------------------------------------

instances kerberos(const device_model& d) {
  const auto& k = *d.kerberos;
  instance out{"AMT_KerberosSettingData",
               {{"ElementName", "Intel(r) AMT: Kerberos Settings"},
                {"InstanceID", "Intel (r) AMT: Kerberos Settings"}, // sic
                {"KrbEnabled", text(k.enabled)},
                {"SupportedEncryptionAlgorithms", "0"},
                {"SupportedEncryptionAlgorithms", "1"},
                {"SupportedEncryptionAlgorithms", "2"}}};
  if (k.realm.empty())
    return {out};
  out.fields.push_back({"EncryptionAlgorithm", text(k.algorithm)});
  out.fields.push_back({"KeyVersion", text(k.key_version)});
  out.fields.push_back({"MaximumClockTolerance", text(k.clock_tolerance)});
  out.fields.push_back({"RealmName", k.realm});
  for (const auto& name : k.service_names)
    out.fields.push_back({"ServicePrincipalName", name});
  return {out};
}

refusal put_kerberos(const wsman::node& body, const instance&, context& c) {
  auto next = *c.device.kerberos;
  if (!take(body, "KrbEnabled", next.enabled) || !take(body, "RealmName", next.realm, 48) ||
      !take(body, "KeyVersion", next.key_version) ||
      !take(body, "EncryptionAlgorithm", next.algorithm, 2) ||
      !take(body, "MaximumClockTolerance", next.clock_tolerance, 1440) ||
      !take(body, "MasterKey", next.master_key, 64))
    return soap_fault::invalid_representation;
  if (body.child("ServicePrincipalName") != nullptr) {
    next.service_names.clear();
    for (const auto& child : body.children) {
      if (child.name != "ServicePrincipalName")
        continue;
      if (child.value().size() > 128 || next.service_names.size() == 4)
        return soap_fault::invalid_representation;
      next.service_names.emplace_back(child.value());
    }
  }
  if (next.enabled && (next.realm.empty() || next.service_names.empty()))
    return soap_fault::invalid_representation;
  record_audit(c, 16, 13);
  c.device.kerberos.change() = std::move(next);
  return {};
}

outcome cache_state(const wsman::node&, context& c) {
  return {status::success, {{"Enabled", text(c.device.kerberos->cache)}}};
}

outcome set_cache_state(const wsman::node& input, context& c) {
  if (input.child("Enabled") == nullptr)
    return soap_fault::schema_validation_error;
  auto enabled = false;
  if (!take(input, "Enabled", enabled))
    return soap_fault::schema_validation_error;
  c.device.kerberos.change().cache = enabled;
  return status::success;
}

// -- flash ----------------------------------------------------------------------------------------

template <class V, class T> void proxy_members(V& v, T& t) {
  v.list("points", t.points, [](auto& w, auto& p) {
    w("number", p.number);
    w("host", p.host);
    w("format", p.format);
    w("port", p.port);
    w("suffix", p.dns_suffix);
  });
}

template <class V, class T> void kerberos_members(V& v, T& t) {
  v("enabled", t.enabled);
  v("cache", t.cache);
  v("realm", t.realm);
  v.list("names", t.service_names, [](auto& w, auto& n) { w("name", n); });
  v("version", t.key_version);
  v("algorithm", t.algorithm);
  v("tolerance", t.clock_tolerance);
  v("key", t.master_key);
}

void save_proxies(const device_model& d, kept_texts& out) {
  kept_writer to(out);
  if (d.proxies.changed())
    proxy_members(to, *d.proxies);
}
void load_proxies(const kept_texts& in, device_model& d) {
  kept_reader from(in);
  if (!in.empty())
    proxy_members(from, d.proxies.change());
}
void save_kerberos(const device_model& d, kept_texts& out) {
  kept_writer to(out);
  if (d.kerberos.changed())
    kerberos_members(to, *d.kerberos);
}
void load_kerberos(const kept_texts& in, device_model& d) {
  kept_reader from(in);
  if (!in.empty())
    kerberos_members(from, d.kerberos.change());
}

} // namespace

class_table proxy_classes() {
  class_row point{point_class, points, nullptr, remove_point};
  point.key = "Name";
  return {{{"IPS_HTTPProxyService", proxy_service},
           point,
           {"AMT_KerberosSettingData", kerberos, put_kerberos}},
          {{"IPS_HTTPProxyService", "AddProxyAccessPoint", add_point},
           {"IPS_HTTPProxyAccessPoint", "UpdatePriority", update_priority},
           {"AMT_KerberosSettingData", "GetCredentialCacheState", cache_state},
           {"AMT_KerberosSettingData", "SetCredentialCacheState", set_cache_state}},
          {},
          {{"proxies", save_proxies, load_proxies}, {"kerberos", save_kerberos, load_kerberos}}};
}

} // namespace outband::amtsim
