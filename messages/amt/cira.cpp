#include "messages/amt/cira.hpp"

#include "messages/amt/base64.hpp"
#include "messages/amt/certificates.hpp"
#include "messages/amt/if_there.hpp"
#include "messages/amt/properties.hpp"
#include "messages/amt/status.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace outband::amt {

namespace {

constexpr std::string_view server_class = "AMT_ManagementPresenceRemoteSAP";
constexpr std::string_view rule_class = "AMT_RemoteAccessPolicyRule";
constexpr std::string_view use_class = "AMT_RemoteAccessPolicyAppliesToMPS";
constexpr std::string_view detection_class = "AMT_EnvironmentDetectionSettingData";
constexpr std::string_view service = "AMT_RemoteAccessService";

constexpr std::uint32_t user_initiated = 0;
constexpr std::uint32_t periodic = 2;
constexpr std::uint32_t for_ever = 0;
constexpr std::uint32_t user_tunnel_s = 300;
constexpr std::uint32_t by_bios_and_os = 32771; // AMT_UserInitiatedConnectionService
constexpr std::uint32_t duplicate = 2058;
constexpr std::size_t max_suffixes = 5;
constexpr std::size_t max_suffix = 192;

std::string code(std::uint32_t value) {
  return std::to_string(value);
}

result<std::vector<presence_server>> read_servers(wsman::talk& t) {
  auto items = instances_if_any(t, server_class);
  if (!items)
    return items.error();
  std::vector<presence_server> out;
  for (const auto* item : *items) {
    presence_server s;
    property_reader in(*item);
    in.text("Name", s.name)
        .text("AccessInfo", s.address)
        .number("InfoFormat", s.format)
        .number("Port", s.port)
        .text("CN", s.common_name);
    if (in.wrong())
      return *in.wrong();
    out.push_back(std::move(s));
  }
  return out;
}

result<std::vector<access_rule>> read_rules(wsman::talk& t) {
  auto items = instances_if_any(t, rule_class);
  if (!items)
    return items.error();
  std::vector<access_rule> out;
  for (const auto* item : *items) {
    access_rule r;
    property_reader in(*item);
    in.text("PolicyRuleName", r.name)
        .number("Trigger", r.trigger)
        .number("TunnelLifeTime", r.lifetime_s)
        .text("ExtendedData", r.extended_data);
    if (in.wrong())
      return *in.wrong();
    out.push_back(std::move(r));
  }
  return out;
}

result<std::vector<std::string>> suffixes_in(const wsman::node& detection) {
  std::vector<std::string> out;
  for (const auto& c : detection.children) {
    if (c.name != "DetectionStrings" || c.value().empty())
      continue;
    if (out.size() == 2 * max_suffixes || c.value().size() > 2 * max_suffix)
      return fail(problem::device_protocol, "AMT_EnvironmentDetectionSettingData.DetectionStrings "
                                            "holds more or longer names than firmware can");
    out.emplace_back(c.value());
  }
  return out;
}

/// The instance as it was read, with other suffixes, where the schema has them.
status put_detection(wsman::talk& t, const wsman::node& now,
                     const std::vector<std::string>& inside) {
  std::string suffixes;
  for (const auto& s : inside)
    suffixes += wsman::property("DetectionStrings", s);
  std::string body;
  for (const auto& c : now.children) {
    if (c.name == "DetectionStrings")
      continue;
    if (c.name == "ElementName")
      body += std::exchange(suffixes, {});
    body += wsman::property(c.name, c.text);
  }
  const std::string id(now.child_text("InstanceID"));
  auto put = t.put(detection_class, body + suffixes,
                   id.empty() ? std::vector<wsman::selector>{} : wsman::named("InstanceID", id));
  if (!put)
    return put.error();
  return success();
}

status check(const cira_settings& s) {
  const auto wrong = [](std::string field, std::string why) {
    return fail(problem::malformed, std::move(why), std::move(field));
  };
  if (s.address.empty() || s.address.size() > 256)
    return wrong("address", "a server's address is of 1 to 256 octets");
  if (s.port == 0)
    return wrong("port", "a port is from 1 to 65535");
  if (s.user.empty() || s.user.size() > 16)
    return wrong("user", "a user name is of 1 to 16 characters");
  if (s.password.empty() || s.password.size() > 16)
    return wrong("password", "a password is of 1 to 16 characters");
  if (s.common_name.size() > 256)
    return wrong("commonName", "a common name is of at most 256 octets");
  if (s.interval_s == 0)
    return wrong("interval", "an interval is of 1 second or more");
  if (s.inside.empty() || s.inside.size() > max_suffixes)
    return wrong("inside", "1 to 5 suffixes; without any the machine never calls home");
  for (const auto& i : s.inside)
    if (i.empty() || i.size() > max_suffix)
      return wrong("inside", "a suffix is of 1 to 192 octets");
  return success();
}

status add_server(wsman::talk& t, const cira_settings& s) {
  using wsman::property;
  // RPS sends a CN of "undefined" with names; a name needs none.
  const bool named = s.format == server_address::fqdn || s.common_name.empty();
  auto told = t.invoke(service, "AddMpServer",
                       property("AccessInfo", s.address) +
                           property("InfoFormat", code(static_cast<std::uint32_t>(s.format))) +
                           property("Port", code(s.port)) + property("AuthMethod", "2") +
                           property("Username", s.user) + property("Password", s.password) +
                           (named ? std::string{} : property("CN", s.common_name)));
  if (told && told->value == 36)
    return fail(
        problem::device_refused,
        "AddMpServer was refused with INVALID_PARAMETER (36): the firmware does not accept "
        "the server's address, port, user name or password; the password must be of 8 to 16 "
        "characters of all four kinds");
  return done(told, "AddMpServer");
}

/// The one that was just added.
result<std::string> find_server(wsman::talk& t, const cira_settings& s) {
  auto servers = read_servers(t);
  if (!servers)
    return servers.error();
  for (const auto& k : *servers)
    if (k.address == s.address && k.port == s.port && !k.name.empty())
      return k.name;
  return fail(problem::device_protocol,
              "the firmware took the management presence server and does not list it");
}

status add_rule(wsman::talk& t, std::uint32_t trigger, std::uint32_t lifetime_s,
                const std::string& data, const std::string& server) {
  using wsman::property;
  auto told =
      t.invoke(service, "AddRemoteAccessPolicyRule",
               property("Trigger", code(trigger)) + property("TunnelLifeTime", code(lifetime_s)) +
                   property("ExtendedData", data) +
                   wsman::endpoint_parameter(
                       "MpServer", {wsman::class_uri(server_class), wsman::named("Name", server)}));
  if (told && told->value == duplicate) // somebody else is configuring it too
    return fail(problem::already_exists,
                "the firmware already has a remote access policy of that kind; configure anew");
  return done(told, "AddRemoteAccessPolicyRule");
}

/// Each policy is to use the server first of all, wherever the machine believes to be.
status use_server(wsman::talk& t, const std::string& server) {
  auto items = t.list(use_class);
  if (!items)
    return items.error();
  std::size_t used = 0;
  for (const auto* item : wsman::instances(**items, use_class)) {
    const auto* element = item->child("ManagedElement");
    const auto* set = item->child("PolicySet");
    const auto whom = element != nullptr ? wsman::read_endpoint(*element) : std::nullopt;
    const auto what = set != nullptr ? wsman::read_endpoint(*set) : std::nullopt;
    if (!whom || !what)
      return fail(problem::device_protocol, "AMT_RemoteAccessPolicyAppliesToMPS does not say which "
                                            "policy uses which server");
    const auto is_ours = [&](const wsman::selector& s) {
      return s.name == "Name" && s.value == server;
    };
    if (std::none_of(whom->selectors.begin(), whom->selectors.end(), is_ours))
      continue;
    auto put = t.put(use_class,
                     wsman::endpoint_parameter("ManagedElement", *whom) +
                         wsman::property("MpsType", "2") + wsman::property("OrderOfAccess", "0") +
                         wsman::endpoint_parameter("PolicySet", *what),
                     {{"ManagedElement", {}, whom->resource_uri, whom->selectors},
                      {"PolicySet", {}, what->resource_uri, what->selectors}});
    if (!put)
      return put.error();
    ++used;
  }
  if (used == 0)
    return fail(problem::device_protocol, "the firmware took the policies and does not list them");
  return success();
}

} // namespace

