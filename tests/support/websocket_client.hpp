/// A WebSocket client (RFC 6455) for text messages, written for the test clients: small, without
/// Beast, hundreds on one io_context. Its upgrade request is that of Go's gorilla/websocket, which
/// `rpc` uses.
///
/// Context: everything on the thread that runs the io_context; calls may come from the handlers.
/// Limits: messages of 16 MiB, a response head of 16 KiB. Pings are answered, other frames refused.
#pragma once

#include <functional>
#include <memory>
#include <string>

namespace boost::asio {
class io_context;
}

namespace outband::test {

struct websocket_target {
  bool tls = false;
  std::string host; ///< a numeric address or "localhost"
  std::string port;
  std::string path;
};
/// "wss://127.0.0.1:8443/activate/abc?x=1"; false: it is no such URL.
bool parse_websocket_url(const std::string& url, websocket_target& out);

class websocket_client {
public:
  struct handlers {
    std::function<void()> up;
    std::function<void(std::string text)> message;
    /// Once; not after close(). `status`: of the HTTP response if it was not 101, else 0.
    std::function<void(const std::string& why, int status)> down;
  };

  /// `ca_pem`: whom to trust with wss; empty: anybody, as `rpc -n` does.
  websocket_client(boost::asio::io_context& io, websocket_target to, const std::string& ca_pem,
                   handlers h);
  ~websocket_client();
  websocket_client(const websocket_client&) = delete;
  websocket_client& operator=(const websocket_client&) = delete;

  void connect();
  /// In the order of calls; `sent` once it is in the kernel. Never before `up`.
  void send(const std::string& text, std::function<void()> sent = {});
  /// The TCP connection ends, without a close frame, as when a program exits. With reset: RST.
  void close(bool with_reset = false);

private:
  class state;
  std::shared_ptr<state> state_;
};

} // namespace outband::test
