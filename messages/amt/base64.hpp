/// base64 with padding (RFC 4648 section 4): what firmware wraps octets in.
/// Context: pure, any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace outband::amt {

std::string base64_encode(std::string_view octets);
/// Blanks and line breaks are skipped and padding may be missing; nullopt: a foreign character or
/// an impossible length.
std::optional<std::string> base64_decode(std::string_view text);

} // namespace outband::amt
