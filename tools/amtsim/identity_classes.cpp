#include "tools/amtsim/classes.hpp"
#include "tools/amtsim/kept_members.hpp"
#include "tools/amtsim/setup_state.hpp"
#include "tools/amtsim/status.hpp"

#include <utility>

namespace outband::amtsim {

namespace {

// -- general settings -------------------------------------------------------------------------

instances general_settings(const device_model& d) {
  const auto& s = *d.setup;
  const auto host = s.host_name.value_or(d.who().hostname);
  return {{"AMT_GeneralSettings",
           {{"AMTNetworkEnabled", text(s.network_enabled)},
            {"DDNSPeriodicUpdateInterval", text(s.ddns_interval)},
            {"DDNSTTL", text(s.ddns_ttl)},
            {"DDNSUpdateByDHCPServerEnabled", text(s.ddns_by_dhcp)},
            {"DDNSUpdateEnabled", text(s.ddns_enabled)},
            {"DHCPSyncRequiresHostname", "1"},
            {"DHCPv6ConfigurationTimeout", "0"},
            {"DigestRealm", d.who().realm},
            {"DomainName", s.domain_name},
            {"ElementName", "Intel(r) AMT: General Settings"},
            {"HostName", host},
            {"HostOSFQDN", d.who().hostname},
            {"IdleWakeTimeout", text(s.idle_wake_timeout)},
            {"InstanceID", "Intel(r) AMT: General Settings"},
            {"NetworkInterfaceEnabled", "true"},
            {"PingResponseEnabled", text(s.ping)},
            {"PowerSource", "0"},
            {"PreferredAddressFamily", text(s.address_family)},
            {"PresenceNotificationInterval", text(s.presence_interval)},
            {"PrivacyLevel", "0"},
            {"RmcpPingResponseEnabled", text(s.rmcp_ping)},
            {"SharedFQDN", text(s.shared_fqdn)},
            {"ThunderboltDockEnabled", "0"},
            {"WsmanOnlyMode", text(s.wsman_only)}}}};
}

refusal put_general_settings(const wsman::node& from, const wsman::instance& target, context& c) {
  auto next = *c.device.setup;
  const auto host_before = text_of(target, "HostName");
  auto host = host_before;
  const auto domain_before = next.domain_name;
  if (!take(from, "AMTNetworkEnabled", next.network_enabled, 1) ||
      !take(from, "DDNSPeriodicUpdateInterval", next.ddns_interval, 0xFFFF) ||
      !take(from, "DDNSTTL", next.ddns_ttl) ||
      !take(from, "DDNSUpdateByDHCPServerEnabled", next.ddns_by_dhcp) ||
      !take(from, "DDNSUpdateEnabled", next.ddns_enabled) ||
      !take(from, "DomainName", next.domain_name, 192) || !take(from, "HostName", host, 63) ||
      !take(from, "IdleWakeTimeout", next.idle_wake_timeout, 0xFFFF) ||
      !take(from, "PingResponseEnabled", next.ping) ||
      !take(from, "PreferredAddressFamily", next.address_family, 1) ||
      !take(from, "PresenceNotificationInterval", next.presence_interval, 0xFFFF) ||
      !take(from, "RmcpPingResponseEnabled", next.rmcp_ping) ||
      !take(from, "SharedFQDN", next.shared_fqdn) || !take(from, "WsmanOnlyMode", next.wsman_only))
    return soap_fault::invalid_representation;
  const auto named = [](const std::string& name) {
    return static_cast<char>(name.size()) + name;
  };
  if (host != host_before) {
    next.host_name = host;
    record_audit(c, 22, 1, named(host));
  }
  if (next.domain_name != domain_before)
    record_audit(c, 22, 2, named(next.domain_name));
  c.device.setup.change() = std::move(next);
  return {};
}

// -- firmware ---------------------------------------------------------------------------------

instances software_identity(const device_model& d) {
  const auto& kind = d.shared().kind;
  const std::pair<const char*, std::string> rows[] = {{"Flash", kind.version},
                                                      {"Netstack", kind.version},
                                                      {"AMTApps", kind.version},
                                                      {"AMT", kind.version},
                                                      {"Sku", kind.sku},
                                                      {"VendorID", "8086"},
                                                      {"Build Number", kind.build},
                                                      {"Recovery Version", kind.version},
                                                      {"Recovery Build Num", kind.build},
                                                      {"Legacy Mode", "False"},
                                                      {"AMT FW Core Version", kind.version}};
  instances out;
  for (const auto& [id, version] : rows)
    out.push_back({"CIM_SoftwareIdentity",
                   {{"InstanceID", id}, {"IsEntity", "true"}, {"VersionString", version}}});
  return out;
}

instances provisioning_log(const device_model&) {
  return {{"IPS_ProvisioningRecordLog",
           {{"CurrentNumberOfRecords", "1"},
            {"ElementName", "Intel(r) AMT Provisioning Record Log"},
            {"EnabledState", "2"},
            {"HealthState", "0"},
            {"InstanceID", "Intel(r) AMT: RecordLog 1"},
            {"LogState", "4"},
            {"MaxNumberOfRecords", "1"},
            {"Name", "Intel(r) AMT Provisioning Record Log"},
            {"OverwritePolicy", "2"},
            {"RequestedState", "12"}}}};
}

// -- clock ------------------------------------------------------------------------------------

instances time_service(const device_model&) {
  return {
      with(service("AMT_TimeSynchronizationService", "Intel(r) AMT Time Synchronization Service"),
           {{"EnabledState", "5"},
            {"LocalTimeSyncEnabled", "0"},
            {"RequestedState", "12"},
            {"TimeSource", "0"}})};
}

outcome read_clock(const wsman::node&, context& c) {
  return {0, {{"Ta0", std::to_string(c.device.clock_s(c.now))}}};
}

/// Ta0 as the machine said, Tm1 and Tm2 when the client got it and when it asks: the clock moves by
/// what the client's middle is ahead.
outcome set_clock(const wsman::node& input, context& c) {
  std::uint32_t ta0 = 0;
  std::uint32_t tm1 = 0;
  std::uint32_t tm2 = 0;
  for (const auto* name : {"Ta0", "Tm1", "Tm2"})
    if (input.child(name) == nullptr)
      return soap_fault::schema_validation_error;
  if (!take(input, "Ta0", ta0) || !take(input, "Tm1", tm1) || !take(input, "Tm2", tm2))
    return soap_fault::schema_validation_error;
  if (tm1 == 0 || tm2 < tm1)
    return status::invalid_parameter;
  const auto middle = (std::int64_t{tm1} + tm2) / 2;
  c.device.adjust_clock(middle - ta0);
  std::string now;
  for (int shift = 24; shift >= 0; shift -= 8)
    now += static_cast<char>(c.device.clock_s(c.now) >> shift & 255);
  record_audit(c, 21, 0, now);
  return status::success;
}

// -- flash ------------------------------------------------------------------------------------

template <class V, class T> void members(V& v, T& t) {
  v("domain_name", t.domain_name);
  v("realm", t.realm);
  v("network_enabled", t.network_enabled);
  v("ddns_interval", t.ddns_interval);
  v("ddns_ttl", t.ddns_ttl);
  v("ddns_by_dhcp", t.ddns_by_dhcp);
  v("ddns_enabled", t.ddns_enabled);
  v("idle_wake_timeout", t.idle_wake_timeout);
  v("ping", t.ping);
  v("address_family", t.address_family);
  v("presence_interval", t.presence_interval);
  v("rmcp_ping", t.rmcp_ping);
  v("shared_fqdn", t.shared_fqdn);
  v("wsman_only", t.wsman_only);
}

int mode_at_first(const device_model& d) {
  return d.shared().factory ? 0 : 2;
}

void save(const device_model& d, kept_texts& to) {
  if (d.control_mode != mode_at_first(d))
    to["control_mode"] = std::to_string(d.control_mode);
  if (!d.setup.changed())
    return;
  kept_writer w{to};
  members(w, *d.setup);
  if (d.setup->host_name)
    to["host_name"] = *d.setup->host_name;
}

void load(const kept_texts& from, device_model& d) {
  if (const auto mode = from.find("control_mode"); mode != from.end())
    d.control_mode = mode->second == "1" ? 1 : mode->second == "2" ? 2 : 0;
  if (from.empty() || (from.size() == 1 && from.count("control_mode") == 1))
    return;
  auto& s = d.setup.change();
  kept_reader r{from};
  members(r, s);
  if (const auto host = from.find("host_name"); host != from.end())
    s.host_name = host->second;
  if (!s.realm.empty())
    d.set_realm(s.realm);
}

} // namespace

class_table identity_classes() {
  return {{{"AMT_GeneralSettings", general_settings, put_general_settings},
           {"AMT_TimeSynchronizationService", time_service},
           {"CIM_SoftwareIdentity", software_identity},
           {"IPS_ProvisioningRecordLog", provisioning_log}},
          {{"AMT_TimeSynchronizationService", "GetLowAccuracyTimeSynch", read_clock},
           {"AMT_TimeSynchronizationService", "SetHighAccuracyTimeSynch", set_clock}},
          {},
          {{"setup", save, load}}};
}

} // namespace outband::amtsim
