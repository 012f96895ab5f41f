#include "messages/rest/audit.hpp"

#include "messages/domain/time.hpp"

#include <algorithm>
#include <array>

namespace outband {

namespace {

enum class keep : std::uint8_t {
  scalar, ///< a number, a flag, a text, or a list of those
  url,    ///< without user, password, query and fragment
};

/// `path` is a member, or "outer.inner".
struct allowed {
  std::string_view topic; ///< of the act: what is before its first dot
  std::string_view path;
  keep how = keep::scalar;
};

constexpr allowed table[] = {
    // What may be asked of a machine (messages/amt); the members are MPS's.
    {"power", "action"},
    {"desired", "target"},
    {"desired", "policy"},
    {"desired", "ifRev"},
    {"power", "what"},
    {"power", "policy"},
    {"boot", "action"},
    {"boot", "useSOL"},
    {"boot", "bootDetails.url", keep::url},
    {"boot", "bootDetails.bootPath"},
    {"boot", "bootDetails.enforceSecureBoot"},
    {"erase", "secureEraseAllSSDs"},
    {"erase", "tpmClear"},
    {"erase", "restoreBIOSToEOM"},
    {"erase", "unconfigureCSME"},
    {"features", "userConsent"},
    {"features", "enableSOL"},
    {"features", "enableIDER"},
    {"features", "enableKVM"},
    {"features", "ocr"},
    {"features", "remoteErase"},
    {"features", "rpe"},
    {"displays", "displayIndex"},
    {"log", "startIndex"},
    {"alarms", "ElementName"},
    {"alarms", "InstanceID"},
    {"alarms", "StartTime"},
    {"alarms", "Interval"},
    {"alarms", "DeleteOnCompletion"},
    {"alarms", "Name"},
    {"explorer", "call"},
    {"explorer", "class"},
    {"wired", "dhcpEnabled"},
    {"wired", "ipSyncEnabled"},
    {"wired", "ipAddress"},
    {"wired", "subnetMask"},
    {"wired", "defaultGateway"},
    {"wired", "primaryDNS"},
    {"wired", "secondaryDNS"},
    {"link_preference", "linkPreference"},
    {"link_preference", "timeout"},
    {"wifi", "state"},
    {"wifi", "localProfileSync"},
    {"wifi", "uefiProfileSync"},
    {"wifi", "profileName"},
    {"wifi", "ssid"},
    {"wifi", "priority"},
    {"wifi", "authenticationMethod"},
    {"wifi", "encryptionMethod"},
    {"wifi", "ieee8021x.username"},
    {"wifi", "ieee8021x.authenticationProtocol"},
    {"tls", "enabled"},
    {"tls", "mutualAuthentication"},
    {"tls", "acceptNonSecureConnections"},
    {"certificates", "isTrusted"},
    {"certificates", "handle"},
    {"certificates", "instanceId"},
    // What is asked of the site. "...Set": a secret was given, whatever it is.
    {"device", "hostname"},
    {"device", "friendlyName"},
    {"device", "dnsSuffix"},
    {"device", "tags"},
    {"device", "mpsusername"},
    {"device", "amtusername"},
    {"device", "connection"},
    {"device", "mpsPasswordSet"},
    {"device", "amtPasswordSet"},
    {"device", "created"},
    {"profile", "profileName"},
    {"profile", "activation"},
    {"profile", "generateRandomPassword"},
    {"profile", "generateRandomMEBxPassword"},
    {"profile", "ciraConfigName"},
    {"profile", "tags"},
    {"profile", "dhcpEnabled"},
    {"profile", "ipSyncEnabled"},
    {"profile", "localWifiSyncEnabled"},
    {"profile", "uefiWifiSyncEnabled"},
    {"profile", "tlsMode"},
    {"profile", "tlsSigningAuthority"},
    {"profile", "userConsent"},
    {"profile", "iderEnabled"},
    {"profile", "kvmEnabled"},
    {"profile", "solEnabled"},
    {"profile", "ieee8021xProfileName"},
    {"ciraconfig", "configName"},
    {"ciraconfig", "mpsServerAddress"},
    {"ciraconfig", "mpsPort"},
    {"ciraconfig", "username"},
    {"ciraconfig", "commonName"},
    {"ciraconfig", "serverAddressFormat"},
    {"ciraconfig", "authMethod"},
    {"ciraconfig", "regeneratePassword"},
    {"wirelessconfig", "profileName"},
    {"wirelessconfig", "authenticationMethod"},
    {"wirelessconfig", "encryptionMethod"},
    {"wirelessconfig", "ssid"},
    {"wirelessconfig", "linkPolicy"},
    {"wirelessconfig", "ieee8021xProfileName"},
    {"ieee8021xconfig", "profileName"},
    {"ieee8021xconfig", "authenticationProtocol"},
    {"ieee8021xconfig", "pxeTimeout"},
    {"ieee8021xconfig", "wiredInterface"},
    {"ieee8021xconfig", "username"},
    {"ieee8021xconfig", "domain"},
    {"ieee8021xconfig", "roamingIdentity"},
    {"ieee8021xconfig", "serverName"},
    {"proxyconfig", "name"},
    {"proxyconfig", "address"},
    {"proxyconfig", "port"},
    {"proxyconfig", "networkDnsSuffix"},
    {"domain", "profileName"},
    {"domain", "domainSuffix"},
    {"domain", "provisioningCertStorageFormat"},
    {"token", "id"},
    {"token", "operation"},
    {"token", "profile"},
    {"token", "expires"},
    {"account", "name"},
    {"account", "siteAdmin"},
    {"account", "roles"},
    {"account", "passwordSet"},
    {"account", "created"},
    {"host", "force"},
    {"host", "note"},
    {"tenant", "force"},
    {"tenant", "key"},
    {"tenant", "displayName"},
    {"tenant", "projectId"},
    {"session", "role"},
    {"bus", "role"},
    {"request", "route"},
};

constexpr std::size_t max_text = 256, max_items = 64;

bool plain(const json::value& v) {
  return !v.items() && !v.members() && (!v.text() || v.text()->size() <= max_text);
}

bool plain_list(const json::value& v) {
  const auto* items = v.items();
  return items && items->size() <= max_items && std::all_of(items->begin(), items->end(), plain);
}

/// A text that is no URL with a host is nothing.
std::string bare_url(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos || url.size() > 1024)
    return {};
  const auto from = scheme + 3;
  const auto slash = std::min(url.find_first_of("/?#", from), url.size());
  const auto at = url.substr(0, slash).rfind('@');
  std::string out(url.substr(0, from));
  out += url.substr(at == std::string_view::npos || at < from ? from : at + 1,
                    slash - (at == std::string_view::npos || at < from ? from : at + 1));
  out += url.substr(slash, std::min(url.find_first_of("?#", slash), url.size()) - slash);
  return out;
}

class sieve {
public:
  explicit sieve(std::string_view topic) : topic_(topic) {}

