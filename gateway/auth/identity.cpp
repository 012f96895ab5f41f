#include "gateway/auth/identity.hpp"

#include "messages/rest/json.hpp"
#include "messages/ticket/claims.hpp"

namespace outband::auth {

role held_in(const identity& who, std::string_view tenant) {
  if (who.site_admin)
    return role::site_admin;
  auto it = who.tenants.find(tenant_key(tenant));
  return it == who.tenants.end() ? who.everywhere : it->second;
}

std::string claims_json(const identity& who, std::string_view issuer) {
  json::object tenants;
  for (const auto& [key, held] : who.tenants)
    tenants.push_back({key, to_string(held)});
  return json::dump(json::object{{"iss", issuer},
                                 {"aud", ticket::rest_audience},
                                 {"sub", who.name},
                                 {"iat", who.issued_s},
                                 {"exp", who.expires_s},
                                 {"tenantId", who.default_tenant},
                                 {"tenants", std::move(tenants)},
                                 {"siteAdmin", who.site_admin},
                                 {"deviceId", "*"}});
}

result<identity> identity_from_claims(std::string_view payload_json) {
  auto bad = [](const char* field) {
    return fail(problem::unauthenticated, "the token's claim is not as it must be", field);
  };
  auto payload = json::parse(payload_json);
  if (!payload || !payload->members())
    return bad("payload");
  auto claim = [&](std::string_view name) -> const json::value& {
    static const json::value none;
    const auto* v = payload->find(name);
    return v ? *v : none;
  };
  identity who;
  const auto* sub = claim("sub").text();
  if (!sub || !valid_level(*sub))
    return bad("sub");
  who.name = *sub;
  const auto *iat = claim("iat").integer(), *exp = claim("exp").integer();
  if (!iat || !exp)
    return bad("exp");
  who.issued_s = *iat;
  who.expires_s = *exp;
  const auto* tenant = claim("tenantId").text();
  if (!tenant || (!tenant->empty() && !valid_tenant_key(*tenant)))
    return bad("tenantId");
  who.default_tenant = *tenant;
  const auto* tenants = claim("tenants").members();
  if (!tenants)
    return bad("tenants");
  for (const auto& t : *tenants) {
    auto held = t.val.text() ? parse_role(*t.val.text()) : std::nullopt;
    if (!valid_tenant_key(t.name) || !held || *held == role::none || *held == role::site_admin)
      return bad("tenants");
    who.tenants.emplace(t.name, *held);
  }
  const auto* site = claim("siteAdmin").boolean();
  if (!site)
    return bad("siteAdmin");
  who.site_admin = *site;
  return who;
}

} // namespace outband::auth
