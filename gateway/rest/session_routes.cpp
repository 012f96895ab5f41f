#include "gateway/auth/auth.hpp"
#include "gateway/rest/device_json.hpp"
#include "gateway/rest/router.hpp"
#include "messages/domain/text.hpp"
#include "messages/rest/target.hpp"

namespace outband::rest {

namespace {

/// Tokens and passwords are in no cache.
void answer_secret(const call_ptr& c, const json::value& body) {
  auto r = web::json_response(200, json::dump(body));
  r.headers.emplace_back("Cache-Control", "no-store");
  c->answer(std::move(r));
}

audit_entry sign_in_entry(const call_ptr& c, const std::string& name, const tenant_key& tenant) {
  auto e = c->entry("session.open");
  e.tenant = tenant.empty() ? std::string(site_tenant) : tenant;
  if (!name.empty())
    e.by = to_string(principal{principal::kind::person, tenant, name});
  return e;
}

/// In the trail of the tenant the name would have signed in to. A name that does not exist is not
/// kept: people type passwords into the wrong field.
void record_failure(const call_ptr& c, const std::string& typed, const failure& why) {
  const auto name = lower(typed); // as sign_in() takes it
  const auto outcome = outcome_of(audit_status::rejected, why);
  if (why.what != problem::unauthenticated || !valid_level(name)) {
    // Refused without a look at the account: too many failures before.
    c->with().audit->record_limited(c->req.peer, sign_in_entry(c, {}, {}), outcome);
    return;
  }
  auto preferred = c->with().auth->settings().default_tenant;
  c->with().store->get_account(name, [c, name, outcome, preferred](result<account_row> a) {
    if (!a && a.error().what != problem::not_found)
      return; // a database that is away, or this program's end: nothing can be recorded
    if (!a)
      return c->with().audit->record_limited(c->req.peer, sign_in_entry(c, {}, {}), outcome);
    const auto tenant = a->site_admin || a->roles.count(preferred) != 0 ? preferred
                        : a->roles.empty()                              ? tenant_key()
                                                                        : a->roles.begin()->first;
    c->with().audit->record_limited(c->req.peer, sign_in_entry(c, name, tenant), outcome);
  });
}

void authorize(const call_ptr& c) {
  if (!c->with().auth->settings().built_in) // MPS's words
    return c->answer(405, json::object{{"message", "Authentication disabled on MPS"},
                                       {"code", "unsupported"},
                                       {"next", "Sign in where this site's tokens come from."}});
  auto body = c->body();
  if (!body)
    return;
  std::vector<field_error> errors;
  auto member = [&](const char* name, std::size_t limit) -> std::string {
    const auto* v = body->find(name);
    if (v && v->text() && !v->text()->empty() && v->text()->size() <= limit)
      return *v->text();
    errors.push_back({std::nullopt, name, "body",
                      "must be a string of 1 to " + std::to_string(limit) + " octets"});
    return {};
  };
  auto name = member("username", 64);
  secret_text password(member("password", 256));
  if (!errors.empty())
    return c->refuse(errors);
  c->with().auth->sign_in(
      name, password, c->req.peer, [c, name](result<auth::service::signed_in> in) {
        if (in) {
          c->with().audit->record_limited(
              "op/" + in->who.name, sign_in_entry(c, in->who.name, in->who.default_tenant), {});
          return answer_secret(c, json::object{{"token", in->token}});
        }
        record_failure(c, name, in.error());
        if (in.error().what == problem::unauthenticated) {
          auto r = web::json_response(401, json::dump(json::object{{"message", in.error().detail},
                                                                   {"code", "unauthenticated"}}));
          return c->answer(std::move(r));
        }
        c->refuse(in.error());
      });
}

/// Needs the machine's row, not its tunnel, as MPS does; in the caller's tenant, which MPS does not
/// look at.
void redirection(const call_ptr& c) {
  auto ref = registry_ref(c);
  if (!ref)
    return;
  c->with().store->get_device(*ref, [c, ref](result<device_record> d) {
    if (!d && d.error().what == problem::not_found)
      return device_not_found(c, to_string(ref->device));
    if (!d)
      return c->refuse(d.error());
    auto token = c->with().auth->issue_redirection(c->by(), *ref);
    if (token)
      c->with().audit->record_limited(to_string(c->by()),
                                      c->entry("redirection.ticket", ref->device), {});
    token ? answer_secret(c, json::object{{"token", *token}}) : c->refuse(token.error());
  });
}

void bus(const call_ptr& c) {
  if (c->who.certificate) // its name could be a person's
    return c->refuse(
        fail(problem::forbidden, "Bus tickets are for who signs in, not for certificates."));
  auto t = c->with().auth->issue_bus_ticket(c->who, c->tenant);
  if (!t)
    return c->refuse(t.error());
  json::object ticket{{"username", t->username},
                      {"password", t->password},
                      {"clientIdPrefix", t->client_id_prefix},
                      {"expiresAt", iso_time(t->expires_s * 1000)},
                      {"tenant", c->tenant},
                      {"role", to_string(c->held)},
                      {"mqttPath", "/mqtt"}};
  // For who speaks MQTT without a WebSocket.
  if (const auto& with = c->with(); with.broker_port != 0) {
    ticket.push_back({"mqttHost", with.broker_host});
    ticket.push_back({"mqttPort", static_cast<std::int64_t>(with.broker_port)});
    ticket.push_back({"mqttCa", with.broker_ca});
  }
  answer_secret(c, std::move(ticket));
  c->with().audit->record_limited(
      to_string(c->by()), c->entry("bus.ticket", {}, json::object{{"role", to_string(c->held)}}),
      {});
}

void whoami(const call_ptr& c) {
  json::object tenants;
  for (const auto& [key, held] : c->who.tenants)
    tenants.push_back({key, to_string(held)});
  c->answer(200, json::object{{"name", c->who.name},
                              {"tenant", c->tenant},
                              {"role", to_string(c->held)},
                              {"tenants", std::move(tenants)},
                              {"siteAdmin", c->who.site_admin},
                              {"expiresAt", iso_time(c->who.expires_s * 1000)}});
}

} // namespace

void add_session_routes(router& r) {
  r.add("POST /api/v1/authorize", dialect::mps, authorize);
  r.add("GET /api/v1/authorize/redirection/{guid}", dialect::mps, redirection);
  r.add("POST /api/v1/authorize/bus", dialect::mps, bus);
  r.add("GET /api/v1/authorize/whoami", dialect::mps, whoami);
}

} // namespace outband::rest
