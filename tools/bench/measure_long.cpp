// Power state by REST for many minutes: does the server become slower? What else runs on the
// machine does change its speed within minutes, so that ours and a plain TLS echo (echo_server.hpp)
// take turns every few seconds; the medians of a minute's turns count, and what is judged is the
// line through the ratios of the minutes. The CPU that a request costs hardly depends on who else
// wants the processors: on a busy machine that is the surer of the two.
#include "tools/bench/measure.hpp"

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace outband::bench {

namespace {

constexpr std::size_t under_way = 64;
constexpr double wanted_at_the_end = 0.95; ///< of what it was in the beginning
constexpr double wanted_cost = 1.05;       ///< a request gets no dearer than that

struct turns {
  samples rates;
  double count = 0, cpu = 0; ///< answers, seconds of the server
  std::uint64_t failed = 0;
  std::string first_failure;

  void add(const rest_load::outcome& r) {
    rates.add(static_cast<double>(r.count) / r.seconds);
    count += static_cast<double>(r.count);
    failed += r.failed;
    if (first_failure.empty())
      first_failure = r.first_failure;
  }
  double cpu_ms() const { return cpu * 1000 / count; }
};

} // namespace

void measure_rest_long(stage& s) {
  if (s.how.minutes < 1)
    return;
  const auto n = s.how.rest_devices;
  s.need_machines(n);
  const auto floor = s.start_floor();
  const auto f = s.machines(s.at.cira_port(), n);
  s.connect(*f, n, under_way);
  s.settle();
  rest_load ours(s.io, s.at.rest(), under_way), echo(s.io, s.echo_of(floor), under_way);
  if (!ours.connect(std::chrono::seconds(30)) || !echo.connect(std::chrono::seconds(30)))
    throw std::runtime_error("not all HTTPS connections were accepted");
  const auto path = [&](std::uint64_t k) {
    return "/api/v1/amt/power/state/" + to_string(guid_of(k % n));
  };
  std::size_t octets = 0; // of an answer; all machines give the same
  ours.on_answer = [&](const rest_load::heard& h) {
    octets = h.received;
  };
  const auto echo_path = [&](std::uint64_t k) {
    auto out = "/" + std::to_string(octets) + "/";
    out.resize(path(k).size(), 'x');
    return out;
  };
  const auto memory = static_cast<double>(memory_octets(s.at.server()));
  std::vector<double> ratios, rates, cpus, echo_cpus;
  std::uint64_t failed = 0;
  for (int minute = 1; minute <= s.how.minutes; ++minute) {
    turns us, it;
    for (int i = 0; i < s.how.long_turns; ++i) {
      const auto cpu = cpu_seconds(s.at.server());
      us.add(ours.run(path, s.how.long_ours));
      us.cpu += cpu_seconds(s.at.server()) - cpu;
      const auto echo_cpu = cpu_seconds(floor.process->pid());
      it.add(echo.run(echo_path, s.how.long_echo));
      it.cpu += cpu_seconds(floor.process->pid()) - echo_cpu;
    }
    if (us.count == 0 || it.count == 0)
      throw std::runtime_error("nothing is answered: " + us.first_failure + it.first_failure);
    figure one{"power state by REST, long",
               "minute " + std::to_string(minute) + " of " + std::to_string(s.how.minutes), "1/s",
               us.rates.median(), it.rates.median()};
    one.more = {{"failed", static_cast<double>(us.failed)},
                {"failed_floor", static_cast<double>(it.failed)},
                {"cpu_ms_each", us.cpu_ms()},
                {"floor_cpu_ms_each", it.cpu_ms()},
                {"memory_octets", static_cast<double>(memory_octets(s.at.server()))}};
    one.note = us.first_failure + it.first_failure;
    s.to.add(one);
    ratios.push_back(us.rates.median() / it.rates.median());
    rates.push_back(us.rates.median());
    cpus.push_back(us.cpu_ms());
    echo_cpus.push_back(it.cpu_ms());
    failed += us.failed + it.failed;
  }
  const auto what = std::to_string(s.how.minutes) + " minutes, end to begin";
  const auto rate = trend_of(ratios);
  figure flat{"power state by REST, flat", what + ", rate to the echo's", "ratio", rate.ratio};
  flat.goal = "at least 0.95, no errors";
  flat.met = rate.ratio >= wanted_at_the_end && failed == 0;
  flat.more = {{"standard_error", rate.error},
               {"rate_alone", trend_of(rates).ratio},
               {"failed", static_cast<double>(failed)},
               {"memory_first_octets", memory},
               {"memory_last_octets", static_cast<double>(memory_octets(s.at.server()))}};
  s.to.add(flat);
  const auto cpu = trend_of(cpus), echo_cpu = trend_of(echo_cpus);
  figure cost{"power state by REST, flat", what + ", CPU per request", "ratio", cpu.ratio,
              echo_cpu.ratio};
  cost.goal = "at most 1.05 times the echo's";
  cost.met = cpu.ratio <= wanted_cost * echo_cpu.ratio;
  cost.more = {{"standard_error", cpu.error},
               {"floor_standard_error", echo_cpu.error},
               {"first_ms", cpu.first},
               {"last_ms", cpu.last}};
  s.to.add(cost);
}

} // namespace outband::bench
