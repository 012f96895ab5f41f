/// PTHI messages as octets. One MEI message is one PTHI message.
///
///   auto asked = decode_request(octets);              // firmware's side (the simulator)
///   auto answered = decode_response(command, octets); // host's side (the edge agent)
///
/// A head of 12 octets (version 1.1, reserved, command, length of what follows), in answers with
/// response_bit set and 32 bits of status after it; the length counts the status.
/// Source: see messages.hpp. Context: pure, any thread.
/// Limits: max_message and those in messages.hpp, both ways; a text that is too long for its field
///   is cut when written. Octets that follow the announced length are ignored when reading, as
///   rpc reads into a zeroed buffer of the largest size.
#pragma once

#include "messages/domain/result.hpp"
#include "messages/pthi/messages.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace outband::pthi {

std::string encode(const request& r);
/// problem::unsupported for a command that is not in `command`, else problem::malformed.
result<request> decode_request(std::string_view octets);
/// The command of anything with the head of a request, known or not; so that it can be refused.
std::optional<std::uint32_t> peek_command(std::string_view octets);

std::string encode(const response& r);
/// A refusal of a command, known or not: a head and a status.
std::string encode_refusal(std::uint32_t command, answer_status status);
/// The answer to `asked`, and to nothing else.
result<response> decode_response(command asked, std::string_view octets);

} // namespace outband::pthi
