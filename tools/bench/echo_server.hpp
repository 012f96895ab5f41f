/// What a REST answer costs at the very least: TLS, and a request of n octets answered by m.
///
/// Request and answer look like HTTP only so far as that the same client can measure both: the path
/// begins with the number of octets wanted, "GET /1234/...". No routing, no JSON, no machine.
/// Context: the loop's thread.
#pragma once

#include "tools/bench/loop.hpp"
#include "tools/bench/tls.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

namespace outband::bench {

/// An HTTP answer that is `octets` long, head included; at least as long as a head needs to be.
std::string echo_answer(std::size_t octets);

class echo_server final : public watcher {
public:
  /// On any free port of loopback. Throws std::runtime_error.
  echo_server(loop& io, SSL_CTX* tls);
  ~echo_server() override;

  std::uint16_t port() const { return port_; }
  void ready(std::uint32_t events) override;

private:
  class connection;
  void ended(connection& c);

  loop& io_;
  SSL_CTX* tls_;
  int fd_ = -1;
  std::uint16_t port_ = 0;
  std::unordered_map<connection*, std::unique_ptr<connection>> all_;
};

} // namespace outband::bench
