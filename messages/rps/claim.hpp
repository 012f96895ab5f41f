/// The payload of a client's first message: what it says of its machine.
///
/// Source: rpc-go internal/rps/message.go for the members, rps src/utils/ClientMsgJsonParser.ts and
/// src/Validator.ts for what is refused and in which words. JSON null counts as absent: Go writes
/// it for an empty list.
/// Context: pure, any thread. Limits: texts of 256 octets, 128 hashes.
#pragma once

#include "messages/domain/activation.hpp"
#include "messages/domain/result.hpp"

#include <string_view>

namespace outband::rps {

/// `json` is what was in the payload's base64. `field` of a failure is "payload.<member>".
result<machine_claim> parse_claim(std::string_view json);

/// GUIDs that boards without one of their own show: nil, all ones, and a well-known filler. Two
/// machines with one of these would be one machine to us.
bool is_placeholder(const uuid& id);

} // namespace outband::rps
