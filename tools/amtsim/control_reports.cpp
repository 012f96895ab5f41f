#include "tools/amtsim/control_reports.hpp"

#include "tools/amtsim/events.hpp"

#include <nlohmann/json.hpp>

namespace outband::amtsim {

using nlohmann::json;

namespace {

json setup_json(const machine_report& r) {
  const auto& n = r.activation;
  json out{{"provisioning_state", r.provisioning_state},
           {"setups", n.setups},
           {"admin_setups", n.admin_setups},
           {"upgrades", n.upgrades},
           {"admin_passwords", n.admin_passwords},
           {"mebx_passwords", r.mebx_passwords},
           {"commits", n.commits},
           {"unprovisions", n.unprovisions},
           {"tls", {{"network", r.tls_network}, {"local", r.tls_local}, {"mutual", r.tls_mutual}}},
           {"mps", nullptr}};
  if (r.calls)
    out["mps"] = {{"host", r.calls->host},
                  {"port", r.calls->port},
                  {"user", r.calls->user},
                  {"interval_s", r.calls->interval_s},
                  {"roots", r.calls->trusted_roots.size()}};
  return out;
}

} // namespace

nlohmann::json to_json(const machine_report& r, bool in_full) {
  json out{{"guid", to_string(r.guid)},
           {"hostname", r.hostname},
           {"power", static_cast<int>(r.power)},
           {"level", to_string(level_of(r.power))},
           {"connected", r.connected},
           {"links", r.links},
           {"boots", r.boots}};
  if (r.lan_port != 0)
    out["lan_port"] = r.lan_port;
  if (r.lan_tls_port != 0)
    out["lan_tls_port"] = r.lan_tls_port;
  if (r.lms_port != 0)
    out["lms_port"] = r.lms_port;
  if (r.lms_tls_port != 0)
    out["lms_tls_port"] = r.lms_tls_port;
  if (!r.mei_path.empty())
    out["mei"] = r.mei_path;
  if (in_full) {
    out["os_power_saving"] = r.os_power_saving;
    out["refused"] = r.refused;
    out["challenges"] = r.challenges;
    out["lan_connections"] = r.lan_connections;
    out["last_down"] = r.last_down;
    out["control_mode"] = r.control_mode;
    out["setup"] = setup_json(r);
    out["consent"] = {{"state", r.consent_state}, {"code", r.consent_code}};
    out["events"] = {
        {"subscribers", r.subscribers}, {"delivered", r.events_delivered}, {"lost", r.events_lost}};
    out["boot_source"] = r.boot_source;
    out["boot_pending"] = r.boot_pending;
    out["last_boot"] = r.last_boot;
    out["requests"] = r.requests;
    out["carried_out"] = json::object();
    for (const auto& [state, count] : r.carried_out)
      out["carried_out"][std::to_string(state)] = count;
  }
  return out;
}

nlohmann::json to_json(const machine_event& e) {
  json out{{"guid", to_string(e.guid)},
           {"hostname", e.hostname},
           {"at", e.at_ms},
           {"text", sentence(e)}};
  if (const auto* link = std::get_if<link_event>(&e.what)) {
    out["event"] = "link";
    out["up"] = link->up;
    if (!link->up)
      out["why"] = link->why;
  } else {
    const auto& c = std::get<power_change>(e.what);
    out["event"] = "power";
    out["from"] = static_cast<int>(c.from);
    out["to"] = static_cast<int>(c.to);
    out["cause"] = to_string(c.why);
    out["took_ms"] = c.took.count();
    out["boot"] = c.boot;
  }
  return out;
}

} // namespace outband::amtsim
