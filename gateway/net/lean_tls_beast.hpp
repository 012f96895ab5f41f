// How Beast's WebSocket closes a lean_tls_stream. Only for the few .cpp files that include Beast.
#pragma once

#include "gateway/net/lean_tls_stream.hpp"

#include <boost/beast/core/role.hpp>
#include <boost/beast/websocket/teardown.hpp>

namespace outband::net {

// Beast's WebSocket asks the stream how to close itself, once the close handshake is over. It waits
// for nobody here: saying goodbye, and for how long the peer may take, is its owner's affair.
inline void teardown(boost::beast::role_type, lean_tls_stream& s, error_code& ec) {
  SSL_shutdown(s.native_handle());
  s.next_layer().close(ec);
}

template <class Handler>
void async_teardown(boost::beast::role_type, lean_tls_stream& s, Handler&& h) {
  asio::post(s.get_executor(), [h = std::forward<Handler>(h)]() mutable { h(error_code{}); });
}

} // namespace outband::net
