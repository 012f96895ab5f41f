// The six kinds: their columns, and how a row becomes a struct.
#include "actors/store/provisioning_rows.hpp"

#include "messages/domain/text.hpp"

#include <algorithm>
#include <cstdlib>
#include <initializer_list>
#include <set>

namespace outband::store {

namespace {

std::string pairs_cell(const std::string& link, const std::string& column,
                       const std::string& table) {
  return "array(select u.x from " + link + " w join " + table +
         " c on c.tenant = w.tenant and c.key = w." + column +
         ", unnest(array[c.name, w.priority::text]) with ordinality as u (x, n)"
         " where w.tenant = o.tenant and w.profile = o.key order by w.priority, c.key, u.n)";
}
std::string name_cell(const std::string& table, const std::string& column) {
  return "(select c.name from " + table + " c where c.tenant = o.tenant and c.key = o." + column +
         ")";
}

std::vector<ranked_name> read_ranked(const rows& from, int row, int column) {
  std::vector<ranked_name> out;
  auto all = from.texts(row, column);
  for (std::size_t i = 0; i + 1 < all.size(); i += 2)
    out.push_back({all[i], std::atoi(all[i + 1].c_str())});
  return out;
}

bool on(const rows& from, int row, int column) {
  return from.number(row, column) != 0;
}
int whole(const rows& from, int row, int column) {
  return static_cast<int>(from.number(row, column));
}

std::optional<std::string> key_or_null(const std::optional<std::string>& name) {
  return name ? std::optional(object_key(*name)) : std::nullopt;
}

status check_name(const std::string& name, const char* field) {
  if (name.empty())
    return fail(problem::malformed, "must not be empty", field);
  return check_text(name, field);
}

status check_ranked(const std::vector<ranked_name>& all, std::size_t most, const char* field) {
  if (all.size() > most)
    return fail(problem::too_large, "there may be at most " + std::to_string(most), field);
  std::set<std::string> seen;
  for (const auto& r : all) {
    if (auto ok = check_name(r.name, field); !ok)
      return ok;
    if (r.priority < 1 || r.priority > 255)
      return fail(problem::malformed, "a priority is 1 to 255", field);
    if (!seen.insert(object_key(r.name)).second)
      return fail(problem::malformed, "'" + r.name + "' is named twice", field);
  }
  return success();
}

status first_wrong(std::initializer_list<status> checks) {
  const auto at = std::find_if(checks.begin(), checks.end(), [](const auto& ok) { return !ok; });
  return at == checks.end() ? success() : *at;
}

} // namespace

std::string object_key(const std::string& name) {
  return lower(name);
}

std::vector<std::string> keys_of(const std::vector<ranked_name>& all) {
  std::vector<std::string> out;
  for (const auto& r : all)
    out.push_back(object_key(r.name));
  return out;
}

std::string secrets_cell(object_kind kind) {
  return "array(select u.x from object_secret s, unnest(array[s.field, s.sealed]) with ordinality "
         "as u (x, n) where s.tenant = o.tenant and s.kind = '" +
         std::string(to_string(kind)) + "' and s.key = o.key order by s.field, u.n)";
}

sealed_fields read_secrets(const rows& from, int row, int column) {
  sealed_fields out;
  auto all = from.texts(row, column);
  for (std::size_t i = 0; i + 1 < all.size(); i += 2)
    out[all[i]] = all[i + 1];
  return out;
}

std::string cell_list(const object_shape& shape, const std::string& cast, bool secrets) {
  std::string out = "o.name" + cast + ", o.version" + cast;
  for (const auto& c : shape.cells)
    out += ", (" + c + ")" + cast;
  if (secrets)
    out += ", (" + secrets_cell(shape.kind) + ")" + cast;
  return out;
}

status check_page(const page_wish& page) {
  if (page.top > max_page)
    return fail(problem::too_large, "at most 10,000 rows per page", "top");
  if (page.skip > 1'000'000'000)
    return fail(problem::too_large, "may be at most 1,000,000,000", "skip");
  return success();
}

// -- CIRA configurations --------------------------------------------------------------------------

const object_shape& object_rule<cira_config>::shape() {
  static const object_shape s{
      object_kind::cira_config,
      "cira_config",
      "configName",
      {{"server", "text"},
       {"format", "integer"},
       {"port", "integer"},
       {"username", "text"},
       {"common_name", "text"},
       {"auth_method", "integer"},
       {"root_certificate", "text"},
       {"proxy_details", "text"},
       {"ours", "boolean"}},
      {"o.server", "o.format", "o.port", "o.username", "o.common_name", "o.auth_method",
       "o.root_certificate", "o.proxy_details", "o.ours::integer"},
      true,
      false,
      "select 'profile', name from profile where tenant = $1::text and cira_config = $2::text"};
  return s;
}

void object_rule<cira_config>::bind(params& to, const cira_config& c) {
  to.text(c.server).number(static_cast<std::int64_t>(c.format)).number(std::int64_t{c.port});
  to.text(c.username).text(c.common_name).number(std::int64_t{c.auth_method});
  to.text(c.root_certificate).text(c.proxy_details).flag(c.ours);
}

cira_config object_rule<cira_config>::read(const rows& from, int row, int first) {
  cira_config c;
  c.name = from.text(row, first);
  c.version = from.count(row, first + 1);
  c.server = from.text(row, first + 2);
  c.format = static_cast<address_format>(from.number(row, first + 3));
  c.port = static_cast<std::uint16_t>(from.number(row, first + 4));
  c.username = from.text(row, first + 5);
  c.common_name = from.text(row, first + 6);
  c.auth_method = whole(from, row, first + 7);
  c.root_certificate = from.text(row, first + 8);
  c.proxy_details = from.text(row, first + 9);
  c.ours = on(from, row, first + 10);
  return c;
}

status object_rule<cira_config>::check(const cira_config& c) {
  return first_wrong({check_name(c.name, "configName"), check_text(c.server, "mpsServerAddress"),
                      check_text(c.username, "username"), check_text(c.common_name, "commonName"),
                      check_text(c.root_certificate, "mpsRootCertificate", max_certificate),
                      check_text(c.proxy_details, "proxyDetails", 1024)});
}

// -- profiles -------------------------------------------------------------------------------------

const object_shape& object_rule<profile>::shape() {
  static const object_shape s{
      object_kind::profile,
      "profile",
      "profileName",
      {{"activation", "text"},
       {"random_amt_password", "boolean"},
       {"random_mebx_password", "boolean"},
       {"cira_config", "text"},
       {"dhcp", "boolean"},
       {"ip_sync", "boolean"},
       {"local_wifi_sync", "boolean"},
       {"uefi_wifi_sync", "boolean"},
       {"tls_mode", "integer"},
       {"tls_authority", "text"},
       {"consent", "text"},
       {"ider", "boolean"},
       {"kvm", "boolean"},
       {"sol", "boolean"},
       {"tags", "text[]"},
       {"ieee8021x", "text"}},
      {"o.activation", "o.random_amt_password::integer", "o.random_mebx_password::integer",
       name_cell("cira_config", "cira_config"), "o.dhcp::integer", "o.ip_sync::integer",
       "o.local_wifi_sync::integer", "o.uefi_wifi_sync::integer", "o.tls_mode", "o.tls_authority",
       "o.consent", "o.ider::integer", "o.kvm::integer", "o.sol::integer", "o.tags",
       name_cell("ieee8021x_config", "ieee8021x"),
       pairs_cell("profile_wifi", "wifi", "wireless_config"),
       pairs_cell("profile_proxy", "proxy", "proxy_config")},
      true,
      true,
      ""};
  return s;
}

void object_rule<profile>::bind(params& to, const profile& p) {
  to.text(std::string(to_string(p.activation)));
  to.flag(p.random_amt_password).flag(p.random_mebx_password).text(key_or_null(p.cira_config));
  to.flag(p.dhcp).flag(p.ip_sync).flag(p.local_wifi_sync).flag(p.uefi_wifi_sync);
  if (p.tls_mode)
    to.number(std::int64_t{*p.tls_mode});
  else
    to.null();
  to.text(p.tls_authority).text(std::string(to_string(p.consent)));
  to.flag(p.ider).flag(p.kvm).flag(p.sol).texts(p.tags).text(key_or_null(p.ieee8021x));
}

profile object_rule<profile>::read(const rows& from, int row, int first) {
  profile p;
  int at = first;
  p.name = from.text(row, at++);
  p.version = from.count(row, at++);
  p.activation = parse_activation_kind(from.view(row, at++)).value_or(activation_kind::client_mode);
  p.random_amt_password = on(from, row, at++);
  p.random_mebx_password = on(from, row, at++);
  p.cira_config = from.maybe_text(row, at++);
  p.dhcp = on(from, row, at++);
  p.ip_sync = on(from, row, at++);
  p.local_wifi_sync = on(from, row, at++);
  p.uefi_wifi_sync = on(from, row, at++);
  if (!from.is_null(row, at))
    p.tls_mode = whole(from, row, at);
  ++at;
  p.tls_authority = from.maybe_text(row, at++);
  p.consent = parse_consent_rule(from.view(row, at++)).value_or(consent_rule::all);
  p.ider = on(from, row, at++);
  p.kvm = on(from, row, at++);
  p.sol = on(from, row, at++);
  p.tags = from.texts(row, at++);
  p.ieee8021x = from.maybe_text(row, at++);
  p.wifi = read_ranked(from, row, at++);
  p.proxies = read_ranked(from, row, at++);
  return p;
}

status object_rule<profile>::check(const profile& p) {
  return first_wrong({check_name(p.name, "profileName"), check_tags(p.tags),
                      check_text(p.tls_authority.value_or(""), "tlsSigningAuthority"),
                      check_text(p.cira_config.value_or(""), "ciraConfigName"),
                      check_text(p.ieee8021x.value_or(""), "ieee8021xProfileName"),
                      check_ranked(p.wifi, max_wifi, "wifiConfigs"),
                      check_ranked(p.proxies, max_proxies, "proxyConfigs")});
}

// -- WiFi -----------------------------------------------------------------------------------------

const object_shape& object_rule<wireless_config>::shape() {
  static const object_shape s{
      object_kind::wireless_config,
      "wireless_config",
      "profileName",
      {{"authentication", "integer"},
       {"encryption", "integer"},
       {"ssid", "text"},
       {"link_policy", "integer[]"},
       {"ieee8021x", "text"}},
      {"o.authentication", "o.encryption", "o.ssid", "o.link_policy",
       name_cell("ieee8021x_config", "ieee8021x")},
      true,
      false,
      "select 'profile', p.name from profile_wifi w join profile p on p.tenant = w.tenant and "
      "p.key = w.profile where w.tenant = $1::text and w.wifi = $2::text"};
  return s;
}

void object_rule<wireless_config>::bind(params& to, const wireless_config& w) {
  to.number(std::int64_t{w.authentication}).number(std::int64_t{w.encryption}).text(w.ssid);
  to.numbers(std::vector<std::int64_t>(w.link_policy.begin(), w.link_policy.end()));
  to.text(key_or_null(w.ieee8021x));
}

wireless_config object_rule<wireless_config>::read(const rows& from, int row, int first) {
  wireless_config w;
  w.name = from.text(row, first);
  w.version = from.count(row, first + 1);
  w.authentication = whole(from, row, first + 2);
  w.encryption = whole(from, row, first + 3);
  w.ssid = from.text(row, first + 4);
  for (const auto& p : from.texts(row, first + 5))
    w.link_policy.push_back(std::atoi(p.c_str()));
  w.ieee8021x = from.maybe_text(row, first + 6);
  return w;
}

status object_rule<wireless_config>::check(const wireless_config& w) {
  auto ok = first_wrong({check_name(w.name, "profileName"), check_text(w.ssid, "ssid"),
                         check_text(w.ieee8021x.value_or(""), "ieee8021xProfileName")});
  if (ok && w.link_policy.size() > 8)
    ok = fail(problem::too_large, "there may be at most 8", "linkPolicy");
  return ok;
}

// -- 802.1x ---------------------------------------------------------------------------------------

const object_shape& object_rule<ieee8021x_config>::shape() {
  static const object_shape s{
      object_kind::ieee8021x_config,
      "ieee8021x_config",
      "profileName",
      {{"protocol", "integer"},
       {"pxe_timeout", "integer"},
       {"wired", "boolean"},
       {"username", "text"},
       {"domain", "text"},
       {"roaming_identity", "text"},
       {"server_name", "text"},
       {"ca_certificate", "text"}},
      {"o.protocol", "o.pxe_timeout", "o.wired::integer", "o.username", "o.domain",
       "o.roaming_identity", "o.server_name", "o.ca_certificate"},
      true,
      false,
      "select 'profile', name from profile where tenant = $1::text and ieee8021x = $2::text union "
      "all select 'wireless-config', name from wireless_config "
      "where tenant = $1::text and ieee8021x = $2::text"};
  return s;
}

void object_rule<ieee8021x_config>::bind(params& to, const ieee8021x_config& c) {
  to.number(std::int64_t{c.protocol}).number(std::int64_t{c.pxe_timeout}).flag(c.wired);
  to.text(c.username).text(c.domain).text(c.roaming_identity).text(c.server_name);
  to.text(c.ca_certificate);
}

ieee8021x_config object_rule<ieee8021x_config>::read(const rows& from, int row, int first) {
  ieee8021x_config c;
  c.name = from.text(row, first);
  c.version = from.count(row, first + 1);
  c.protocol = whole(from, row, first + 2);
  c.pxe_timeout = whole(from, row, first + 3);
  c.wired = on(from, row, first + 4);
  c.username = from.text(row, first + 5);
  c.domain = from.text(row, first + 6);
  c.roaming_identity = from.text(row, first + 7);
  c.server_name = from.text(row, first + 8);
  c.ca_certificate = from.text(row, first + 9);
  return c;
}

status object_rule<ieee8021x_config>::check(const ieee8021x_config& c) {
  return first_wrong({check_name(c.name, "profileName"), check_text(c.username, "username"),
                      check_text(c.domain, "domain"),
                      check_text(c.roaming_identity, "roamingIdentity"),
                      check_text(c.server_name, "serverName"),
                      check_text(c.ca_certificate, "caCertificate", max_certificate)});
}

// -- proxies --------------------------------------------------------------------------------------

const object_shape& object_rule<proxy_config>::shape() {
  static const object_shape s{
      object_kind::proxy_config,
      "proxy_config",
      "name",
      {{"address", "text"}, {"format", "integer"}, {"port", "integer"}, {"dns_suffix", "text"}},
      {"o.address", "o.format", "o.port", "o.dns_suffix"},
      false,
      false,
      "select 'profile', p.name from profile_proxy w join profile p on p.tenant = w.tenant and "
      "p.key = w.profile where w.tenant = $1::text and w.proxy = $2::text"};
  return s;
}

void object_rule<proxy_config>::bind(params& to, const proxy_config& p) {
  to.text(p.address).number(static_cast<std::int64_t>(p.format));
  to.number(std::int64_t{p.port}).text(p.dns_suffix);
}

proxy_config object_rule<proxy_config>::read(const rows& from, int row, int first) {
  proxy_config p;
  p.name = from.text(row, first);
  p.address = from.text(row, first + 2);
  p.format = static_cast<address_format>(from.number(row, first + 3));
  p.port = static_cast<std::uint16_t>(from.number(row, first + 4));
  p.dns_suffix = from.text(row, first + 5);
  return p;
}

status object_rule<proxy_config>::check(const proxy_config& p) {
  return first_wrong({check_name(p.name, "name"), check_name(p.address, "address"),
                      check_text(p.dns_suffix, "networkDnsSuffix")});
}

// -- domains --------------------------------------------------------------------------------------

const object_shape& object_rule<domain>::shape() {
  static const object_shape s{
      object_kind::domain,
      "domain",
      "profileName",
      {{"suffix", "text"}, {"storage_format", "text"}, {"expires", "bigint"}},
      {"o.suffix", "o.storage_format", "o.expires"},
      true,
      false,
      ""};
  return s;
}

void object_rule<domain>::bind(params& to, const domain& d) {
  to.text(d.suffix).text(d.storage_format).number(d.expires);
}

domain object_rule<domain>::read(const rows& from, int row, int first) {
  domain d;
  d.name = from.text(row, first);
  d.version = from.count(row, first + 1);
  d.suffix = from.text(row, first + 2);
  d.storage_format = from.text(row, first + 3);
  d.expires = from.number(row, first + 4);
  return d;
}

status object_rule<domain>::check(const domain& d) {
  return first_wrong({check_name(d.name, "profileName"), check_name(d.suffix, "domainSuffix"),
                      check_text(d.storage_format, "provisioningCertStorageFormat")});
}

} // namespace outband::store
