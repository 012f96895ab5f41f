// A TLS stream that lets OpenSSL work on the socket itself.
//
// boost::asio::ssl::stream keeps two 17 KiB vectors and a BIO pair of the same
// size per connection for as long as it lives. For thousands of idle tunnels
// that is most of the memory. Here OpenSSL owns its (releasable) buffers and
// Asio only tells us when the socket is ready. The type models AsyncReadStream
// and AsyncWriteStream, so Beast's HTTP and WebSocket run on top of it (lean_tls_beast.hpp).
//
// Rules: one thread (or strand) per stream; at most one read and one write at a
// time; ignore SIGPIPE, because OpenSSL writes with write(2).
#pragma once

#include <boost/asio.hpp>
#include <boost/asio/ssl/error.hpp>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <memory>
#include <utility>

namespace outband::net {

namespace asio = boost::asio;
using boost::system::error_code;

class lean_tls_stream {
public:
  using next_layer_type = asio::ip::tcp::socket;
  using lowest_layer_type = next_layer_type::lowest_layer_type;
  using executor_type = next_layer_type::executor_type;

  lean_tls_stream(asio::ip::tcp::socket sock, SSL_CTX* ctx)
      : sock_(std::move(sock)), ssl_(SSL_new(ctx)) {
    sock_.non_blocking(true);
    SSL_set_fd(ssl_.get(), static_cast<int>(sock_.native_handle()));
    SSL_set_mode(ssl_.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  }

  lean_tls_stream(lean_tls_stream&&) = default;
  lean_tls_stream& operator=(lean_tls_stream&&) = default;

  executor_type get_executor() { return sock_.get_executor(); }

  next_layer_type& next_layer() { return sock_; }

  lowest_layer_type& lowest_layer() { return sock_.lowest_layer(); }

  SSL* native_handle() { return ssl_.get(); }

  /// void(error_code)
  template <class Token> auto async_accept_tls(Token&& token) {
    return run<void(error_code)>([s = ssl_.get()](std::size_t&) { return SSL_accept(s); },
                                 std::forward<Token>(token));
  }

  /// void(error_code)
  template <class Token> auto async_connect_tls(Token&& token) {
    return run<void(error_code)>([s = ssl_.get()](std::size_t&) { return SSL_connect(s); },
                                 std::forward<Token>(token));
  }

  /// void(error_code): sends close_notify and waits for the peer's. Closing the
  /// socket with that one unread would reset the connection and could destroy
  /// what the peer has not read yet. Bound it with a timer.
  template <class Token> auto async_shutdown(Token&& token) {
    return run<void(error_code)>(
        [s = ssl_.get()](std::size_t&) {
          auto rc = SSL_shutdown(s);
          return rc == 0 ? SSL_shutdown(s) : rc;
        },
        std::forward<Token>(token));
  }

  /// void(error_code, size_t)
  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    auto b = first(asio::buffer_sequence_begin(buffers), asio::buffer_sequence_end(buffers));
    return run<void(error_code, std::size_t)>(
        [s = ssl_.get(), b](std::size_t& n) {
          return b.size() == 0 ? 1 : SSL_read_ex(s, b.data(), b.size(), &n);
        },
        std::forward<Token>(token));
  }

  /// void(error_code, size_t)
  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    auto b = first(asio::buffer_sequence_begin(buffers), asio::buffer_sequence_end(buffers));
    return run<void(error_code, std::size_t)>(
        [s = ssl_.get(), b](std::size_t& n) {
          return b.size() == 0 ? 1 : SSL_write_ex(s, b.data(), b.size(), &n);
        },
        std::forward<Token>(token));
  }

private:
  struct free_ssl {
    void operator()(SSL* p) const { SSL_free(p); }
  };

  template <class It>
  static auto first(It i, It end)
      -> std::conditional_t<std::is_convertible_v<decltype(*i), asio::mutable_buffer>,
                            asio::mutable_buffer, asio::const_buffer> {
    for (; i != end; ++i)
      if (asio::buffer_size(*i) > 0)
        return *i;
    return {};
  }

  template <class Call> struct op {
    next_layer_type& sock;
    SSL* ssl;
    Call call;
    bool started = false;
    bool done = false;
    error_code result{};
    std::size_t n = 0;

    template <class Self> void operator()(Self& self, error_code ec = {}) {
      if (done)
        return finish(self);
      if (ec) {
        result = ec;
        return finish(self);
      }
      ERR_clear_error();
      auto rc = call(n);
      if (rc > 0) {
        return end(self);
      }
      switch (SSL_get_error(ssl, rc)) {
      case SSL_ERROR_WANT_READ:
        started = true;
        return sock.async_wait(asio::socket_base::wait_read, std::move(self));
      case SSL_ERROR_WANT_WRITE:
        started = true;
        return sock.async_wait(asio::socket_base::wait_write, std::move(self));
      case SSL_ERROR_ZERO_RETURN:
        result = asio::error::eof;
        break;
      case SSL_ERROR_SYSCALL:
        result = errno ? error_code{errno, boost::system::system_category()}
                       : error_code{asio::error::eof};
        break;
      default: {
        auto e = ERR_get_error();
        result = error_code{static_cast<int>(e & 0x7fffffff), asio::error::get_ssl_category()};
      }
      }
      end(self);
    }

    /// Handlers never run inside the initiating function.
    template <class Self> void end(Self& self) {
      done = true;
      if (started)
        return finish(self);
      auto ex = sock.get_executor();
      asio::post(ex, std::move(self));
    }

    template <class Self> void finish(Self& self) {
      if constexpr (Call::with_size)
        self.complete(result, n);
      else
        self.complete(result);
    }
  };

  template <class Signature, class F> struct call_t {
    static constexpr bool with_size = std::is_same_v<Signature, void(error_code, std::size_t)>;
    F f;
    int operator()(std::size_t& n) { return f(n); }
  };

  template <class Signature, class F, class Token> auto run(F f, Token&& token) {
    using call_type = call_t<Signature, F>;
    return asio::async_compose<Token, Signature>(
        op<call_type>{sock_, ssl_.get(), call_type{std::move(f)}}, token, sock_);
  }

  asio::ip::tcp::socket sock_;
  std::unique_ptr<SSL, free_ssl> ssl_;
};

} // namespace outband::net
