/// One outbandd process, as a service manager would run it: always the same command line.
///
/// Context: the thread that started it must outlive it (tests/support/process.hpp).
#pragma once

#include "tests/support/process.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace outband::e2e {

class server {
public:
  /// `environment` overrides the file: {"OUTBAND_NODE_NAME", "term-a"}.
  server(std::string config_file,
         std::vector<std::pair<std::string, std::string>> environment = {});
  ~server();
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  void launch();    ///< does not wait
  void start();     ///< waits until it says that it is ready; throws with its output
  void kill();      ///< -9
  int stop();       ///< SIGTERM; its exit code
  void terminate(); ///< SIGTERM, and does not wait
  void pause();     ///< SIGSTOP: its sockets stay open, it does nothing
  void resume();    ///< SIGCONT
  bool running() const { return process_ && process_->running(); }
  pid_t pid() const { return process_->pid(); }
  int wait() { return process_->wait().value_or(-1); }
  /// Of all its lives.
  std::string log() const;
  std::size_t log_size() const { return log().size(); }
  /// Its present life says so, after octet `from` of log().
  bool says(const std::string& text, std::size_t from = 0) const;

private:
  std::vector<std::string> argv_;
  test::process_options options_;
  std::unique_ptr<test::process> process_;
  std::string former_; ///< what its former lives said
};

} // namespace outband::e2e
