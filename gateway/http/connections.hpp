/// Bookkeeping between the listener, its connections and the WebSockets they turn into. Internal to
/// gateway/http; no Beast here.
///
/// Context: one shard per I/O thread, touched on that thread only; `shared` from any.
#pragma once

#include "gateway/http/server.hpp"
#include "gateway/net/lean_tls_stream.hpp"

#include <atomic>
#include <map>
#include <set>

namespace outband::net {
class timers;
}

namespace outband::web {

/// Something that stop() must end.
class connection {
public:
  virtual ~connection() = default;
  virtual void abort() = 0; ///< closes the socket; pending operations fail
};

struct shared {
  server_options options;
  handler on_request;
  std::vector<ws_route> upgrades;
  std::atomic<std::size_t> connections{0}, websockets{0};
  std::atomic<std::uint64_t> requests{0}, refused{0};
  std::atomic<bool> stopping{false};
};

struct shard {
  explicit shard(boost::asio::io_context& c) : context(c) {}
  boost::asio::io_context& context;
  /// The only owner of a connection that waits for its responder.
  std::set<std::shared_ptr<connection>> http;
  std::map<connection*, std::weak_ptr<connection>> websockets;
};

/// Counts one connection of the server for as long as it lives, also across an upgrade.
class counted {
public:
  explicit counted(std::shared_ptr<shared> s) : shared_(std::move(s)) { ++shared_->connections; }
  counted(counted&&) noexcept = default;
  counted& operator=(counted&&) = delete;
  ~counted() {
    if (shared_)
      --shared_->connections;
  }

private:
  std::shared_ptr<shared> shared_;
};

struct session_start {
  std::shared_ptr<shared> core;
  std::shared_ptr<web::shard> home;
  counted place;
  std::string peer;
};
/// http_session.cpp: one connection from its first octet to its last.
void start_session(boost::asio::ip::tcp::socket socket, session_start s);

struct ws_start {
  std::shared_ptr<shared> core;
  std::shared_ptr<web::shard> home;
  counted place;
  request head; ///< the upgrade request
  upgrade::accepted how;
  std::size_t max_message;
};
/// websocket.cpp: answers 101 and hands the WebSocket to `how.open`.
void open_websocket(net::lean_tls_stream stream, ws_start s);
void open_websocket(boost::asio::ip::tcp::socket stream, ws_start s);

} // namespace outband::web
