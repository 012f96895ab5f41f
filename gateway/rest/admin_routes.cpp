// RPS's REST interface: CIRA, WiFi, 802.1x and proxy configurations, version and health. Profiles,
// domains and tokens are in admin_*_routes.cpp.
#include "gateway/rest/admin_kind.hpp"

#include "gateway/rest/admin_parts.hpp"

#include <openssl/rand.h>

#include <algorithm>

namespace outband::rest {

namespace {

constexpr const char* protocol_version = "4.0.0"; ///< of rps's activation WebSocket

/// 16 of RPS's characters, with one of each class (rps src/utils/PasswordHelper.ts). Octets beyond
/// the last whole multiple are thrown away, so that all are equally likely.
std::optional<std::string> random_password() {
  constexpr std::string_view letters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!@#$%^*()";
  for (int attempt = 0; attempt < 1000; ++attempt) {
    std::string out;
    while (out.size() < 16) {
      unsigned char octet = 0;
      if (RAND_bytes(&octet, 1) != 1)
        return std::nullopt;
      if (octet < 256 / letters.size() * letters.size())
        out.push_back(letters[octet % letters.size()]);
    }
    auto has = [&](std::string_view some) {
      return out.find_first_of(some) != std::string::npos;
    };
    if (has(letters.substr(0, 26)) && has(letters.substr(26, 26)) && has(letters.substr(52, 10)) &&
        has(letters.substr(62)))
      return out;
  }
  return std::nullopt;
}

void prepare_cira(const call_ptr& c, const std::shared_ptr<draft<cira_config>>& d,
                  const std::function<void()>& next) {
  if (wants_new_password(d->body)) {
    auto password = random_password();
    if (!password)
      return c->refuse(fail(problem::internal, "No random password could be made."));
    d->secrets["mps_password"] = *password;
  }
  next();
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
  add_admin_kind<cira_config>(r, "ciraconfigs", prepare_cira, prepare_cira);
  add_admin_kind<wireless_config>(r, "wirelessconfigs");
  add_admin_kind<ieee8021x_config>(r, "ieee8021xconfigs");
  add_admin_kind<proxy_config>(r, "proxyconfigs");
  add_admin_profile_routes(r);
  add_admin_domain_routes(r);
  add_admin_token_routes(r);
}

} // namespace outband::rest
