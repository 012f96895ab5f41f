#include "gateway/activation/routes.hpp"

#include "gateway/activation/core.hpp"
#include "gateway/activation/session.hpp"
#include "gateway/activation/tls_session.hpp"
#include "messages/rest/json.hpp"
#include "messages/rps/client_frame.hpp"

#include <algorithm>

namespace outband::activation {

namespace {

constexpr std::size_t max_token = 128;

bool token_like(std::string_view s) {
  return !s.empty() && s.size() <= max_token && std::all_of(s.begin(), s.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
}

void refuse(const web::upgrade& u, int status, std::string_view code, std::string_view text) {
  u.refuse(web::json_response(status, "{\"code\":" + json::quoted(code) +
                                          ",\"message\":" + json::quoted(text) + "}"));
}

void on_upgrade(const std::shared_ptr<core>& core, const web::request& q, const web::upgrade& u) {
  const auto& path = q.target.segments;
  std::string token = path.size() == 2 ? path[1] : std::string{};
  if (path.size() > 2 || (path.size() == 2 && !token_like(token))) {
    core->counts.refuse(refused::no_token);
    return refuse(u, 404, "not-found", "The address does not end in an activation token.");
  }
  if (token.empty() && !core->opts.bare) {
    core->counts.refuse(refused::no_token);
    return refuse(u, 403, "forbidden",
                  "This server provisions machines only with a one-time token in the address: "
                  "wss://<server>/activate/<token>.");
  }
  auto why = refused::full;
  auto place = place::take(core, q.peer, why);
  if (!place) {
    core->counts.refuse(why);
    return refuse(u, 503, "busy",
                  why == refused::full ? "Too many machines are being provisioned at the moment."
                                       : "Too many machines behind this address are being "
                                         "provisioned at the moment.");
  }
  auto held = std::make_shared<activation::place>(std::move(*place));
  u.accept(
      {"",
       [core, held, token = std::move(token), peer = q.peer](std::shared_ptr<web::websocket> ws) {
         ++core->counts.accepted;
         std::make_shared<session>(core, std::move(*held), std::move(ws), token, peer)->start();
       }});
}

} // namespace

std::optional<place> place::take(const std::shared_ptr<core>& c, const std::string& address,
                                 refused& why) {
  const std::lock_guard hold{c->mutex};
  if (c->counts.open >= c->opts.max_connections) {
    why = refused::full;
    return std::nullopt;
  }
  auto& here = c->by_address[address];
  if (here >= c->opts.per_address) {
    why = refused::address;
    return std::nullopt;
  }
  ++here;
  ++c->counts.open;
  return place(c, address);
}

place::~place() {
  if (!core_)
    return; // moved from
  const std::lock_guard hold{core_->mutex};
  --core_->counts.open;
  if (const auto at = core_->by_address.find(address_);
      at != core_->by_address.end() && --at->second == 0)
    core_->by_address.erase(at);
}

result<std::vector<web::ws_route>> make_routes(options o, activation_port& decides,
                                               counters& counts) {
  auto shared = std::make_shared<core>(std::move(o), decides, counts);
  auto tls = tls_session::context(shared->opts.legacy_tls);
  if (!tls)
    return tls.error();
  shared->tls = std::move(*tls);
  std::vector<web::ws_route> out;
  for (const char* path : {"/activate", "/deactivate", "/maintenance"}) {
    web::ws_route route;
    route.path = path;
    route.below = true;
    // More than the protocol allows, so that what is somewhat too large still gets an answer.
    route.max_message = 4 * rps::max_message;
    route.on_upgrade = [shared](const web::request& q, const web::upgrade& u) {
      activation::on_upgrade(shared, q, u);
    };
    out.push_back(std::move(route));
  }
  return out;
}

} // namespace outband::activation
