#include "tests/e2e/site.hpp"

#include "tests/support/ports.hpp"

#include <csignal>
#include <stdexcept>

namespace outband::e2e {

namespace {

constexpr std::size_t how_many = 24;

std::string ports(std::uint16_t cira, std::uint16_t https) {
  return "cira: {bind: 127.0.0.1, port: " + std::to_string(cira) +
         ", common_name: localhost}\n"
         "https: {bind: 127.0.0.1, port: " +
         std::to_string(https) + ", names: [localhost, 127.0.0.1]}\n";
}

} // namespace

site& site::get() {
  static site one(test::free_port(), test::free_port());
  return one;
}

site::site(std::uint16_t cira_port, std::uint16_t https_port)
    : stage(ports(cira_port, https_port)), cira_port_(cira_port),
      server_(std::make_unique<e2e::server>(config())) {
  talk_to(https_port);
  start_server();
  sign_in_admin();
  add_machines(cira_port_, how_many);
  fleet().connect();
  for (const auto& m : machines())
    if (!until([&] { return connected(m.guid); }))
      throw std::runtime_error("machine " + m.hostname + " does not connect: " + server_log());
}

site::~site() = default;

void site::start_server() {
  server_->start();
  if (!until([&] { return ready(); }))
    throw std::runtime_error("the server does not become ready: " + server_log());
}

void site::restart_server(int signal) {
  if (signal == SIGKILL)
    server_->kill();
  else
    server_->stop();
  start_server();
}

} // namespace outband::e2e
