/// One of each document with every field set, and comparison field by field.
#pragma once

#include "messages/bus/envelope.hpp"

#include <doctest/doctest.h>

#include <string>
#include <variant>
#include <vector>

namespace sample {

using namespace outband;
using namespace outband::bus;

inline const uuid message_id = *parse_uuid("01890a5d-ac96-774b-bcce-b302099a8057");
inline const uuid other_id = *parse_uuid("01890a5d-ac96-774b-bcce-b302099a8058");
inline const device_ref device{"acme", *parse_uuid("12345678-9abc-def0-1234-56789abcdef0")};
inline constexpr time_ms now = 1795235697123; // 2026-11-21T04:34:57.123Z

inline envelope full_envelope() {
  envelope e;
  e.id = message_id;
  e.time = now;
  e.source = "ctl-0";
  e.rev = 42;
  e.seq = 1ull << 60;
  e.epoch = 7;
  e.ctl = 3;
  e.incarnation = *parse_uuid("11111111-1111-4111-8111-111111111111");
  e.correlation = *parse_uuid("22222222-2222-4222-8222-222222222222");
  e.causation = *parse_uuid("33333333-3333-4333-8333-333333333333");
  e.trace_parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  e.by = "op/alice";
  e.about = device;
  return e;
}

inline void check_envelope(const envelope& a, const envelope& b) {
  CHECK(a.id == b.id);
  CHECK(a.time == b.time);
  CHECK(a.source == b.source);
  CHECK(a.rev == b.rev);
  CHECK(a.seq == b.seq);
  CHECK(a.epoch == b.epoch);
  CHECK(a.ctl == b.ctl);
  CHECK(a.incarnation == b.incarnation);
  CHECK(a.correlation == b.correlation);
  CHECK(a.causation == b.causation);
  CHECK(a.trace_parent == b.trace_parent);
  CHECK(a.by == b.by);
  CHECK(a.deleted == b.deleted);
}

inline desired_state desired() {
  return {{power_target::sleep, power_policy::immediate}};
}

inline void check(const desired_state& a, const desired_state& b) {
  CHECK(a.power.target == b.power.target);
  CHECK(a.power.policy == b.power.policy);
}

inline current_state current() {
  current_state c;
  c.power = {power_state::off_soft, 2, now - 60000, now - 1000};
  c.link = {link_state::late, 7, "term-1", "192.0.2.7", "silent for 50 s", now - 90000};
  c.amt = {"16.1.25", 4};
  c.desired_rev = 5;
  c.conditions = {{"power", false, "in-progress", "asked to power off \"now\" \xC3\xA4", now},
                  {"link", true, "", "", 0}};
  return c;
}

inline void check(const current_state& a, const current_state& b) {
  CHECK(a.power.state == b.power.state);
  CHECK(a.power.os_power_saving == b.power.os_power_saving);
  CHECK(a.power.since == b.power.since);
  CHECK(a.power.observed == b.power.observed);
  CHECK(a.link.state == b.link.state);
  CHECK(a.link.epoch == b.link.epoch);
  CHECK(a.link.instance == b.link.instance);
  CHECK(a.link.peer == b.link.peer);
  CHECK(a.link.why == b.link.why);
  CHECK(a.link.since == b.link.since);
  CHECK(a.amt.version == b.amt.version);
  CHECK(a.amt.provisioning_mode == b.amt.provisioning_mode);
  CHECK(a.desired_rev == b.desired_rev);
  REQUIRE(a.conditions.size() == b.conditions.size());
  for (std::size_t i = 0; i < a.conditions.size(); ++i) {
    CHECK(a.conditions[i].type == b.conditions[i].type);
    CHECK(a.conditions[i].ok == b.conditions[i].ok);
    CHECK(a.conditions[i].code == b.conditions[i].code);
    CHECK(a.conditions[i].reason == b.conditions[i].reason);
    CHECK(a.conditions[i].since == b.conditions[i].since);
  }
}

inline presence present() {
  return {link_state::up, "term-1", 7, "", now};
}

inline void check(const presence& a, const presence& b) {
  CHECK(a.link == b.link);
  CHECK(a.instance == b.instance);
  CHECK(a.epoch == b.epoch);
  CHECK(a.why == b.why);
  CHECK(a.since == b.since);
}

inline event happening() {
  return {event_class::power, "power.changed", "It is off now.", "on", "off", "op/alice", other_id};
}

inline void check(const event& a, const event& b) {
  CHECK(a.cls == b.cls);
  CHECK(a.type == b.type);
  CHECK(a.text == b.text);
  CHECK(a.from == b.from);
  CHECK(a.to == b.to);
  CHECK(a.by == b.by);
  CHECK(a.command == b.command);
}

inline void check(const failure& a, const failure& b) {
  CHECK(a.what == b.what);
  CHECK(a.detail == b.detail);
  CHECK(a.field == b.field);
}

inline response answer() {
  response r;
  r.id = other_id;
  r.status = request_status::failed;
  r.why = fail(problem::device_refused, "NOT_READY", "power");
  r.text = "The firmware refused.";
  r.rev = (1ull << 53) + 1; // does not fit a JavaScript number
  r.return_value = 2;
  r.snapshot = response::snapshot_body{desired(), 6, current(), 9};
  return r;
}

inline void check(const response& a, const response& b) {
  CHECK(a.id == b.id);
  CHECK(a.status == b.status);
  REQUIRE(a.why.has_value() == b.why.has_value());
  if (a.why)
    check(*a.why, *b.why);
  CHECK(a.text == b.text);
  CHECK(a.rev == b.rev);
  CHECK(a.return_value == b.return_value);
  REQUIRE(a.snapshot.has_value() == b.snapshot.has_value());
  if (a.snapshot) {
    check(a.snapshot->desired, b.snapshot->desired);
    CHECK(a.snapshot->desired_rev == b.snapshot->desired_rev);
    check(a.snapshot->current, b.snapshot->current);
    CHECK(a.snapshot->current_rev == b.snapshot->current_rev);
  }
}

inline std::vector<request_body> requests() {
  return {ask_desired{{power_target::off, std::nullopt}, std::nullopt},
          ask_desired{{std::nullopt, power_policy::immediate}, revision{0}},
          ask_desired{{power_target::keep, power_policy::ordered}, revision{7}},
          ask_once{power_once::cycle, power_policy::immediate},
          ask_once{power_once::reset, power_policy::ordered},
          ask_action{power_action::reset},
          ask_action{power_action::cycle_hard_graceful},
          ask_snapshot{}};
}

inline void check(const request_body& a, const request_body& b) {
  REQUIRE(a.index() == b.index());
  if (const auto* d = std::get_if<ask_desired>(&a)) {
    CHECK(d->patch.target == std::get<ask_desired>(b).patch.target);
    CHECK(d->patch.policy == std::get<ask_desired>(b).patch.policy);
    CHECK(d->if_rev == std::get<ask_desired>(b).if_rev);
  } else if (const auto* o = std::get_if<ask_once>(&a)) {
    CHECK(o->what == std::get<ask_once>(b).what);
    CHECK(o->policy == std::get<ask_once>(b).policy);
  } else if (const auto* c = std::get_if<ask_action>(&a)) {
    CHECK(c->action == std::get<ask_action>(b).action);
  }
}

inline amt_answer answered(amt_outcome outcome) {
  amt_answer a;
  a.id = message_id;
  a.device = device;
  a.epoch = 7;
  a.outcome = std::move(outcome);
  return a;
}

inline std::vector<amt_answer> answers() {
  power_capabilities can;
  can.amt_major = 16;
  can.bios_setup = can.secure_erase = can.force_diagnostic_boot = true;
  can.available_now = {2, 5, 8, 10};
  std::vector<amt_answer> all;
  all.push_back(answered(amt::power_reading{power_state::on, 3}));
  all.push_back(answered(can));
  all.push_back(answered(power_capabilities{}));
  all.push_back(answered(amt::versions{"16.1.25", "16392", "1424", 4}));
  all.push_back(answered(amt::power_ack{0xFFFFFFFF}));
  amt_answer refused;
  refused.id = message_id;
  refused.device = device;
  refused.outcome = fail(problem::device_timeout, "no answer in 10 s", "power");
  all.push_back(refused);
  return all;
}

inline void check(const amt_answer& a, const amt_answer& b) {
  CHECK(a.id == b.id);
  CHECK(a.device == b.device);
  CHECK(a.epoch == b.epoch);
  REQUIRE(a.outcome.ok() == b.outcome.ok());
  if (!a.outcome.ok())
    return check(a.outcome.error(), b.outcome.error());
  REQUIRE(a.outcome->index() == b.outcome->index());
  if (const auto* p = std::get_if<amt::power_reading>(&*a.outcome)) {
    CHECK(p->state == std::get<amt::power_reading>(*b.outcome).state);
    CHECK(p->os_power_saving == std::get<amt::power_reading>(*b.outcome).os_power_saving);
  } else if (const auto* c = std::get_if<power_capabilities>(&*a.outcome)) {
    const auto& d = std::get<power_capabilities>(*b.outcome);
    CHECK(c->amt_major == d.amt_major);
    CHECK(c->bios_setup == d.bios_setup);
    CHECK(c->secure_erase == d.secure_erase);
    CHECK(c->force_diagnostic_boot == d.force_diagnostic_boot);
    CHECK(c->available_now == d.available_now);
  } else if (const auto* v = std::get_if<amt::versions>(&*a.outcome)) {
    const auto& w = std::get<amt::versions>(*b.outcome);
    CHECK(v->amt == w.amt);
    CHECK(v->sku == w.sku);
    CHECK(v->build == w.build);
    CHECK(v->provisioning_mode == w.provisioning_mode);
  } else {
    CHECK(std::get<amt::power_ack>(*a.outcome).return_value ==
          std::get<amt::power_ack>(*b.outcome).return_value);
  }
}

inline std::vector<observation> batch() {
  std::vector<observation> all{{device, 7, now, link_up{"term-1", other_id, "192.0.2.7", 4}},
                               {{"blue", other_id}, 8, now + 1, link_late{false}},
                               {device, 7, now + 2, link_late{true}},
                               {device, 7, now + 3, power_seen{{power_state::hibernate, 2}}},
                               {device, 0, now + 3, connection_trouble{"certificate", "another"}},
                               {device, 0, now + 3, connection_trouble{}}};
  for (auto end : {link_end::peer_closed, link_end::silent, link_end::evicted, link_end::protocol,
                   link_end::shutdown, link_end::requested})
    all.push_back({device, 7, now + 4, link_down{end, "it went"}});
  for (const auto& a : answers())
    all.push_back({device, 7, now + 5, a});
  return all;
}

inline void check(const observation& a, const observation& b) {
  CHECK(a.device == b.device);
  CHECK(a.epoch == b.epoch);
  CHECK(a.at == b.at);
  REQUIRE(a.body.index() == b.body.index());
  if (const auto* u = std::get_if<link_up>(&a.body)) {
    const auto& v = std::get<link_up>(b.body);
    CHECK(u->instance == v.instance);
    CHECK(u->incarnation == v.incarnation);
    CHECK(u->peer == v.peer);
    CHECK(u->trigger == v.trigger);
  } else if (const auto* d = std::get_if<link_down>(&a.body)) {
    CHECK(d->why == std::get<link_down>(b.body).why);
    CHECK(d->text == std::get<link_down>(b.body).text);
  } else if (const auto* l = std::get_if<link_late>(&a.body)) {
    CHECK(l->late == std::get<link_late>(b.body).late);
  } else if (const auto* p = std::get_if<power_seen>(&a.body)) {
    CHECK(p->reading.state == std::get<power_seen>(b.body).reading.state);
    CHECK(p->reading.os_power_saving == std::get<power_seen>(b.body).reading.os_power_saving);
  } else if (const auto* t = std::get_if<connection_trouble>(&a.body)) {
    CHECK(t->code == std::get<connection_trouble>(b.body).code);
    CHECK(t->text == std::get<connection_trouble>(b.body).text);
  } else {
    check(std::get<amt_answer>(a.body), std::get<amt_answer>(b.body));
  }
}

inline void check(const std::vector<observation>& a, const std::vector<observation>& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i)
    check(a[i], b[i]);
}

