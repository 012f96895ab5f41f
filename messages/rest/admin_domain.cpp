// Domains (rps src/routes/admin/domains), one-time tokens and activations. Whether a certificate is
// good is messages/provisioning's to say.
#include "messages/domain/time.hpp"
#include "messages/rest/admin_body.hpp"
#include "messages/rest/admin_check.hpp"

namespace outband::rest {

namespace {

constexpr std::size_t max_base64 = 88 * 1024; ///< of 64 KiB of PFX, with room for line ends
constexpr std::size_t max_password = 64;      ///< as RPS

json::value time_json(time_ms t) {
  return t > 0 ? json::value(to_rfc3339(t)) : json::value();
}

} // namespace

std::vector<field_error> admin_body<domain>::check(const json::value& body, check_options how) {
  admin_check c(body);
  c.need_present("profileName", "AMT Domain profile name is required");
  const auto* name = c.text("profileName");
  c.need(name && name_like(*name, "_-"), "profileName",
         "AMT Domain profile name accepts letters, numbers, hyphens (-), and underscores (_)");
  if (how.fresh)
    c.need_present("provisioningCertPassword", "Provisioning Cert Password is required");
  if (const auto* v = c.get("provisioningCertPassword"))
    c.need(v->text() && v->text()->size() <= max_password, "provisioningCertPassword",
           "Password should not exceed 64 characters in length", true);
  if (how.fresh)
    c.need_present("domainSuffix", "Domain suffix name is required");
  if (!c.empty("domainSuffix")) {
    const auto* s = c.text("domainSuffix");
    c.need(s && s->size() <= 255 && name_like(*s, ".-_"), "domainSuffix",
           "Domain suffix should be a domain name");
  }
  if (how.fresh)
    c.need_present("provisioningCert", "Provisioning certificate is required");
  if (const auto* v = c.get("provisioningCert"))
    c.need(v->text() && v->text()->size() <= max_base64, "provisioningCert",
           "Provisioning certificate should be base64 of at most 65536 octets", true);
  if (how.fresh)
    c.need_present("provisioningCertStorageFormat", "Provisioning Cert Storage Format is required");
  if (how.fresh || c.get("provisioningCertStorageFormat")) {
    const auto* f = c.text("provisioningCertStorageFormat");
    c.need(f && (*f == "raw" || *f == "string"), "provisioningCertStorageFormat",
           how.fresh ? "Provisioning Cert Storage Format should be either 'raw' or 'string'"
                     : "Provisioning Cert Storage Format is either \"raw\" or \"string\"");
  }
  return c.take();
}

domain admin_body<domain>::read(const json::value& body, domain to, bool fresh) {
  admin_check c(body);
  if (fresh) {
    to = {};
    to.name = *c.text("profileName");
  }
  if (!c.empty("domainSuffix"))
    to.suffix = *c.text("domainSuffix");
  if (const auto* f = c.text("provisioningCertStorageFormat"))
    to.storage_format = *f;
  to.version = version_of(c.get("version"));
  return to;
}

plain_secrets admin_body<domain>::secrets(const json::value& body, const domain&) {
  admin_check c(body);
  plain_secrets out;
  if (!c.empty("provisioningCert"))
    out["pfx"] = *c.text("provisioningCert");
  if (!c.empty("provisioningCertPassword"))
    out["pfx_password"] = *c.text("provisioningCertPassword");
  return out;
}

json::value admin_body<domain>::show(const domain& d, const tenant_key& tenant) {
  return json::object{{"profileName", d.name},
                      {"domainSuffix", d.suffix},
                      {"provisioningCertStorageFormat", d.storage_format},
                      {"expirationDate", time_json(d.expires)},
                      {"tenantId", tenant},
                      {"version", std::to_string(d.version)}};
}

// -- tokens and activations -----------------------------------------------------------------------

std::variant<token_body, std::vector<field_error>> parse_token_body(const json::value& body) {
  admin_check c(body);
  token_body out;
  if (!body.members()) {
    c.wrong("", "must be an object");
    return c.take();
  }
  // A misspelt member must not make a token that is good for more than was meant.
  for (const auto& m : *body.members())
    if (m.name != "profile" && m.name != "guid" && m.name != "operation" && m.name != "expiresIn")
      c.wrong(m.name.substr(0, 64), "is not a member of this request");
  c.optional_text("profile", 256);
  if (!c.empty("profile") && c.text("profile"))
    out.profile = *c.text("profile");
  if (c.get("guid")) {
    auto id = c.text("guid") ? parse_uuid(*c.text("guid")) : std::nullopt;
    if (id && !id->is_nil())
      out.device = id;
    else
      c.wrong("guid", "must be 8-4-4-4-12 hexadecimal digits and not all zero");
  }
  if (c.get("operation")) {
    auto act = c.text("operation") ? parse_provisioning_act(*c.text("operation")) : std::nullopt;
    if (act)
      out.act = *act;
    else
      c.wrong("operation", "must be activate, deactivate or maintenance");
  }
  if (c.get("expiresIn")) {
    auto n = c.integer("expiresIn");
    if (n && *n >= 60 && *n <= max_token_life)
      out.expires_in = *n;
    else
      c.wrong("expiresIn", "must be a number of seconds from 60 to 2592000 (30 days)");
  }
  if (out.profile && out.act != provisioning_act::activate)
    c.wrong("profile", "only an activation has a profile");
  if (!c.good())
    return c.take();
  return out;
}

json::value token_json(const activation_token& t) {
  return json::object{{"id", to_string(t.id)},
                      {"operation", to_string(t.act)},
                      {"profile", t.profile ? json::value(*t.profile) : json::value()},
                      {"guid", t.device ? json::value(to_string(*t.device)) : json::value()},
                      {"by", t.by},
                      {"created", time_json(t.created)},
                      {"expires", time_json(t.expires)},
                      {"used", time_json(t.used)},
                      {"usedBy", t.used_by ? json::value(to_string(*t.used_by)) : json::value()}};
}

json::value activation_json(const activation_row& a) {
  return json::object{{"guid", to_string(a.device.device)},
                      {"id", to_string(a.id)},
                      {"operation", to_string(a.act)},
                      {"profile", a.profile},
                      {"state", to_string(a.state)},
                      {"step", a.step},
                      {"code", a.code},
                      {"text", a.text},
                      {"controlMode", a.mode >= 0 ? json::value(a.mode) : json::value()},
                      {"node", a.node},
                      {"started", time_json(a.started)},
                      {"updated", time_json(a.updated)}};
}

} // namespace outband::rest
