/// How a command ends: exit codes, and the words that go with a failure.
/// Context: pure.
#pragma once

#include "messages/domain/result.hpp"

#include <string>

namespace outband::cli {

/// Public: scripts depend on the numbers.
enum class exit_code : int {
  ok = 0,            ///< done; with --wait: observed
  other = 1,         ///< anything that has no number of its own
  usage = 2,         ///< the command line or an environment variable is wrong
  refused = 3,       ///< the machine, or the state it is in, does not allow it
  timed_out = 4,     ///< accepted, but not observed in time
  not_signed_in = 5, ///< no token, or it is expired or not accepted
  not_found = 6,     ///< no such host in this tenant
};

/// `field` of failures that this program finds itself: what was wrong with the command line.
inline constexpr const char* usage_field = "usage";

exit_code exit_of(const failure& f);

/// Stable word of a failure for JSON output: a problem's code, or "server-unreachable",
/// "server-certificate", "server-timeout", "server-answer".
std::string code_of(const failure& f);

/// "outband: what happened\n  what to do now\n". `server` is its URL, for the words.
std::string words_of(const failure& f, const std::string& server);

} // namespace outband::cli
