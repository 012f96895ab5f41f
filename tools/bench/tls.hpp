/// TLS on a non-blocking socket, as lean as OpenSSL allows: no buffer of ours while nothing waits.
///
/// Context: the loop's thread; SIGPIPE must be ignored. Failures are states, never exceptions,
/// except for contexts that cannot be made.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

using SSL = struct ssl_st;
using SSL_CTX = struct ssl_ctx_st;

namespace outband::bench {

struct free_context {
  void operator()(SSL_CTX* c) const;
};
using context_ptr = std::unique_ptr<SSL_CTX, free_context>;

/// `version`: 12 or 13, and nothing else. The peer is not verified: that is the machine's work,
/// which is not what is measured. No resumption. Throws std::runtime_error.
context_ptr client_context(int version);
/// Curves, order of suites, tickets and modes are those of gateway/net/tls_context.cpp for CIRA.
context_ptr server_context(const std::string& chain_file, const std::string& key_file);

class tls_socket {
public:
  enum class state : std::uint8_t { none, connecting, handshake, up, over };

  tls_socket() = default;
  ~tls_socket() { close(); }
  tls_socket(const tls_socket&) = delete;
  tls_socket& operator=(const tls_socket&) = delete;

  /// To 127.0.0.1. False if there is no descriptor.
  bool connect(SSL_CTX* context, std::uint16_t port);
  /// Takes an accepted, non-blocking descriptor.
  void accept(SSL_CTX* context, int fd);

  /// After an event: goes on with the handshake and with what waits to be sent.
  state advance();
  /// What has arrived; 0: nothing more for now, or over (see now()).
  std::size_t read(char* to, std::size_t room);
  /// One TLS record, if it fits into one.
  void send(std::string_view octets);

  /// With close_notify and FIN.
  void close();
  /// With FIN alone, as a machine that loses its power has not even that.
  void cut();
  int fd() const { return fd_; }
  state now() const { return now_; }

private:
  struct free_ssl {
    void operator()(SSL* s) const;
  };
  void begin(SSL_CTX* context, int fd);
  void handshake();
  void flush();
  bool waits(int rc);

  std::unique_ptr<SSL, free_ssl> ssl_;
  std::string out_;
  int fd_ = -1;
  state now_ = state::none;
};

} // namespace outband::bench
