// Profiles (rps src/routes/admin/profiles).
#include "messages/rest/admin_body.hpp"
#include "messages/rest/admin_check.hpp"

#include <algorithm>
#include <set>

namespace outband::rest {

namespace {

constexpr std::size_t max_wifi = 8, max_proxies = 15, max_tags = 64, max_tag = 64;

constexpr std::string_view password_rule =
    " password is required field should contains at least one lowercase letter, one uppercase "
    "letter, one numeric digit,and one special character and password length should be in between "
    "8 to 32.";

std::optional<activation_kind> activation_of(const admin_check& c) {
  const auto* t = c.text("activation");
  return t ? parse_activation_kind(*t) : std::nullopt;
}

void check_activation(admin_check& c, bool fresh) {
  if (fresh)
    c.need_present("activation", "Activation is required");
  const auto kind = activation_of(c);
  c.need(kind.has_value(), "activation",
         "Activation accepts either acmactivate (admin control activation) or ccmactivate (client "
         "control mode activation)");
  if (!fresh)
    return;
  if (!c.get("amtPassword") && !c.flag("generateRandomPassword").value_or(false))
    c.wrong("activation", "Either generateRandomPassword should be enabled or provide amtPassword");
  else if (kind == activation_kind::admin_mode && !c.get("mebxPassword") &&
           !c.flag("generateRandomMEBxPassword").value_or(false))
    c.wrong("activation", "MEBx Password is required for acmactivate");
}

void check_password(admin_check& c, std::string_view name, std::string_view called) {
  if (!c.get(name))
    return;
  const auto* t = c.text(name);
  c.need(t && amt_password_like(*t), name, std::string(called) + std::string(password_rule), true);
}

void check_passwords(admin_check& c, bool fresh) {
  check_password(c, "amtPassword", "AMT");
  c.optional_flag("generateRandomPassword",
                  "Generate random AMT password must be a boolean true or false");
  const bool random = c.flag("generateRandomPassword").value_or(false);
  if (random && c.get("amtPassword"))
    c.wrong("generateRandomPassword",
            "Either generate Random AMT Password should be enabled or should provide AMT Password "
            "but not both");
  else if (fresh && !random && !c.get("amtPassword"))
    c.wrong("generateRandomPassword",
            "If generate random AMT password is disabled, amtPassword is mandatory");
  check_password(c, "mebxPassword", "MEBx");
  c.optional_flag("generateRandomMEBxPassword",
                  "Generate random MEBx password must be a boolean true or false");
  if (activation_of(c) != activation_kind::admin_mode)
    return;
  const bool random_mebx = c.flag("generateRandomMEBxPassword").value_or(false);
  if (random_mebx && c.get("mebxPassword"))
    c.wrong("generateRandomMEBxPassword", "Either generate MEBx password should be enabled or "
                                          "should provide MEBx password, but not both");
  else if (fresh && !random_mebx && !c.get("mebxPassword"))
    c.wrong("generateRandomMEBxPassword",
            "If generate random MEBx password is disabled, mebxPassword is mandatory");
}

void check_tls(admin_check& c) {
  if (c.get("tlsMode")) {
    const auto mode = c.integer("tlsMode");
    c.need(mode && *mode >= 1 && *mode <= 4, "tlsMode",
           "tlsMode must be set to one of these values: 1 (Server Authentication Only), 2 (Server "
           "and Non-TLS Authentication), 3 (Mutual TLS only), 4 (Mutual and Non-TLS "
           "authentication)");
  }
  if (c.get("tlsSigningAuthority")) {
    const auto* by = c.text("tlsSigningAuthority");
    c.need(by && (*by == "SelfSigned" || *by == "MicrosoftCA"), "tlsSigningAuthority",
           "TLS Signing Authority must be one of SelfSigned,MicrosoftCA");
  }
  c.optional_text("ciraConfigName", 256);
  if (!c.empty("ciraConfigName") && c.get("tlsMode"))
    c.wrong("ciraConfigName", "CIRA cannot be configured if TLS is enabled");
}

void check_tags(admin_check& c) {
  const auto* v = c.get("tags");
  if (!v)
    return;
  const auto* all = v->items();
  c.need(all && all->size() <= max_tags &&
             std::all_of(all->begin(), all->end(),
                         [](const json::value& t) {
                           return t.text() && !t.text()->empty() && t.text()->size() <= max_tag;
                         }),
         "tags", "tags should be an array of at most 64 strings of 1 to 64 octets");
}

struct ranked_rule {
  const char* list; ///< "wifiConfigs"
  const char* name; ///< of the member that names the configuration
  const char* word; ///< "wifi"
  std::size_t most;
};
constexpr ranked_rule wifi_rule{"wifiConfigs", "profileName", "wifi", max_wifi};
constexpr ranked_rule proxy_rule{"proxyConfigs", "name", "proxy", max_proxies};

void check_ranked(admin_check& c, const ranked_rule& r) {
  const auto* v = c.get(r.list);
  if (!v)
    return;
  if (!v->items())
    return c.wrong(r.list, "Invalid value");
  if (v->items()->size() > r.most)
    return c.wrong(r.list, "A maximum of " + std::to_string(r.most) + " " + r.word +
                               " profiles can be stored at a time.");
  std::set<std::string> seen;
  for (const auto& item : *v->items()) {
    const auto* name = item.find(r.name);
    const auto* priority = item.find("priority");
    if (!name || !name->text() || name->text()->empty() || name->text()->size() > 256)
      return c.wrong(r.list, std::string(r.word) + " config " + r.name + " should be a string");
    if (!priority || !priority->integer() || *priority->integer() < 1 || *priority->integer() > 255)
      return c.wrong(r.list, std::string(r.word) +
                                 " config priority should be an integer and between 1 and 255");
    auto key = *name->text();
    std::transform(key.begin(), key.end(), key.begin(),
                   [](char ch) { return ch >= 'A' && ch <= 'Z' ? char(ch - 'A' + 'a') : ch; });
    if (!seen.insert(key).second)
      return c.wrong(r.list, std::string(r.word) + " config " + *name->text() + " is named twice");
  }
}

void check_network(admin_check& c, bool fresh) {
  if (fresh)
    c.need_present("dhcpEnabled", "Invalid value");
  if (fresh || c.get("dhcpEnabled"))
    c.need(c.flag("dhcpEnabled").has_value(), "dhcpEnabled", "DHCP enabled must be a boolean");
  for (const char* name : {"ipSyncEnabled", "localWifiSyncEnabled", "uefiWifiSyncEnabled"})
    c.optional_flag(name, std::string(name) + " must be a boolean");
  const auto* wifi = c.get("wifiConfigs");
  if (wifi && wifi->items() && !wifi->items()->empty()) {
    if (!fresh && !c.get("dhcpEnabled"))
      c.wrong("wifiConfigs", "DHCP enabled should be true");
    else if (!c.flag("dhcpEnabled").value_or(false))
      c.wrong("wifiConfigs", "Wifi supports only DHCP in AMT");
  }
  check_ranked(c, wifi_rule);
  check_ranked(c, proxy_rule);
  c.optional_text("ieee8021xProfileName", 256);
}

void check_features(admin_check& c) {
  if (c.get("userConsent")) {
    const auto* t = c.text("userConsent");
    c.need(t && parse_consent_rule(*t), "userConsent", "User consent must be one of None,All,KVM");
    if (activation_of(c) == activation_kind::client_mode)
      c.need(t && *t == "All", "userConsent",
             "User consent is required for all the actions in client control mode");
  }
  c.optional_flag("iderEnabled", "IDER enabled must be a boolean");
  c.optional_flag("kvmEnabled", "KVM enabled must be a boolean");
  c.optional_flag("solEnabled", "Serial Over Lan (sol) enabled must be a boolean");
}

std::vector<ranked_name> ranked_of(const admin_check& c, const ranked_rule& r) {
  std::vector<ranked_name> out;
  const auto* v = c.get(r.list);
  if (v && v->items())
    for (const auto& item : *v->items())
      out.push_back(
          {*item.find(r.name)->text(), static_cast<int>(*item.find("priority")->integer())});
  return out;
}

json::array ranked_json(const std::vector<ranked_name>& all, const char* name) {
  json::array out;
  for (const auto& r : all)
    out.push_back(json::object{{name, r.name}, {"priority", r.priority}});
  return out;
}

json::value or_null(const std::optional<std::string>& text) {
  return text ? json::value(*text) : json::value();
}

/// Which of the two passwords are random after the request, and what becomes of the stored one.
bool random_after(const admin_check& c, const char* password, const char* random, bool old,
                  bool fresh) {
  if (c.flag(random).value_or(false))
    return true;
  return c.get(password) || fresh ? false : old;
}

} // namespace

std::vector<field_error> admin_body<profile>::check(const json::value& body, check_options how) {
  admin_check c(body);
  c.need_present("profileName", "AMT profile name is required");
  const auto* name = c.text("profileName");
  c.need(name && profile_name_like(*name), "profileName",
         "AMT profile name accepts letters, numbers, special characters and no spaces");
  check_activation(c, how.fresh);
  check_passwords(c, how.fresh);
  check_tls(c);
  check_tags(c);
  check_network(c, how.fresh);
  check_features(c);
  if (!how.fresh && !how.if_match)
    c.need_present("version", "Version is required to patch/update a record.");
  return c.take();
}

profile admin_body<profile>::read(const json::value& body, profile to, bool fresh) {
  admin_check c(body);
  if (fresh)
    to = {};
  auto flag = [&](const char* name, bool& into) {
    if (auto f = c.flag(name))
      into = *f;
  };
  auto text = [&](const char* name) {
    return c.empty(name) ? std::nullopt : std::optional(*c.text(name));
  };
  if (fresh) {
    // Columns without a value: not synchronised (rps data/init.sql); DHCP must be said.
    to.ip_sync = false;
    to.name = *c.text("profileName");
  }
  to.activation = *activation_of(c);
  to.random_amt_password =
      random_after(c, "amtPassword", "generateRandomPassword", to.random_amt_password, fresh);
  to.random_mebx_password =
      random_after(c, "mebxPassword", "generateRandomMEBxPassword", to.random_mebx_password, fresh);
  if (to.activation == activation_kind::client_mode)
    to.random_mebx_password = false;
  // Left out, these three become nothing, and the lists empty.
  to.cira_config = text("ciraConfigName");
  to.ieee8021x = text("ieee8021xProfileName");
  to.tls_mode.reset();
  if (auto mode = c.integer("tlsMode"))
    to.tls_mode = static_cast<int>(*mode);
  if (auto by = text("tlsSigningAuthority"))
    to.tls_authority = by;
  if (!to.tls_mode)
    to.tls_authority.reset();
  else if (!to.tls_authority)
    to.tls_authority = "SelfSigned";
  if (const auto* tags = c.get("tags")) {
    to.tags.clear();
    for (const auto& t : *tags->items())
      to.tags.push_back(*t.text());
  }
  flag("dhcpEnabled", to.dhcp);
  flag("ipSyncEnabled", to.ip_sync);
  flag("localWifiSyncEnabled", to.local_wifi_sync);
  flag("uefiWifiSyncEnabled", to.uefi_wifi_sync);
  to.wifi = to.dhcp ? ranked_of(c, wifi_rule) : std::vector<ranked_name>();
  to.proxies = ranked_of(c, proxy_rule);
  if (const auto* t = c.text("userConsent"))
    to.consent = *parse_consent_rule(*t);
  else if (fresh)
    to.consent = consent_rule::kvm;
  if (to.activation == activation_kind::client_mode)
    to.consent = consent_rule::all; // the firmware knows nothing else there
  flag("iderEnabled", to.ider);
  flag("kvmEnabled", to.kvm);
  flag("solEnabled", to.sol);
  to.version = version_of(c.get("version"));
  return to;
}

plain_secrets admin_body<profile>::secrets(const json::value& body, const profile& next) {
  admin_check c(body);
  plain_secrets out;
  if (next.random_amt_password)
    out["amt_password"] = "";
  else if (const auto* t = c.text("amtPassword"))
    out["amt_password"] = *t;
  if (next.random_mebx_password || next.activation == activation_kind::client_mode)
    out["mebx_password"] = "";
  else if (const auto* t = c.text("mebxPassword"))
    out["mebx_password"] = *t;
  return out;
}

std::optional<std::string> refused_change(const json::value& body, const profile& old,
                                          const profile& next) {
  admin_check c(body);
  const bool stored = !old.random_mebx_password && old.activation == activation_kind::admin_mode;
  if (next.activation == activation_kind::admin_mode && !next.random_mebx_password &&
      !c.get("mebxPassword") && !stored)
    return "MEBx password is required for acmactivate";
  return std::nullopt;
}

json::value admin_body<profile>::show(const profile& p, const tenant_key& tenant) {
  return json::object{{"profileName", p.name},
                      {"activation", to_string(p.activation)},
                      {"ciraConfigName", or_null(p.cira_config)},
                      {"generateRandomPassword", p.random_amt_password},
                      {"generateRandomMEBxPassword", p.random_mebx_password},
                      {"tags", json::array(p.tags.begin(), p.tags.end())},
                      {"dhcpEnabled", p.dhcp},
                      {"tlsMode", p.tls_mode ? json::value(*p.tls_mode) : json::value()},
                      {"userConsent", to_string(p.consent)},
                      {"iderEnabled", p.ider},
                      {"kvmEnabled", p.kvm},
                      {"solEnabled", p.sol},
                      {"tenantId", tenant},
                      {"tlsSigningAuthority", or_null(p.tls_authority)},
                      {"version", std::to_string(p.version)},
                      {"ieee8021xProfileName", or_null(p.ieee8021x)},
                      {"wifiConfigs", ranked_json(p.wifi, "profileName")},
                      {"ipSyncEnabled", p.ip_sync},
                      {"localWifiSyncEnabled", p.local_wifi_sync},
                      {"uefiWifiSyncEnabled", p.uefi_wifi_sync},
                      {"proxyConfigs", ranked_json(p.proxies, "name")}};
}

} // namespace outband::rest
