/// What the kernel tells of processes, and a child that takes orders by its standard input.
#pragma once

#include "tools/bench/loop.hpp"

#include <functional>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace outband::bench {

/// User and system time so far, of the process alone, or with its living and awaited children
/// (PostgreSQL's backends). In seconds, with the kernel's resolution of 1/100 s or finer.
double cpu_seconds(pid_t pid, bool with_children = false);
/// Proportional set size in octets; 0 if the kernel does not tell.
std::uint64_t memory_octets(pid_t pid);

struct machine_facts {
  std::string cpu, kernel;
  int cores = 0;
  std::uint64_t memory_octets = 0;
};
machine_facts this_machine();

class child final : public watcher {
public:
  /// Its standard output is read line by line. Throws std::runtime_error if it cannot be started.
  child(loop& io, const std::vector<std::string>& command);
  ~child() override; ///< ends it and waits

  pid_t pid() const { return pid_; }
  /// Sends a line and waits for the next that comes back; empty if none does in time.
  std::string ask(const std::string& order, clock::duration patience);
  std::string wait_line(clock::duration patience);
  /// Hears each line instead.
  std::function<void(const std::string&)> on_line;

  void ready(std::uint32_t events) override;

private:
  loop& io_;
  pid_t pid_ = -1;
  int in_ = -1, out_ = -1;
  std::string text_;
  std::vector<std::string> lines_;
  bool over_ = false;
};

} // namespace outband::bench
