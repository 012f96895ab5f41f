/// What the field lists of bodies.cpp and internal_bodies.cpp share: the values a choice may have,
/// limits, and structs that appear in both. Context: pure; those two files only.
#pragma once

#include "messages/bus/describe.hpp"
#include "messages/domain/documents.hpp"

namespace outband {

// Found by argument-dependent lookup, hence beside the enumerations. An enumerator that is missing
// here cannot be read back: the round-trip tests walk all of them.
constexpr std::array<power_target, 5> values_of(power_target) {
  return {power_target::keep, power_target::on, power_target::off, power_target::sleep,
          power_target::hibernate};
}
constexpr std::array<power_policy, 2> values_of(power_policy) {
  return {power_policy::ordered, power_policy::immediate};
}
constexpr std::array<power_once, 2> values_of(power_once) {
  return {power_once::reset, power_once::cycle};
}
constexpr std::array<link_state, 4> values_of(link_state) {
  return {link_state::down, link_state::up, link_state::late, link_state::unknown};
}
constexpr std::array<event_class, 9> values_of(event_class) {
  return {event_class::link,    event_class::power,  event_class::amt,
          event_class::command, event_class::config, event_class::audit,
          event_class::log,     event_class::alert,  event_class::activation};
}
constexpr std::array<request_status, 7> values_of(request_status) {
  return {request_status::accepted, request_status::done,    request_status::failed,
          request_status::rejected, request_status::expired, request_status::unknown,
          request_status::running};
}
constexpr std::array<link_end, 6> values_of(link_end) {
  return {link_end::peer_closed, link_end::silent,   link_end::evicted,
          link_end::protocol,    link_end::shutdown, link_end::requested};
}
namespace bus {

inline constexpr std::size_t sentence = 512;        ///< octets; plain words for people
inline constexpr std::size_t name_limit = 64;       ///< octets; instances, addresses, versions
inline constexpr std::size_t detail_limit = 16'384; ///< octets of JSON in an event

template <class A> void power_code(A& a, std::string_view key, power_state& x) {
  a.number_of(
      key, x, [](int code) { return std::optional(power_state_from_code(code)); }, 0, 255);
}
template <class A> void power_code(A& a, std::string_view key, const power_state& x) {
  a.number_of(key, x, nullptr, 0, 255);
}

template <class A, class T> void describe_ref(A& a, T& ref) {
  a.text("ten", ref.tenant, 20, need::required);
  a.check(valid_tenant_key(ref.tenant), "ten", "is not a tenant's key");
  a.id("dev", ref.device, need::required);
}

template <class A, class T> void describe_failure(A& a, T& f) {
  a.problem_code("code", f.what);
  a.text("detail", f.detail, sentence);
  a.text("field", f.field, 128);
}

} // namespace bus
} // namespace outband
