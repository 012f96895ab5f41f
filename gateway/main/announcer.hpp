/// Tells the bus that this node lives: a retained birth at each connection, a will for its death,
/// a farewell when it stops in order.
///
/// A broker may publish the will of an older connection or of this node's former life after our
/// birth; the retained word would then be "down" for ever. So we listen to our own topic and say
/// again that we live. Others ignore the death of an incarnation that is not the newest they know.
///
/// Threads: construct and destroy on the main thread, everything else on any; publishes from the
/// endpoint's thread too. The endpoint must outlive it.
#pragma once

#include "actors/ports/clock.hpp"
#include "bus/endpoint.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace outband {

struct announcement {
  std::string node;
  uuid incarnation{};
  std::vector<std::string> roles{};
};

/// For mqtt_options::will: published by the broker when the connection breaks.
std::function<std::optional<bus::message>()> will_of(announcement who, clock_port& clock);

class announcer {
public:
  announcer(bus::endpoint& on, announcement who, clock_port& clock,
            std::function<std::uint64_t()> links);
  ~announcer(); ///< says goodbye

  /// From now on we let our machines go: said at once and with each birth.
  void drain();

private:
  /// Shared with the endpoint's callbacks, which may be under way when we go.
  struct voice;
  std::shared_ptr<voice> voice_;
  bus::subscription own_topic_, connection_;
};

} // namespace outband
