/// Publishes what the store has accepted: in order, until the broker has it, and again when the
/// broker has lost it.
///
/// Order: rows go out as they were fetched. When one fails, all after it are sent again behind it,
/// acknowledged or not, so that a retained topic always ends with its newest document. A row is
/// removed when it and all before it are acknowledged. Receivers see duplicates, never a regression
/// that lasts.
/// Recovery: after each connection the canary (bus/canary.hpp) tells from when on the retained
/// documents must be published again.
/// Idle: no SQL and nothing published, but one fetch per `safety_net`.
/// Threads: one of its own, or the scheduler that is handed in.
#pragma once

#include "bus/endpoint.hpp"
#include "bus/outbox.hpp"
#include "bus/scheduler.hpp"

#include <memory>

namespace outband::bus {

struct outbox_options {
  std::size_t window = 100;     ///< rows in flight; the endpoint's own window is a second bound
  std::size_t batch = 500;      ///< rows per fetch, documents per page
  std::size_t capacity = 2'000; ///< rows in memory
  std::size_t enough = 300;     ///< rows that wait for the window: no more are fetched then
  /// Rows removed by one statement while others are in flight; fewer when none are.
  std::size_t remove_at_once = 50;
  std::chrono::milliseconds safety_net{60'000};
  std::chrono::milliseconds canary_interval{60'000}; ///< at most one canary per interval
  /// Subtracted from the canary's time: clocks that differ, transactions that were open.
  std::chrono::milliseconds canary_margin{30'000};
  std::chrono::milliseconds probe_timeout{5'000};
  std::chrono::milliseconds retry_base{100}, retry_cap{10'000}; ///< full jitter
  unsigned refusals = 5;  ///< a row that the broker refuses this often is removed and counted
  std::uint64_t seed = 0; ///< of the jitter; 0: random
  std::function<std::int64_t()> now_ms; ///< milliseconds since 1970 UTC; none: the system's clock
};

struct outbox_metrics {
  std::uint64_t published = 0;   ///< rows acknowledged
  std::uint64_t republished = 0; ///< retained documents sent again for a broker that lost them
  std::uint64_t resent = 0;      ///< sent again after a failure
  std::uint64_t superseded = 0;  ///< retained rows skipped for a newer one of their topic
  std::uint64_t refused = 0;     ///< rows given up because the broker refuses them
  std::uint64_t store_failures = 0;
  std::uint64_t canaries = 0;
  std::uint64_t recoveries = 0; ///< times that retained documents were republished
  std::size_t lag = 0;          ///< rows known and not acknowledged
  bool recovering = false;
};

class outbox_publisher {
public:
  /// With a thread of its own.
  outbox_publisher(outbox_source& source, endpoint& bus, outbox_options options = {});
  /// On a scheduler that outlives it, for tests on virtual time.
  outbox_publisher(outbox_source& source, endpoint& bus, outbox_options options, scheduler& loop);
  /// Stops; rows in flight stay in the store. The source may still call back afterwards.
  ~outbox_publisher();
  outbox_publisher(const outbox_publisher&) = delete;
  outbox_publisher& operator=(const outbox_publisher&) = delete;

  outbox_metrics metrics() const;

private:
  class impl;
  std::shared_ptr<thread_loop> own_;
  std::shared_ptr<impl> impl_;
};

} // namespace outband::bus
