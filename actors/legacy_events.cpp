#include "actors/legacy_events.hpp"

namespace outband {

void legacy_events::begun(std::string_view name, const device_ref& about) const {
  if (auto e = bus::mps_begun(name))
    say(*e, about);
}

void legacy_events::ended(std::string_view name, const device_ref& about,
                          const json::value& argument, const result<json::value>& outcome) const {
  if (auto e = bus::mps_ended(name, argument, outcome))
    say(*e, about);
}

void legacy_events::connected(const device_ref& about) const {
  say(bus::mps_connected(), about);
}

void legacy_events::say(const bus::mps_event& what, const device_ref& about) const {
  bus::message m;
  m.topic = std::string(bus::mps_events_topic);
  m.payload = std::make_shared<const std::string>(bus::mps_payload(what, about, clock_.now()));
  m.content_type = "application/json";
  m.qos = 0;
  to_.publish(std::move(m));
}

} // namespace outband
