// Power state by REST: one at a time and many at once. The bare loop does the
// same WS-MAN exchanges without a REST request in front: that is the firmware's own time.
#include "tools/bench/measure.hpp"

#include <nlohmann/json.hpp>

#include <stdexcept>

namespace outband::bench {

namespace {

constexpr std::size_t under_way = 64;
constexpr double wanted_saturated = 3800; ///< nine times MPS's 424/s on such a machine
constexpr double wanted_extra_ms = 2;

std::string path_of(std::size_t machine) {
  return "/api/v1/amt/power/state/" + to_string(guid_of(machine));
}

struct bare_reads {
  double rate = 0, p50 = 0, p99 = 0;
};

bare_reads read_bare(stage& s, const stage::floor& floor, std::size_t at_a_time, double seconds) {
  const auto line = floor.process->ask(
      "read " + std::to_string(at_a_time) + " " + std::to_string(seconds), std::chrono::minutes(2));
  const auto j = nlohmann::json::parse(line, nullptr, false);
  if (!j.is_object() || j.value("failed", 1) != 0 || j.value("count", 0) == 0)
    throw std::runtime_error("the bare loop could not read power states: " + line);
  (void)s;
  return {j.at("count").get<double>() / j.at("seconds").get<double>(), j.at("p50_ms"),
          j.at("p99_ms")};
}

} // namespace

void measure_rest(stage& s) {
  const auto n = s.how.rest_devices;
  s.need_machines(n);
  const auto floor = s.start_floor();
  const auto bare = s.machines(floor.port, n);
  s.connect(*bare, n, under_way);
  const auto f = s.machines(s.at.cira_port(), n);
  s.connect(*f, n, under_way);
  s.settle();
  const auto seconds = std::chrono::duration<double>(s.how.rest_time).count();
  double best = 0, best_floor = 0;
  for (const auto at_a_time : s.how.rest_at_a_time) {
    samples rate, p50, p99, floor_rate, floor_p50, floor_p99, cpu;
    std::uint64_t failed = 0;
    std::string first_failure;
    for (std::size_t i = 0; i < s.how.rounds; ++i) {
      const auto slice = seconds / static_cast<double>(s.how.rounds);
      const auto b = read_bare(s, floor, at_a_time, slice);
      floor_rate.add(b.rate);
      floor_p50.add(b.p50);
      floor_p99.add(b.p99);
      rest_load load(s.io, s.at.rest(), at_a_time);
      if (!load.connect(std::chrono::seconds(30)))
        throw std::runtime_error("not all HTTPS connections were accepted");
      const auto before = cpu_seconds(s.at.server());
      auto r = load.run(
          [&](std::uint64_t k) { return path_of(k % n); },
          std::chrono::duration_cast<clock::duration>(std::chrono::duration<double>(slice)));
      rate.add(static_cast<double>(r.count) / r.seconds);
      p50.add(r.milliseconds.median());
      p99.add(r.milliseconds.quantile(0.99));
      cpu.add((cpu_seconds(s.at.server()) - before) * 1000 /
              static_cast<double>(std::max<std::uint64_t>(r.count, 1)));
      failed += r.failed;
      if (first_failure.empty())
        first_failure = r.first_failure;
    }
    const auto what = std::to_string(at_a_time) + " at a time";
    figure throughput{"power state by REST", what, "1/s", rate.median(), floor_rate.median()};
    throughput.more = {{"failed", static_cast<double>(failed)}, {"cpu_ms_each", cpu.median()}};
    throughput.note = first_failure;
    best = std::max(best, rate.median());
    best_floor = std::max(best_floor, floor_rate.median());
    s.to.add(throughput);
    figure middle{"power state by REST, p50", what, "ms", p50.median(), floor_p50.median()};
    middle.more = {{"over_the_floor_ms", p50.median() - floor_p50.median()}};
    if (at_a_time == 1) {
      middle.goal = "within 2 ms of the firmware's own time";
      middle.met = p50.median() - floor_p50.median() <= wanted_extra_ms;
    }
    s.to.add(middle);
    s.to.add({"power state by REST, p99", what, "ms", p99.median(), floor_p99.median()});
  }
  s.to.add({"power state by REST",
            "saturated",
            "1/s",
            best,
            best_floor,
            "at least 3800/s (9 x MPS)",
            best >= wanted_saturated,
            {},
            {}});
}

} // namespace outband::bench
