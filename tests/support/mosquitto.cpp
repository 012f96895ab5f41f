#include "tests/support/mosquitto.hpp"

#include <csignal>
#include <stdexcept>
#include <unistd.h>

namespace outband::test {

mosquitto::mosquitto(std::string config_path) : config_path_(std::move(config_path)) {
  start();
}

void mosquitto::start() {
  auto program = find_program("mosquitto");
  if (program.empty())
    throw std::runtime_error("mosquitto is not installed");
  process_ = std::make_unique<process>(std::vector<std::string>{program, "-c", config_path_});
  // mosquitto 2.0.11: src/mosquitto.c prints this after every listener is open.
  if (!process_->wait_output(" running"))
    throw std::runtime_error("mosquitto did not start:\n" + process_->output());
}

void mosquitto::kill() {
  process_->signal(SIGKILL);
  process_->wait();
}

void mosquitto::stop() {
  process_->stop();
}

void mosquitto::signal(int number) {
  process_->signal(number);
}

std::string mosquitto_user_line() {
  return ::geteuid() == 0 ? "user root\n" : "";
}

} // namespace outband::test
