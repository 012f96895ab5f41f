/// What the connections of one I/O thread share, and what all threads share. Private to
/// gateway/cira; includes Asio.
#pragma once

#include "actors/ports/terminator.hpp"
#include "gateway/amt/carrier.hpp"
#include "gateway/cira/counters.hpp"
#include "gateway/cira/gate.hpp"
#include "gateway/cira/registry.hpp"
#include "gateway/cira/turns.hpp"
#include "gateway/net/timers.hpp"
#include "gateway/net/tls_context.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <array>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <vector>

namespace outband::cira {

using endpoint = boost::asio::ip::tcp::endpoint;

peer_address address_of(const endpoint& e);
/// "192.0.2.7:16994", "[2001:db8::1]:4433"
std::string text_of(const endpoint& e);

struct tls_contexts {
  net::tls_context modern;
  std::optional<net::tls_context> legacy;
};

/// Shared by all lanes of a listener.
struct hub {
  hub(options o, terminator_port& t, tls_contexts c, std::set<peer_address> never_block)
      : opts(std::move(o)), port(t),
        door(opts.max_pending, opts.max_failures, opts.forgiven_per_minute, std::move(never_block)),
        tls(std::make_shared<const tls_contexts>(std::move(c))) {}

  const options opts;
  terminator_port& port;
  gate door;
  registry tunnels;
  counters counts;
  /// Replaced when a certificate is renewed: std::atomic_load and atomic_store only.
  std::shared_ptr<const tls_contexts> tls;

  std::mutex open_mutex;
  std::condition_variable open_changed;
  std::size_t open = 0; ///< connections of all lanes
};

/// Anything with a socket: a greeting, later a tunnel.
class connection {
public:
  virtual ~connection() = default;
  /// The node shuts down. On the lane's thread.
  virtual void shut() = 0;
  /// Patience is over: close the socket now.
  virtual void abandon() = 0;

private:
  friend class lane;
  std::size_t place_ = 0; ///< in the lane's list
};

/// Context: everything on the lane's thread, except the constructor.
class lane {
public:
  lane(boost::asio::io_context& c, std::shared_ptr<hub> h)
      : context(c), timers(net::timers::of(c)), shared(std::move(h)), key_exchanges(c),
        buffer(std::make_unique<std::array<char, buffer_size>>()) {}

  void add(std::shared_ptr<connection> c);
  /// `c` may be destroyed by this.
  void remove(connection& c);
  void shut_all();
  void abandon_all();
  /// Nobody new; what is open now is told to close portion by portion.
  void begin_drain();
  void shut_some(std::size_t portion);

  /// The largest TLS record; SSL_read gives no more at once.
  static constexpr std::size_t buffer_size = 16 << 10;

  boost::asio::io_context& context;
  net::timers& timers;
  const std::shared_ptr<hub> shared;
  /// The first step of a TLS handshake: most of what a new machine costs.
  turns key_exchanges;
  /// What is read goes here first: an idle tunnel has no buffer of its own.
  const std::unique_ptr<std::array<char, buffer_size>> buffer;
  bool closing = false; ///< nobody new comes in

private:
  std::vector<std::shared_ptr<connection>> connections_;
  std::vector<std::weak_ptr<connection>> to_drain_;
};

} // namespace outband::cira
