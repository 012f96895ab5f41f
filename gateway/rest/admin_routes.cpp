// RPS's REST interface: CIRA, WiFi, 802.1x and proxy configurations, version and health. Profiles,
// domains and tokens are in admin_*_routes.cpp.
#include "gateway/rest/admin_kind.hpp"
#include "gateway/rest/admin_parts.hpp"

namespace outband::rest {

namespace {

constexpr const char* protocol_version = "4.0.0"; ///< of rps's activation WebSocket

/// A configuration's own password is every machine's, and needs somebody who knows it. A new one
/// that nobody is told is of no use but to end the old one; so it ends, and each machine gets a
/// random one of its own when it is configured next, as it does where none was ever set.
void prepare_cira(const call_ptr&, const std::shared_ptr<draft<cira_config>>& d,
                  const std::function<void()>& next) {
  if (wants_new_password(d->body))
    d->secrets["mps_password"] = {}; // removes it
  next();
}

/// What somebody has set does not follow the site any more.
void prepare_cira_change(const call_ptr& c, const std::shared_ptr<draft<cira_config>>& d,
                         const std::function<void()>& next) {
  d->what.ours = d->what.ours && same_site(d->old.what, d->what);
  prepare_cira(c, d, next);
}

void health(const call_ptr& c) {
  c->with().store->ping([c](result<nothing> store) {
    json::object built_in{{"initialized", true}, {"sealed", false}};
    c->answer(
        store ? 200 : 503,
        json::object{
            {"db", json::object{{"name", "POSTGRES"}, {"status", store ? "OK" : "UNAVAILABLE"}}},
            {"secretStore", json::object{{"name", "BUILTIN"}, {"status", std::move(built_in)}}}});
  });
}

} // namespace

void add_admin_routes(router& r) {
  r.add("GET /api/v1/admin", dialect::mps, [](const call_ptr& c) {
    c->answer(200, json::object{{"message", "admin path. use admin/profiles"}});
  });
  r.add("GET /api/v1/admin/version", dialect::mps, [](const call_ptr& c) {
    c->answer(200, json::object{{"serviceVersion", c->with().version},
                                {"protocolVersion", protocol_version}});
  });
  r.add("GET /api/v1/admin/health", dialect::mps, health);
  add_admin_kind<cira_config>(r, "ciraconfigs", prepare_cira, prepare_cira_change);
  add_admin_kind<wireless_config>(r, "wirelessconfigs");
  add_admin_kind<ieee8021x_config>(r, "ieee8021xconfigs");
  add_admin_kind<proxy_config>(r, "proxyconfigs");
  add_admin_profile_routes(r);
  add_admin_domain_routes(r);
  add_admin_token_routes(r);
}

} // namespace outband::rest
