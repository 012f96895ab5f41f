#include "tools/bench/measure.hpp"

#include <nlohmann/json.hpp>

#include <stdexcept>

namespace outband::bench {

namespace {

constexpr std::chrono::seconds connect_patience{180};

} // namespace

sizes sizes::quick() {
  sizes q;
  q.connects = 100;
  q.rounds = 1;
  q.idle = {50, 100};
  q.idle_time = std::chrono::seconds(2);
  q.settle = std::chrono::seconds(20);
  q.storm = 100;
  q.rest_devices = 20;
  q.rest_at_a_time = {1, 16};
  q.reads_at_a_time = {16};
  q.rest_time = std::chrono::seconds(1);
  q.single_events = 5;
  q.flap_time = std::chrono::seconds(2);
  q.minutes = 3;
  q.long_ours = std::chrono::milliseconds(400);
  q.long_echo = std::chrono::milliseconds(100);
  q.long_turns = 2;
  return q;
}

stage::stage(site& s, report& r, sizes h, std::string floor_program, std::string floor_threads)
    : at(s), to(r), how(std::move(h)), floor_program_(std::move(floor_program)),
      floor_threads_(std::move(floor_threads)) {}

stage::floor stage::start_floor() {
  floor out;
  out.process = std::make_unique<child>(
      io,
      std::vector<std::string>{floor_program_, "--cert", at.fact("OUTBAND_CIRA_CERTIFICATE"),
                               "--key", at.fact("OUTBAND_CIRA_KEY"), "--threads", floor_threads_});
  const auto line =
      nlohmann::json::parse(out.process->wait_line(std::chrono::seconds(10)), nullptr, false);
  if (!line.is_object() || !line.contains("port"))
    throw std::runtime_error("the bare loop does not start");
  out.port = line.at("port");
  return out;
}

rest_target stage::echo_of(const floor& f) {
  const auto line = f.process->ask("echo", std::chrono::seconds(10));
  const auto answer = nlohmann::json::parse(line, nullptr, false);
  if (!answer.is_object() || !answer.contains("echo"))
    throw std::runtime_error("the bare loop offers no echo: " + line);
  auto out = at.rest();
  out.port = answer.at("echo");
  return out;
}

std::unique_ptr<fleet> stage::machines(std::uint16_t port, std::size_t count, int tls) {
  return std::make_unique<fleet>(
      io, soap, fleet::options{port, tls, mps_user, mps_password, how.keep_alive}, count);
}

void stage::need_machines(std::size_t count) {
  if (registered_ >= count)
    return;
  at.register_machines(registered_, count);
  registered_ = count;
}

fleet::outcome stage::connect(fleet& f, std::size_t count, std::size_t at_a_time) {
  auto out = f.connect(count, at_a_time, connect_patience);
  if (out.up < count)
    throw std::runtime_error("only " + std::to_string(out.up) + " of " + std::to_string(count) +
                             " machines came in: " + out.why);
  return out;
}

bool stage::settle() {
  const auto end = clock::now() + how.settle;
  constexpr std::chrono::milliseconds look{500};
  // Idle: less than 3 % of a core over half a second, twice, and nothing queued.
  int quiet = 0;
  auto cpu = cpu_seconds(at.server()) + cpu_seconds(at.database(), true);
  while (clock::now() < end) {
    io.run_for(look);
    const auto now = cpu_seconds(at.server()) + cpu_seconds(at.database(), true);
    const bool busy = now - cpu > 0.015;
    cpu = now;
    quiet = busy ? 0 : quiet + 1;
    if (quiet >= 2)
      return true;
  }
  return false;
}

} // namespace outband::bench
