/// Where the bus runs what is to happen later: tasks in order, and timers.
///
/// `thread_loop` is one thread of its own that sleeps until something is due; `virtual_loop` has no
/// thread and a clock that moves only when told, for deterministic tests.
/// Threads: every member may be called from any thread; tasks run one at a time.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

namespace outband::bus {

class scheduler {
public:
  using task = std::function<void()>;
  using clock = std::chrono::steady_clock;
  /// Due time and a serial number: unique, and ordered by when it fires.
  using timer = std::pair<clock::time_point, std::uint64_t>;

  virtual ~scheduler() = default;
  virtual clock::time_point now() const = 0;
  /// Tasks run in the order in which they were posted. A task must not throw.
  virtual void post(task t) = 0;
  virtual timer after(clock::duration delay, task t) = 0;
  /// A timer that has fired or that was cancelled before is ignored.
  virtual void cancel(const timer& t) = 0;
  /// Returns when all that was posted before has run; at once on the loop's own thread and where
  /// there is no thread. For destructors: afterwards no task of theirs is running.
  virtual void settle() = 0;
};

class thread_loop final : public scheduler {
public:
  thread_loop();
  /// As stop().
  ~thread_loop() override;
  thread_loop(const thread_loop&) = delete;
  thread_loop& operator=(const thread_loop&) = delete;

  clock::time_point now() const override { return clock::now(); }
  void post(task t) override;
  timer after(clock::duration delay, task t) override;
  void cancel(const timer& t) override;
  void settle() override;
  /// Runs what has been posted, forgets the timers and ends the thread. Not from a task.
  void stop();

private:
  void run();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<task> posted_;
  std::map<timer, task> timers_;
  std::uint64_t serial_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

class virtual_loop final : public scheduler {
public:
  clock::time_point now() const override;
  void post(task t) override;
  timer after(clock::duration delay, task t) override;
  void cancel(const timer& t) override;
  void settle() override {}

  /// Runs one task that is due; false when nothing is. Time stands still.
  bool step();
  /// Runs all that is due, and what that makes due; how many tasks it was. `limit` bounds tasks
  /// that post each other for ever.
  std::size_t run(std::size_t limit = 1'000'000);
  /// Moves the clock by `span`, running everything on the way at its own time.
  void advance(clock::duration span);

private:
  bool take(task& next);

  mutable std::mutex mutex_;
  clock::time_point now_{std::chrono::hours(1)};
  std::deque<task> posted_;
  std::map<timer, task> timers_;
  std::uint64_t serial_ = 0;
};

} // namespace outband::bus
