/// The firmware's end of a TLS connection, lean enough for thousands in one process.
///
/// OpenSSL works on the socket itself; Asio only says when it is ready, so an idle connection holds
/// no buffers of ours. Each send() becomes one TLS record.
/// Context: I/O thread of its io_context; callbacks run there, never inside connect() or send().
/// SIGPIPE must be ignored. An object may connect again after it was closed; it must outlive its
/// io_context's handlers.
/// Limits: 256 KiB waiting to be sent, then the connection is given up.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

using SSL_CTX = struct ssl_ctx_st;
using SSL = struct ssl_st;

namespace outband::amtsim {

/// Shared by machines that trust the same. Verifies against its roots alone, as firmware trusts
/// only the certificates it was given; no resumption, no renegotiation.
class tls_context {
public:
  /// `common_name` is what the server's certificate must say; firmware looks at nothing else (no
  /// SAN). `highest` is 12 or 13. Throws std::runtime_error if the file holds no certificate.
  /// Without a file nobody is trusted: for machines that have no server.
  tls_context(const std::string& root_file, std::string common_name, int highest);
  /// Against roots in DER; what is no certificate is left out.
  tls_context(const std::vector<std::string>& roots, std::string common_name, int highest);
  ~tls_context();
  tls_context(const tls_context&) = delete;
  tls_context& operator=(const tls_context&) = delete;

  SSL_CTX* native() const { return context_; }
  const std::string& common_name() const { return common_name_; }

private:
  void configure(int highest);

  SSL_CTX* context_;
  std::string common_name_;
};
using shared_tls = std::shared_ptr<const tls_context>;

/// Contexts by what they trust, so that a crowd that was configured alike has one. Thread-safe.
class tls_contexts {
public:
  explicit tls_contexts(int highest) : highest_(highest) {}
  shared_tls trusting(const std::vector<std::string>& roots, const std::string& common_name);

private:
  int highest_;
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<const tls_context>> known_;
};

class tls_client {
public:
  class listener {
  public:
    virtual void tls_up() = 0;
    virtual void tls_data(std::string_view octets) = 0;
    /// Not said after close() or reset().
    virtual void tls_down(const std::string& why) = 0;

  protected:
    ~listener() = default;
  };

  tls_client(boost::asio::io_context& io, listener& to);
  ~tls_client();

  void connect(const boost::asio::ip::tcp::endpoint& to, shared_tls trust);
  /// False when there is no connection.
  bool send(std::string_view record);
  /// Flushes nothing: what is not in the kernel yet is lost.
  void close();
  /// The same with RST instead of FIN.
  void reset();
  /// Neither reads nor writes until it is resumed.
  void pause(bool on);
  bool connected() const { return state_ == state::up; }

private:
  enum class state : std::uint8_t { down, connecting, handshake, up };
  struct free_ssl {
    void operator()(SSL* s) const;
  };

  void handshake();
  void wait_readable();
  void wait_writable();
  void read();
  void flush();
  void fail(const std::string& why);
  bool peer_is_right(std::string& why) const;

  boost::asio::ip::tcp::socket socket_;
  shared_tls context_;
  listener& to_;
  std::unique_ptr<SSL, free_ssl> ssl_;
  std::vector<std::string> queue_; ///< records, the first may have been tried already
  std::uint32_t generation_ = 0;   ///< of the connection; handlers of former ones do nothing
  state state_ = state::down;
  bool paused_ = false;
  bool reading_ = false;
  bool writing_ = false;
};

} // namespace outband::amtsim
