/// One TCP connection to a machine, with or without TLS: connecting, octets in and out, the
/// kernel's keep-alives. Private to gateway/direct.
///
/// Context: its io_context's thread. The owner hears nothing after close(), nor after wire_failed()
/// and wire_lost(), which are final. Limits: options.max_unsent octets wait for the socket, then
/// write() takes no more; options.receive_window octets that are not consumed, then nothing is
/// read.
#pragma once

#include "gateway/direct/options.hpp"
#include "gateway/net/lean_tls_stream.hpp"
#include "gateway/net/timers.hpp"

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace outband::direct {

class wire;

class wire_owner {
public:
  virtual ~wire_owner() = default;
  virtual void wire_open(wire& w) = 0;
  /// It could not be made. `spoke`: the machine was there, but TLS failed.
  virtual void wire_failed(wire& w, bool spoke, const std::string& why) = 0;
  virtual void wire_data(wire& w, std::string_view octets) = 0;
  virtual void wire_writable(wire& w) = 0;
  /// `orderly`: the machine's FIN, or an end soon after it spoke; else it may be another machine's
  /// word, or nobody's.
  virtual void wire_lost(wire& w, bool orderly, const std::string& why) = 0;
};

/// What is read goes here first: an idle connection has no buffer of its own.
using read_buffer = std::array<char, 16 << 10>;

class wire final : public std::enable_shared_from_this<wire> {
public:
  using endpoint = net::asio::ip::tcp::endpoint;
  using clock = net::timer_wheel::clock;

  /// `tls`: its context, or nullptr.
  wire(net::asio::io_context& context, net::timers& timers, read_buffer& buffer, const options& o,
       wire_owner& owner, ssl_ctx_st* tls);
  ~wire();
  wire(const wire&) = delete;
  wire& operator=(const wire&) = delete;

  void connect(const endpoint& to);
  std::size_t write(std::string_view octets);
  void consumed(std::size_t octets);
  void close();

  bool is_open() const { return state_ == state::open; }
  bool is_closed() const { return state_ == state::closed; }
  /// Of the machine's certificate; empty without TLS.
  std::string certificate() const;
  /// Since the machine last acknowledged anything, a keep-alive included; of an open one.
  std::chrono::milliseconds silence() const;
  /// Since it was open.
  clock::duration age() const { return clock::now() - opened_; }
  /// Octets came over it.
  bool was_used() const { return used_; }

private:
  enum class state : std::uint8_t { connecting, shaking, open, closed };
  enum class got : std::uint8_t { octets, later, end, broken };

  net::asio::ip::tcp::socket& socket() { return tls_ ? tls_->next_layer() : socket_; }
  const net::asio::ip::tcp::socket& socket() const { return const_cast<wire*>(this)->socket(); }
  void connected(const net::error_code& ec);
  void watch();
  void opened();
  void failed(bool spoke, std::string why);
  void too_slow();
  void pump();
  void wait_readable();
  got read(std::size_t& n, std::string& why);
  void flush();
  void wait_writable();
  void lost(bool orderly, std::string why);

  net::asio::io_context& context_;
  net::timers& timers_;
  read_buffer& buffer_;
  const options& opts_;
  wire_owner* owner_;
  ssl_ctx_st* tls_context_;
  net::asio::ip::tcp::socket socket_;
  std::optional<net::lean_tls_stream> tls_;
  state state_ = state::connecting;
  std::string out_;
  std::size_t sent_ = 0;
  std::size_t unconsumed_ = 0;
  clock::time_point opened_, heard_;
  bool used_ = false, starved_ = false, pumping_ = false;
  bool waiting_to_read_ = false, waiting_to_write_ = false;
  net::member_timer<wire, &wire::too_slow> deadline_{*this};
};

} // namespace outband::direct
