/// Free TCP ports on loopback for servers that a test starts.
#pragma once

#include <cstdint>

namespace outband::test {

/// Given to nobody else by any test program that runs, as long as this one does. Below the ports
/// that the kernel gives to outgoing connections: one of these would sometimes sit on it when a
/// server is started, or started again.
std::uint16_t free_port();

} // namespace outband::test
