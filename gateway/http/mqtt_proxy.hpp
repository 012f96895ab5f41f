/// `/mqtt`: the octets between a browser's WebSocket and the broker's listener for people.
///
/// Only the first packet, CONNECT, is understood: its password must be one of our bus tickets, and
/// the WebSocket is closed when that ticket ends. The broker checks the ticket again by itself.
/// Origin: the page's own host, or one of `allowed_origins`; absent (no browser) is accepted, for
/// the ticket is in the packet, not in a cookie that a foreign page could ride on.
/// Threads: each connection on its WebSocket's I/O thread. Limits: CONNECT within 10 s and 8 KiB;
/// `per_user` connections; one message in memory per direction.
#pragma once

#include "gateway/http/server.hpp"
#include "messages/domain/ids.hpp"

#include <functional>

namespace outband::web {

struct mqtt_proxy_options {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8883;
  bool tls = true;
  std::string ca_pem;                       ///< root of the broker's certificate
  std::string server_name;                  ///< in that certificate; empty: `host`
  std::vector<std::string> allowed_origins; ///< besides our own host, "https://ui.example"
  std::size_t per_user = 16;

  struct pass {
    std::string username;
    std::int64_t expires_s = 0; ///< seconds since 1970 UTC
  };
  /// Of a ticket (CONNECT's password).
  std::function<result<pass>(std::string_view ticket)> verify;
  std::function<time_ms()> now;
};

/// Close codes beyond RFC 6455: 4401 the ticket has ended, 4429 too many connections,
/// 4503 the broker is away. malformed: `ca_pem` is not PEM.
result<ws_route> mqtt_route(mqtt_proxy_options options);

/// Pure, for its tests: may a page from `origin` use this server as `host`?
bool same_origin(std::string_view origin, std::string_view host, bool secure);

} // namespace outband::web
