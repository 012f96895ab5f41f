/// What a device writes: instances, lists, method results and faults in the firmware's own form.
///
/// Form (captured from AMT devices): prefixes a.. declared on the Envelope and nowhere else (RPS
/// turns any other declaration into a bogus element of its next Put), properties in ASCII order of
/// their names, arrays as repeated elements, Action = the request's + "Response", RelatesTo = the
/// request's MessageID verbatim.
/// Context: pure, any thread. Limits: none of its own; the caller bounds what it lists.
#pragma once

#include "messages/wsman/envelope.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace outband::wsman {

/// "2020-08-10T00:00:00Z"
struct datetime {
  std::string text;
};
/// "P1DT0H0M"
struct interval {
  std::string text;
};
using field_value = std::variant<std::string, endpoint, datetime, interval>;

struct field {
  std::string name;
  field_value value;
};
/// Fields in any order; of equal names the order is kept (an array).
struct instance {
  std::string class_name;
  std::vector<field> fields;
};

/// What an answer takes from its request, and the device's own message counter.
struct answer_header {
  std::string request_action;
  std::string relates_to;
  std::string resource_uri;
  std::uint64_t message_number = 0;
};

/// To Get and Put.
std::string write_instance(const answer_header& header, const instance& what);
/// To Delete, and to Puts that echo nothing.
std::string write_nothing(const answer_header& header);
/// To Create: a reference to what was made.
std::string write_created(const answer_header& header, const endpoint& what);
/// To WS-Eventing's Subscribe: a reference with which it is ended. Subscriptions do not expire.
std::string write_subscribed(const answer_header& header, const endpoint& manager);
std::string write_enumeration(const answer_header& header, std::string_view context);
/// To Pull; `next_context` empty: this was the last batch.
std::string write_items(const answer_header& header, const std::vector<instance>& items,
                        std::string_view next_context = {});
/// To a method; `out` in the order of the method's signature, ReturnValue last.
std::string write_method(const answer_header& header, std::string_view method,
                         const std::vector<field>& out, std::uint32_t return_value);

enum class fault_kind : std::uint8_t {
  destination_unreachable, ///< class or instance does not exist
  action_not_supported,    ///< no such method or operation
  access_denied,
  already_exists,
  quota_limit,
  invalid_enumeration_context,
  invalid_selectors,
  invalid_representation,  ///< a Put's body does not fit
  schema_validation_error, ///< malformed request
  timed_out,
  internal_error,
};
/// "DestinationUnreachable"
std::string_view to_string(fault_kind kind);
/// Goes with HTTP status 400.
std::string write_fault(const answer_header& header, fault_kind kind);

} // namespace outband::wsman
