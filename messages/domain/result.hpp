/// Errors as values: what every fallible function in Outband returns.
///
/// A `problem` is a stable code (REST, CLI, topics show the same one); `explain()` gives its words.
/// `detail` says what was wrong with this very input, `field` names the input's offending member.
/// Context: pure, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace outband {

/// Never renumber or reuse: `explain(p).code` is part of the public interface.
enum class problem : std::uint8_t {
  malformed,          ///< the input is not of the form it must have
  too_large,          ///< a bound was exceeded
  unauthenticated,    ///< who is asking is unknown, or the ticket is bad or expired
  forbidden,          ///< who is asking may not do this
  not_found,          ///< no such thing in this tenant
  already_exists,     ///< unique key
  revision_conflict,  ///< the caller's revision is not the present one
  transition_refused, ///< the machine's present state does not allow it
  unsupported,        ///< this machine or this version cannot do it
  link_down,          ///< the machine has no tunnel
  stale_epoch,        ///< said about a link that is no longer the newest
  busy,               ///< queue or rate limit reached
  expired,            ///< the deadline passed before it was carried out
  device_timeout,     ///< the firmware did not answer in time
  device_refused,     ///< the firmware answered with an error value
  device_protocol,    ///< the firmware answered something that could not be understood
  device_auth,        ///< the firmware refused our credentials
  outcome_unknown,    ///< it was sent, but what came of it cannot be known
  store_unavailable,  ///< the database cannot be reached or refused to store
  bus_unavailable,    ///< the broker cannot be reached
  cancelled,          ///< superseded by a newer request
  internal,           ///< a defect of ours
  stale_controller,   ///< said by a controller that has lost its lease
  duplicate_guid,     ///< two machines call home with one GUID
};

struct explanation {
  std::string_view code; ///< stable, kebab-case; scripts may depend on it
  std::string_view what; ///< what happened, in the operator's words
  std::string_view next; ///< what to do now
  int status;            ///< HTTP status, also the numeric `code` of bus responses
  bool retry;            ///< the same request may succeed later
};
explanation explain(problem p);
/// The problem with that stable code; nullopt if there is none.
std::optional<problem> problem_from_code(std::string_view code);

struct failure {
  problem what = problem::internal;
  std::string detail{}; ///< free text for people; never a secret
  std::string field{};  ///< the offending input member, e.g. "power.target"; empty if none
};
/// "power.target: 'onn' is not one of on, off (malformed)"
std::string to_string(const failure& f);

inline failure fail(problem p, std::string detail = {}, std::string field = {}) {
  return {p, std::move(detail), std::move(field)};
}

struct nothing {};

/// A value or a failure. `T` must not be `failure`.
template <class T> class [[nodiscard]] result {
public:
  using value_type = T;
  result(T value) : data_(std::in_place_index<0>, std::move(value)) {}
  result(failure f) : data_(std::in_place_index<1>, std::move(f)) {}

  bool ok() const { return data_.index() == 0; }
  explicit operator bool() const { return ok(); }
  const T& operator*() const& { return *std::get_if<0>(&data_); }
  T& operator*() & { return *std::get_if<0>(&data_); }
  T&& operator*() && { return std::move(*std::get_if<0>(&data_)); }
  const T* operator->() const { return std::get_if<0>(&data_); }
  T* operator->() { return std::get_if<0>(&data_); }
  /// Only when !ok().
  const failure& error() const { return *std::get_if<1>(&data_); }

private:
  std::variant<T, failure> data_;
};

using status = result<nothing>;
inline status success() {
  return nothing{};
}

} // namespace outband
