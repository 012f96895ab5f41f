/// JSON (RFC 8259) of a tree.
///
/// Written: compact; UUIDs hyphenated, moments as RFC 3339 with milliseconds, octets as base64url,
/// integers beyond 2^53 as text, for JavaScript would round them. Read: within tree_limits, keys
/// are unique, a number that fits no 64-bit integer or no finite double is refused, and nothing may
/// follow. Context: pure.
#pragma once

#include "messages/bus/value.hpp"
#include "messages/domain/result.hpp"

#include <string>
#include <string_view>

namespace outband::bus {

std::string to_json(const value& v);
result<value> from_json(std::string_view text, const tree_limits& limits = {});

} // namespace outband::bus
