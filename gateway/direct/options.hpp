/// What can be set of direct connections. Defaults are the ones to run with; tests shorten times.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>

namespace outband::direct {

struct options {
  std::size_t max_devices = 5000;
  /// Attempts under way at a time, from the name's resolution to the link; others wait their turn.
  std::size_t max_connecting = 32;
  /// Also this host's own addresses and loopback: for simulators.
  bool allow_own = false;

  std::chrono::milliseconds connect{10'000}; ///< resolution, and each address
  std::chrono::milliseconds tls{10'000};
  std::chrono::milliseconds proof{15'000}; ///< login and GUID

  /// The first keep-alive probe after so much silence, the next ones when that is not answered.
  std::chrono::seconds probe_after{30}, probe_again{10};
  std::chrono::milliseconds late_after{45'000}, down_after{90'000};
  std::chrono::milliseconds late_look{5'000}; ///< how often a late one is looked at

  /// Between attempts: doubles, each with a fifth of chance.
  std::chrono::milliseconds first_pause{1'000}, longest_pause{300'000};
  /// A link that lasted so long was a good one: the next pause is the first one again.
  std::chrono::milliseconds good_after{60'000};

  /// Before a held connection that the machine did not want for long is made again: doubles.
  std::chrono::milliseconds hold_again{1'000}, longest_unheld{30'000};
  /// A connection that is reset so soon after the machine spoke was reset by the machine itself.
  std::chrono::milliseconds own_reset{10'000};

  std::size_t max_channels = 8;
  std::size_t max_unsent = 64 << 10;     ///< octets of a connection that wait for its socket
  std::size_t receive_window = 80 << 10; ///< octets that the user of a channel has not consumed

  /// How long ago the machine last acknowledged anything on this socket; empty: the kernel knows.
  std::function<std::chrono::milliseconds(int socket)> silence;
};

} // namespace outband::direct
