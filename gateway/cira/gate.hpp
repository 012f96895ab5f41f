/// Who may come in: the number of unauthenticated connections, and failures per address.
///
/// An address is blocked by failed attempts, not by open connections, since a whole site may stand
/// behind one. Failures are forgiven with time and by every machine that gets in.
/// Threads: any; one lock, taken once when a connection comes and once when it is in or gone. The
///   time is handed in.
/// Limits: gate::max_addresses are remembered; IPv6 addresses count by their /64.
#pragma once

#include "gateway/cira/options.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <set>

namespace outband::cira {

/// IPv4 as ::ffff:a.b.c.d.
using peer_address = std::array<std::uint8_t, 16>;

class gate {
public:
  using time = std::chrono::steady_clock::time_point;
  static constexpr std::size_t max_addresses = 16384;
  enum class decision : std::uint8_t {
    come_in,
    come_in_last,  ///< come in, but accept nobody more until on_room
    blocked,       ///< the first refusal of this blocking
    still_blocked, ///< another one
  };
  enum class outcome : std::uint8_t {
    authenticated,
    failed,  ///< the peer's doing
    neutral, ///< a probe, our own trouble, a shutdown
  };

  gate(std::size_t max_pending, unsigned max_failures, unsigned forgiven_per_minute,
       std::set<peer_address> never_block)
      : max_pending_(std::max<std::size_t>(max_pending, 1)), max_failures_(max_failures),
        forgiven_per_second_(forgiven_per_minute / 60.0), never_block_(std::move(never_block)) {}

  /// Counts the connection as pending if it may come in.
  decision knock(const peer_address& from, time now);
  /// Exactly once for every connection that came in.
  void settle(const peer_address& from, outcome how, time now);
  /// Called from settle(), without the lock, when there is room again after come_in_last.
  void on_room(std::function<void()> f) { on_room_ = std::move(f); }

  std::size_t pending() const;
  /// Failures that count against this address now.
  double failures(const peer_address& from, time now) const;

private:
  struct record {
    double failures = 0;
    time at{};
    bool told = false; ///< that it is blocked
  };
  void decay(record& r, time now) const;
  void make_room(time now);
  static peer_address key_of(const peer_address& from);

  mutable std::mutex mutex_;
  std::size_t max_pending_;
  unsigned max_failures_;
  double forgiven_per_second_;
  std::set<peer_address> never_block_;
  std::map<peer_address, record> records_; ///< only of addresses that failed
  std::size_t pending_ = 0;
  bool full_ = false;
  std::function<void()> on_room_;
};

} // namespace outband::cira
