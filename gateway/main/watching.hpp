/// The plain HTTP listener for whoever watches a node, whatever its roles: /metrics, /healthz and
/// /readyz, nothing else; configuration `metrics.*`. Context: start-up thread.
#pragma once

#include "gateway/config/config.hpp"
#include "gateway/http/server.hpp"

#include <memory>

namespace outband {

/// Null if it is off. `api` answers what is let through.
result<std::unique_ptr<web::server>> listen_for_watchers(const config::settings& settings,
                                                         net::io_pool& pool, web::handler api);

} // namespace outband
