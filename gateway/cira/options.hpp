/// What can be set of the CIRA listener. Defaults are the ones to run with; tests shorten the
/// times.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace outband::cira {

struct listen_address {
  std::string address = "0.0.0.0"; ///< numeric; "::" takes IPv4 too
  std::uint16_t port = 4433;       ///< 0: any free one
  bool legacy = false;             ///< TLS 1.0 and 1.1 too; needs a legacy context
};

struct options {
  std::vector<listen_address> listen{listen_address{}};

  /// Connections not yet authenticated, all addresses together; then accepting pauses, and who
  /// comes waits in the kernel's backlog. Refusing would send machines to sleep for 15 minutes.
  std::size_t max_pending = 4096;
  /// Connections of all addresses; more are closed at once. Each costs some 20 kB.
  std::size_t max_tunnels = 50'000;
  /// Failures, not connections, block an address: many machines share one behind a NAT.
  unsigned max_failures = 100;
  unsigned forgiven_per_minute = 30; ///< and one for every machine that gets in
  /// Load balancers and test tools; numeric. Their failures are not counted.
  std::vector<std::string> never_block;

  std::chrono::milliseconds tls_deadline{10'000};
  std::chrono::seconds handshake_deadline{30}; ///< from TLS to a usable tunnel
  std::chrono::seconds refusal_delay{1};       ///< between "wrong password" and closing
  std::chrono::seconds options_quiet{2};       ///< see apf::handshake_config
  std::chrono::seconds options_latest{5};
  std::uint32_t keepalive_interval_s = 30; ///< what the machine is asked for
  std::uint32_t keepalive_timeout_s = 90;
  std::chrono::milliseconds late_after{45'000};
  std::chrono::milliseconds down_after{90'000};
  std::chrono::milliseconds close_patience{2'000}; ///< for the last octets of a closing connection
  std::chrono::milliseconds accept_pause{500};     ///< when the process has no free descriptor

  std::uint32_t channel_window = 81920; ///< octets a machine may send ahead, per channel
  std::size_t max_unsent = 64 << 10;    ///< octets; beyond, the tunnel is not read
  /// Machines may open channels to deliver events (amt::delivery); else every such wish is refused.
  bool accept_alerts = true;
  std::size_t alert_channels = 2;        ///< at once, of one machine
  unsigned alerts_per_minute = 60;       ///< of one machine; more are refused, it may repeat them
  std::size_t read_per_turn = 256 << 10; ///< octets; then other tunnels get their turn
};

} // namespace outband::cira
