/// The bare loop that figures are compared with: TLS and just enough APF to bring a machine to
/// "tunnel up" and to ask it for its power state. No database, no credentials, no log, no limits.
///
/// It uses the same codecs as the server (messages/apf, http, wsman), so that the ratio tells what
/// the server adds. Context: one loop and one thread per object.
#pragma once

#include "tools/bench/loop.hpp"
#include "tools/bench/statistics.hpp"
#include "tools/bench/tls.hpp"

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

namespace outband::bench {

class floor_connection;

class floor_server final : public watcher {
public:
  /// Several may share a port (SO_REUSEPORT). `port` 0: any. Throws std::runtime_error.
  floor_server(loop& io, SSL_CTX* tls, std::uint16_t port);
  ~floor_server() override;

  std::uint16_t port() const { return port_; }
  std::size_t up() const { return up_; }
  /// Told of each tunnel that ends.
  std::function<void(const std::string& guid)> gone;

  struct reads {
    std::uint64_t count = 0, failed = 0;
    double seconds = 0;
    samples milliseconds;
  };
  /// Power states read from `at_a_time` machines for so long, three WS-MAN exchanges each as the
  /// server does it; each machine is asked for one after the other.
  reads read_power(std::size_t at_a_time, clock::duration how_long);

  void ready(std::uint32_t events) override;

private:
  friend class floor_connection;
  void ended(floor_connection& c);

  loop& io_;
  SSL_CTX* tls_;
  int fd_ = -1;
  std::uint16_t port_ = 0;
  std::size_t up_ = 0;
  std::unordered_map<floor_connection*, std::unique_ptr<floor_connection>> all_;
};

} // namespace outband::bench
