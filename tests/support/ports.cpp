#include "tests/support/ports.hpp"

#include <cerrno>
#include <fstream>
#include <netinet/in.h>
#include <random>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

namespace outband::test {

namespace {

constexpr int lowest = 10'000, usual_end = 32'768;

/// Where the kernel begins to choose the ports of outgoing connections.
int end_of_ours() {
  int first = 0;
  std::ifstream in("/proc/sys/net/ipv4/ip_local_port_range");
  return in >> first && first > lowest + 1000 ? first : usual_end;
}

/// The bound socket, or -1.
int bound(int type, int port) {
  const int fd = ::socket(AF_INET, type | SOCK_CLOEXEC, 0);
  if (fd < 0)
    throw std::system_error(errno, std::generic_category(), "no socket");
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  at.sin_port = htons(static_cast<std::uint16_t>(port));
  if (::bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0)
    return fd;
  ::close(fd);
  return -1;
}

} // namespace

std::uint16_t free_port() {
  static const int end = end_of_ours();
  thread_local std::mt19937 random(std::random_device{}());
  std::uniform_int_distribution<int> any(lowest, end - 1);
  for (int tries = 0; tries < 10'000; ++tries) {
    const int port = any(random);
    // The UDP port of that number says to all test programs that it is taken, until this one ends.
    const int claim = bound(SOCK_DGRAM, port);
    if (claim < 0)
      continue;
    const int probe = bound(SOCK_STREAM, port);
    if (probe >= 0) {
      ::close(probe);
      return static_cast<std::uint16_t>(port);
    }
    ::close(claim);
  }
  throw std::system_error(EADDRINUSE, std::generic_category(), "no free port");
}

} // namespace outband::test
