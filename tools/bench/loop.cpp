#include "tools/bench/loop.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <sys/epoll.h>
#include <unistd.h>
#include <utility>

namespace outband::bench {

namespace {

constexpr int batch = 256;

void put(int epoll, int fd, std::uint32_t events, watcher& to) {
  epoll_event e{};
  e.events = events;
  e.data.ptr = &to;
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) != 0)
    throw std::runtime_error("epoll takes no more descriptors");
}

} // namespace

loop::loop() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_ < 0)
    throw std::runtime_error("no epoll");
}

loop::~loop() {
  close(epoll_);
}

void loop::add(int fd, watcher& to) {
  put(epoll_, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, to);
}

void loop::add_level(int fd, watcher& to) {
  put(epoll_, fd, EPOLLIN, to);
}

void loop::remove(int fd) {
  epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
}

void loop::at(clock::time_point when, std::function<void()> what) {
  timers_.push({when, ++timers_made_, std::move(what)});
}

void loop::turn(clock::time_point until) {
  if (!timers_.empty())
    until = std::min(until, timers_.top().when);
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock::now()).count();
  std::array<epoll_event, batch> events{};
  const int n = epoll_wait(epoll_, events.data(), batch,
                           static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000)));
  if (n < 0 && errno != EINTR)
    throw std::runtime_error("epoll_wait failed");
  for (int i = 0; i < n; ++i) {
    const auto& e = events[static_cast<std::size_t>(i)];
    static_cast<watcher*>(e.data.ptr)->ready(e.events);
  }
  const auto now = clock::now();
  while (!timers_.empty() && timers_.top().when <= now) {
    const auto due = timers_.top().what;
    timers_.pop();
    due();
  }
  for (const auto& f : std::exchange(later_, {}))
    f();
}

bool loop::run_until(const std::function<bool()>& done, clock::duration limit) {
  const auto end = clock::now() + limit;
  while (!done()) {
    if (clock::now() >= end)
      return false;
    turn(end);
  }
  return true;
}

void loop::run_for(clock::duration how_long) {
  run_until([] { return false; }, how_long);
}

} // namespace outband::bench
