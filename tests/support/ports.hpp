/// Free TCP ports on loopback for servers that a test starts.
#pragma once

#include <cstdint>

namespace outband::test {

/// A port that was free a moment ago and that this process has not handed out before. Another
/// process may still take it: a server that fails to bind is started again by its helper.
std::uint16_t free_port();

} // namespace outband::test
