/// What every actor of a process is given. Outlives the actor system.
#pragma once

#include "actors/device_machine.hpp"
#include "actors/link_directory.hpp"
#include "actors/pace.hpp"
#include "actors/ports/audit.hpp"
#include "actors/ports/clock.hpp"
#include "actors/ports/cluster.hpp"
#include "actors/ports/direct.hpp"
#include "actors/ports/latency.hpp"
#include "actors/ports/secrets.hpp"
#include "actors/ports/store.hpp"
#include "bus/endpoint.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>

namespace outband {

/// What AMT calls of one kind came to.
struct amt_call_figures {
  static constexpr std::size_t problems = 32;                ///< more than there are
  std::atomic<std::uint64_t> done{0};                        ///< with an outcome
  std::array<std::atomic<std::uint64_t>, problems> failed{}; ///< by problem
  latency took;                                              ///< from its turn to its outcome

  template <class T> void ended(const result<T>& outcome) {
    if (outcome)
      done.fetch_add(1, std::memory_order_relaxed);
    else
      failed[std::min(static_cast<std::size_t>(outcome.error().what), problems - 1)].fetch_add(
          1, std::memory_order_relaxed);
  }
};

/// Of provisioning connections; read by /metrics.
struct activation_counters {
  std::atomic<std::uint64_t> begun{0}, done{0}, failed{0}, interrupted{0}, refused{0}, running{0};
};

/// Read by /metrics; written by actors without further ado.
struct actor_counters {
  /// By amt_operation's alternative. What never left its queue is counted without a time.
  std::array<amt_call_figures, std::variant_size_v<amt_operation>> amt;
  /// Requests and calls whose id was known already: answered, not carried out again.
  std::atomic<std::uint64_t> duplicates{0};
  std::atomic<std::uint64_t> duplicate_guids{0}; ///< alarms about a GUID that several machines use
  std::atomic<std::uint64_t> stale_revisions{0}; ///< writes refused because the row is newer

  std::atomic<std::uint64_t> links{0}, device_actors{0}, queued_calls{0};
  std::atomic<std::uint64_t> stale_epoch{0}, observations{0}, amt_calls{0}, amt_failures{0};
  std::atomic<std::uint64_t> requests_accepted{0}, requests_refused{0}, tenant_mismatch{0};
  std::atomic<std::uint64_t> decode_errors{0}, retained_commands{0}, actor_restarts{0};
  std::atomic<std::uint64_t> store_retries{0};
  std::atomic<std::uint64_t> stale_controller{0}, takeovers{0}, burials{0}, reclaims{0};
  std::atomic<std::uint64_t> resyncs{0}, resynced_devices{0};
  /// Messages of observations published by this life of the process: their numbers.
  std::atomic<std::uint64_t> observation_messages{0};
  /// By those numbers: came before, and gaps before what came.
  std::atomic<std::uint64_t> observations_again{0}, observation_gaps{0};
  std::atomic<std::uint64_t> lease_epoch{0}; ///< 0: not the controller
  activation_counters activations;
};

/// How the nodes of a site watch each other; configuration `cluster.*`.
struct cluster_times {
  std::chrono::milliseconds beat{5'000};
  std::chrono::milliseconds lease{15'000};
  std::chrono::milliseconds silent_after{20'000};
  /// A node whose will came may only have lost the broker for a moment.
  std::chrono::milliseconds will_grace{2'000};
  /// Machines of a dead terminator have this long to call another before anybody is told.
  std::chrono::milliseconds links_grace{30'000};
};

class legacy_events;
class provisioning_port;
class removal_rows;

struct services {
  store_port& store;
  cluster_port& cluster;
  secrets_port& secrets;
  clock_port& clock;
  /// Between our own roles; in one process the local endpoint.
  bus::endpoint& internal;
  link_directory& directory;
  actor_counters& counters;
  std::string node = "n1"; ///< this process's name, one topic level
  uuid incarnation{};      ///< one life of this process
  power_times times{};
  std::chrono::milliseconds passivate_after{std::chrono::minutes(5)};
  std::chrono::milliseconds batch_observations{50};
  cluster_times cluster_timing{};
  /// Looks at machines that just came, and nothing else waits for a turn.
  std::shared_ptr<pace> looks = std::make_shared<pace>(100);
  bool mirror_json = true;                   ///< publish oobx/v1 as well
  const legacy_events* legacy = nullptr;     ///< MPS's topic; null: off
  direct_rows* direct = nullptr;             ///< null: every machine calls home
  audit_port* audit = nullptr;               ///< null: refusals are not recorded
  provisioning_port* provisioning = nullptr; ///< null: nobody can be activated
  removal_rows* removals = nullptr;          ///< null: machines are removed as they are
  /// Reading facts is long and nobody waits for it.
  std::shared_ptr<pace> fact_looks = std::make_shared<pace>(5, std::chrono::hours(24));
};

} // namespace outband
