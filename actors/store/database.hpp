/// The process's connections to PostgreSQL, and the thread they live on.
///
/// `durable` commits synchronously: what a person asked for, secrets, and link epochs (a fencing
/// token must not be handed out twice because the database crashed). `relaxed` answers before the
/// commit is on disk: observed state, links, sightings, and reads of
/// actors. `asked` carries reads for people and the beats, lest they queue behind a storm.
///
/// Threads: members may be called from any thread. Completions run on the database's own thread,
/// each exactly once, at the latest when it is destroyed. Not to be destroyed from a completion.
#pragma once

#include "actors/ports/latency.hpp"
#include "messages/domain/result.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace outband::store {

struct pg_options {
  /// libpq's connection string or URI. What it does not say is set by us: keep-alives, the
  /// application's name.
  std::string dsn;
  std::string instance = "n1"; ///< this node's name; other nodes see it in pg_stat_activity
  /// Waiting and in flight, per connection; beyond it problem::busy.
  std::size_t max_queued = 10'000;
  /// Sent and not answered, per connection. When a connection breaks, only what was sent can have
  /// an unknown outcome.
  std::size_t window = 128;
  /// From the call to the answer. A single statement is cancelled by the server before that.
  std::chrono::milliseconds deadline{10'000};
  /// Reconnect: a random delay up to this, doubling from 100 ms.
  std::chrono::milliseconds max_backoff{5'000};
  /// Finished commands are removed after this: so long a resent id is answered.
  std::chrono::hours keep_commands{24};
  std::chrono::hours keep_audit{400 * 24};
  /// One line, no secrets; called on the database's thread.
  std::function<void(std::string_view)> log;
};

/// The connections: durable, relaxed, asked.
inline constexpr std::size_t lane_count = 3;

/// Of one of them.
struct lane_counters {
  std::atomic<std::uint64_t> statements{0}, connects{0};
  std::atomic<std::uint64_t> retries{0}; ///< deadlocks and serialization failures
  std::atomic<std::uint64_t> queued{0};  ///< now
  latency took;                          ///< from the call to the answer, refusals left out
};

/// For /metrics.
struct database_counters {
  std::array<lane_counters, lane_count> lanes;
  std::atomic<std::uint64_t> statements{0};   ///< units sent, all connections
  std::atomic<std::uint64_t> failures{0};     ///< units answered with an error
  std::atomic<std::uint64_t> refused_busy{0}; ///< queue full
  std::atomic<std::uint64_t> timeouts{0};
  std::atomic<std::uint64_t> connects{0}; ///< successful, all connections
  std::atomic<std::uint64_t> queued{0};   ///< now, all connections
};

class connections; // actors/store/connections.hpp; only this folder includes it

class database {
public:
  /// Starts connecting and returns. Migrate first (migrations.hpp).
  explicit database(pg_options options);
  ~database();
  database(const database&) = delete;
  database& operator=(const database&) = delete;

  /// Blocks until all connections serve; false at the deadline. For main and tests.
  bool wait_connected(std::chrono::milliseconds deadline);
  const database_counters& counters() const;

  connections& inside() { return *inside_; }

private:
  std::unique_ptr<connections> inside_;
};

} // namespace outband::store
