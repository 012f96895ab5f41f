#include "tests/support/balancer.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <map>
#include <mutex>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdexcept>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <system_error>
#include <thread>
#include <unistd.h>

namespace outband::test {

namespace {

constexpr std::size_t most_waiting = 64 << 10;
constexpr std::size_t most_kept = 1 << 20;
constexpr std::uint64_t the_stop = 0, the_listener = 1; ///< epoll's data; connections from 2 on

enum side : std::size_t { client, target };

sockaddr_in address(const std::string& ip, std::uint16_t port) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(port);
  if (inet_pton(AF_INET, ip.c_str(), &a.sin_addr) != 1)
    throw std::runtime_error("not an address: " + ip);
  return a;
}

void no_delay(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void close_with_reset(int fd) {
  const linger hard{1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  ::close(fd);
}

struct connection {
  std::array<int, 2> fd{-1, -1};
  std::array<std::string, 2> waiting; ///< for that side
  std::array<bool, 2> gone{};         ///< that side has ended
  std::uint16_t port = 0;
  std::vector<std::uint16_t> next; ///< other targets to try
  bool connecting = true;
  bool held = false;
};

} // namespace

struct balancer::impl {
  mutable std::mutex mutex;
  std::vector<std::uint16_t> targets;
  std::string source;
  std::size_t turn = 0;
  bool in_turn = false;
  int listener = -1, epoll = -1, stop = -1;
  std::uint16_t port = 0;
  std::map<std::uint64_t, connection> all; ///< by even number; +1 is its target's side
  std::uint64_t last = 0;
  std::thread thread;

  void watch(int fd, std::uint64_t id, std::uint32_t what, int operation) const {
    epoll_event e{};
    e.events = what;
    e.data.u64 = id;
    epoll_ctl(epoll, operation, fd, &e);
  }

  void forget(std::uint64_t id, bool reset) {
    auto at = all.find(id);
    for (int fd : at->second.fd)
      if (fd >= 0)
        reset ? close_with_reset(fd) : static_cast<void>(::close(fd));
    all.erase(at);
  }

  std::vector<std::uint16_t> order() {
    auto out = targets;
    if (in_turn)
      std::rotate(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(turn++ % out.size()),
                  out.end());
    return out;
  }

  void accept_all() {
    for (;;) {
      const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0)
        return;
      no_delay(fd);
      last += 2;
      auto& c = all[last];
      c.fd[client] = fd;
      c.next = order();
      watch(fd, last, 0, EPOLL_CTL_ADD);
      connect_next(last, c);
    }
  }

  void connect_next(std::uint64_t id, connection& c) {
    while (!c.next.empty()) {
      c.port = c.next.front();
      c.next.erase(c.next.begin());
      const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      const auto from = address(source, 0), to = address("127.0.0.1", c.port);
      const int on = 1;
      // The port is chosen when it is known where to, so that one is good for many targets.
      setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
      no_delay(fd);
      if (bind(fd, reinterpret_cast<const sockaddr*>(&from), sizeof from) == 0 &&
          (connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0 ||
           errno == EINPROGRESS)) {
        c.fd[target] = fd;
        watch(fd, id + 1, EPOLLOUT, EPOLL_CTL_ADD);
        return;
      }
      ::close(fd);
    }
    forget(id, true); // nobody takes it
  }

  void connected(std::uint64_t id, connection& c) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(c.fd[target], SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) {
      ::close(c.fd[target]);
      c.fd[target] = -1;
      return connect_next(id, c);
    }
    c.connecting = false;
    update(id, c);
  }

  /// What epoll shall tell of it.
  void update(std::uint64_t id, const connection& c) const {
    for (auto s : {client, target}) {
      if (c.gone[s])
        continue;
      const auto other = s == client ? target : client;
      std::uint32_t what = 0;
      if (c.waiting[other].size() < (c.held && s == client ? most_kept : most_waiting))
        what |= EPOLLIN;
      if (!c.waiting[s].empty() && !(c.held && s == target))
        what |= EPOLLOUT;
      watch(c.fd[s], id + (s == target ? 1 : 0), what, EPOLL_CTL_MOD);
    }
  }

  void ended(connection& c, side s) const {
    c.gone[s] = true;
    c.waiting[s].clear();
    watch(c.fd[s], 0, 0, EPOLL_CTL_DEL); // or it would tell so for ever
  }

