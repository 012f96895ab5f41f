/// What every actor of a process is given. Outlives the actor system.
#pragma once

#include "actors/device_machine.hpp"
#include "actors/link_directory.hpp"
#include "actors/ports/clock.hpp"
#include "actors/ports/secrets.hpp"
#include "actors/ports/store.hpp"
#include "bus/endpoint.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

namespace outband {

/// Read by /metrics; written by actors without further ado.
struct actor_counters {
  std::atomic<std::uint64_t> links{0}, device_actors{0}, queued_calls{0};
  std::atomic<std::uint64_t> stale_epoch{0}, observations{0}, amt_calls{0}, amt_failures{0};
  std::atomic<std::uint64_t> requests_accepted{0}, requests_refused{0}, tenant_mismatch{0};
  std::atomic<std::uint64_t> decode_errors{0}, retained_commands{0}, actor_restarts{0};
  std::atomic<std::uint64_t> store_retries{0};
};

struct services {
  store_port& store;
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
  std::chrono::milliseconds former_links_grace{std::chrono::seconds(30)};
  bool mirror_json = true; ///< publish oobx/v1 as well
};

} // namespace outband
