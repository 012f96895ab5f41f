/// What the activation WebSocket can be told. Times are kept to a tenth of a second.
#pragma once

#include "messages/domain/ids.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace outband::activation {

struct options {
  /// Also the paths without a token, as stock installations use them.
  bool bare = false;
  /// With RPS's `Components` in the last message; EMF's agent then misses its success.
  bool components = false;
  /// TLS 1.1 and weak keys towards firmware, as RPS: generations before AMT 16 need it.
  bool legacy_tls = true;
  std::size_t max_connections = 2000;
  std::size_t per_address = 1000; ///< a site's machines may come from one address
  /// Roots that count as Intel's OnDie root, PEM: of simulators.
  std::string on_die_roots_pem;
  std::function<time_ms()> now; ///< needed

  std::chrono::milliseconds first_frame{10'000};
  /// A client that is silent for half of it is asked for a sign of life.
  std::chrono::milliseconds idle{120'000};
  std::chrono::milliseconds overall{30 * 60'000};
  std::chrono::milliseconds leave{5'000}; ///< for the client to go after the last word
  /// Of a TLS session: each turn may cost rpc two seconds of waiting for more.
  std::chrono::milliseconds tls_handshake{60'000};
  /// How long the last word of a handshake waits for a first call to go with.
  std::chrono::milliseconds tls_withhold{1'000};
  /// Beyond the delay: rpc tries five times, five seconds apart.
  std::chrono::milliseconds port_switch{60'000};
  /// How long after its last use a TLS session may carry a change; after that a new one is begun.
  std::chrono::milliseconds tls_reuse{5'000};
  std::size_t max_frames = 20'000; ///< of one client
};

} // namespace outband::activation