std::string periodic_data(std::uint32_t interval_s) {
  std::string octets(8, '\0');
  for (std::size_t i = 0; i < 4; ++i)
    octets[4 + i] = static_cast<char>((interval_s >> (24 - 8 * i)) & 0xFFU);
  return base64_encode(octets);
}

bool cira_configuration::calls_home() const {
  return !servers.empty() && !inside.empty() &&
         std::any_of(rules.begin(), rules.end(),
                     [](const access_rule& r) { return r.trigger == periodic; });
}

result<cira_configuration> read_cira(wsman::talk& t) {
  cira_configuration out;
  auto servers = read_servers(t);
  if (!servers)
    return servers.error();
  out.servers = std::move(*servers);
  auto rules = read_rules(t);
  if (!rules)
    return rules.error();
  out.rules = std::move(*rules);
  auto detection = get_if_there(t, detection_class);
  if (!detection)
    return detection.error();
  if (*detection != nullptr) {
    auto inside = suffixes_in(**detection);
    if (!inside)
      return inside.error();
    out.inside = std::move(*inside);
  }
  auto access = get_if_there(t, service);
  if (!access)
    return access.error();
  if (*access != nullptr) {
    auto up = wsman::bool_or(**access, "IsRemoteTunnelConnected", false);
    if (!up)
      return up.error();
    out.connected = *up;
  }
  return out;
}

