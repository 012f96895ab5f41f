/// What the activation WebSocket counts. Threads: any.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

namespace outband::activation {

/// Why we ended a connection, or let none begin, by ourselves: not by the provisioner's decision.
enum class refused : std::uint8_t {
  no_token,  ///< the bare path, which is switched off, or something that is no token
  full,      ///< as many are connected as are allowed
  address,   ///< as many from this address
  silent,    ///< no first message in time
  malformed, ///< not a message of the protocol
  too_large,
  binary,    ///< a binary frame
  order,     ///< a second first message, or another before it
  idle,      ///< the client does not answer any more
  overlong,  ///< the whole took too long
  flood,     ///< more messages than any activation needs
  abandoned, ///< a defect of ours: the provisioner let go of it without a last word
};
constexpr std::size_t refusals = 12;
std::string_view to_string(refused why);

/// Monotonic but `open`.
struct counters {
  std::atomic<std::uint64_t> accepted{0};
  std::atomic<std::uint64_t> open{0};
  std::atomic<std::uint64_t> wishes{0}; ///< well-formed first messages
  std::atomic<std::uint64_t> frames_in{0};
  std::atomic<std::uint64_t> frames_out{0};
  std::atomic<std::uint64_t> stray{0};        ///< messages that nobody waited for
  std::atomic<std::uint64_t> tls_sessions{0}; ///< begun with firmware
  std::atomic<std::uint64_t> tls_failures{0}; ///< that did not come about
  std::array<std::atomic<std::uint64_t>, refusals> refusal{};

  void refuse(refused why) {
    refusal[static_cast<std::size_t>(why)].fetch_add(1, std::memory_order_relaxed);
  }
};

} // namespace outband::activation
