#include "actors/legacy_events.hpp"

#include "messages/amt/catalogue.hpp"

namespace outband {

namespace {

/// As the catalogue names it; empty: nothing that MPS speaks of.
std::string name_of(const amt_operation& op) {
  struct visitor {
    std::string operator()(const amt::read_power&) const { return "power.state"; }
    std::string operator()(const amt::read_capabilities&) const { return "power.capabilities"; }
    std::string operator()(const amt::read_versions&) const { return {}; }
    std::string operator()(const amt::request_power&) const { return "power.action"; }
    std::string operator()(const amt::perform& p) const { return p.name; }
  };
  return std::visit(visitor{}, op);
}

json::value argument_of(const amt_operation& op) {
  const auto* p = std::get_if<amt::perform>(&op);
  if (p == nullptr || p->argument.empty() || p->sealed)
    return {};
  auto parsed = json::parse(p->argument);
  return parsed ? std::move(*parsed) : json::value();
}

result<std::int64_t> word_of(const result<amt_outcome>& outcome) {
  if (!outcome)
    return outcome.error();
  const auto* told = std::get_if<amt::document>(&*outcome);
  return told ? std::int64_t{amt::return_value_in(told->json).value_or(0)} : std::int64_t{0};
}

} // namespace

answer<amt_outcome> legacy_events::watched(const device_ref& about, const amt_operation& op,
                                           answer<amt_outcome> cb) const {
  auto name = name_of(op);
  say(bus::mps_begun(name), about);
  return [this, about, name = std::move(name), argument = argument_of(op),
          cb = std::move(cb)](result<amt_outcome> outcome) {
    say(bus::mps_ended(name, argument, word_of(outcome)), about);
    cb(std::move(outcome));
  };
}

void legacy_events::ended(const request& asked, const response& told) const {
  if (!is_final(told.status) || !std::holds_alternative<ask_action>(asked.body))
    return;
  if (told.status == request_status::rejected)
    return; // it reached no machine; MPS's gateway would have turned it away
  const bool answered = told.status == request_status::done || told.return_value.has_value();
  say(bus::mps_ended("power.action", {},
                     answered ? result<std::int64_t>(std::int64_t{told.return_value.value_or(0)})
                              : told.why.value_or(fail(problem::internal))),
      asked.target);
}

void legacy_events::not_connected(const device_ref& about) const {
  say(bus::mps_not_connected(), about);
}

void legacy_events::connected(const device_ref& about) const {
  say(bus::mps_connected(), about);
}

void legacy_events::say(const std::optional<bus::mps_event>& what, const device_ref& about) const {
  if (what && on_.mps)
    say(bus::mps_events_topic, bus::mps_payload(*what, about, clock_.now()));
}

void legacy_events::activated(std::string_view mode, const device_ref& about) const {
  if (on_.rps)
    say(bus::rps_events_topic, bus::rps_payload(mode, about, clock_.now()));
}

void legacy_events::say(std::string_view topic, std::string payload) const {
  bus::message m;
  m.topic = std::string(topic);
  m.payload = std::make_shared<const std::string>(std::move(payload));
  m.content_type = "application/json";
  m.qos = 0;
  to_.publish(std::move(m));
}

} // namespace outband
