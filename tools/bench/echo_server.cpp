#include "tools/bench/echo_server.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>
#include <string_view>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace outband::bench {

namespace {

constexpr int backlog = 1024;
constexpr std::size_t max_answer = 1 << 20, max_request = 64 << 10;
constexpr std::string_view before_path = "GET /";

} // namespace

std::string echo_answer(std::size_t octets) {
  const std::string begin = "HTTP/1.1 200 OK\r\nContent-Length: ", end = "\r\n\r\n";
  const auto fixed = begin.size() + end.size();
  std::size_t body = octets > fixed + 1 ? octets - fixed - 1 : 0;
  // The length's own digits count; where they become one more, the answer is an octet shorter.
  while (body > 0 && fixed + std::to_string(body).size() + body > octets)
    --body;
  return begin + std::to_string(body) + end + std::string(body, 'x');
}

class echo_server::connection final : public watcher {
public:
  connection(echo_server& owner, int fd) : owner_(owner) {
    socket_.accept(owner.tls_, fd);
    owner.io_.add(fd, *this);
  }

  void ready(std::uint32_t) override {
    if (over_)
      return;
    socket_.advance();
    static std::array<char, 16384> buffer;
    while (const auto got = socket_.read(buffer.data(), buffer.size())) {
      in_.append(buffer.data(), got);
      std::size_t end = 0;
      while ((end = in_.find("\r\n\r\n")) != std::string::npos) {
        std::size_t wanted = 0;
        const auto* digits = in_.data() + std::min(before_path.size(), in_.size());
        std::from_chars(digits, in_.data() + in_.size(), wanted);
        socket_.send(echo_answer(std::min(wanted, max_answer)));
        in_.erase(0, end + 4);
      }
      if (in_.size() > max_request)
        return leave();
    }
    if (socket_.now() == tls_socket::state::over)
      leave();
  }

private:
  void leave() {
    over_ = true;
    socket_.cut();
    owner_.ended(*this);
  }

  echo_server& owner_;
  tls_socket socket_;
  std::string in_;
  bool over_ = false;
};

echo_server::echo_server(loop& io, SSL_CTX* tls)
    : io_(io), tls_(tls), fd_(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  if (fd_ < 0 || bind(fd_, reinterpret_cast<sockaddr*>(&at), size) != 0 ||
      listen(fd_, backlog) != 0 || getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size) != 0)
    throw std::runtime_error("the echo cannot listen");
  port_ = ntohs(at.sin_port);
  io_.add_level(fd_, *this);
}

echo_server::~echo_server() {
  close(fd_);
}

void echo_server::ready(std::uint32_t) {
  while (true) {
    const int fd = accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
      return;
    auto one = std::make_unique<connection>(*this, fd);
    auto* key = one.get();
    all_.emplace(key, std::move(one));
    key->ready(0);
  }
}

void echo_server::ended(connection& c) {
  io_.later([this, key = &c] { all_.erase(key); });
}

} // namespace outband::bench