  void take(connection& c, side s) const {
    std::array<char, 16384> buffer{};
    const auto other = s == client ? target : client;
    const auto n = recv(c.fd[s], buffer.data(), buffer.size(), 0);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK))
      ended(c, s);
    else if (n > 0 && !c.gone[other])
      c.waiting[other].append(buffer.data(), static_cast<std::size_t>(n));
  }

  void pass_on(connection& c, side s) const {
    auto& out = c.waiting[s];
    while (!out.empty() && !c.gone[s] && !(c.held && s == target)) {
      const auto n = send(c.fd[s], out.data(), out.size(), MSG_NOSIGNAL);
      if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return;
      if (n < 0)
        return ended(c, s);
      out.erase(0, static_cast<std::size_t>(n));
    }
  }

  /// Passes on what can be; ends it when one side has and the other got all it had said.
  void settle(std::uint64_t id, connection& c) {
    pass_on(c, client);
    pass_on(c, target);
    const bool over = (c.gone[target] && c.waiting[client].empty()) ||
                      (c.gone[client] && !c.held && c.waiting[target].empty());
    over ? forget(id, false) : update(id, c);
  }

  void happened(std::uint64_t data, std::uint32_t what) {
    const auto id = data & ~std::uint64_t{1};
    auto at = all.find(id);
    if (at == all.end())
      return; // it ended within this round
    auto& c = at->second;
    const side s = (data & 1) != 0 ? target : client;
    if (c.connecting) {
      if (s == target)
        connected(id, c);
      else if ((what & (EPOLLERR | EPOLLHUP)) != 0)
        forget(id, true);
      return;
    }
    if ((what & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0 && !c.gone[s])
      take(c, s);
    settle(id, c);
  }

  void run() {
    std::array<epoll_event, 256> events{};
    for (;;) {
      const int n = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
      std::lock_guard lock(mutex);
      for (int i = 0; i < n; ++i) {
        const auto& e = events[static_cast<std::size_t>(i)];
        if (e.data.u64 == the_stop)
          return;
        if (e.data.u64 == the_listener)
          accept_all();
        else
          happened(e.data.u64, e.events);
      }
    }
  }
};

balancer::balancer(std::vector<std::uint16_t> targets, const std::string& source)
    : impl_(std::make_unique<impl>()) {
  auto& i = *impl_;
  i.targets = std::move(targets);
  i.source = source;
  i.listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  auto at = address("127.0.0.1", 0);
  socklen_t size = sizeof at;
  if (bind(i.listener, reinterpret_cast<const sockaddr*>(&at), size) != 0 ||
      listen(i.listener, 4096) != 0 ||
      getsockname(i.listener, reinterpret_cast<sockaddr*>(&at), &size) != 0)
    throw std::system_error(errno, std::generic_category(), "balancer");
  i.port = ntohs(at.sin_port);
  i.epoll = epoll_create1(EPOLL_CLOEXEC);
  i.stop = eventfd(0, EFD_CLOEXEC);
  i.watch(i.stop, the_stop, EPOLLIN, EPOLL_CTL_ADD);
  i.watch(i.listener, the_listener, EPOLLIN, EPOLL_CTL_ADD);
  i.thread = std::thread([&i] { i.run(); });
}

balancer::~balancer() {
  auto& i = *impl_;
  eventfd_write(i.stop, 1);
  i.thread.join();
  while (!i.all.empty())
    i.forget(i.all.begin()->first, true);
  for (int fd : {i.listener, i.epoll, i.stop})
    ::close(fd);
}

std::uint16_t balancer::port() const {
  return impl_->port;
}

void balancer::prefer(std::uint16_t port) {
  std::lock_guard lock(impl_->mutex);
  auto& all = impl_->targets;
  impl_->in_turn = false;
  std::stable_partition(all.begin(), all.end(), [&](auto p) { return p == port; });
}

void balancer::spread() {
  std::lock_guard lock(impl_->mutex);
  impl_->in_turn = true;
}

std::size_t balancer::open(std::uint16_t port) const {
  std::lock_guard lock(impl_->mutex);
  const auto& all = impl_->all;
  return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](const auto& c) {
    return c.second.port == port && !c.second.connecting;
  }));
}

void balancer::cut(std::uint16_t port) {
  std::lock_guard lock(impl_->mutex);
  for (auto at = impl_->all.begin(); at != impl_->all.end();) {
    const auto id = at->first;
    const bool its = at->second.port == port;
    ++at;
    if (its)
      impl_->forget(id, true);
  }
}

void balancer::hold(std::uint16_t port) {
  std::lock_guard lock(impl_->mutex);
  for (auto& [id, c] : impl_->all)
    if (c.port == port && !c.connecting) {
      c.held = true;
      impl_->update(id, c);
    }
}

void balancer::release(std::uint16_t port) {
  std::lock_guard lock(impl_->mutex);
  for (auto at = impl_->all.begin(); at != impl_->all.end();) {
    auto& [id, c] = *at++;
    if (c.port != port || !c.held)
      continue;
    c.held = false;
    impl_->settle(id, c);
  }
}

std::size_t balancer::kept(std::uint16_t port) const {
  std::lock_guard lock(impl_->mutex);
  std::size_t n = 0;
  for (const auto& [id, c] : impl_->all)
    n += c.port == port && c.held ? c.waiting[target].size() : 0;
  return n;
}

} // namespace outband::test
