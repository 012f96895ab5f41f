#include "messages/bus/legacy.hpp"

#include <algorithm>
#include <iterator>

namespace outband::bus {

namespace {

using kind = mps_event::kind;

constexpr std::string_view service_error = "Internal Service Error";

/// Empty: MPS is silent then, but for `failed`, which is service_error where it has no own words.
struct words {
  std::string_view operation, method, begun, done, failed;
};
constexpr words table[] = {
    {"power.state", "AMT_PowerState", "Power State requested", "", "Power State request failed"},
    {"power.capabilities", "AMT_BootCapabilities", "Power Capabilities requested",
     "Power Capabilities received", ""},
    {"power.action", "AMT_PowerAction", "", "Power Action requested", ""},
    {"boot.set", "AMT_BootSettingData", "", "", ""},
    {"features.get", "AMT_GetFeatures", "AMT Features requested", "AMT Features retrieved", ""},
    {"features.set", "AMT_SetFeatures", "Set AMT Features requested", "AMT Features updated", ""},
    {"consent.request", "Request_User_Consent_Code", "", "User Consent code requested",
     "User Consent Request failed"},
    {"consent.send", "Send_User_Consent_Code", "", "User Consent code sent",
     "User Consent Sent failed"},
    {"consent.cancel", "Cancel_User_Consent_Code", "", "User Consent code cancelled",
     "User Consent Cancel failed"},
    {"log.audit", "AMT_AuditLog", "Audit Log Requested", "", ""},
    {"log.event", "AMT_EventLog", "Event Log requested", "Event Log received",
     "Event Log request failed"},
    {"general.get", "AMT_GeneralSettings", "General Settings requested",
     "General Settings received", "AMT General Settings request failed"},
    {"hardware.get", "AMT_HardwareInfo", "Hardware Information requested",
     "Hardware Information received", "AMT Hardware Information request failed"},
    // MPS: "Power State requested".
    {"version.get", "AMT_Version", "AMT Version requested", "", "AMT Version request failed"},
    {"alarms.list", "AMT_AlarmOccurrences", "Alarm occurrences request",
     "Alarm occurrences received", "Alarm occurrence get request failed"},
    // MPS: "Alarm occurrences received".
    {"alarms.add", "AMT_AddAlarm", "Alarm add requested", "Alarm added",
     "Alarm add request failed"},
    {"alarms.remove", "AMT_DeleteAlarm", "Alarm occurrence delete request",
     "Alarm occurrence deleted", "Alarm occurrence delete request failed"},
    {"certificates.list", "AMT_GetCertificates", "AMT Certificates requested",
     "AMT Certificates retrieved", "AMT Certificates request failed"},
    {"certificates.add", "AMT_AddCertificate", "", "AMT Certificates added successfully", ""},
    {"certificates.remove", "AMT_DeleteCertificate", "", "AMT Certificate deleted successfully",
     ""},
    {"displays.get", "AMT_KVM", "", "", ""},
    {"displays.set", "AMT_KVM", "", "", ""},
    {"link_preference.set", "AMT_LinkPreference", "", "Link Preference set to ",
     "Set Link Preference failed: "},
    {"network.get", "AMT_EthernetPortSettings", "Network Settings requested",
     "Network Settings received", "AMT Network Settings request failed"},
    {"wired.get", "AMT_EthernetPortSettings", "Wired Network Settings requested",
     "Wired Network Settings received", "Wired Network Settings not found"},
    {"wired.set", "AMT_EthernetPortSettings", "Wired Network Settings update requested",
     "Wired Network Settings updated", "Wired Network Settings update failed"},
    {"wifi.state.get", "CIM_WiFiPort", "Wireless State requested", "Wireless State received",
     "Wireless State not found"},
    {"wifi.state.set", "CIM_WiFiPort", "Wireless State change requested", "Wireless State changed",
     "Wireless State change failed"},
    {"wifi.sync.get", "AMT_WiFiPortConfigurationService", "Wireless Profile Sync requested",
     "Wireless Profile Sync received", "Wireless Profile Sync not found"},
    {"wifi.sync.set", "AMT_WiFiPortConfigurationService", "Wireless Profile Sync update requested",
     "Wireless Profile Sync updated", "Wireless Profile Sync update failed"},
    {"wifi.profiles.list", "AMT_WiFiProfiles", "Wireless Profiles requested",
     "Wireless Profiles received", "Wireless Profiles request failed"},
    {"wifi.profiles.add", "AMT_WiFiProfiles", "Wireless Profile add requested",
     "Wireless Profile added", "Wireless Profile add failed"},
    {"wifi.profiles.update", "AMT_WiFiProfiles", "Wireless Profile update requested",
     "Wireless Profile updated", "Wireless Profile update failed"},
    {"wifi.profiles.remove", "AMT_WiFiProfiles", "Wireless Profile delete requested",
     "Wireless Profile deleted", "Wireless Profile delete failed"},
    {"deactivate", "AMT_Unprovision", "", "", ""},
};

const words* words_for(std::string_view operation) {
  auto at = std::find_if(std::begin(table), std::end(table),
                         [&](const auto& w) { return w.operation == operation; });
  return at == std::end(table) ? nullptr : at;
}

std::optional<mps_event> event_of(kind type, const words& w, std::string_view text) {
  if (text.empty())
    return std::nullopt;
  return mps_event{type, std::string(w.method), std::string(text)};
}

/// MPS's names for linkPreference 1 and 2.
std::string_view preference(const json::value& argument) {
  const auto* v = argument.find("linkPreference");
  return v && v->integer() && *v->integer() == 1 ? "ME" : "HOST";
}

std::string_view name_of(kind k) {
  return k == kind::request ? "request" : k == kind::success ? "success" : "fail";
}

/// The members that both have.
std::string payload(kind type, std::string_view message, json::array methods,
                    const device_ref& about, time_ms now) {
  return json::dump(json::object{{"type", name_of(type)},
                                 {"message", message},
                                 {"methods", std::move(methods)},
                                 {"guid", to_string(about.device)},
                                 {"tenantId", about.tenant},
                                 {"timestamp", now}});
}

} // namespace

std::optional<mps_event> mps_begun(std::string_view operation) {
  const auto* w = words_for(operation);
  return w ? event_of(kind::request, *w, w->begun) : std::nullopt;
}

std::optional<mps_event> mps_ended(std::string_view operation, const json::value& argument,
                                   const result<std::int64_t>& outcome) {
  const auto* w = words_for(operation);
  if (!w)
    return std::nullopt;
  const bool preferred = w->method == "AMT_LinkPreference";
  if (outcome && *outcome == 0) {
    auto e = event_of(kind::success, *w, w->done);
    if (e && preferred)
      e->message += preference(argument);
    return e;
  }
  if (!outcome &&
      (outcome.error().what == problem::link_down || outcome.error().what == problem::stale_epoch ||
       outcome.error().what == problem::not_found))
    return mps_not_connected();
  auto e = event_of(kind::fail, *w, w->failed.empty() ? service_error : w->failed);
  if (preferred)
    e->message += outcome ? "ReturnValue " + std::to_string(*outcome) : to_string(outcome.error());
  return e;
}

mps_event mps_not_connected() {
  return {kind::fail, "CIRA_Connection", "Device Not Found"};
}

mps_event mps_connected() {
  return {kind::success, "CIRA_Connected", "CIRA Connection Established"};
}

std::string mps_payload(const mps_event& e, const device_ref& about, time_ms now) {
  return payload(e.type, e.message, json::array{e.method}, about, now);
}

std::string rps_payload(std::string_view mode, const device_ref& about, time_ms now) {
  if (mode.empty())
    return payload(kind::fail, "Failed to activate", json::array{"Activator"}, about, now);
  return payload(kind::success, "Device activated in " + std::string(mode),
                 json::array{"Activator", "execute"}, about, now);
}

std::vector<std::string_view> mps_operations() {
  std::vector<std::string_view> out;
  for (const auto& w : table)
    out.push_back(w.operation);
  return out;
}

} // namespace outband::bus