  json::object operator()(const json::object& from, const std::string& outer = {}) {
    json::object out;
    for (const auto& m : from)
      if (auto kept = one(m, outer.empty() ? m.name : outer + "." + m.name, outer.empty()))
        out.push_back({m.name, std::move(*kept)});
      else
        ++omitted;
    return out;
  }
  std::int64_t omitted = 0;

private:
  std::optional<json::value> one(const json::member& m, const std::string& path, bool top) {
    if (m.name.find('.') != std::string::npos)
      return std::nullopt; // it would pass for a path
    for (const auto& a : table)
      if (a.topic == topic_ && a.path == path)
        return value(m.val, a.how);
    // Nothing of a member is kept whose name is only the beginning of one.
    const bool has_inner =
        top && m.val.members() && std::any_of(std::begin(table), std::end(table), [&](auto& a) {
          return a.topic == topic_ && a.path.substr(0, path.size() + 1) == path + ".";
        });
    if (!has_inner)
      return std::nullopt;
    return json::value((*this)(*m.val.members(), path));
  }
  static std::optional<json::value> value(const json::value& v, keep how) {
    if (how == keep::url) {
      auto url = v.text() ? bare_url(*v.text()) : std::string();
      return url.empty() ? std::nullopt : std::optional<json::value>(std::move(url));
    }
    if (plain(v) || plain_list(v))
      return v;
    return std::nullopt;
  }
  std::string_view topic_;
};

} // namespace

std::string audit_argument(std::string_view act, const json::value& argument) {
  if (!argument.members() || argument.members()->empty())
    return {};
  if (act.substr(0, 4) == "amt.")
    act.remove_prefix(4);
  sieve through(act.substr(0, act.find('.')));
  auto kept = through(*argument.members());
  if (through.omitted != 0)
    kept.push_back({"omitted", through.omitted});
  auto text = json::dump(std::move(kept));
  if (text.size() <= max_kept_argument)
    return text;
  return json::dump(
      json::object{{"omitted", static_cast<std::int64_t>(argument.members()->size())}});
}

namespace {

struct words_of {
  json::object operator()(const ask_desired& a) const {
    json::object o;
    if (a.patch.target)
      o.push_back({"target", to_string(*a.patch.target)});
    if (a.patch.policy)
      o.push_back({"policy", to_string(*a.patch.policy)});
    if (a.if_rev)
      o.push_back({"ifRev", *a.if_rev});
    return o;
  }
  json::object operator()(const ask_once& a) const {
    return {{"what", to_string(a.what)}, {"policy", to_string(a.policy)}};
  }
  json::object operator()(const ask_action& a) const {
    return {{"action", static_cast<int>(a.action)}};
  }
  /// Whatever is not described above is not known to be free of secrets.
  template <class T> json::object operator()(const T&) const { return {}; }
};

} // namespace

std::string audit_argument(const request_body& body) {
  // One that is sealed is no JSON, and nothing of it is kept.
  if (const auto* o = std::get_if<ask_operation>(&body)) {
    auto argument = json::parse(o->argument);
    return argument ? audit_argument(o->act, *argument) : std::string();
  }
  return audit_argument(act_name(body), json::value(std::visit(words_of{}, body)));
}

json::value audit_json(const audit_row& row) {
  const auto& e = row.entry;
  const auto& o = row.outcome;
  auto time = [](time_ms t) {
    return t > 0 ? json::value(to_rfc3339(t)) : json::value();
  };
  json::value argument;
  if (!e.argument.empty())
    if (auto parsed = json::parse(e.argument))
      argument = std::move(*parsed);
  json::object out{{"id", to_string(e.id)},
                   {"at", time(row.at)},
                   {"act", e.act},
                   {"device", e.device ? json::value(to_string(*e.device)) : json::value()},
                   {"by", e.by},
                   {"channel", e.channel},
                   {"node", e.node},
                   {"address", e.address},
                   {"argument", std::move(argument)},
                   {"status", to_string(o.status)},
                   {"code", o.code},
                   {"text", o.text},
                   {"finishedAt", time(row.finished)}};
  if (e.deadline > 0)
    out.push_back({"deadline", time(e.deadline)});
  if (o.return_value)
    out.push_back({"returnValue", static_cast<std::int64_t>(*o.return_value)});
  if (row.count > 1)
    out.push_back({"count", row.count});
  return out;
}

} // namespace outband
