/// How the broker is doing, by its own words: a handful of $SYS topics that Mosquitto publishes
/// when they change, every `sys_interval` seconds. Nothing is asked for.
///
/// The one that matters is `dropped`: Mosquitto drops above its limits without a word to sender or
/// receiver, so any increase is logged as an error.
/// Threads: any; callbacks run on the endpoint's thread. The endpoint must outlive it.
#pragma once

#include "bus/endpoint.hpp"

#include <memory>

namespace outband::bus {

struct broker_values {
  bool known = false;              ///< something has come since the start
  std::uint64_t dropped = 0;       ///< publications, since the broker's start
  std::uint64_t retained = 0;      ///< messages, expired ones and $SYS included
  std::uint64_t heap_octets = 0;   ///< in use
  std::uint64_t connected = 0;     ///< clients
  std::uint64_t stored_octets = 0; ///< of payloads, retained or queued for somebody
  std::uint64_t drops_seen = 0;    ///< increases of `dropped` since our start
};

class broker_figures {
public:
  explicit broker_figures(endpoint& bus);
  ~broker_figures();
  broker_figures(const broker_figures&) = delete;
  broker_figures& operator=(const broker_figures&) = delete;

  /// The newest; those of a broker that is away stay.
  broker_values now() const;

private:
  struct state;
  std::shared_ptr<state> state_;
  std::vector<subscription> subscriptions_;
};

} // namespace outband::bus
