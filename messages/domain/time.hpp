/// Milliseconds UTC as text, the way JSON documents and REST show them.
/// Context: pure; nobody here asks a clock. Years 1970 to 9999, proleptic Gregorian, no leap
/// seconds.
#pragma once

#include "messages/domain/ids.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace outband {

/// 9999-12-31T23:59:59.999Z
inline constexpr time_ms max_time_ms = 253402300799999;

/// "2026-11-21T04:34:57.123Z"; what lies outside the range is shown as its nearest end.
std::string to_rfc3339(time_ms t);
/// RFC 3339 section 5.6: 'T' and 'Z' of either case, an offset, up to 9 digits of fraction (cut to
/// milliseconds). Refuses second 60 and years before 1970.
std::optional<time_ms> parse_rfc3339(std::string_view text);

} // namespace outband
