#include "tools/bench/floor_server.hpp"

#include "tools/bench/floor_connection.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace outband::bench {

namespace {

constexpr int backlog = 4096; // as the server has

} // namespace

floor_server::floor_server(loop& io, SSL_CTX* tls, std::uint16_t port)
    : io_(io), tls_(tls), fd_(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
  const int on = 1;
  setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(fd_, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  if (fd_ < 0 || bind(fd_, reinterpret_cast<sockaddr*>(&at), size) != 0 ||
      listen(fd_, backlog) != 0 || getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size) != 0)
    throw std::runtime_error("cannot listen on port " + std::to_string(port));
  port_ = ntohs(at.sin_port);
  io_.add_level(fd_, *this);
}

floor_server::~floor_server() {
  close(fd_);
}

void floor_server::ready(std::uint32_t) {
  while (true) {
    const int fd = accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
      return;
    auto one = std::make_unique<floor_connection>(*this, fd);
    auto* key = one.get();
    all_.emplace(key, std::move(one));
    key->ready(0);
  }
}

void floor_server::ended(floor_connection& c) {
  if (c.up()) {
    --up_;
    if (gone)
      gone(c.guid());
  }
  io_.later([this, key = &c] { all_.erase(key); });
}

floor_server::reads floor_server::read_power(std::size_t at_a_time, clock::duration how_long) {
  // Shared with callbacks that may outlast the measurement.
  struct state {
    reads out;
    std::size_t under_way = 0;
    bool over = false;
  };
  auto now = std::make_shared<state>();
  std::vector<floor_connection*> machines;
  for (const auto& [key, one] : all_)
    if (key->up())
      machines.push_back(key);
  auto next = std::make_shared<std::size_t>(0);
  // Each of the `at_a_time` walks over machines of its own, so that none is asked twice at once.
  auto step = std::make_shared<std::function<void(std::size_t)>>();
  at_a_time = std::min(at_a_time, machines.size());
  *step = [=, weak = std::weak_ptr<std::function<void(std::size_t)>>(step)](std::size_t i) {
    const auto began = clock::now();
    ++now->under_way;
    machines[i]->read_power([=](bool ok) {
      --now->under_way;
      if (!ok)
        ++now->out.failed;
      else if (!now->over) {
        ++now->out.count;
        now->out.milliseconds.add(
            std::chrono::duration<double, std::milli>(clock::now() - began).count());
      }
      const auto again = weak.lock();
      if (now->over || !again || !ok)
        return;
      const auto other = i + at_a_time < machines.size() ? i + at_a_time : i % at_a_time;
      io_.later([again, other] { (*again)(other); }); // not from inside the machine's own callback
    });
  };
  const auto began = clock::now();
  for (std::size_t i = 0; i < at_a_time; ++i)
    (*step)(i);
  io_.run_for(how_long);
  now->over = true;
  now->out.seconds = std::chrono::duration<double>(clock::now() - began).count();
  io_.run_until([&] { return now->under_way == 0; }, std::chrono::seconds(5));
  return std::move(now->out);
}

} // namespace outband::bench
