#include "tests/e2e/server.hpp"

#include <csignal>
#include <stdexcept>

namespace outband::e2e {

server::server(std::string config_file,
               std::vector<std::pair<std::string, std::string>> environment)
    : argv_{OUTBANDD, "--config", std::move(config_file)} {
  options_.environment = std::move(environment);
}

server::~server() {
  if (process_)
    process_->stop();
}

void server::launch() {
  if (process_) {
    kill();
    former_ += process_->output();
  }
  process_ = std::make_unique<test::process>(argv_, options_);
}

void server::start() {
  launch();
  if (!process_->wait_output("is ready"))
    throw std::runtime_error("the server does not start: " + process_->output());
}

void server::kill() {
  process_->signal(SIGKILL);
  process_->wait();
}

int server::stop() {
  return process_->stop();
}

void server::terminate() {
  process_->signal(SIGTERM);
}

void server::pause() {
  process_->signal(SIGSTOP);
}

void server::resume() {
  process_->signal(SIGCONT);
}

std::string server::log() const {
  return former_ + (process_ ? process_->output() : std::string());
}

bool server::says(const std::string& text, std::size_t from) const {
  const auto skip = from > former_.size() ? from - former_.size() : 0;
  return process_->wait_output(text, test::patience, skip);
}

} // namespace outband::e2e
