/// What the parts of the process count, as Prometheus text. Threads: any. METRICS.md lists all of
/// it; a test compares.
#pragma once

#include "actors/services.hpp"
#include "actors/store/pg_outbox.hpp"
#include "bus/broker_figures.hpp"
#include "bus/mqtt_endpoint.hpp"
#include "gateway/activation/counters.hpp"
#include "gateway/cira/listener.hpp"
#include "gateway/http/server.hpp"
#include "gateway/main/controlling.hpp"
#include "gateway/main/own_process.hpp"

#include <optional>
#include <string>

namespace outband {

struct figures {
  std::string version, node;
  const actor_counters* actors = nullptr;
  const store::database_counters* database = nullptr;
  bus::mqtt_counters mqtt; ///< of the node's own connection
  bus::broker_values broker;
  std::optional<controlling::figures> control;  ///< of a node that may control
  std::optional<store::outbox_backlog> backlog; ///< of the node that controls
  std::optional<cira::listener::figures> tunnels;
  std::optional<web::server::counts> web;
  const activation::counters* activation = nullptr; ///< of a node that provisions machines
  process_figures process;
};
std::string metrics_text(const figures& f);

} // namespace outband
