#include "tests/support/relay.hpp"

#include "tests/support/process.hpp" // patience

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <fcntl.h>
#include <list>
#include <mutex>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace outband::test {

namespace {

using clock = std::chrono::steady_clock;
constexpr std::size_t most_buffered = 256 * 1024; ///< octets per direction and connection
constexpr std::size_t most_at_once = 16 * 1024;

struct chunk {
  std::string octets;
  clock::time_point due;
};

struct pump {
  std::deque<chunk> waiting;
  std::size_t buffered = 0;
  bool ended = false; ///< the sender has said that it is done
  bool passed_end = false;
  double allowance = 0; ///< octets that throttling lets through now
  clock::time_point counted_at{};
};

struct connection {
  std::array<int, 2> fd{-1, -1}; ///< by the direction that is read from it: client, server
  std::array<pump, 2> way;
};

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(port);
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return a;
}

void reset(int fd) {
  linger now{1, 0}; // close() sends RST
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  ::close(fd);
}

void prepare(int fd) {
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

} // namespace

struct relay::impl {
  struct rule {
    bool held = false;
    std::chrono::milliseconds delay{0};
    std::size_t per_second = 0;
  };

  std::uint16_t server_port = 0, own_port = 0;
  int acceptor = -1, waker = -1;
  mutable std::mutex mutex; ///< everything below
  mutable std::condition_variable changed;
  std::array<rule, 2> rules;
  bool refusing = false, stopping = false;
  std::list<connection> open;
  std::size_t accepted = 0;
  std::array<std::size_t, 2> passed{};
  std::thread thread;

  void wake() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto n = ::write(waker, &one, sizeof one);
  }
  template <class F> void change(F&& how) {
    {
      std::lock_guard<std::mutex> lock(mutex);
      how();
    }
    wake();
  }

  void run();
  void admit();
  bool step(connection& c, const std::vector<pollfd>& ready, clock::time_point now);
  bool read_from(connection& c, std::size_t d, clock::time_point now);
  bool write_to(connection& c, std::size_t d, clock::time_point now);
  std::size_t budget(pump& p, const rule& r, clock::time_point now) const;
  /// When something of this pump is to be written; nullopt: nothing before an event.
  std::optional<clock::time_point> due(const pump& p, const rule& r) const;
};

