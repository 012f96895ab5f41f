/// Documents as octets in database columns: MessagePack of the body alone, without an envelope.
///
/// The same field lists as on the bus, so a column holds what the bus would carry. Unknown fields
/// are ignored: an older program may read what a newer one stored. Context: pure, any thread.
#pragma once

#include "messages/domain/documents.hpp"
#include "messages/domain/result.hpp"

#include <string>
#include <string_view>

namespace outband::bus {

std::string pack(const request_body& body);
std::string pack(const response& body);
std::string pack(const desired_state& body);
std::string pack(const current_state& body);

result<request_body> unpack_request_body(std::string_view octets);
result<response> unpack_response(std::string_view octets);
result<desired_state> unpack_desired(std::string_view octets);
result<current_state> unpack_current(std::string_view octets);

/// SHA-256, 64 lower-case hex digits, over pack(body): equal for equal wishes whatever the
/// encoding they came in. The same request id with another hash is refused.
std::string argument_hash(const request_body& body);

} // namespace outband::bus
