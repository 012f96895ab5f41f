// Everything people and tools read of machines, mixed, over all of them, by REST: the whole server
// with its queues, digest and WS-MAN. Next to it a plain TLS echo (echo_server.hpp) with the same
// client, the same request and answer sizes, and nothing behind it: no machine is asked for that.
#include "tools/bench/measure.hpp"

#include <array>
#include <stdexcept>

namespace outband::bench {

namespace {

constexpr std::size_t under_way = 64;

struct kind {
  const char* name;
  int share; ///< in percent
};
constexpr std::array<kind, 8> kinds{{{"power/state", 40},
                                     {"features", 20},
                                     {"version", 10},
                                     {"generalSettings", 10},
                                     {"networkSettings", 5},
                                     {"hardwareInfo", 5},
                                     {"log/event", 5},
                                     {"power/capabilities", 5}}};

/// One kind for each twentieth of the mix, the frequent ones spread over all of it.
constexpr std::array<std::size_t, 20> mix{0, 1, 0, 2, 0, 3, 4, 0, 1, 5,
                                          0, 1, 0, 2, 0, 3, 6, 0, 1, 7};

/// Request after request walks over all machines; in each round a machine is asked something else.
struct schedule {
  std::size_t machines;
  std::size_t kind_of(std::uint64_t k) const { return mix[(k + k / machines) % mix.size()]; }
  std::string path(std::uint64_t k) const { return path(kind_of(k), k); }
  std::string path(std::size_t kind, std::uint64_t k) const {
    return std::string("/api/v1/amt/") + kinds[kind].name + "/" + to_string(guid_of(k % machines));
  }
};

struct cost {
  double sent = 0, received = 0; ///< octets of HTTP
  double wsman = 0;              ///< requests that the machine saw
};
using costs = std::array<cost, kinds.size()>;

/// Each kind alone, one at a time: how large it is and what it asks of a machine. Machines know
/// the server's digest afterwards, so that no 401 is in the figures.
costs costs_of_each(stage& s, fleet& f, const schedule& plan) {
  costs out;
  for (std::size_t kind = 0; kind < kinds.size(); ++kind) {
    rest_load load(s.io, s.at.rest(), 16);
    if (!load.connect(std::chrono::seconds(30)))
      throw std::runtime_error("not all HTTPS connections were accepted");
    std::uint64_t heard = 0;
    auto& c = out[kind];
    load.on_answer = [&](const rest_load::heard& h) {
      ++heard;
      c.sent += static_cast<double>(h.sent);
      c.received += static_cast<double>(h.received);
    };
    auto before = f.around().requests;
    const auto once = [&] {
      heard = 0;
      c = {};
      before = f.around().requests;
      load.begin([&](std::uint64_t k) { return plan.path(kind, k); });
      const bool enough =
          s.io.run_until([&] { return heard >= plan.machines; }, std::chrono::seconds(60));
      const auto r = load.end();
      if (!enough || r.failed > 0)
        throw std::runtime_error(std::string(kinds[kind].name) + " fails: " + r.first_failure);
    };
    if (kind == 0)
      once(); // the 401 of each machine
    once();
    c.wsman = static_cast<double>(f.around().requests - before) / static_cast<double>(heard);
    c.sent /= static_cast<double>(heard);
    c.received /= static_cast<double>(heard);
  }
  return out;
}

struct taken {
  samples rate, cpu, wsman, all;
  std::array<samples, kinds.size()> each;
  std::uint64_t count = 0, failed = 0;
  std::string first_failure;
};

void take(stage& s, const rest_target& from, std::size_t at_a_time, const schedule& plan,
          const std::function<std::string(std::uint64_t)>& path, fleet* f, pid_t server, taken& t) {
  rest_load load(s.io, from, at_a_time);
  if (!load.connect(std::chrono::seconds(30)))
    throw std::runtime_error("not all HTTPS connections were accepted");
  load.on_answer = [&](const rest_load::heard& h) {
    t.all.add(h.milliseconds);
    t.each[plan.kind_of(h.number)].add(h.milliseconds);
  };
  const auto cpu = cpu_seconds(server);
  const auto asked = f != nullptr ? f->around().requests : 0;
  const auto slice = s.how.rest_time / static_cast<double>(s.how.rounds);
  const auto r = load.run(path, std::chrono::duration_cast<clock::duration>(slice));
  const auto count = static_cast<double>(std::max<std::uint64_t>(r.count, 1));
  t.rate.add(static_cast<double>(r.count) / r.seconds);
  t.cpu.add((cpu_seconds(server) - cpu) * 1000 / count);
  if (f != nullptr)
    t.wsman.add(static_cast<double>(f->around().requests - asked) / count);
  t.count += r.count;
  t.failed += r.failed;
  if (t.first_failure.empty())
    t.first_failure = r.first_failure;
}

void tell(stage& s, const std::string& what, taken& ours, taken& echo, const costs& each) {
  figure rate{"mixed reads", what, "1/s", ours.rate.median(), echo.rate.median()};
  rate.goal = "no errors";
  rate.met = ours.failed == 0 && echo.failed == 0;
  rate.more = {{"count", static_cast<double>(ours.count)},
               {"failed", static_cast<double>(ours.failed)},
               {"failed_floor", static_cast<double>(echo.failed)},
               {"cpu_ms_each", ours.cpu.median()},
               {"floor_cpu_ms_each", echo.cpu.median()},
               {"wsman_each", ours.wsman.median()}};
  rate.note = ours.first_failure + echo.first_failure;
  s.to.add(rate);
  for (const auto& [name, q] : {std::pair{"mixed reads, p50", 0.5}, {"mixed reads, p99", 0.99}}) {
    s.to.add({name, what, "ms", ours.all.quantile(q), echo.all.quantile(q)});
    for (std::size_t k = 0; k < kinds.size(); ++k) {
      figure one{name, what + ": " + kinds[k].name, "ms", ours.each[k].quantile(q),
                 echo.each[k].quantile(q)};
      one.more = {{"count", static_cast<double>(ours.each[k].count())},
                  {"request_octets", each[k].sent},
                  {"answer_octets", each[k].received},
                  {"wsman_each", each[k].wsman}};
      s.to.add(one);
    }
  }
}

} // namespace

void measure_reads(stage& s) {
  const schedule plan{s.how.rest_devices};
  s.need_machines(plan.machines);
  const auto floor = s.start_floor();
  const auto echo_at = s.echo_of(floor); // the same headers in each request
  const auto f = s.machines(s.at.cira_port(), plan.machines);
  s.connect(*f, plan.machines, under_way);
  s.settle();
  const auto each = costs_of_each(s, *f, plan);
  const auto read = [&](std::uint64_t k) {
    return plan.path(k);
  };
  const auto echo_path = [&](std::uint64_t k) {
    const auto octets = static_cast<std::size_t>(each[plan.kind_of(k)].received + 0.5);
    auto out = "/" + std::to_string(octets) + "/";
    out.resize(plan.path(k).size(), 'x');
    return out;
  };
  for (const auto at_a_time : s.how.reads_at_a_time) {
    taken ours, echo;
    for (std::size_t i = 0; i < s.how.rounds; ++i) {
      take(s, echo_at, at_a_time, plan, echo_path, nullptr, floor.process->pid(), echo);
      take(s, s.at.rest(), at_a_time, plan, read, f.get(), s.at.server(), ours);
    }
    tell(s, std::to_string(at_a_time) + " at a time", ours, echo, each);
  }
}

} // namespace outband::bench