void relay::impl::admit() {
  const int client = ::accept4(acceptor, nullptr, nullptr, SOCK_CLOEXEC);
  if (client < 0)
    return;
  ++accepted;
  changed.notify_all();
  const int server = refusing ? -1 : ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto to = loopback(server_port);
  if (server < 0 || ::connect(server, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
    if (server >= 0)
      ::close(server);
    return reset(client);
  }
  prepare(client);
  prepare(server);
  open.emplace_back();
  open.back().fd = {client, server};
}

std::size_t relay::impl::budget(pump& p, const rule& r, clock::time_point now) const {
  if (r.per_second == 0) {
    p.allowance = 0;
    p.counted_at = now;
    return most_at_once;
  }
  const auto rate = static_cast<double>(r.per_second);
  const auto passed_s = std::chrono::duration<double>(now - p.counted_at).count();
  p.allowance = std::min(std::max(rate / 10, 1.0), p.allowance + passed_s * rate);
  p.counted_at = now;
  return static_cast<std::size_t>(p.allowance);
}

std::optional<clock::time_point> relay::impl::due(const pump& p, const rule& r) const {
  if (p.waiting.empty())
    return std::nullopt;
  auto at = p.waiting.front().due;
  if (r.per_second != 0 && p.allowance < 1)
    at = std::max(at, p.counted_at + std::chrono::milliseconds(20));
  return at;
}

bool relay::impl::read_from(connection& c, std::size_t d, clock::time_point now) {
  char buffer[most_at_once];
  const auto n = ::recv(c.fd[d], buffer, sizeof buffer, 0);
  if (n < 0)
    return errno == EAGAIN || errno == EINTR;
  auto& p = c.way[d];
  if (n == 0) {
    p.ended = true;
    return true;
  }
  p.waiting.push_back({std::string(buffer, static_cast<std::size_t>(n)), now + rules[d].delay});
  p.buffered += static_cast<std::size_t>(n);
  return true;
}

bool relay::impl::write_to(connection& c, std::size_t d, clock::time_point now) {
  auto& p = c.way[d];
  const int to = c.fd[1 - d];
  while (!p.waiting.empty() && p.waiting.front().due <= now) {
    auto& front = p.waiting.front().octets;
    const auto most = std::min(front.size(), budget(p, rules[d], now));
    if (most == 0)
      return true;
    const auto n = ::send(to, front.data(), most, MSG_NOSIGNAL);
    if (n < 0)
      return errno == EAGAIN || errno == EINTR;
    const auto sent = static_cast<std::size_t>(n);
    p.allowance = std::max(0.0, p.allowance - static_cast<double>(sent));
    p.buffered -= sent;
    passed[d] += sent;
    changed.notify_all();
    if (sent == front.size())
      p.waiting.pop_front();
    else
      front.erase(0, sent);
  }
  if (p.ended && p.waiting.empty() && !p.passed_end) {
    p.passed_end = true;
    ::shutdown(to, SHUT_WR);
  }
  return true;
}

/// False when the connection is over.
bool relay::impl::step(connection& c, const std::vector<pollfd>& ready, clock::time_point now) {
  for (std::size_t d : {0u, 1u}) {
    const auto at =
        std::find_if(ready.begin(), ready.end(), [&](const pollfd& p) { return p.fd == c.fd[d]; });
    const auto events = at == ready.end() ? 0 : at->revents;
    if ((events & POLLERR) != 0)
      return false;
    if ((events & (POLLIN | POLLHUP)) != 0 && !rules[d].held && !c.way[d].ended &&
        c.way[d].buffered < most_buffered && !read_from(c, d, now))
      return false;
  }
  return write_to(c, 0, now) && write_to(c, 1, now) &&
         !(c.way[0].passed_end && c.way[1].passed_end);
}

void relay::impl::run() {
  std::unique_lock<std::mutex> lock(mutex);
  while (!stopping) {
    std::vector<pollfd> fds{{waker, POLLIN, 0}, {acceptor, POLLIN, 0}};
    std::optional<clock::time_point> next;
    for (const auto& c : open)
      for (std::size_t d : {0u, 1u}) {
        const auto& p = c.way[d];
        short events = 0;
        if (!rules[d].held && !p.ended && p.buffered < most_buffered)
          events |= POLLIN;
        const auto& back = c.way[1 - d]; // written to this descriptor
        if (auto at = due(back, rules[1 - d])) {
          if (*at <= clock::now())
            events |= POLLOUT;
          else
            next = next ? std::min(*next, *at) : *at;
        }
        // A held side is not watched at all, else its hanging up would wake us for ever.
        fds.push_back({events != 0 ? c.fd[d] : -1, events, 0});
      }
    int patience_ms = -1;
    if (next)
      patience_ms = static_cast<int>(std::max<std::int64_t>(
          1, std::chrono::ceil<std::chrono::milliseconds>(*next - clock::now()).count()));
    lock.unlock();
    ::poll(fds.data(), fds.size(), patience_ms);
    lock.lock();
    if ((fds[0].revents & POLLIN) != 0) {
      std::uint64_t count = 0;
      [[maybe_unused]] const auto n = ::read(waker, &count, sizeof count);
    }
    if ((fds[1].revents & POLLIN) != 0)
      admit();
    const auto now = clock::now();
    for (auto it = open.begin(); it != open.end();) {
      if (step(*it, fds, now)) {
        ++it;
        continue;
      }
      reset(it->fd[0]);
      reset(it->fd[1]);
      it = open.erase(it);
    }
  }
}

relay::relay(std::uint16_t server_port) : impl_(std::make_unique<impl>()) {
  auto& i = *impl_;
  i.server_port = server_port;
  i.acceptor = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  i.waker = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  auto at = loopback(0);
  socklen_t size = sizeof at;
  if (i.acceptor < 0 || i.waker < 0 ||
      ::bind(i.acceptor, reinterpret_cast<const sockaddr*>(&at), size) != 0 ||
      ::listen(i.acceptor, 128) != 0 ||
      ::getsockname(i.acceptor, reinterpret_cast<sockaddr*>(&at), &size) != 0)
    throw std::runtime_error("relay: no port");
  i.own_port = ntohs(at.sin_port);
  i.thread = std::thread([&i] { i.run(); });
}

relay::~relay() {
  impl_->change([this] { impl_->stopping = true; });
  impl_->thread.join();
  for (const auto& c : impl_->open)
    for (int fd : c.fd)
      reset(fd);
  ::close(impl_->acceptor);
  ::close(impl_->waker);
}

std::uint16_t relay::port() const {
  return impl_->own_port;
}

void relay::hold(direction d, bool held) {
  impl_->change([&] { impl_->rules[static_cast<std::size_t>(d)].held = held; });
}

void relay::delay(direction d, std::chrono::milliseconds by) {
  impl_->change([&] { impl_->rules[static_cast<std::size_t>(d)].delay = by; });
}

void relay::throttle(direction d, std::size_t octets_per_second) {
  impl_->change([&] { impl_->rules[static_cast<std::size_t>(d)].per_second = octets_per_second; });
}

void relay::cut() {
  impl_->change([this] {
    for (const auto& c : impl_->open)
      for (int fd : c.fd)
        reset(fd);
    impl_->open.clear();
  });
}

void relay::refuse(bool refused) {
  impl_->change([&] { impl_->refusing = refused; });
}

std::size_t relay::connections() const {
  std::lock_guard<std::mutex> lock(impl_->mutex);
  return impl_->open.size();
}

std::size_t relay::accepted() const {
  std::lock_guard<std::mutex> lock(impl_->mutex);
  return impl_->accepted;
}

std::size_t relay::passed(direction d) const {
  std::lock_guard<std::mutex> lock(impl_->mutex);
  return impl_->passed[static_cast<std::size_t>(d)];
}

bool relay::wait_passed(direction d, std::size_t octets) const {
  std::unique_lock<std::mutex> lock(impl_->mutex);
  return impl_->changed.wait_for(
      lock, patience, [&] { return impl_->passed[static_cast<std::size_t>(d)] >= octets; });
}

bool relay::wait_accepted(std::size_t count) const {
  std::unique_lock<std::mutex> lock(impl_->mutex);
  return impl_->changed.wait_for(lock, patience, [&] { return impl_->accepted >= count; });
}

} // namespace outband::test
