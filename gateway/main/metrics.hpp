/// What the parts of the process count, as Prometheus text. Threads: any.
#pragma once

#include "actors/services.hpp"
#include "actors/store/database.hpp"
#include "bus/mqtt_endpoint.hpp"
#include "gateway/cira/listener.hpp"
#include "gateway/main/controlling.hpp"

#include <optional>
#include <string>

namespace outband {

struct figures {
  const actor_counters* actors = nullptr;
  const store::database_counters* database = nullptr;
  bus::mqtt_counters mqtt;
  std::optional<controlling::figures> control; ///< of a node that may control
  std::optional<cira::listener::figures> tunnels;
};
std::string metrics_text(const figures& f);

} // namespace outband
