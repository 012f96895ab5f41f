/// What the terminator counts, by reason. Threads: any.
#pragma once

#include "messages/domain/documents.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

namespace outband::cira {

/// Why a connection did not become a tunnel.
enum class turned_away : std::uint8_t {
  blocked,     ///< too many failures from its address
  not_tls,     ///< neither TLS nor HTTP
  tls,         ///< the TLS handshake failed or did not end in time
  credentials, ///< unknown machine or wrong password
  protocol,    ///< the APF handshake failed or did not end in time
  store,       ///< our trouble: the credentials could not be checked
  full,        ///< as many are connected as are allowed
};
constexpr std::size_t turned_aways = 7, link_ends = 6;
std::string_view to_string(turned_away why);

/// Monotonic but `late_now`.
struct counters {
  std::atomic<std::uint64_t> accepted{0};
  std::array<std::atomic<std::uint64_t>, turned_aways> refused{};
  std::atomic<std::uint64_t> admitted{0};
  std::array<std::atomic<std::uint64_t>, link_ends> ended{}; ///< of tunnels that were admitted
  std::atomic<std::uint64_t> late{0};                        ///< times that one fell silent
  std::atomic<std::uint64_t> late_now{0};

  void refuse(turned_away why) {
    refused[static_cast<std::size_t>(why)].fetch_add(1, std::memory_order_relaxed);
  }
  void end(link_end why) {
    ended[static_cast<std::size_t>(why)].fetch_add(1, std::memory_order_relaxed);
  }
};

} // namespace outband::cira
