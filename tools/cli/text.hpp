/// Text for terminals: tables, moments, and nothing that a terminal would obey.
/// Context: pure but for local_time(), which reads the time zone.
#pragma once

#include "messages/domain/ids.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace outband::cli {

/// What came from a server: control characters and what is not UTF-8 become '?', so that a host's
/// name cannot move the cursor or rewrite the screen.
std::string printable(std::string_view text);

/// Each line with `by` in front.
std::string indented(std::string_view text, std::string_view by);

/// "2026-11-21 09:45:02" in the local time zone; "-" for 0.
std::string local_time(time_ms at);
/// "09:45:02"
std::string local_clock(time_ms at);
/// "2026-11-21T09:45:02Z"; empty for 0.
std::string utc(time_ms at);

/// Columns as wide as their widest cell, two spaces apart, the last one ragged. The first row is
/// the heading. Cells pass through printable().
std::string table(const std::vector<std::vector<std::string>>& rows);

} // namespace outband::cli