result<cleared_cira> clear_cira(wsman::talk& t) {
  cleared_cira out;
  auto rules = read_rules(t);
  if (!rules)
    return rules.error();
  for (const auto& r : *rules) {
    auto gone = t.remove(rule_class, wsman::named("PolicyRuleName", r.name));
    if (!gone && !t.is_absent())
      return gone.error();
    out.rules += gone ? 1U : 0U;
  }
  auto servers = read_servers(t);
  if (!servers)
    return servers.error();
  for (const auto& s : *servers) {
    auto gone = t.remove(server_class, wsman::named("Name", s.name));
    if (!gone && !t.is_absent())
      return gone.error();
    out.servers += gone ? 1U : 0U;
  }
  return out;
}

result<configured_cira> configure_cira(wsman::talk& t, const cira_settings& wanted) {
  if (auto good = check(wanted); !good)
    return good.error();
  auto root = read_certificate(wanted.root_certificate);
  if (!root)
    return fail(root.error().what, root.error().detail, "rootCertificate");

  configured_cira out;
  auto before = clear_cira(t);
  if (!before)
    return before.error();
  out.before = *before;
  auto held = provide_certificate(t, root->der, true);
  if (!held)
    return held.error();
  out.root = held->handle;
  out.root_was_there = held->was_there;
  if (auto ok = add_server(t, wanted); !ok)
    return ok.error();
  auto server = find_server(t, wanted);
  if (!server)
    return server.error();
  out.server = *server;
  if (auto ok = add_rule(t, periodic, for_ever, periodic_data(wanted.interval_s), out.server); !ok)
    return ok.error();
  if (auto ok = add_rule(t, user_initiated, user_tunnel_s, {}, out.server); !ok)
    return ok.error();
  if (auto ok = use_server(t, out.server); !ok)
    return ok.error();
  if (auto ok = request_state(t, "AMT_UserInitiatedConnectionService", by_bios_and_os); !ok)
    return ok.error();
  if (auto ok = set_environment_detection(t, wanted.inside); !ok)
    return ok.error();
  return out;
}

status set_environment_detection(wsman::talk& t, const std::vector<std::string>& inside) {
  auto now = t.get(detection_class);
  if (!now)
    return now.error();
  auto suffixes = suffixes_in(**now);
  if (!suffixes)
    return suffixes.error();
  return put_detection(t, **now, inside);
}

result<bool> clear_environment_detection(wsman::talk& t) {
  auto now = get_if_there(t, detection_class);
  if (!now)
    return now.error();
  if (*now == nullptr)
    return false;
  auto suffixes = suffixes_in(**now);
  if (!suffixes)
    return suffixes.error();
  if (suffixes->empty())
    return false;
  if (auto ok = put_detection(t, **now, {}); !ok)
    return ok.error();
  return true;
}

} // namespace outband::amt
