#include "tests/e2e/machines.hpp"

#include "tests/support/ports.hpp"
#include "tests/support/tempdir.hpp"

#include <nlohmann/json.hpp>

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace outband::e2e {

machines::machines(const machine_options& o) : control_port_(test::free_port()) {
  std::vector<std::string> argv{OUTBAND_AMTSIM,
                                "--devices",
                                std::to_string(o.count),
                                "--write-devices",
                                o.devices_file,
                                "--control",
                                "127.0.0.1:" + std::to_string(control_port_),
                                "--wait"};
  if (o.server_port != 0)
    argv.insert(argv.end(), {"--server", "127.0.0.1:" + std::to_string(o.server_port), "--root-ca",
                             o.root_ca, "--cn", "localhost"});
  argv.insert(argv.end(), o.more.begin(), o.more.end());
  simulator_ = std::make_unique<test::process>(argv);
  if (!simulator_->wait_output("control interface"))
    throw std::runtime_error("no simulator: " + simulator_->output());
  devices_ = test::read_file(o.devices_file);
  for (const auto& d : json::parse(devices_))
    all_.push_back({d.at("guid"), d.at("hostname")});
}

machines::~machines() {
  simulator_->stop();
}

const machine& machines::fresh() {
  if (next_ >= all_.size())
    throw std::runtime_error("more fresh machines are needed than there are");
  return all_[next_++];
}

json machines::sim(const json& command) const {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(control_port_);
  inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
  std::string line;
  errno = 0;
  if (::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0) {
    const auto text = command.dump() + "\n";
    if (send(fd, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size())) {
      char buffer[16384];
      ssize_t n = 0;
      while ((line.empty() || line.back() != '\n') && (n = recv(fd, buffer, sizeof buffer, 0)) > 0)
        line.append(buffer, static_cast<std::size_t>(n));
    }
  }
  const auto why = errno;
  close(fd);
  auto j = json::parse(line, nullptr, false);
  if (j.is_discarded() || !j.value("ok", false))
    throw std::runtime_error("the simulator answered: '" + line + "', " +
                             (why == 0 ? "and closed" : std::strerror(why)) +
                             "; it said: " + simulator_->output());
  return j;
}

json machines::truth(const std::string& guid) const {
  return sim({{"op", "get"}, {"guid", guid}}).at("machine");
}

int machines::power(const std::string& guid) const {
  return truth(guid).at("power");
}

std::map<int, int> machines::carried_out(const std::string& guid) const {
  std::map<int, int> out;
  const auto all = truth(guid).at("carried_out");
  for (const auto& [state, count] : all.items())
    out[std::stoi(state)] = count.get<int>();
  return out;
}

std::size_t machines::connected() const {
  std::size_t n = 0;
  const auto all = sim({{"op", "list"}});
  for (const auto& m : all.at("machines"))
    n += m.at("connected").get<bool>() ? 1 : 0;
  return n;
}

void machines::fault(const std::string& guid, const std::string& kind, int count, int ms) const {
  json j{{"op", "fault"}, {"guid", guid}, {"kind", kind}, {"count", count}};
  if (ms > 0)
    j["ms"] = ms;
  sim(j);
}

void machines::connect(const std::string& guid) const {
  sim({{"op", "connect"}, {"guid", guid}});
}

void machines::disconnect(const std::string& guid) const {
  sim({{"op", "disconnect"}, {"guid", guid}});
}

} // namespace outband::e2e
