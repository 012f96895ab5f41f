/// A program that a test starts, whose output it can wait for and that never outlives the test.
///
/// Threads: per process one collects stdout and stderr together, one waits for its end; every
/// member may be called from any thread. The child is killed when the thread that started it ends
/// (PR_SET_PDEATHSIG), so a crashed test leaves nothing behind.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <sys/types.h>
#include <thread>
#include <utility>
#include <vector>

namespace outband::test {

/// How long a test waits for something that must happen: far more than it takes, for slow machines
/// and sanitizers.
inline constexpr std::chrono::seconds patience{60};

struct process_options {
  std::string directory; ///< working directory; empty: the test's
  std::vector<std::pair<std::string, std::string>> environment; ///< added to the test's
  /// Run as this user when the test is root and the name is given.
  std::string user;
};

class process {
public:
  explicit process(std::vector<std::string> argv, process_options options = {});
  /// Kills it (SIGKILL) if it still runs.
  ~process();
  process(const process&) = delete;
  process& operator=(const process&) = delete;

  pid_t pid() const { return pid_; }
  bool running();
  void signal(int number);
  /// Exit status, or 128 + signal; nullopt if it still runs after the deadline.
  std::optional<int> wait(std::chrono::milliseconds deadline = patience);
  /// SIGTERM, wait, SIGKILL if that was not enough.
  int stop();

  /// All that it has printed so far.
  std::string output() const;
  /// Waits until the output from octet `from` on contains `text`; false when the process ended or
  /// the deadline passed without it.
  bool wait_output(const std::string& text, std::chrono::milliseconds deadline = patience,
                   std::size_t from = 0) const;

private:
  void read_all(int fd);
  void reap();

  pid_t pid_ = -1;
  std::optional<int> status_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::string output_;
  bool output_ended_ = false;
  std::thread reader_, waiter_;
};

/// The full path of a program on PATH or in the usual sbin folders; empty if there is none.
std::string find_program(const std::string& name);

} // namespace outband::test