inline std::vector<work_body> works() {
  return {amt_call{other_id, device, 7, amt::read_power{}, now},
          amt_call{other_id, device, 0, amt::read_capabilities{}, now},
          amt_call{other_id, device, 7, amt::read_versions{}, now},
          amt_call{other_id, device, 7, amt::request_power{power_action::off_soft}, now},
          evict{device, 6},
          disconnect{device}};
}

inline void check(const work_body& a, const work_body& b) {
  REQUIRE(a.index() == b.index());
  if (const auto* c = std::get_if<amt_call>(&a)) {
    const auto& d = std::get<amt_call>(b);
    CHECK(c->id == d.id);
    CHECK(c->device == d.device);
    CHECK(c->epoch == d.epoch);
    CHECK(c->deadline == d.deadline);
    REQUIRE(c->operation.index() == d.operation.index());
    if (const auto* p = std::get_if<amt::request_power>(&c->operation))
      CHECK(p->action == std::get<amt::request_power>(d.operation).action);
  } else if (const auto* e = std::get_if<evict>(&a)) {
    CHECK(e->device == std::get<evict>(b).device);
    CHECK(e->epoch == std::get<evict>(b).epoch);
  } else {
    CHECK(std::get<disconnect>(a).device == std::get<disconnect>(b).device);
  }
}

} // namespace sample
