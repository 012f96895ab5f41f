/// base64url without padding (RFC 4648 section 5, RFC 7515 section 2): what JWTs are made of.
/// Context: pure, any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace outband::ticket {

std::string base64url_encode(std::string_view octets);
/// nullopt: padding, a foreign character, an impossible length, or unused bits that are not zero,
/// so that each value has exactly one text.
std::optional<std::string> base64url_decode(std::string_view text);

} // namespace outband::ticket
