#include "gateway/main/watching.hpp"

#include "messages/domain/text.hpp"

#include <spdlog/spdlog.h>

namespace outband {

namespace {

/// A scraper or two, an orchestrator's probes, somebody's curl.
constexpr std::size_t max_connections = 32;
constexpr std::size_t max_header = 8 << 10;
constexpr std::chrono::milliseconds deadline{5'000};

bool may_watch(const web::request& q) {
  if (q.method != web::verb::get)
    return false;
  for (const auto* path : {"/metrics", "/healthz", "/readyz"})
    if (same_text(q.target.path, path))
      return true;
  return false;
}

} // namespace

result<std::unique_ptr<web::server>> listen_for_watchers(const config::settings& settings,
                                                         net::io_pool& pool, web::handler api) {
  if (!settings.flag("metrics.enabled"))
    return std::unique_ptr<web::server>();
  web::server_options o;
  o.bind = settings.text("metrics.bind");
  o.port = static_cast<std::uint16_t>(settings.integer("metrics.port"));
  o.max_connections = max_connections;
  o.max_header = max_header;
  o.max_body = [](const web::request&) -> std::size_t {
    return 0;
  };
  o.header = o.body = o.write = deadline;
  o.allowed_origins.clear(); // no browser has business here
  auto server = web::server::start(
      pool, std::move(o),
      [api = std::move(api)](web::request q, const web::responder& reply) {
        if (may_watch(q))
          return api(std::move(q), reply);
        reply(web::json_response(404, R"({"error":"not-found","errorDescription":"This listener )"
                                      R"(serves GET of /metrics, /healthz and /readyz only."})"));
      },
      {});
  if (!server) {
    auto why = server.error();
    why.field = "metrics.bind";
    return why;
  }
  spdlog::info("metrics on {}", (*server)->port());
  return server;
}

} // namespace outband
