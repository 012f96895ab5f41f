#include "tests/support/mei_client.hpp"

#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace outband::test {

namespace {

constexpr int patience_s = 60; // rpc has 3 s; a loaded machine of ours may need more
constexpr std::size_t buffer_size = pthi::max_message + 1;

std::uint32_t little_endian(const std::string& s) {
  std::uint32_t v = 0;
  for (std::size_t i = 4; i > 0; --i)
    v = v << 8 | static_cast<unsigned char>(s[i - 1]);
  return v;
}

} // namespace

mei_client::~mei_client() {
  if (fd_ >= 0)
    ::close(fd_);
}

status mei_client::connect(const std::string& path, pthi::mei_client client) {
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  if (path.size() >= sizeof at.sun_path)
    return fail(problem::too_large, path, "mei");
  std::memcpy(at.sun_path, path.c_str(), path.size() + 1);
  if (fd_ >= 0)
    ::close(fd_);
  fd_ = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  const timeval wait{patience_s, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0)
    return fail(problem::link_down, path + ": " + std::strerror(errno), "mei");
  const auto answer = call(pthi::connect_octets(client));
  if (!answer)
    return answer.error();
  if (answer->size() == 4) {
    const auto code = static_cast<int>(little_endian(*answer));
    return fail(code == EBUSY ? problem::busy : problem::not_found, std::strerror(code), "mei");
  }
  if (answer->size() != 8)
    return fail(problem::device_protocol, "an answer that is no connect's", "mei");
  max_message_ = little_endian(*answer);
  return success();
}

result<std::string> mei_client::call(std::string_view message) {
  ssize_t n = 0;
  do
    n = ::send(fd_, message.data(), message.size(), MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);
  if (n != static_cast<ssize_t>(message.size()))
    return fail(problem::link_down, std::strerror(errno), "mei");
  std::string out(buffer_size, '\0');
  do
    n = ::recv(fd_, out.data(), out.size(), 0);
  while (n < 0 && errno == EINTR);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
    return fail(problem::device_timeout, "no answer in 60 s", "mei");
  if (n <= 0)
    return fail(problem::link_down, "the machine ended the connection", "mei");
  out.resize(static_cast<std::size_t>(n));
  return out;
}

result<pthi::response> mei_client::ask(const pthi::request& r) {
  const auto octets = call(pthi::encode(r));
  if (!octets)
    return octets.error();
  auto answer = pthi::decode_response(pthi::command_of(r), *octets);
  if (answer && answer->status != pthi::answer_status::success)
    return fail(problem::device_refused, to_string(answer->status),
                std::string(to_string(pthi::command_of(r))));
  return answer;
}

} // namespace outband::test
