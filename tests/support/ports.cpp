#include "tests/support/ports.hpp"

#include <cerrno>
#include <mutex>
#include <netinet/in.h>
#include <set>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

namespace outband::test {

namespace {

std::uint16_t ask_kernel() {
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  auto* address = reinterpret_cast<sockaddr*>(&at);
  if (fd < 0 || ::bind(fd, address, size) != 0 || ::getsockname(fd, address, &size) != 0) {
    int why = errno;
    if (fd >= 0)
      ::close(fd);
    throw std::system_error(why, std::generic_category(), "no free port");
  }
  ::close(fd);
  return ntohs(at.sin_port);
}

} // namespace

std::uint16_t free_port() {
  static std::mutex mutex;
  static std::set<std::uint16_t> given;
  std::lock_guard<std::mutex> lock(mutex);
  for (;;) {
    auto port = ask_kernel();
    if (given.insert(port).second)
      return port;
  }
}

} // namespace outband::test
