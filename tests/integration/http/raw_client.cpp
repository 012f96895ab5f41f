#include "tests/integration/http/raw_client.hpp"

#include "tests/support/process.hpp"

#include <openssl/ssl.h>

#include <arpa/inet.h>
#include <csignal>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace outband::test {

struct raw_client::state {
  int fd = -1;
  SSL_CTX* ctx = nullptr;
  SSL* ssl = nullptr;
  std::string buffered;

  long read_some(char* to, std::size_t n) {
    return ssl ? SSL_read(ssl, to, static_cast<int>(n)) : ::recv(fd, to, n, 0);
  }
  long write_some(const char* from, std::size_t n) {
    return ssl ? SSL_write(ssl, from, static_cast<int>(n)) : ::send(fd, from, n, MSG_NOSIGNAL);
  }
};

raw_client::raw_client(std::uint16_t port, bool tls, bool narrow) : state_(new state) {
  std::signal(SIGPIPE, SIG_IGN);
  state_->fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  timeval limit{};
  limit.tv_sec = patience.count();
  ::setsockopt(state_->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(state_->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  if (narrow) {
    int window = 4096, segment = 536;
    ::setsockopt(state_->fd, SOL_SOCKET, SO_RCVBUF, &window, sizeof window);
    ::setsockopt(state_->fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof segment);
  }
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(state_->fd, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0)
    throw std::runtime_error("cannot connect");
  if (!tls)
    return;
  state_->ctx = SSL_CTX_new(TLS_client_method());
  state_->ssl = SSL_new(state_->ctx);
  SSL_set_fd(state_->ssl, state_->fd);
  if (SSL_connect(state_->ssl) != 1) {
    SSL_free(state_->ssl);
    state_->ssl = nullptr;
    ::shutdown(state_->fd, SHUT_RDWR);
  }
}

raw_client::~raw_client() {
  if (state_->ssl)
    SSL_free(state_->ssl);
  if (state_->ctx)
    SSL_CTX_free(state_->ctx);
  ::close(state_->fd);
}

bool raw_client::send(const std::string& octets) {
  for (std::size_t at = 0; at < octets.size();) {
    auto n = state_->write_some(octets.data() + at, octets.size() - at);
    if (n <= 0)
      return false;
    at += static_cast<std::size_t>(n);
  }
  return true;
}

std::string raw_client::receive() {
  if (!state_->buffered.empty())
    return std::exchange(state_->buffered, {});
  char buffer[16384];
  auto n = state_->read_some(buffer, sizeof buffer);
  return n > 0 ? std::string(buffer, static_cast<std::size_t>(n)) : std::string();
}

std::size_t raw_client::sip(std::size_t n) {
  char one;
  for (std::size_t i = 0; i < n; ++i)
    if (::recv(state_->fd, &one, 1, 0) != 1)
      return i;
  return n;
}

std::string raw_client::receive_until(const std::string& text) {
  std::string out;
  while (out.find(text) == std::string::npos) {
    auto more = receive();
    if (more.empty())
      return out;
    out += more;
  }
  auto end = out.find(text) + text.size();
  state_->buffered = out.substr(end);
  return out.substr(0, end);
}

std::string raw_client::receive_all() {
  std::string out;
  while (true) {
    auto more = receive();
    if (more.empty())
      return out;
    out += more;
  }
}

void raw_client::small_window() {
  int size = 4096;
  ::setsockopt(state_->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
}

std::size_t raw_client::send_until_full(const std::string& chunk, std::size_t at_most) {
  ::fcntl(state_->fd, F_SETFL, ::fcntl(state_->fd, F_GETFL) | O_NONBLOCK);
  std::size_t sent = 0;
  while (sent < at_most) {
    if (auto n = state_->write_some(chunk.data(), chunk.size()); n > 0) {
      sent += static_cast<std::size_t>(n);
      continue;
    }
    // "Full" is when nothing was taken for two seconds: a bound for a test, not an assertion of
    // time. OpenSSL wants the same chunk again, and gets it.
    pollfd room{state_->fd, POLLOUT, 0};
    if (::poll(&room, 1, 2000) != 1)
      break;
  }
  return sent;
}

int raw_client::frame::close_code() const {
  return payload.size() < 2
             ? 0
             : static_cast<unsigned char>(payload[0]) << 8 | static_cast<unsigned char>(payload[1]);
}

std::string raw_client::upgrade(const std::string& path, const std::string& more_headers) {
  send("GET " + path +
       " HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
       "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
       more_headers + "\r\n");
  return receive_until("\r\n\r\n");
}

std::string raw_client::frame_octets(int opcode, const std::string& payload) {
  std::string out;
  out += static_cast<char>(0x80 | opcode);
  const auto n = payload.size();
  if (n < 126) {
    out += static_cast<char>(0x80 | n);
  } else if (n < 65536) {
    out += static_cast<char>(0x80 | 126);
    out += static_cast<char>(n >> 8);
    out += static_cast<char>(n & 0xFF);
  } else {
    out += static_cast<char>(0x80 | 127);
    for (int shift = 56; shift >= 0; shift -= 8)
      out += static_cast<char>(n >> shift & 0xFF);
  }
  const std::string mask = "\x11\x22\x33\x44";
  out += mask;
  for (std::size_t i = 0; i < n; ++i)
    out += static_cast<char>(payload[i] ^ mask[i % 4]);
  return out;
}

void raw_client::send_frame(int opcode, const std::string& payload) {
  send(frame_octets(opcode, payload));
}

std::optional<raw_client::frame> raw_client::receive_frame() {
  std::string in;
  auto need = [&](std::size_t n) {
    while (in.size() < n) {
      auto more = receive();
      if (more.empty())
        return false;
      in += more;
    }
    return true;
  };
  if (!need(2))
    return std::nullopt;
  frame f;
  f.opcode = in[0] & 0x0F;
  std::size_t n = static_cast<unsigned char>(in[1]) & 0x7F, head = 2;
  if (n >= 126) {
    const std::size_t octets = n == 126 ? 2 : 8;
    if (!need(2 + octets))
      return std::nullopt;
    n = 0;
    for (std::size_t i = 0; i < octets; ++i)
      n = n << 8 | static_cast<unsigned char>(in[2 + i]);
    head += octets;
  }
  if (!need(head + n))
    return std::nullopt;
  f.payload = in.substr(head, n);
  state_->buffered = in.substr(head + n);
  return f;
}

} // namespace outband::test
