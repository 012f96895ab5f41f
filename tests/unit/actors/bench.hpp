/// The device's machine by itself: no actor, no clock but a number.
#pragma once

#include "actors/device_machine.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace outband::testing {

/// One device and a clock that moves when told; plays the link's part by hand.
struct bench {
  device_memory mem;
  time_ms now = 1'000'000;
  std::uint8_t next_id = 1;
  std::vector<device_effect> last;

  bench() {
    mem.ref = {"acme", *parse_uuid("12345678-9abc-def0-1234-56789abcdef0")};
    mem.times.read_facts = false; // facts_test.cpp does
  }
  uuid id() {
    uuid u;
    u.bytes[15] = next_id++;
    return u;
  }
  const std::vector<device_effect>& happen(const device_event& e) {
    last = decide(mem, e, now, [this] { return id(); });
    return last;
  }
  void link_comes(link_epoch epoch = 7) {
    happen(observation{mem.ref, epoch, now, link_up{"n1", {}, "192.0.2.7:4711", 4}});
    mem.versions_asked = true; // its own test below
  }
  void link_goes(link_end why = link_end::peer_closed) {
    happen(observation{mem.ref, mem.current.link.epoch, now, link_down{why, "gone"}});
  }
  void wish(power_target t, power_policy p = power_policy::ordered) {
    desired_state d;
    d.power.target = t;
    d.power.policy = p;
    happen(row_stored{d, mem.desired_rev + 1, {}});
  }
  uuid command(request_body body, time_ms deadline = 0) {
    open_command c;
    c.row.id = id();
    c.row.ref = mem.ref;
    c.row.deadline = deadline == 0 ? now + 60'000 : deadline;
    c.row.by = "op/alice";
    c.body = std::move(body);
    happen(row_stored{mem.desired, mem.desired_rev, {c}});
    return c.row.id;
  }
  template <class T> std::vector<T> effects() const {
    std::vector<T> out;
    for (const auto& e : last)
      if (const auto* x = std::get_if<T>(&e))
        out.push_back(*x);
    return out;
  }
  /// The call that was sent just now.
  amt_call call() const {
    auto calls = effects<send_call>();
    REQUIRE(calls.size() == 1);
    return calls[0].call;
  }
  bool sent_power(power_action a) const {
    for (const auto& c : effects<send_call>())
      if (const auto* p = std::get_if<amt::request_power>(&c.call.operation))
        return p->action == a;
    return false;
  }
  void reply(const amt_call& to, result<amt_outcome> outcome) {
    amt_answer a{to.id, mem.ref, mem.current.link.epoch, std::move(outcome)};
    happen(observation{mem.ref, mem.current.link.epoch, now, a});
  }
  void says(const amt_call& to, power_state s) { reply(to, amt_outcome{amt::power_reading{s, 2}}); }
  void acks(const amt_call& to, std::uint32_t rv = 0) {
    reply(to, amt_outcome{amt::power_ack{rv}});
  }
  void can(const amt_call& to, int major = 16) {
    power_capabilities c;
    c.amt_major = major;
    reply(to, amt_outcome{c});
  }
  void pass(time_ms ms) {
    now += ms;
    happen(timer_fired{});
  }
  std::vector<std::string> event_types() const {
    std::vector<std::string> out;
    for (const auto& e : effects<emit_event>())
      out.push_back(e.what.type);
    return out;
  }
  bool said(const std::string& type) const {
    auto all = event_types();
    return std::find(all.begin(), all.end(), type) != all.end();
  }
  const condition* cond(const std::string& type) const {
    for (const auto& c : mem.current.conditions)
      if (c.type == type)
        return &c;
    return nullptr;
  }
  /// Up, seen on, nothing wanted.
  void settle_on() {
    link_comes();
    says(call(), power_state::on);
    REQUIRE_FALSE(mem.run);
  }
};

} // namespace outband::testing
