/// MessagePack of a tree. Public specification: msgpack/msgpack spec.md.
///
/// Written: the shortest form of each; UUIDs as 16 octets of bin, moments as integers, map keys as
/// text in the order given, so equal trees give equal octets. Read: within tree_limits, no ext
/// types, keys are text and unique, no NaN or infinity, and nothing may follow. Context: pure.
#pragma once

#include "messages/bus/value.hpp"
#include "messages/domain/result.hpp"

#include <string>
#include <string_view>

namespace outband::bus {

std::string to_msgpack(const value& v);
result<value> from_msgpack(std::string_view octets, const tree_limits& limits = {});

} // namespace outband::bus
