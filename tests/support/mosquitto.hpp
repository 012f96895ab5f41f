/// A real Mosquitto with a given configuration, killed and started again at will.
///
/// The configuration must log to stderr ("log_dest stderr"): that is how the helper knows that the
/// broker runs, and how a test reads why something was refused.
#pragma once

#include "tests/support/process.hpp"

#include <memory>
#include <string>

namespace outband::test {

class mosquitto {
public:
  /// Waits until it listens; throws with its output when it does not. `config_path` stays the
  /// caller's.
  explicit mosquitto(std::string config_path);

  /// kill -9, as a power cut does it.
  void kill();
  /// SIGTERM: wills are sent and the store is written.
  void stop();
  /// SIGHUP reloads, SIGSTOP and SIGCONT let it hang.
  void signal(int number);
  void start();
  bool running() const { return process_->running(); }

  /// Of the present run.
  std::string log() const { return process_->output(); }
  bool wait_log(const std::string& text, std::size_t from = 0) const {
    return process_->wait_output(text, patience, from);
  }

private:
  std::string config_path_;
  std::unique_ptr<process> process_;
};

/// "user root\n" when the test is root, for Mosquitto would else give up root and then fail to
/// read the test's files; empty otherwise.
std::string mosquitto_user_line();

} // namespace outband::test
