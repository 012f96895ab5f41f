/// Where log lines go: standard error, through a thread of their own, so that no socket waits for a
/// slow terminal. Call from main() before and after everything else.
#pragma once

#include <string>

namespace outband {

/// `level`: trace, debug, info, warn, error. `json`: one object a line.
void start_logging(const std::string& level, bool json);
void stop_logging();

} // namespace outband
