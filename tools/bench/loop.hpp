/// One epoll loop, edge-triggered, with one-shot timers: what the bench programs run on.
///
/// Context: one thread, no locks. A watcher must outlive its registration; it may still hear an
/// event that was fetched before it was removed, so it looks at its own state first.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <queue>
#include <vector>

namespace outband::bench {

using clock = std::chrono::steady_clock;

class watcher {
public:
  virtual ~watcher() = default;
  /// `events`: EPOLLIN and so on.
  virtual void ready(std::uint32_t events) = 0;
};

class loop {
public:
  loop();
  ~loop();
  loop(const loop&) = delete;
  loop& operator=(const loop&) = delete;

  /// Reads, writes and the peer's FIN, each told once per change. Closing the descriptor ends it.
  void add(int fd, watcher& to);
  /// Only reads, told as long as there is something to read: listeners and pipes.
  void add_level(int fd, watcher& to);
  void remove(int fd);

  void at(clock::time_point when, std::function<void()> what);
  void after(clock::duration how_long, std::function<void()> what) {
    at(clock::now() + how_long, std::move(what));
  }
  /// Runs when the present batch of events is handled: for what may not be destroyed earlier.
  void later(std::function<void()> what) { later_.push_back(std::move(what)); }

  /// Until `done`, asked after each batch; false if `limit` passed first.
  bool run_until(const std::function<bool()>& done, clock::duration limit);
  void run_for(clock::duration how_long);

private:
  struct timer {
    clock::time_point when;
    std::uint64_t order;
    std::function<void()> what;
    bool operator<(const timer& o) const {
      return when != o.when ? when > o.when : order > o.order;
    }
  };
  void turn(clock::time_point until);

  int epoll_;
  std::uint64_t timers_made_ = 0;
  std::priority_queue<timer> timers_;
  std::vector<std::function<void()>> later_;
};

} // namespace outband::bench
