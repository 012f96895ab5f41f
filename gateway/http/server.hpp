/// The HTTPS and WebSocket server: sockets, limits and deadlines. It knows no route.
///
///   auto srv = web::server::start(pool, options, api_handler, {mqtt_route});
///   if (!srv) die(to_string(srv.error()));
///
/// Beast is in two .cpp files only. Threads: a connection lives on one thread of the pool; handlers
/// are called there and must not block; a responder may be used from any thread, once. The pool
/// must outlive the server and whoever still holds responders. Limits: see server_options.
#pragma once

#include "gateway/net/tls_context.hpp"
#include "messages/domain/result.hpp"
#include "messages/http/message.hpp"
#include "messages/rest/target.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace boost::asio {
class io_context;
}
namespace outband::net {
class io_pool;
}

namespace outband::web {

enum class verb : std::uint8_t { get, post, put, patch, delete_, options, other };
std::string_view to_string(verb v);

struct request {
  verb method = verb::other;
  bool head = false; ///< HEAD: `method` is get, the server drops the body of the answer
  rest::target target;
  http::headers headers;
  std::string body;
  std::string peer; ///< address without port
  /// Of the client's certificate: its common name, else its first DNS name, else empty. Only where
  /// server_options::client_certificates is set.
  std::optional<std::string> certificate_name;
  bool secure = true;

  /// Case-insensitive; nullptr if absent.
  const std::string* header(std::string_view name) const { return http::find(headers, name); }
};

/// The next part of a body whose length nobody knows yet; empty: that was all. A failure cuts the
/// connection, so that the client does not take a part for the whole. One call at a time, each
/// answered once, from any thread.
using part_reader = std::function<void(std::function<void(result<std::string>)>)>;

struct response {
  int status = 200;
  std::string content_type; ///< empty: none is sent
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  /// The body goes on with these parts, read one after the other as the client takes them.
  part_reader more{};
};
response json_response(int status, std::string body);

/// Answers one request. Copies share it; the first call wins; if all copies are dropped unused the
/// client gets a 500, so that nobody waits for ever.
class responder {
public:
  explicit responder(std::function<void(response)> send);
  void operator()(response r) const;

private:
  struct state;
  std::shared_ptr<state> state_;
};

using handler = std::function<void(request, responder)>;

/// One WebSocket, after the upgrade. All calls and callbacks on its own I/O thread (context()).
/// Back-pressure: nothing is read from the peer unless receive() was called, and send() tells when
/// the octets have left; a relay that keeps one of each pending holds one message per direction.
class websocket {
public:
  struct message {
    std::string octets;
    bool binary = true;
  };
  virtual ~websocket() = default;
  /// At most one pending. Fails when the connection has ended; it is not called again then.
  virtual void receive(std::function<void(result<message>)> cb) = 0;
  /// At most one pending. false: the connection has ended.
  virtual void send(message m, std::function<void(bool)> sent) = 0;
  /// Close frame with a code of RFC 6455 section 7.4 (or 4000..4999), then the socket. Repeatable.
  virtual void close(std::uint16_t code, std::string reason) = 0;
  virtual boost::asio::io_context& context() = 0;
};

/// Decides about one upgrade; exactly one of the two, from any thread. Dropping it answers 500.
class upgrade {
public:
  struct accepted {
    std::string subprotocol; ///< one that the client offered; empty: none
    std::function<void(std::shared_ptr<websocket>)> open;
  };
  upgrade(std::function<void(accepted)> accept, responder refuse);
  void accept(accepted a) const { accept_(std::move(a)); }
  void refuse(response r) const { refuse_(std::move(r)); }

private:
  std::function<void(accepted)> accept_;
  responder refuse_;
};

struct ws_route {
  std::string path; ///< "/mqtt"; case-insensitive, a trailing slash is tolerated
  std::function<void(request, upgrade)> on_upgrade;
  std::size_t max_message = 1 << 20; ///< octets; more closes the connection (1009)
  bool below = false;                ///< also for every path below it, "/activate/..."
};

struct server_options {
  std::string bind = "0.0.0.0";
  std::uint16_t port = 8443;           ///< 0: any, see server::port()
  std::optional<net::tls_context> tls; ///< absent: plain HTTP
  /// `tls` demands client certificates (tls_profile::https_mutual): requests tell whose it is.
  bool client_certificates = false;
  std::size_t max_connections = 4096;
  std::size_t max_header = 16 << 10; ///< octets of request line and headers
  /// Octets of the body that this request may bring; empty function: 1 MiB.
  std::function<std::size_t(const request&)> max_body;
  int send_buffer = 0; ///< octets of answers the kernel keeps per connection; 0: as it likes
  // Deadlines; kept to a tenth of a second.
  std::chrono::milliseconds handshake{10'000}; ///< TLS
  std::chrono::milliseconds header{10'000};    ///< from a request's first octet to its empty line
  std::chrono::milliseconds body{30'000};
  std::chrono::milliseconds idle{60'000};        ///< keep-alive between requests
  std::chrono::milliseconds write{30'000};       ///< for each 64 KiB of an answer
  std::chrono::milliseconds linger{2'000};       ///< for the peer's TCP after its WebSocket's end
  std::vector<std::string> allowed_origins{"*"}; ///< CORS
};

class server {
public:
  static result<std::unique_ptr<server>> start(net::io_pool& pool, server_options options,
                                               handler on_request, std::vector<ws_route> upgrades);
  virtual ~server() = default; ///< stop()s
  virtual std::uint16_t port() const = 0;
  /// Closes the listener and every connection; returns at once.
  virtual void stop() = 0;
  struct counts {
    std::size_t connections = 0, websockets = 0;
    std::uint64_t requests = 0, refused = 0; ///< refused: over max_connections
  };
  virtual counts count() const = 0;
};

} // namespace outband::web
