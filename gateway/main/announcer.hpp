/// Tells the bus that this node lives: a retained birth at each connection, a will for its death,
/// a farewell when it stops in order.
///
/// Threads: construct and destroy on the main thread; publishes from the endpoint's thread. The
/// endpoint must outlive it.
#pragma once

#include "actors/ports/clock.hpp"
#include "bus/endpoint.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace outband {

struct announcement {
  std::string node;
  uuid incarnation{};
  bool controller = false; ///< this node plays the controller's role
};

/// For mqtt_options::will: published by the broker when the connection breaks.
std::function<std::optional<bus::message>()> will_of(announcement who, clock_port& clock);

class announcer {
public:
  announcer(bus::endpoint& on, announcement who, clock_port& clock,
            std::function<std::uint64_t()> links);
  ~announcer(); ///< says goodbye

private:
  /// Shared with the endpoint's callback, which may be under way when we go.
  struct voice;
  std::shared_ptr<voice> voice_;
  bus::subscription connection_;
};

} // namespace outband
