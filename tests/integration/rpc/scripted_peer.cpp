#include "tests/integration/rpc/scripted_peer.hpp"

#include "messages/amt/base64.hpp"
#include "tests/support/process.hpp"

#include <array>
#include <netinet/in.h>
#include <openssl/sha.h>
#include <sys/socket.h>
#include <unistd.h>

namespace outband::test {

connection::~connection() {
  if (fd_ >= 0)
    ::close(fd_);
}

std::string connection::receive() {
  if (unread_.empty())
    fill(1);
  return std::exchange(unread_, {});
}

bool connection::fill(std::size_t octets) {
  std::array<char, 4096> some{};
  while (unread_.size() < octets) {
    const auto n = ::recv(fd_, some.data(), some.size(), 0);
    if (n <= 0)
      return false;
    unread_.append(some.data(), static_cast<std::size_t>(n));
  }
  return true;
}

std::string connection::receive_until(const std::string& text) {
  while (unread_.find(text) == std::string::npos)
    if (!fill(unread_.size() + 1))
      break;
  const auto at = unread_.find(text);
  const auto end = at == std::string::npos ? unread_.size() : at + text.size();
  auto out = unread_.substr(0, end);
  unread_.erase(0, end);
  return out;
}

void connection::send(const std::string& octets) {
  for (std::size_t at = 0; at < octets.size();) {
    const auto n = ::send(fd_, octets.data() + at, octets.size() - at, MSG_NOSIGNAL);
    if (n <= 0)
      return;
    at += static_cast<std::size_t>(n);
  }
}

void connection::reset() {
  const linger now{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  ::close(fd_);
  fd_ = -1;
}

std::string connection::upgrade() {
  const auto request = receive_until("\r\n\r\n");
  const std::string name = "Sec-WebSocket-Key: ";
  const auto at = request.find(name) + name.size();
  const auto text =
      request.substr(at, request.find('\r', at) - at) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
       "Sec-WebSocket-Accept: " +
       amt::base64_encode({reinterpret_cast<const char*>(digest.data()), digest.size()}) +
       "\r\n\r\n");
  return request;
}

std::string connection::receive_text() {
  for (;;) {
    if (!fill(2))
      return {};
    const auto octet = [this](std::size_t i) {
      return static_cast<unsigned char>(unread_[i]);
    };
    const int opcode = octet(0) & 0x0F;
    std::size_t size = octet(1) & 0x7F;
    std::size_t at = 2;
    if (size >= 126) {
      const std::size_t width = size == 126 ? 2 : 8;
      if (!fill(at + width))
        return {};
      size = 0;
      for (std::size_t i = 0; i < width; ++i)
        size = size << 8 | octet(at + i);
      at += width;
    }
    if ((octet(1) & 0x80) == 0 || !fill(at + 4 + size))
      return {};
    std::string payload;
    for (std::size_t i = 0; i < size; ++i)
      payload += static_cast<char>(unread_[at + 4 + i] ^ unread_[at + i % 4]);
    unread_.erase(0, at + 4 + size);
    if (opcode == 1)
      return payload;
    if (opcode == 10)
      last_pong = payload;
    if (opcode == 8)
      return {};
  }
}

void connection::send_frame(int opcode, const std::string& payload, bool last) {
  std::string out(1, static_cast<char>((last ? 0x80 : 0) | opcode));
  if (payload.size() < 126) {
    out += static_cast<char>(payload.size());
  } else {
    out += static_cast<char>(127);
    for (int i = 7; i >= 0; --i)
      out += static_cast<char>(static_cast<std::uint64_t>(payload.size()) >> (8 * i));
  }
  send(out + payload);
}

scripted_peer::scripted_peer(script what) : what_(std::move(what)) {
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  socklen_t size = sizeof at;
  ::bind(listener_, reinterpret_cast<const sockaddr*>(&at), size);
  ::listen(listener_, 64);
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size);
  port_ = ntohs(at.sin_port);
  thread_ = std::thread([this] { serve(); });
}

scripted_peer::~scripted_peer() {
  ::shutdown(listener_, SHUT_RDWR); // wakes accept()
  thread_.join();
  ::close(listener_);
}

void scripted_peer::serve() {
  for (;;) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0)
      return;
    const timeval wait{patience.count(), 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    ++connections_;
    connection c(fd);
    what_(c);
  }
}

} // namespace outband::test
