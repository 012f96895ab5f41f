// WiFi, 802.1x and proxies (rps src/routes/admin/wireless, ieee8021x, proxy).
#include "messages/amt/x509.hpp"
#include "messages/rest/admin_body.hpp"
#include "messages/rest/admin_check.hpp"

#include <algorithm>

namespace outband::rest {

namespace {

constexpr std::string_view needs_version = "Version is required to patch/update a record.";

bool with_ieee8021x(std::int64_t authentication) {
  return authentication == 5 || authentication == 7;
}

/// Letters and digits, at most 32.
void check_short_name(admin_check& c, const char* member, const std::string& called) {
  c.need_present(member, called + " name is required");
  const auto* name = c.text(member);
  c.need(name && name_like(*name, ""), member, called + " name should be alphanumeric");
  if (name)
    c.need(name->size() <= 32, member, called + " name maximum length is 32");
}

void check_link_policy(admin_check& c) {
  const auto* v = c.get("linkPolicy");
  if (!v)
    return;
  if (!v->items())
    return c.wrong("linkPolicy", "LinkPolicy should be an array of integers");
  for (const auto& item : *v->items()) {
    const auto* n = item.integer();
    if (!n)
      return c.wrong("linkPolicy", "Array does not contain integers");
    if (*n != 1 && *n != 14 && *n != 16 && *n != 224)
      return c.wrong("linkPolicy",
                     "Array values should be either 1: available on S0 AC, 14: available on Sx AC, "
                     "16: available on S0 DC, 224: available on Sx DC");
  }
  c.need(v->items()->size() <= 4, "linkPolicy", "LinkPolicy should have each value once at most");
}

json::value or_null(const std::optional<std::string>& text) {
  return text ? json::value(*text) : json::value();
}

/// The texts of an 802.1x configuration that RPS has no validator for, and what firmware takes
/// (octets; AMT_8021XProfile's class reference).
struct ieee8021x_text {
  const char* name;
  std::size_t limit;
  std::string ieee8021x_config::*member;
};
constexpr ieee8021x_text ieee8021x_texts[] = {
    {"username", 128, &ieee8021x_config::username},
    {"domain", 128, &ieee8021x_config::domain},
    {"roamingIdentity", 80, &ieee8021x_config::roaming_identity},
    {"serverName", 80, &ieee8021x_config::server_name},
};

void check_identity(admin_check& c) {
  for (const auto& t : ieee8021x_texts)
    c.optional_text(t.name, t.limit);
  if (const auto* name = c.text("serverName"); name && !name->empty())
    c.need(name_like(*name, ".-"), "serverName",
           "serverName should be the full name in the authentication server's certificate");
  if (c.empty("caCertificate"))
    return;
  const auto* ca = c.text("caCertificate");
  if (!ca)
    return c.wrong("caCertificate", "caCertificate must be a string");
  if (auto read = amt::read_certificate(*ca); !read)
    c.wrong("caCertificate", "caCertificate " + read.error().detail);
}

/// Members that the body has; null is the same as an empty text.
void read_identity(const json::value& body, ieee8021x_config& to) {
  const admin_check c(body);
  for (const auto& t : ieee8021x_texts)
    if (body.find(t.name))
      to.*t.member = c.empty(t.name) ? std::string() : *c.text(t.name);
  if (!body.find("caCertificate"))
    return;
  to.ca_certificate.clear();
  if (c.empty("caCertificate"))
    return;
  if (auto ca = amt::read_certificate(*c.text("caCertificate")))
    to.ca_certificate = ca->der;
}

json::value text_or_null(const std::string& text) {
  return text.empty() ? json::value() : json::value(text);
}

} // namespace

// -- WiFi -----------------------------------------------------------------------------------------

std::vector<field_error> admin_body<wireless_config>::check(const json::value& body,
                                                            check_options how) {
  admin_check c(body);
  check_short_name(c, "profileName", "Wireless profile");
  c.need_present("authenticationMethod", "Authentication method is required");
  const auto method = c.integer("authenticationMethod");
  c.need(method && *method >= 4 && *method <= 7, "authenticationMethod",
         "Authentication method must be one of 4:WPA PSK, 5:WPA IEEE 802.1x, 6:WPA2 PSK, 7:WPA2 "
         "IEEE 802.1x");
  c.need_present("encryptionMethod", "Encryption method is required");
  const auto encryption = c.integer("encryptionMethod");
  c.need(encryption == 3 || encryption == 4, "encryptionMethod",
         "Encryption method must be one of 3:TKIP, 4:CCMP");
  c.need_present("ssid", "SSID is required");
  if (c.get("ssid"))
    c.need(c.text("ssid") && c.text("ssid")->size() <= 32, "ssid", "Maximum length is 32");
  if (method == 4 || method == 6) {
    const auto* key = c.text("pskPassphrase");
    c.need(
        key && key->size() >= 8 && key->size() <= 63, "pskPassphrase",
        "PSK Passphrase length should be greater than or equal to 8 and less than or equal to 63",
        true);
  }
  if (method && with_ieee8021x(*method))
    c.need_present("ieee8021xProfileName", "ieee8021xProfileName is required");
  else
    c.need(c.empty("ieee8021xProfileName"), "ieee8021xProfileName",
           "ieee8021xProfileName can not be specified with the provided authenticationMethod");
  c.optional_text("ieee8021xProfileName", 256);
  check_link_policy(c);
  if (!how.fresh && !how.if_match)
    c.need_present("version", std::string(needs_version));
  return c.take();
}

wireless_config admin_body<wireless_config>::read(const json::value& body, wireless_config to,
                                                  bool fresh) {
  admin_check c(body);
  if (fresh)
    to = {};
  if (fresh)
    to.name = *c.text("profileName");
  to.authentication = static_cast<int>(*c.integer("authenticationMethod"));
  to.encryption = static_cast<int>(*c.integer("encryptionMethod"));
  to.ssid = *c.text("ssid");
  to.ieee8021x.reset(); // with_ieee8021x() needs it in the body
  if (!c.empty("ieee8021xProfileName"))
    to.ieee8021x = *c.text("ieee8021xProfileName");
  if (const auto* v = c.get("linkPolicy")) {
    to.link_policy.clear();
    for (const auto& n : *v->items())
      to.link_policy.push_back(static_cast<int>(*n.integer()));
  }
  to.version = version_of(c.get("version"));
  return to;
}

plain_secrets admin_body<wireless_config>::secrets(const json::value& body,
                                                   const wireless_config& next) {
  if (with_ieee8021x(next.authentication))
    return {{"psk_passphrase", ""}};
  return {{"psk_passphrase", *admin_check(body).text("pskPassphrase")}};
}

json::value admin_body<wireless_config>::show(const wireless_config& w, const tenant_key& tenant) {
  return json::object{{"profileName", w.name},
                      {"authenticationMethod", w.authentication},
                      {"encryptionMethod", w.encryption},
                      {"ssid", w.ssid},
                      {"pskValue", json::value()},
                      {"linkPolicy", json::array(w.link_policy.begin(), w.link_policy.end())},
                      {"tenantId", tenant},
                      {"ieee8021xProfileName", or_null(w.ieee8021x)},
                      {"version", std::to_string(w.version)}};
}

// -- 802.1x ---------------------------------------------------------------------------------------

std::vector<field_error> admin_body<ieee8021x_config>::check(const json::value& body,
                                                             check_options how) {
  admin_check c(body);
  check_short_name(c, "profileName", "802.1x profile");
  c.need_present("wiredInterface", "Wired interface flag is required");
  if (!c.empty("wiredInterface"))
    c.need(c.flag("wiredInterface").has_value(), "wiredInterface",
           "Wired interface flag must be a boolean");
  const bool wired = c.flag("wiredInterface").value_or(false);
  c.need_present("authenticationProtocol", "Authentication protocol is required");
  const auto p = c.integer("authenticationProtocol");
  c.need(p == 0 || p == 2 || (wired && (p == 3 || p == 5 || p == 10)), "authenticationProtocol",
         std::string("Authentication protocol must be one of ") +
             (wired ? "0:EAP-TLS, 3:PEAPv1/EAP-GTC, 5:EAP-FAST/GTC, 10:EAP-FAST/TLS, "
                      "2:PEAPv0/EAP-MSCHAPv2"
                    : "0:EAP-TLS, 2:PEAPv0/EAP-MSCHAPv2"));
  if (wired)
    c.need_present("pxeTimeout", "PXE Timeout is required");
  if (wired || c.get("pxeTimeout")) {
    const auto t = c.integer("pxeTimeout");
    c.need(t.has_value(), "pxeTimeout", "PXE Timeout must be number");
    if (t)
      c.need(*t >= 0 && *t <= 86400, "pxeTimeout", "PXE Timeout value should be 0 - 86400");
  }
  c.optional_text("password", 255, true);
  check_identity(c);
  if (!how.fresh && !how.if_match)
    c.need_present("version", std::string(needs_version));
  return c.take();
}

ieee8021x_config admin_body<ieee8021x_config>::read(const json::value& body, ieee8021x_config to,
                                                    bool fresh) {
  admin_check c(body);
  if (fresh) {
    to = {};
    to.name = *c.text("profileName");
  }
  to.wired = *c.flag("wiredInterface");
  to.protocol = static_cast<int>(*c.integer("authenticationProtocol"));
  if (auto t = c.integer("pxeTimeout"))
    to.pxe_timeout = static_cast<int>(*t);
  read_identity(body, to);
  to.version = version_of(c.get("version"));
  return to;
}

plain_secrets admin_body<ieee8021x_config>::secrets(const json::value& body,
                                                    const ieee8021x_config&) {
  admin_check c(body);
  if (!c.empty("password"))
    return {{"password", *c.text("password")}};
  return {};
}

json::value admin_body<ieee8021x_config>::show(const ieee8021x_config& i,
                                               const tenant_key& tenant) {
  json::object out{
      {"profileName", i.name},       {"authenticationProtocol", i.protocol},
      {"pxeTimeout", i.pxe_timeout}, {"wiredInterface", i.wired},
      {"tenantId", tenant},          {"version", std::to_string(i.version)},
  };
  for (const auto& t : ieee8021x_texts)
    out.push_back({t.name, text_or_null(i.*t.member)});
  out.push_back({"caCertificate", text_or_null(i.ca_certificate)});
  return out;
}

// -- proxies --------------------------------------------------------------------------------------

std::vector<field_error> admin_body<proxy_config>::check(const json::value& body, check_options) {
  admin_check c(body);
  check_short_name(c, "name", "Proxy profile");
  c.need_present("address", "Server address is required");
  const auto* a = c.text("address");
  c.need(a && (ipv4_like(*a) || ipv6_like(*a) || proxy_name_like(*a)), "address",
         "Server address must be a valid IPv4, IPv6, or FQDN");
  const auto port = c.integer("port");
  c.need(port && *port >= 1 && *port <= 65535, "port",
         "Port value should range between 1 and 65535");
  c.need_present("networkDnsSuffix", "Domain name of the network is required");
  const auto* suffix = c.text("networkDnsSuffix");
  c.need(suffix && network_name_like(*suffix), "networkDnsSuffix",
         "Domain name of the network should contain alphanumeric and hyphens in the middle");
  if (suffix)
    c.need(suffix->size() <= 192, "networkDnsSuffix",
           "Domain name of the network maximum length is 192");
  return c.take();
}

proxy_config admin_body<proxy_config>::read(const json::value& body, proxy_config to, bool fresh) {
  admin_check c(body);
  if (fresh) {
    to = {};
    to.name = *c.text("name");
  }
  to.address = *c.text("address");
  to.format = ipv6_like(to.address)   ? address_format::ipv6
              : ipv4_like(to.address) ? address_format::ipv4
                                      : address_format::fqdn;
  to.port = static_cast<std::uint16_t>(*c.integer("port"));
  to.dns_suffix = *c.text("networkDnsSuffix");
  return to;
}

plain_secrets admin_body<proxy_config>::secrets(const json::value&, const proxy_config&) {
  return {};
}

json::value admin_body<proxy_config>::show(const proxy_config& p, const tenant_key& tenant) {
  return json::object{{"name", p.name},
                      {"address", p.address},
                      {"infoFormat", static_cast<int>(p.format)},
                      {"port", p.port},
                      {"networkDnsSuffix", p.dns_suffix},
                      {"tenantId", tenant}};
}

} // namespace outband::rest
