// CIRA configurations (rps src/routes/admin/ciraconfig).
#include "messages/rest/admin_body.hpp"
#include "messages/rest/admin_check.hpp"

namespace outband::rest {

namespace {

constexpr std::size_t max_certificate = 16 * 1024;

void check_address(admin_check& c, bool fresh) {
  const auto format = c.integer("serverAddressFormat");
  if (fresh) {
    c.need_present("serverAddressFormat", "MPS server address format is required");
    c.need(format == 3 || format == 4 || format == 201, "serverAddressFormat",
           "MPS server address format should be either 3(IPV4) , 4(IPV6) or 201(FQDN)");
    c.need_present("mpsServerAddress", "MPS server address is required");
  } else if (c.get("serverAddressFormat")) {
    c.need(format == 3 || format == 4 || format == 201, "serverAddressFormat",
           "MPS server address format 3(IPV4) , 4(IPV6) or 201(FQDN)");
    c.need(c.get("mpsServerAddress") != nullptr, "serverAddressFormat",
           "Server address is required to update");
  }
  if (!fresh && !c.get("mpsServerAddress"))
    return;
  if (!c.get("serverAddressFormat"))
    return c.wrong("mpsServerAddress", "serverAddressFormat is required");
  if (!c.get("mpsServerAddress"))
    return;
  const auto* address = c.text("mpsServerAddress");
  const std::string_view a = address ? std::string_view(*address) : std::string_view();
  if (format == 3 && !ipv4_like(a))
    c.wrong("mpsServerAddress", "serverAddressFormat 3 requires IPV4 server address");
  else if (format == 3 && !c.get("commonName"))
    c.wrong("mpsServerAddress", "commonName is required when serverAddressFormat is 3");
  else if (format == 4 && !ipv6_like(a))
    c.wrong("mpsServerAddress", "serverAddressFormat 4 requires IPV6 server address");
  else if (format != 3 && format != 4 && !server_name_like(a) && !ipv4_like(a))
    c.wrong("mpsServerAddress", "serverAddressFormat 201 requires FQDN server address");
}

void check_port(admin_check& c, bool fresh) {
  // The bounds of PATCH are exclusive in RPS; here both are POST's.
  if (fresh)
    c.need_present("mpsPort", "MPS port is required");
  if (!fresh && !c.get("mpsPort"))
    return;
  const auto port = c.integer("mpsPort");
  c.need(port && *port >= 1024 && *port <= 49151, "mpsPort",
         "MPS Port value should range between 1024 and 49151");
}

void check_user(admin_check& c, bool fresh) {
  if (fresh)
    c.need_present("username", "MPS user name is required");
  if (!fresh && !c.get("username"))
    return;
  const auto* user = c.text("username");
  c.need(user && name_like(*user, ""), "username", "MPS user name should be alphanumeric");
  c.need(user && user->size() >= 5 && user->size() <= 16, "username",
         "MPS user name length should be in between 5 to 16");
}

} // namespace

std::vector<field_error> admin_body<cira_config>::check(const json::value& body,
                                                        check_options how) {
  admin_check c(body);
  c.need_present("configName", "CIRA profile name is required");
  const auto* name = c.text("configName");
  c.need(name && name_like(*name, "_-"), "configName",
         "CIRA profile name accepts letters, numbers, underscore and hyphen only");
  check_address(c, how.fresh);
  check_port(c, how.fresh);
  check_user(c, how.fresh);
  const auto format = c.integer("serverAddressFormat");
  c.optional_text("commonName", 256);
  if (format != 201 && c.get("commonName")) {
    const auto* common = c.text("commonName");
    c.need(common && ipv4_like(*common), "commonName",
           "Cert. Hostname(CN) should be an IP address.");
    if (!how.fresh)
      c.need(c.get("serverAddressFormat") && c.get("mpsServerAddress"), "commonName",
             "serverAddressFormat and mpsServerAddress is required");
  }
  const auto method = c.integer("authMethod");
  if (how.fresh)
    c.need_present("authMethod", "Authentication method is required");
  if (how.fresh || c.get("authMethod"))
    c.need(method == 1 || method == 2, "authMethod",
           how.fresh ? "Authentication method should be either 1 (Mutual Auth) or 2 (username and "
                       "password)"
                     : "Authentication method accepts either 1 - Mutual Auth or 2 "
                       "-username/password)");
  if (how.fresh)
    c.need_present("mpsRootCertificate", "MPS public root certificate is required");
  if (const auto* root = c.get("mpsRootCertificate"))
    c.need(root->text() && root->text()->size() <= max_certificate, "mpsRootCertificate",
           "MPS public root certificate should be a string of at most 16384 octets");
  c.optional_text("proxyDetails", 1024);
  c.optional_text("password", 63, true);
  c.optional_flag("regeneratePassword");
  if (c.flag("regeneratePassword").value_or(false))
    c.need(!c.get("password"), "regeneratePassword",
           "Either regeneratePassword or password, but not both");
  return c.take();
}

cira_config admin_body<cira_config>::read(const json::value& body, cira_config to, bool fresh) {
  admin_check c(body);
  auto text = [&](const char* name, std::string& into) {
    if (const auto* t = c.text(name))
      into = *t;
  };
  if (fresh) {
    to = {};
    text("configName", to.name);
  }
  text("mpsServerAddress", to.server);
  text("username", to.username);
  text("commonName", to.common_name);
  text("mpsRootCertificate", to.root_certificate);
  text("proxyDetails", to.proxy_details);
  if (auto n = c.integer("mpsPort"))
    to.port = static_cast<std::uint16_t>(*n);
  if (auto n = c.integer("serverAddressFormat"))
    to.format = static_cast<address_format>(*n);
  if (auto n = c.integer("authMethod"))
    to.auth_method = static_cast<int>(*n);
  to.version = version_of(c.get("version"));
  return to;
}

plain_secrets admin_body<cira_config>::secrets(const json::value& body, const cira_config&) {
  admin_check c(body);
  if (!c.empty("password"))
    return {{"mps_password", *c.text("password")}};
  return {};
}

bool wants_new_password(const json::value& body) {
  return admin_check(body).flag("regeneratePassword").value_or(false);
}

json::value admin_body<cira_config>::show(const cira_config& c, const tenant_key& tenant) {
  return json::object{{"configName", c.name},
                      {"mpsServerAddress", c.server},
                      {"mpsPort", c.port},
                      {"username", c.username},
                      {"commonName", c.common_name},
                      {"serverAddressFormat", static_cast<int>(c.format)},
                      {"authMethod", c.auth_method},
                      {"mpsRootCertificate", c.root_certificate},
                      {"proxyDetails", c.proxy_details},
                      {"tenantId", tenant},
                      {"version", std::to_string(c.version)}};
}

} // namespace outband::rest
