#include "gateway/main/managers.hpp"

#include "gateway/net/tls_context.hpp"

#include <spdlog/spdlog.h>

namespace outband {

std::optional<rest::certificate_rule> certificate_rule_of(const config::settings& settings) {
  if (!settings.flag("emf.enabled"))
    return std::nullopt;
  rest::certificate_rule rule;
  rule.held = parse_role(settings.text("emf.role")).value_or(role::none); // one of the allowed
  rule.tenant = settings.text("emf.tenant");
  return rule;
}

result<std::unique_ptr<web::server>> listen_for_managers(const config::settings& settings,
                                                         const site_files& site, net::io_pool& pool,
                                                         web::handler api) {
  if (!settings.flag("emf.enabled"))
    return std::unique_ptr<web::server>();
  const auto& tenant = settings.text("emf.tenant");
  if (!tenant.empty() && !valid_tenant_key(tenant))
    return fail(problem::malformed, "'" + tenant + "' is not a tenant's key", "emf.tenant");
  if (settings.text("emf.client_ca_file").empty())
    return fail(problem::malformed, "who may connect must be said", "emf.client_ca_file");
  auto ca = config::read_file(settings.text("emf.client_ca_file"));
  if (!ca)
    return ca.error();
  const auto& own = site.certificates.https();
  auto tls =
      net::tls_context::make(net::tls_profile::https_mutual, own.chain_pem, own.key_pem, *ca);
  if (!tls)
    return tls.error();
  web::server_options o;
  o.bind = settings.text("emf.bind");
  o.port = static_cast<std::uint16_t>(settings.integer("emf.port"));
  o.tls = std::move(*tls);
  o.client_certificates = true;
  o.allowed_origins.clear(); // no browser has business here
  const auto body = static_cast<std::size_t>(settings.integer("limits.body"));
  o.max_body = [body](const web::request&) {
    return body;
  };
  auto server = web::server::start(pool, std::move(o), std::move(api), {});
  if (!server) {
    auto why = server.error();
    why.field = "emf.bind";
    return why;
  }
  spdlog::info("EMF's managers on {}", (*server)->port());
  return server;
}

} // namespace outband
