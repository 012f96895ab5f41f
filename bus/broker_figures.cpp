#include "bus/broker_figures.hpp"

#include <charconv>
#include <mutex>
#include <spdlog/spdlog.h>

namespace outband::bus {

struct broker_figures::state {
  mutable std::mutex mutex;
  broker_values values;
  bool dropped_known = false;

  void take(std::uint64_t broker_values::*which, const message& m);
};

void broker_figures::state::take(std::uint64_t broker_values::*which, const message& m) {
  std::uint64_t value = 0;
  const auto* end = m.payload->data() + m.payload->size();
  if (auto r = std::from_chars(m.payload->data(), end, value); r.ec != std::errc() || r.ptr != end)
    return; // some newer broker's wording
  std::uint64_t lost = 0;
  {
    std::lock_guard<std::mutex> lock(mutex);
    if (which == &broker_values::dropped) {
      // The first value is history; a lower one is that of a broker which has started anew.
      if (dropped_known)
        lost = value >= values.dropped ? value - values.dropped : value;
      dropped_known = true;
      values.drops_seen += lost;
    }
    values.*which = value;
    values.known = true;
  }
  if (lost != 0)
    spdlog::error("the broker has dropped {} messages that somebody was to get: its limits "
                  "(max_queued) are too low for what happens here",
                  lost);
}

broker_figures::broker_figures(endpoint& bus) : state_(std::make_shared<state>()) {
  struct source {
    const char* topic;
    std::uint64_t broker_values::*which;
  };
  // Mosquitto 2.0 src/sys_tree.c
  for (const auto& s :
       {source{"$SYS/broker/publish/messages/dropped", &broker_values::dropped},
        source{"$SYS/broker/retained messages/count", &broker_values::retained},
        source{"$SYS/broker/heap/current", &broker_values::heap_octets},
        source{"$SYS/broker/clients/connected", &broker_values::connected},
        source{"$SYS/broker/store/messages/bytes", &broker_values::stored_octets}}) {
    subscribe_options how;
    how.qos = 0; // the next one makes up for a lost one
    subscriptions_.push_back(bus.subscribe(
        s.topic, how, [to = state_, which = s.which](const message& m) { to->take(which, m); }));
  }
}

broker_figures::~broker_figures() = default;

broker_values broker_figures::now() const {
  std::lock_guard<std::mutex> lock(state_->mutex);
  return state_->values;
}

} // namespace outband::bus
