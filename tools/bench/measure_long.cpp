// Power state by REST for many minutes: does the server become slower? What else runs on the
// machine does change its speed within minutes, so that ours and a plain TLS echo (echo_server.hpp)
// take turns every few seconds; the medians of a minute's turns count, and what is judged is the
// line through the ratios of the minutes.
#include "tools/bench/measure.hpp"

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace outband::bench {

namespace {

constexpr std::size_t under_way = 64;
constexpr double wanted_at_the_end = 0.95; ///< of what it was in the beginning

struct turns {
  samples rates;
  double count = 0, cpu = 0;
  std::uint64_t failed = 0;
  std::string first_failure;

  void add(const rest_load::outcome& r) {
    rates.add(static_cast<double>(r.count) / r.seconds);
    count += static_cast<double>(r.count);
    failed += r.failed;
    if (first_failure.empty())
      first_failure = r.first_failure;
  }
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
  std::vector<double> ratios, rates, cpus;
  turns all, all_echo;
  for (int minute = 1; minute <= s.how.minutes; ++minute) {
    turns us, it;
    for (int i = 0; i < s.how.long_turns; ++i) {
      const auto cpu = cpu_seconds(s.at.server());
      us.add(ours.run(path, s.how.long_ours));
      us.cpu += cpu_seconds(s.at.server()) - cpu;
      it.add(echo.run(echo_path, s.how.long_echo));
    }
    if (us.count == 0 || it.count == 0)
      throw std::runtime_error("nothing is answered: " + us.first_failure + it.first_failure);
    figure one{"power state by REST, long",
               "minute " + std::to_string(minute) + " of " + std::to_string(s.how.minutes), "1/s",
               us.rates.median(), it.rates.median()};
    one.more = {{"failed", static_cast<double>(us.failed)},
                {"failed_floor", static_cast<double>(it.failed)},
                {"cpu_ms_each", us.cpu * 1000 / us.count},
                {"memory_octets", static_cast<double>(memory_octets(s.at.server()))}};
    one.note = us.first_failure + it.first_failure;
    s.to.add(one);
    ratios.push_back(us.rates.median() / it.rates.median());
    rates.push_back(us.rates.median());
    cpus.push_back(us.cpu * 1000 / us.count);
    for (auto [sum, part] : {std::pair{&all, &us}, {&all_echo, &it}})
      sum->failed += part->failed;
  }
  const auto line = trend_of(ratios);
  figure flat{"power state by REST, flat",
              std::to_string(s.how.minutes) + " minutes, ratio to the echo", "end/begin",
              line.ratio};
  flat.goal = "at least 0.95, no errors";
  flat.met = line.ratio >= wanted_at_the_end && all.failed == 0 && all_echo.failed == 0;
  flat.more = {{"standard_error", line.error},
               {"rate_end_to_begin", trend_of(rates).ratio},
               {"cpu_each_end_to_begin", trend_of(cpus).ratio},
               {"failed", static_cast<double>(all.failed)},
               {"memory_first_octets", memory},
               {"memory_last_octets", static_cast<double>(memory_octets(s.at.server()))}};
  s.to.add(flat);
}

} // namespace outband::bench
