#include "messages/domain/roles.hpp"

namespace outband {

std::string_view to_string(role r) {
  switch (r) {
  case role::none:
    return "none";
  case role::viewer:
    return "viewer";
  case role::operator_:
    return "operator";
  case role::admin:
    return "admin";
  case role::site_admin:
    return "site-admin";
  }
  return "none";
}

std::optional<role> parse_role(std::string_view text) {
  for (auto r : {role::none, role::viewer, role::operator_, role::admin, role::site_admin})
    if (text == to_string(r))
      return r;
  return std::nullopt;
}

const std::vector<access_rule>& access_rules() {
  using k = access_kind;
  static const std::vector<access_rule> rules = {
      // The program itself.
      {k::route, "GET /healthz", role::none},
      {k::route, "GET /readyz", role::none},
      {k::route, "GET /metrics", role::none},
      {k::route, "GET /api/v1/health", role::none},
      {k::route, "GET /api/v1/version", role::none},
      {k::route, "GET /api/v1/ciracert", role::none}, // a public certificate
      // What it speaks: nothing in it that the sources do not say.
      {k::route, "GET /api/openapi.json", role::none},
      {k::route, "GET /api/asyncapi.json", role::none},
      {k::route, "GET /api/docs", role::none},
      // Signing in.
      {k::route, "POST /api/v1/authorize", role::none},
      {k::route, "GET /api/v1/authorize/redirection/{guid}", role::operator_},
      {k::route, "POST /api/v1/authorize/bus", role::viewer},
      {k::route, "GET /api/v1/authorize/whoami", role::viewer},
      // Tenants and accounts.
      {k::route, "GET /api/v1/tenants", role::viewer}, // lists only the caller's
      {k::route, "POST /api/v1/tenants", role::site_admin},
      {k::route, "GET /api/v1/accounts", role::admin},
      {k::route, "POST /api/v1/accounts", role::admin},
      {k::route, "DELETE /api/v1/accounts/{name}", role::admin},
      // Provisioning, as RPS has it; passwords and certificates are never read back, except by
      // export, which is for an rpc without a server.
      {k::route, "GET /api/v1/admin", role::none},
      {k::route, "GET /api/v1/admin/version", role::none},
      {k::route, "GET /api/v1/admin/health", role::none},
      {k::route, "GET /api/v1/admin/ciraconfigs", role::viewer},
      {k::route, "POST /api/v1/admin/ciraconfigs", role::admin},
      {k::route, "PATCH /api/v1/admin/ciraconfigs", role::admin},
      {k::route, "GET /api/v1/admin/ciraconfigs/{name}", role::viewer},
      {k::route, "DELETE /api/v1/admin/ciraconfigs/{name}", role::admin},
      {k::route, "GET /api/v1/admin/profiles", role::viewer},
      {k::route, "POST /api/v1/admin/profiles", role::admin},
      {k::route, "PATCH /api/v1/admin/profiles", role::admin},
      {k::route, "GET /api/v1/admin/profiles/{name}", role::viewer},
      {k::route, "DELETE /api/v1/admin/profiles/{name}", role::admin},
      {k::route, "GET /api/v1/admin/domains", role::viewer},
      {k::route, "POST /api/v1/admin/domains", role::admin},
      {k::route, "PATCH /api/v1/admin/domains", role::admin},
      {k::route, "GET /api/v1/admin/domains/{name}", role::viewer},
      {k::route, "DELETE /api/v1/admin/domains/{name}", role::admin},
      {k::route, "GET /api/v1/admin/wirelessconfigs", role::viewer},
      {k::route, "POST /api/v1/admin/wirelessconfigs", role::admin},
      {k::route, "PATCH /api/v1/admin/wirelessconfigs", role::admin},
      {k::route, "GET /api/v1/admin/wirelessconfigs/{name}", role::viewer},
      {k::route, "DELETE /api/v1/admin/wirelessconfigs/{name}", role::admin},
      {k::route, "GET /api/v1/admin/ieee8021xconfigs", role::viewer},
      {k::route, "POST /api/v1/admin/ieee8021xconfigs", role::admin},
      {k::route, "PATCH /api/v1/admin/ieee8021xconfigs", role::admin},
      {k::route, "GET /api/v1/admin/ieee8021xconfigs/{name}", role::viewer},
      {k::route, "DELETE /api/v1/admin/ieee8021xconfigs/{name}", role::admin},
      {k::route, "GET /api/v1/admin/proxyconfigs", role::viewer},
      {k::route, "POST /api/v1/admin/proxyconfigs", role::admin},
      {k::route, "PATCH /api/v1/admin/proxyconfigs", role::admin},
      {k::route, "GET /api/v1/admin/proxyconfigs/{name}", role::viewer},
      {k::route, "DELETE /api/v1/admin/proxyconfigs/{name}", role::admin},
      {k::route, "GET /api/v1/admin/profiles/export/{name}", role::admin},
      {k::route, "GET /api/v1/admin/domains/{name}/check", role::viewer},
      {k::route, "POST /api/v1/admin/activation-tokens", role::admin},
      {k::route, "GET /api/v1/admin/activation-tokens", role::viewer},
      {k::route, "DELETE /api/v1/admin/activation-tokens/{id}", role::admin},
      {k::route, "GET /api/v1/admin/activations", role::viewer},
      {k::route, "GET /api/v1/admin/activations/{guid}", role::viewer},
      // Devices, as MPS has them.
      {k::route, "GET /api/v1/devices", role::viewer},
      {k::route, "POST /api/v1/devices", role::admin},
      {k::route, "PATCH /api/v1/devices", role::operator_},
      {k::route, "GET /api/v1/devices/stats", role::viewer},
      {k::route, "GET /api/v1/devices/tags", role::viewer},
      {k::route, "GET /api/v1/devices/{guid}", role::viewer},
      {k::route, "DELETE /api/v1/devices/{guid}", role::admin},
      {k::route, "DELETE /api/v1/devices/disconnect/{guid}", role::operator_},
      {k::route, "DELETE /api/v1/devices/refresh/{guid}", role::operator_},
      {k::route, "GET /api/v1/devices/redirectstatus/{guid}", role::viewer},
      // Power, as MPS has it.
      {k::route, "GET /api/v1/amt/power/state/{guid}", role::viewer},
      {k::route, "GET /api/v1/amt/power/capabilities/{guid}", role::viewer},
      {k::route, "POST /api/v1/amt/power/action/{guid}", role::operator_},
      // The firmware's operations, as MPS has them; the same roles as the acts below.
      {k::route, "GET /api/v1/amt/version/{guid}", role::viewer},
      {k::route, "GET /api/v1/amt/generalSettings/{guid}", role::viewer},
      {k::route, "GET /api/v1/amt/hardwareInfo/{guid}", role::viewer},
      {k::route, "GET /api/v1/amt/diskInfo/{guid}", role::viewer},
      {k::route, "GET /api/v1/amt/features/{guid}", role::viewer},
      {k::route, "POST /api/v1/amt/features/{guid}", role::admin},
      {k::route, "GET /api/v1/amt/power/bootSources/{guid}", role::viewer},
      {k::route, "GET /api/v1/amt/power/bootState/{guid}", role::viewer},
      {k::route, "POST /api/v1/amt/power/bootOptions/{guid}", role::operator_},
      {k::route, "GET /api/v1/amt/boot/remoteErase/{guid}", role::viewer},
      {k::route, "POST /api/v1/amt/boot/remoteErase/{guid}", role::admin},
      {k::route, "GET /api/v1/amt/userConsentCode/{guid}", role::operator_},
      {k::route, "POST /api/v1/amt/userConsentCode/{guid}", role::operator_},
      {k::route, "GET /api/v1/amt/userConsentCode/cancel/{guid}", role::operator_},
      {k::route, "GET /api/v1/amt/log/audit/{guid}", role::operator_},
      {k::route, "GET /api/v1/amt/log/event/{guid}", role::operator_},
      {k::route, "GET /api/v1/amt/alarmOccurrences/{guid}", role::viewer},
      {k::route, "POST /api/v1/amt/alarmOccurrences/{guid}", role::operator_},
      {k::route, "POST /api/v1/amt/events/{guid}", role::admin},
      {k::route, "DELETE /api/v1/amt/events/{guid}", role::admin},
      {k::route, "DELETE /api/v1/amt/alarmOccurrences/{guid}", role::operator_},
      {k::route, "GET /api/v1/amt/certificates/{guid}", role::admin},
      {k::route, "POST /api/v1/amt/certificates/{guid}", role::admin},
      {k::route, "DELETE /api/v1/amt/certificates/{guid}/{instanceId}", role::admin},
      {k::route, "GET /api/v1/amt/kvm/displays/{guid}", role::viewer},
      {k::route, "PUT /api/v1/amt/kvm/displays/{guid}", role::operator_},
      {k::route, "POST /api/v1/amt/network/linkPreference/{guid}", role::operator_},
      {k::route, "GET /api/v1/amt/networkSettings/{guid}", role::viewer},
      {k::route, "GET /api/v1/amt/networkSettings/wired/{guid}", role::viewer},
      {k::route, "PATCH /api/v1/amt/networkSettings/wired/{guid}", role::admin},
      {k::route, "GET /api/v1/amt/networkSettings/wireless/state/{guid}", role::viewer},
      {k::route, "POST /api/v1/amt/networkSettings/wireless/state/{guid}", role::admin},
      {k::route, "GET /api/v1/amt/networkSettings/wireless/profileSync/{guid}", role::viewer},
      {k::route, "POST /api/v1/amt/networkSettings/wireless/profileSync/{guid}", role::admin},
      {k::route, "GET /api/v1/amt/networkSettings/wireless/profile/{guid}", role::viewer},
      {k::route, "POST /api/v1/amt/networkSettings/wireless/profile/{guid}", role::admin},
      {k::route, "PATCH /api/v1/amt/networkSettings/wireless/profile/{guid}", role::admin},
      {k::route, "DELETE /api/v1/amt/networkSettings/wireless/profile/{guid}/{profileName}",
       role::admin},
      {k::route, "GET /api/v1/amt/tls/{guid}", role::viewer},
      {k::route, "GET /api/v1/amt/explorer/{guid}/{call}", role::admin},
      {k::route, "DELETE /api/v1/amt/deactivate/{guid}", role::admin},
      // Hosts, as EMF has them.
      {k::route, "GET /compute/hosts", role::viewer},
      {k::route, "GET /compute/hosts/{id}", role::viewer},
      {k::route, "PATCH /compute/hosts/{id}", role::operator_},
      {k::route, "GET /v1/projects/{project}/compute/hosts", role::viewer},
      {k::route, "GET /v1/projects/{project}/compute/hosts/{id}", role::viewer},
      {k::route, "PATCH /v1/projects/{project}/compute/hosts/{id}", role::operator_},
      // Machines and tenants that are to go.
      {k::route, "DELETE /compute/hosts/{id}", role::admin},
      {k::route, "PUT /compute/hosts/{id}/invalidate", role::admin},
      {k::route, "DELETE /compute/hosts/{id}/invalidate", role::admin},
      {k::route, "DELETE /v1/projects/{project}/compute/hosts/{id}", role::admin},
      {k::route, "PUT /v1/projects/{project}/compute/hosts/{id}/invalidate", role::admin},
      {k::route, "DELETE /v1/projects/{project}/compute/hosts/{id}/invalidate", role::admin},
      {k::route, "DELETE /api/v1/tenants/{key}", role::site_admin},
      // What the dashboard and the CLI need beyond the peers' routes.
      {k::route, "GET /api/v1/requests/{id}", role::viewer},
      {k::route, "GET /api/v1/audit", role::admin},
      {k::route, "GET /api/v1/audit/export", role::admin},
      {k::route, "GET /api/v1/audit/{id}", role::admin},

      // The bus. {self} is "op/alice" or "ext/ha".
      {k::subscribe, "oob/v1/{tenant}/dev/+/desired", role::viewer},
      {k::subscribe, "oob/v1/{tenant}/dev/+/current", role::viewer},
      {k::subscribe, "oob/v1/{tenant}/dev/+/presence", role::viewer},
      {k::subscribe, "oob/v1/{tenant}/dev/+/fact/+", role::viewer},
      {k::subscribe, "oob/v1/{tenant}/dev/+/event/+", role::viewer},
      {k::subscribe, "oob/v1/{tenant}/meta/+", role::viewer},
      {k::subscribe, "oob/v1/{tenant}/admin/+", role::admin},
      {k::subscribe, "oob/v1/{tenant}/{self}/rsp/+", role::viewer},
      {k::publish, "oob/v1/{tenant}/{self}/req/+", role::viewer}, // the act decides further
      {k::subscribe, "oobx/v1/{tenant}/dev/+/desired", role::viewer},
      {k::subscribe, "oobx/v1/{tenant}/dev/+/current", role::viewer},
      {k::subscribe, "oobx/v1/{tenant}/dev/+/presence", role::viewer},
      {k::subscribe, "oobx/v1/{tenant}/dev/+/fact/+", role::viewer},
      {k::subscribe, "oobx/v1/{tenant}/dev/+/event/+", role::viewer},
      {k::subscribe, "oobx/v1/{tenant}/admin/+", role::admin},
      {k::subscribe, "oobx/v1/{tenant}/{self}/rsp/+", role::viewer},
      {k::publish, "oobx/v1/{tenant}/{self}/req/+", role::viewer},

      // MPS's and RPS's own topics, where switched on: one for all tenants, so nobody's alone.
      {k::subscribe, "mps/events", role::site_admin},
      {k::subscribe, "rps/events", role::site_admin},

      // What a request may ask for.
      {k::act, "snapshot", role::viewer},
      {k::act, "desired.patch", role::operator_},
      {k::act, "power.once", role::operator_},
      {k::act, "power.action", role::operator_},

      // Operations of messages/amt/catalogue.hpp. Looking is for viewers, except into logs and
      // certificates; what a user at the machine notices is for operators, what changes how it is
      // reached for admins.
      {k::act, "amt.power.state", role::viewer},
      {k::act, "amt.power.capabilities", role::viewer},
      {k::act, "amt.power.os", role::operator_},
      {k::act, "amt.boot.sources", role::viewer},
      {k::act, "amt.boot.state", role::viewer},
      {k::act, "amt.boot.set", role::operator_},
      {k::act, "amt.erase.capabilities", role::viewer},
      {k::act, "amt.erase.set", role::admin},
      {k::act, "amt.erase.secure", role::admin},
      {k::act, "amt.features.get", role::viewer},
      {k::act, "amt.features.set", role::admin},
      {k::act, "amt.consent.request", role::operator_},
      {k::act, "amt.consent.send", role::operator_},
      {k::act, "amt.consent.cancel", role::operator_},
      {k::act, "amt.displays.get", role::viewer},
      {k::act, "amt.displays.set", role::operator_},
      {k::act, "amt.alarms.list", role::viewer},
      {k::act, "amt.alarms.add", role::operator_},
      {k::act, "amt.alarms.remove", role::operator_},
      {k::act, "amt.deactivate", role::admin},
      {k::act, "amt.general.get", role::viewer},
      {k::act, "amt.version.get", role::viewer},
      {k::act, "amt.hardware.get", role::viewer},
      {k::act, "amt.disk.get", role::viewer},
      {k::act, "amt.log.audit", role::operator_},
      {k::act, "amt.log.event", role::operator_},
      {k::act, "amt.log.audit.news", role::operator_},
      {k::act, "amt.log.event.news", role::operator_},
      {k::act, "amt.events.subscribe", role::admin},
      {k::act, "amt.events.unsubscribe", role::admin},
      {k::act, "amt.network.get", role::viewer},
      {k::act, "amt.wired.get", role::viewer},
      {k::act, "amt.wired.set", role::admin},
      {k::act, "amt.link_preference.set", role::operator_},
      {k::act, "amt.wifi.state.get", role::viewer},
      {k::act, "amt.wifi.state.set", role::admin},
      {k::act, "amt.wifi.sync.get", role::viewer},
      {k::act, "amt.wifi.sync.set", role::admin},
      {k::act, "amt.wifi.profiles.list", role::viewer},
      {k::act, "amt.wifi.profiles.add", role::admin},
      {k::act, "amt.wifi.profiles.update", role::admin},
      {k::act, "amt.wifi.profiles.remove", role::admin},
      {k::act, "amt.certificates.list", role::admin},
      {k::act, "amt.certificates.add", role::admin},
      {k::act, "amt.certificates.remove", role::admin},
      {k::act, "amt.tls.settings.get", role::viewer},
      {k::act, "amt.explorer.get", role::admin},
  };
  return rules;
}

std::optional<role> role_needed(access_kind kind, std::string_view name) {
  for (const auto& r : access_rules())
    if (r.kind == kind && r.name == name)
      return r.needed;
  return std::nullopt;
}

std::string bus_username(const bus_identity& id) {
  return id.who.tenant + "/" + to_string(id.who);
}

namespace {

std::string filled(std::string_view pattern, const std::string& tenant, const std::string& self) {
  std::string out(pattern);
  if (auto at = out.find("{tenant}"); at != std::string::npos)
    out.replace(at, 8, tenant);
  if (auto at = out.find("{self}"); at != std::string::npos)
    out.replace(at, 6, self);
  return out;
}

/// Cuts the first level off `rest`; false when nothing is left.
bool next_level(std::string_view& rest, bool& more, std::string_view& level) {
  if (!more)
    return false;
  auto slash = rest.find('/');
  level = rest.substr(0, slash);
  more = slash != std::string_view::npos;
  rest = more ? rest.substr(slash + 1) : std::string_view{};
  return true;
}

} // namespace

bool topic_matches(std::string_view filter, std::string_view topic) {
  if (topic.empty() || filter.empty())
    return false;
  if (topic.front() == '$' && (filter.front() == '+' || filter.front() == '#'))
    return false;
  bool more_f = true, more_t = true;
  std::string_view f, t;
  while (next_level(filter, more_f, f)) {
    if (f == "#")
      return true;
    if (!next_level(topic, more_t, t))
      return false;
    if (f != "+" && f != t)
      return false;
  }
  return !more_t;
}

bool filter_covered(std::string_view granted, std::string_view asked) {
  bool more_g = true, more_a = true;
  std::string_view g, a;
  while (next_level(granted, more_g, g)) {
    if (g == "#")
      return true;
    if (!next_level(asked, more_a, a))
      return false;
    if (a == "#" || (a == "+" && g != "+"))
      return false;
    if (g != "+" && g != a)
      return false;
  }
  return !more_a;
}

std::vector<std::string> allowed_topics(const bus_identity& id, access_kind publish_or_subscribe) {
  std::vector<std::string> out;
  if (id.held == role::none || !valid_tenant_key(id.who.tenant) || !valid_level(id.who.name))
    return out;
  if (id.who.what != principal::kind::person && id.who.what != principal::kind::external)
    return out;
  for (const auto& r : access_rules())
    if (r.kind == publish_or_subscribe && id.held >= r.needed)
      out.push_back(filled(r.name, id.who.tenant, to_string(id.who)));
  return out;
}

bool person_may(const bus_identity& id, access_kind publish_or_subscribe, std::string_view topic) {
  for (const auto& f : allowed_topics(id, publish_or_subscribe)) {
    // A subscription is itself a filter; a publication and a delivery name one topic.
    if (publish_or_subscribe == access_kind::subscribe ? filter_covered(f, topic)
                                                       : topic_matches(f, topic))
      return true;
  }
  return false;
}

namespace {

/// "-/inst/n1" and "acme/dev/<guid>" in their parts; nullopt for anything else.
struct machine_name {
  std::string_view tenant, kind, name;
};
std::optional<machine_name> split_machine(std::string_view username) {
  auto a = username.find('/');
  if (a == std::string_view::npos)
    return std::nullopt;
  auto b = username.find('/', a + 1);
  if (b == std::string_view::npos || username.find('/', b + 1) != std::string_view::npos)
    return std::nullopt;
  machine_name m{username.substr(0, a), username.substr(a + 1, b - a - 1), username.substr(b + 1)};
  if (m.kind == "inst" && m.tenant == "-" && valid_level(m.name))
    return m;
  if (m.kind == "dev" && valid_tenant_key(m.tenant)) {
    auto id = parse_uuid(m.name);
    if (id && to_string(*id) == m.name)
      return m;
  }
  return std::nullopt;
}

} // namespace

bool machine_may(std::string_view username, access_kind publish_or_subscribe,
                 std::string_view topic) {
  auto m = split_machine(username);
  if (!m)
    return false;
  const bool publish = publish_or_subscribe == access_kind::publish;
  auto under = [&](std::string_view filter) {
    return publish ? topic_matches(filter, topic) : filter_covered(filter, topic);
  };
  if (m->kind == "inst") {
    // Every node runs the same program and may become the active controller, so a node's
    // certificate opens the whole tree of ours and the broker's own counters, lets it speak on
    // MPS's and RPS's topics, and nothing else.
    return under("oob/v1/#") || under("oobx/v1/#") || (!publish && under("$SYS/#")) ||
           (publish && (under("mps/events") || under("rps/events")));
  }
  std::string own = "oob/v1/" + std::string(username);
  if (publish)
    return under(own + "/agent/up/+") || under(own + "/agent/presence") || under(own + "/tel/+");
  return under(own + "/agent/down/+");
}

} // namespace outband
