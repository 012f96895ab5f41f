// AMT_ManagementPresenceRemoteSAP, AMT_RemoteAccess*, AMT_MPSUsernamePassword,
// AMT_UserInitiatedConnectionService, AMT_EnvironmentDetectionSettingData.
#include "tools/amtsim/cira_state.hpp"

#include "tools/amtsim/certificate_state.hpp"
#include "tools/amtsim/classes.hpp"
#include "tools/amtsim/kept_members.hpp"
#include "tools/amtsim/status.hpp"

#include <algorithm>
#include <utility>

namespace outband::amtsim {

namespace {

using wsman::endpoint;
using wsman::instance;

constexpr std::size_t max_detection_strings = 5;
constexpr std::uint32_t periodic = 2;
const std::string sap_class = "AMT_ManagementPresenceRemoteSAP";
const std::string rule_class = "AMT_RemoteAccessPolicyRule";
const std::string detection_name = "Intel(r) AMT Environment Detection Settings";

endpoint server_endpoint(std::uint32_t number) {
  return service_endpoint(sap_class, "Name", mps_name(number));
}
endpoint rule_endpoint(std::uint32_t trigger) {
  return service_endpoint(rule_class, "PolicyRuleName", policy_name(trigger));
}

template <class S> auto* server_named(S& state, const std::string& name) {
  for (auto& s : state.servers)
    if (mps_name(s.number) == name)
      return &s;
  return static_cast<decltype(&state.servers.front())>(nullptr);
}
template <class S> auto* policy_named(S& state, const std::string& name) {
  for (auto& p : state.policies)
    if (policy_name(p.trigger) == name)
      return &p;
  return static_cast<decltype(&state.policies.front())>(nullptr);
}

instance named(const std::string& class_name, const char* element, const char* key,
               const std::string& value) {
  return {class_name,
          {{"CreationClassName", class_name},
           {"ElementName", element},
           {key, value},
           {"SystemCreationClassName", "CIM_ComputerSystem"},
           {"SystemName", "Intel(r) AMT"}}};
}

// -- servers --------------------------------------------------------------------------------------

instances servers(const device_model& d) {
  instances out;
  for (const auto& s : current_cira(d).servers)
    out.push_back(with(
        named(sap_class, "Intel(r) AMT:Management Presence Server", "Name", mps_name(s.number)),
        {{"AccessInfo", s.host},
         {"CN", s.common_name},
         {"InfoFormat", text(s.format)},
         {"Port", text(s.port)}}));
  return out;
}

refusal remove_server(const instance& target, context& c) {
  auto& state = change_cira(c.device);
  const auto name = text_of(target, "Name");
  const auto* server = server_named(state, name);
  if (server == nullptr)
    return soap_fault::destination_unreachable;
  const auto number = server->number;
  for (const auto& p : state.policies)
    for (const auto& s : p.servers)
      if (s.server == number)
        return soap_fault::access_denied; // its policies go first
  state.servers.erase(state.servers.begin() + (server - state.servers.data()));
  return {};
}

outcome add_server(const wsman::node& input, context& c) {
  mps_server s;
  s.common_name = input.child_text("CN");
  if (!take(input, "AccessInfo", s.host, 256) || s.host.empty() ||
      !take(input, "InfoFormat", s.format) || (s.format != 3 && s.format != 4 && s.format != 201) ||
      !take(input, "Port", s.port, 65535) || s.port == 0 ||
      !take(input, "AuthMethod", s.authentication) ||
      (s.authentication != 1 && s.authentication != 2) || !take(input, "Username", s.user, 16) ||
      !take(input, "Password", s.password, 16) || s.common_name.size() > 256)
    return status::invalid_parameter;
  if (s.authentication == 2 && (s.user.empty() || s.password.empty()))
    return status::invalid_parameter;
  if (s.authentication == 1) {
    const auto to = endpoint_of(input, "Certificate");
    const auto* cert = to ? find_certificate(c.device, *to) : nullptr;
    if (cert == nullptr || !has_key(c.device, *cert))
      return status::invalid_parameter;
    s.certificate = cert->handle;
  }
  const auto now = current_cira(c.device);
  if (std::any_of(now.servers.begin(), now.servers.end(),
                  [&](const mps_server& k) { return k.host == s.host && k.port == s.port; }))
    return status::duplicate;
  if (now.servers.size() >= max_mps_servers)
    return status::max_limit_reached;
  auto& all = change_cira(c.device).servers;
  auto at = all.begin();
  for (; at != all.end() && at->number == s.number; ++at)
    ++s.number;
  const auto number = s.number;
  all.insert(at, std::move(s));
  return {status::success, {{"MpServer", server_endpoint(number)}}};
}

instances passwords(const device_model& d) {
  instances out;
  for (const auto& s : current_cira(d).servers)
    if (s.authentication == 2)
      out.push_back(
          {"AMT_MPSUsernamePassword",
           {{"InstanceID", "Intel(r) AMT:MPS Username Password " + std::to_string(s.number)},
            {"RemoteID", s.user}}});
  return out;
}

refusal put_password(const wsman::node& body, const instance& target, context& c) {
  const auto id = text_of(target, "InstanceID");
  for (auto& s : change_cira(c.device).servers) {
    if (id != "Intel(r) AMT:MPS Username Password " + std::to_string(s.number))
      continue;
    auto user = s.user;
    auto secret = s.password;
    if (!take(body, "RemoteID", user, 16) || !take(body, "Secret", secret, 16) || user.empty() ||
        secret.empty())
      return soap_fault::invalid_representation;
    s.user = std::move(user);
    s.password = std::move(secret);
    return {};
  }
  return soap_fault::destination_unreachable;
}

// -- policies -------------------------------------------------------------------------------------

instances rules(const device_model& d) {
  instances out;
  for (const auto& p : current_cira(d).policies)
    out.push_back(with(named(rule_class, "Inte(r) AMT:Remote Access Policy", // sic
                             "PolicyRuleName", policy_name(p.trigger)),
                       {{"ExtendedData", base64(p.extended)},
                        {"Trigger", text(p.trigger)},
                        {"TunnelLifeTime", text(p.lifetime)}}));
  return out;
}

/// Periodic: 0 and seconds, or 1, hour and minute; others have none.
bool good_extended(const access_policy& p) {
  if (p.trigger != periodic)
    return p.extended.empty();
  if (p.extended.size() == 8)
    return big_endian(p.extended, 0) == 0 && big_endian(p.extended, 4) != 0;
  return p.extended.size() == 12 && big_endian(p.extended, 0) == 1 &&
         big_endian(p.extended, 4) < 24 && big_endian(p.extended, 8) < 60;
}

bool read_rule(const wsman::node& from, access_policy& p) {
  if (!take(from, "TunnelLifeTime", p.lifetime))
    return false;
  if (const auto* data = from.child("ExtendedData")) {
    const auto octets = from_base64(data->value());
    if (!octets || octets->size() > 32)
      return false;
    p.extended = *octets;
  }
  return good_extended(p);
}

outcome add_rule(const wsman::node& input, context& c) {
  const auto trigger = wsman::to_number(input.child_text("Trigger"));
  if (!trigger)
    return soap_fault::schema_validation_error;
  access_policy p;
  p.trigger = *trigger;
  if (p.trigger > 3 || !read_rule(input, p))
    return status::invalid_parameter;
  const auto now = current_cira(c.device);
  for (const auto& child : input.children) {
    if (child.name != "MpServer")
      continue;
    const auto to = wsman::read_endpoint(child);
    const auto* server = to ? server_named(now, selector_of(*to, "Name")) : nullptr;
    if (server == nullptr || p.servers.size() == max_mps_per_policy)
      return status::invalid_parameter;
    p.servers.push_back({server->number, 0, static_cast<std::uint32_t>(p.servers.size())});
  }
  if (p.servers.empty())
    return status::invalid_parameter;
  if (policy_named(now, policy_name(p.trigger)) != nullptr)
    return status::duplicate;
  if (now.policies.size() >= max_policies)
    return status::max_limit_reached;
  auto& all = change_cira(c.device).policies;
  const auto at = std::find_if(all.begin(), all.end(),
                               [&](const access_policy& k) { return k.trigger > p.trigger; });
  const auto name = rule_endpoint(p.trigger);
  all.insert(at, std::move(p));
  return {status::success, {{"PolicyRule", name}}};
}

refusal put_rule(const wsman::node& body, const instance& target, context& c) {
  auto* rule = policy_named(change_cira(c.device), text_of(target, "PolicyRuleName"));
  if (rule == nullptr)
    return soap_fault::destination_unreachable;
  auto next = *rule;
  if (!read_rule(body, next))
    return soap_fault::invalid_representation;
  *rule = std::move(next);
  return {};
}

refusal remove_rule(const instance& target, context& c) {
  auto& state = change_cira(c.device);
  const auto* rule = policy_named(state, text_of(target, "PolicyRuleName"));
  if (rule == nullptr)
    return soap_fault::destination_unreachable;
  state.policies.erase(state.policies.begin() + (rule - state.policies.data()));
  return {};
}

// -- which policy uses which server ---------------------------------------------------------------

instances applications(const device_model& d) {
  instances out;
  for (const auto& p : current_cira(d).policies)
    for (const auto& s : p.servers)
      out.push_back({"AMT_RemoteAccessPolicyAppliesToMPS",
                     {{"ManagedElement", server_endpoint(s.server)},
                      {"MpsType", text(s.type)},
                      {"OrderOfAccess", text(s.order)},
                      {"PolicySet", rule_endpoint(p.trigger)}}});
  return out;
}

/// A policy and its entry for a server, by the names of the two.
struct application {
  access_policy* policy = nullptr;
  mps_server* server = nullptr;
  mps_of_policy* entry = nullptr;
};

application find_application(cira_state& state, const endpoint& element, const endpoint& set) {
  application out;
  out.policy = policy_named(state, selector_of(set, "PolicyRuleName"));
  out.server = server_named(state, selector_of(element, "Name"));
  if (out.policy != nullptr && out.server != nullptr)
    for (auto& e : out.policy->servers)
      if (e.server == out.server->number)
        out.entry = &e;
  return out;
}

application find_application(cira_state& state, const instance& target) {
  endpoint element;
  endpoint set;
  for (const auto& f : target.fields)
    if (const auto* to = std::get_if<endpoint>(&f.value))
      (f.name == "PolicySet" ? set : element) = *to;
  return find_application(state, element, set);
}

application find_application(cira_state& state, const wsman::node& body) {
  const auto element = endpoint_of(body, "ManagedElement");
  const auto set = endpoint_of(body, "PolicySet");
  return element && set ? find_application(state, *element, *set) : application{};
}

refusal put_application(const wsman::node& body, const instance& target, context& c) {
  auto& state = change_cira(c.device);
  // The header decides, as firmware does: clients put all their associations with "Periodic" there.
  auto found = c.selectors.empty() ? find_application(state, body) : application{};
  if (found.entry == nullptr)
    found = find_application(state, target);
  if (found.entry == nullptr)
    return soap_fault::destination_unreachable;
  auto next = *found.entry;
  if (!take(body, "MpsType", next.type, 2) || !take(body, "OrderOfAccess", next.order, 1))
    return soap_fault::invalid_representation;
  *found.entry = next;
  return {};
}

creation create_application(const wsman::node& body, context& c) {
  auto& state = change_cira(c.device);
  const auto found = find_application(state, body);
  if (found.policy == nullptr || found.server == nullptr)
    return soap_fault::invalid_representation;
  if (found.entry != nullptr)
    return soap_fault::already_exists;
  if (found.policy->servers.size() == max_mps_per_policy)
    return soap_fault::quota_limit;
  mps_of_policy made{found.server->number, 0, 0};
  if (!take(body, "MpsType", made.type, 2) || !take(body, "OrderOfAccess", made.order, 1))
    return soap_fault::invalid_representation;
  found.policy->servers.push_back(made);
  const auto element = server_endpoint(found.server->number);
  const auto set = rule_endpoint(found.policy->trigger);
  return std::vector<wsman::selector>{
      {"ManagedElement", {}, element.resource_uri, element.selectors},
      {"PolicySet", {}, set.resource_uri, set.selectors}};
}

refusal remove_application(const instance& target, context& c) {
  auto& state = change_cira(c.device);
  const auto found = find_application(state, target);
  if (found.entry == nullptr)
    return soap_fault::destination_unreachable;
  auto& all = found.policy->servers;
  all.erase(all.begin() + (found.entry - all.data()));
  return {};
}

// -- when -----------------------------------------------------------------------------------------

instances remote_access(const device_model& d) {
  return {with(service("AMT_RemoteAccessService", "Intel(r) AMT Remote Access Service"),
               {{"IsRemoteTunnelConnected", text(d.tunnel_up)},
                {"RemoteTunnelKeepAliveTimeout", "4294967295"}})};
}

instances capabilities(const device_model&) {
  const auto count = [](std::size_t n) {
    return std::to_string(n);
  };
  return {{"AMT_RemoteAccessCapabilities",
           {{"ElementName", "Intel(r) AMT:Remote Access Capabilities"},
            {"InstanceID", "Intel(r) AMT:Remote Access Capabilities"},
            {"MaxMpsPerPolicy", count(max_mps_per_policy)},
            {"MaxTotalMpServers", count(max_mps_servers)},
            {"MaxTotalPolicies", count(max_policies)},
            {"MaxTotalProxyEntryPoints", count(max_proxies)}}}};
}

instances user_initiated(const device_model& d) {
  const auto fresh = d.control_mode == 0 ? 32768U : 32771U;
  return {with(service("AMT_UserInitiatedConnectionService",
                       "Intel(r) AMT User Initiated Connection Service"),
               {{"EnabledState", text(d.cira->user_initiated.value_or(fresh))}})};
}

outcome request_user_initiated(const wsman::node& input, context& c) {
  const auto state = wsman::to_number(input.child_text("RequestedState"));
  if (!state)
    return soap_fault::schema_validation_error;
  if (*state < 32768 || *state > 32771)
    return status::invalid_parameter;
  change_cira(c.device).user_initiated = *state;
  return status::success;
}

instances detection(const device_model& d) {
  const auto state = current_cira(d);
  instance out{"AMT_EnvironmentDetectionSettingData",
               {{"DetectionAlgorithm", text(state.detection_algorithm)},
                {"ElementName", detection_name},
                {"InstanceID", detection_name}}};
  for (const auto& s : state.detection_strings)
    out.fields.push_back({"DetectionStrings", s});
  return {out};
}

refusal put_detection(const wsman::node& body, const instance&, context& c) {
  auto algorithm = current_cira(c.device).detection_algorithm;
  if (!take(body, "DetectionAlgorithm", algorithm, 1))
    return soap_fault::invalid_representation;
  std::vector<std::string> strings; // none in the body: none from now on
  for (const auto& child : body.children) {
    if (child.name != "DetectionStrings" || child.value().empty())
      continue;
    if (child.value().size() > 192 || strings.size() == max_detection_strings)
      return soap_fault::invalid_representation;
    strings.emplace_back(child.value());
  }
  auto& state = change_cira(c.device);
  state.detection_algorithm = algorithm;
  state.detection_strings = std::move(strings);
  return {};
}

// -- flash ----------------------------------------------------------------------------------------

template <class V, class T> void server_members(V& v, T& s) {
  v("number", s.number);
  v("host", s.host);
  v("format", s.format);
  v("port", s.port);
  v("authentication", s.authentication);
  v("user", s.user);
  v("password", s.password);
  v("cn", s.common_name);
  v("certificate", s.certificate);
  v("as_made", s.as_made);
}

template <class V, class T> void members(V& v, T& t) {
  v("user_initiated", t.user_initiated);
  v("algorithm", t.detection_algorithm);
  v.list("detection", t.detection_strings, [](auto& w, auto& s) { w("suffix", s); });
  v.list("servers", t.servers, [](auto& w, auto& s) { server_members(w, s); });
  v.list("policies", t.policies, [](auto& w, auto& p) {
    w("trigger", p.trigger);
    w("lifetime", p.lifetime);
    w.octets("extended", p.extended);
    w.list("servers", p.servers, [](auto& x, auto& s) {
      x("server", s.server);
      x("type", s.type);
      x("order", s.order);
    });
  });
}

void save(const device_model& d, kept_texts& out) {
  if (!d.cira.changed())
    return;
  kept_writer to(out);
  members(to, *d.cira);
}

void load(const kept_texts& in, device_model& d) {
  if (in.empty())
    return;
  kept_reader from(in);
  members(from, d.cira.change());
}

} // namespace

class_table cira_classes() {
  class_row rule{rule_class, rules, put_rule, remove_rule};
  rule.key = "PolicyRuleName";
  class_row sap{sap_class, servers, nullptr, remove_server};
  sap.key = "Name";
  class_row password{"AMT_MPSUsernamePassword", passwords, put_password};
  password.echoes = false;
  class_row applies{"AMT_RemoteAccessPolicyAppliesToMPS", applications, put_application,
                    remove_application, create_application};
  applies.echoes = false;
  return {{rule,
           sap,
           password,
           applies,
           {"AMT_RemoteAccessService", remote_access},
           {"AMT_RemoteAccessCapabilities", capabilities},
           {"AMT_UserInitiatedConnectionService", user_initiated},
           {"AMT_EnvironmentDetectionSettingData", detection, put_detection}},
          {{"AMT_RemoteAccessService", "AddMpServer", add_server},
           {"AMT_RemoteAccessService", "AddRemoteAccessPolicyRule", add_rule},
           {"AMT_UserInitiatedConnectionService", "RequestStateChange", request_user_initiated}},
          {},
          {{"cira", save, load}}};
}

} // namespace outband::amtsim
