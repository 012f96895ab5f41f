/// Says on MPS's topic what happens, where a site has that switched on (`legacy.mps_events`).
///
/// Fire and forget as MPS does it: QoS 0, not retained, nothing while the broker is away. Said by
/// whoever serves the request or has the tunnel, so each thing is said once. Context: any thread.
#pragma once

#include "actors/ports/clock.hpp"
#include "bus/endpoint.hpp"
#include "messages/bus/legacy.hpp"

namespace outband {

class legacy_events {
public:
  /// `to`: the public broker. Both outlive it.
  legacy_events(bus::endpoint& to, const clock_port& clock) : to_(to), clock_(clock) {}

  /// An operation of messages/amt/catalogue.hpp leaves for the machine; `name` as there.
  void begun(std::string_view name, const device_ref& about) const;
  /// It is over; `argument` as it was asked with, null if there was none.
  void ended(std::string_view name, const device_ref& about, const json::value& argument,
             const result<json::value>& outcome) const;
  void connected(const device_ref& about) const;

private:
  void say(const bus::mps_event& what, const device_ref& about) const;
  bus::endpoint& to_;
  const clock_port& clock_;
};

} // namespace outband
