/// Says on MPS's topic what happens, where a site has that switched on (`legacy.mps_events`), and
/// on RPS's what activations come to (`legacy.rps_events`).
///
/// Fire and forget as MPS does it: QoS 0, not retained, nothing while the broker is away. Said by
/// whoever serves the request or has the tunnel, so each thing is said once. Context: any thread.
#pragma once

#include "actors/ports/clock.hpp"
#include "actors/ports/store.hpp"
#include "bus/endpoint.hpp"
#include "messages/bus/legacy.hpp"

namespace outband {

class legacy_events {
public:
  struct topics {
    bool mps = true, rps = false;
  };
  /// `to`: the public broker. Both outlive it, and it outlives every call that it watches.
  legacy_events(bus::endpoint& to, const clock_port& clock, topics on = {true, false})
      : to_(to), clock_(clock), on_(on) {}

  /// Somebody asks a machine that has a tunnel: says that now, and how it ended before `cb`.
  answer<amt_outcome> watched(const device_ref& about, const amt_operation& op,
                              answer<amt_outcome> cb) const;
  /// The same for a request that ends with a response: power actions.
  void ended(const request& asked, const response& told) const;
  /// Somebody asked for a machine that has no tunnel.
  void not_connected(const device_ref& about) const;
  void connected(const device_ref& about) const;
  /// An activation has ended; see bus::rps_payload.
  void activated(std::string_view mode, const device_ref& about) const;

private:
  void say(std::string_view topic, std::string payload) const;
  void say(const std::optional<bus::mps_event>& what, const device_ref& about) const;
  bus::endpoint& to_;
  const clock_port& clock_;
  topics on_;
};

} // namespace outband
