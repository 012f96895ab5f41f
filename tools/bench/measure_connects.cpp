// How fast machines come in, and what one costs; the reconnect storm.
#include "tools/bench/measure.hpp"

#include <atomic>
#include <cstdio>
#include <thread>

namespace outband::bench {

namespace {

constexpr std::size_t under_way = 64; ///< enough to keep the server busy, few enough to be fair

struct round {
  samples rate, cpu_ms, all_cpu_ms, database_ms, broker_ms, sql, published, amt_calls;
  std::size_t failures = 0;
};

/// CPU of the parts of the site.
struct spent {
  explicit spent(site& at)
      : server(cpu_seconds(at.server())), database(cpu_seconds(at.database(), true)),
        broker(cpu_seconds(at.broker())) {}
  double server, database, broker;
};

void one_round(stage& s, int tls, round& ours, round& bare) {
  const auto n = s.how.connects;
  const auto count = static_cast<double>(n);
  {
    const auto floor = s.start_floor();
    const auto f = s.machines(floor.port, n, tls);
    const auto before = cpu_seconds(floor.process->pid());
    const auto done = s.connect(*f, n, under_way);
    bare.rate.add(count / done.seconds);
    bare.cpu_ms.add((cpu_seconds(floor.process->pid()) - before) * 1000 / count);
    bare.failures += done.failures;
  }
  const auto f = s.machines(s.at.cira_port(), n, tls);
  auto counts = s.at.metrics();
  const spent before(s.at);
  const auto done = s.connect(*f, n, under_way);
  const spent when_up(s.at);
  s.settle();
  const spent after(s.at);
  auto now = s.at.metrics();
  const auto each = [&](const char* name) {
    return (now[name] - counts[name]) / count;
  };
  ours.sql.add(each("outband_sql_statements_total"));
  ours.published.add((site::published(now) - site::published(counts)) / count);
  ours.amt_calls.add(each("outband_amt_calls_total"));
  ours.rate.add(count / done.seconds);
  ours.cpu_ms.add((when_up.server - before.server) * 1000 / count);
  ours.all_cpu_ms.add((after.server - before.server) * 1000 / count);
  ours.database_ms.add((after.database - before.database) * 1000 / count);
  ours.broker_ms.add((after.broker - before.broker) * 1000 / count);
  ours.failures += done.failures;
  f->close_all();
  s.settle();
}

} // namespace

void measure_connects(stage& s) {
  s.need_machines(s.how.connects);
  for (const int tls : {12, 13}) {
    round ours, bare;
    for (std::size_t i = 0; i < s.how.rounds; ++i)
      one_round(s, tls, ours, bare);
    const std::string what = tls == 12 ? "TLS 1.2" : "TLS 1.3";
    const auto rate = ours.rate.median(), floor = bare.rate.median();
    figure f{"connects",          what, "1/s", rate, floor, "at least 80% of the bare loop",
             rate >= 0.8 * floor, {},   {}};
    f.more = {{"machines", static_cast<double>(s.how.connects)},
              {"at_a_time", static_cast<double>(under_way)},
              {"failures", static_cast<double>(ours.failures)},
              {"floor_failures", static_cast<double>(bare.failures)}};
    s.to.add(f);
    figure cpu{"CPU per connect", what, "ms", ours.all_cpu_ms.median(), bare.cpu_ms.median()};
    cpu.note = "of the server, until it has nothing left to do for the machines";
    cpu.more = {
        {"until_last_is_up_ms", ours.cpu_ms.median()}, {"database_ms", ours.database_ms.median()},
        {"broker_ms", ours.broker_ms.median()},        {"sql_statements", ours.sql.median()},
        {"publications", ours.published.median()},     {"amt_calls", ours.amt_calls.median()}};
    s.to.add(cpu);
  }
}

// -- storm ------------------------------------------------------------------------------------

namespace {

/// Somebody who looks at a host, and 10 ms after the answer again, from a thread and a loop of his
/// own: in the machines' loop his answers would wait behind their handshakes, which is not what the
/// server does to him.
class onlooker {
public:
  onlooker(const rest_target& to, const std::string& path) : looks_(io_, to, 1) {
    if (!looks_.connect(std::chrono::seconds(10)))
      throw std::runtime_error("REST cannot be reached");
    thread_ = std::thread([this, path] {
      try {
        looks_.begin([path](std::uint64_t) { return path; }, std::chrono::milliseconds(10));
        io_.run_until([this] { return over_.load(); }, std::chrono::hours(1));
        seen_ = looks_.end();
      } catch (const std::exception& e) {
        seen_.failed += 1;
        seen_.first_failure = e.what();
      }
    });
  }
  ~onlooker() { end(); }
  onlooker(const onlooker&) = delete;
  onlooker& operator=(const onlooker&) = delete;

  const rest_load::outcome& end() {
    over_ = true;
    if (thread_.joinable())
      thread_.join();
    return seen_;
  }

private:
  loop io_;
  rest_load looks_;
  std::atomic<bool> over_{false};
  rest_load::outcome seen_;
  std::thread thread_;
};

} // namespace

void measure_storm(stage& s) {
  const auto n = s.how.storm;
  s.need_machines(n);
  samples ours, bare, server, database, broker;
  samples answers;
  std::uint64_t asked = 0, failed = 0;
  std::string first_failure;
  for (std::size_t i = 0; i < s.how.rounds; ++i) {
    {
      const auto floor = s.start_floor();
      const auto f = s.machines(floor.port, n);
      s.connect(*f, n, under_way);
      s.io.run_for(std::chrono::milliseconds(500));
      f->cut_all();
      bare.add(s.connect(*f, n, n).seconds);
    }
    const auto f = s.machines(s.at.cira_port(), n);
    s.connect(*f, n, under_way);
    s.settle();
    onlooker looks(s.at.rest(), "/api/v1/devices/" + to_string(guid_of(0)));
    const spent before(s.at);
    f->cut_all();
    ours.add(s.connect(*f, n, n).seconds);
    const spent after(s.at);
    const auto each = [n](double cpu) {
      return cpu * 1000 / static_cast<double>(n);
    };
    server.add(each(after.server - before.server));
    database.add(each(after.database - before.database));
    broker.add(each(after.broker - before.broker));
    const auto& seen = looks.end();
    asked += seen.count;
    failed += seen.failed;
    answers.add(seen.milliseconds);
    if (first_failure.empty())
      first_failure = seen.first_failure;
    s.settle();
    f->close_all();
    s.settle();
  }
  const auto took = ours.median(), floor = bare.median();
  figure f{"reconnect storm",
           std::to_string(n) + " machines",
           "s",
           took,
           floor,
           "at most 1.3 times the bare loop",
           took <= 1.3 * floor};
  f.more = {{"server_ms_each", server.median()},
            {"database_ms_each", database.median()},
            {"broker_ms_each", broker.median()}};
  s.to.add(f);
  figure rest{"REST meanwhile",       "GET of a device",       "ms (max)", answers.quantile(1), {},
              "answers all the time", failed == 0 && asked > 0};
  rest.more = {{"answered", static_cast<double>(asked)}, {"failed", static_cast<double>(failed)}};
  rest.note = first_failure;
  s.to.add(rest);
  s.to.add({"REST meanwhile, p50", "GET of a device", "ms", answers.median()});
  s.to.add({"REST meanwhile, p99", "GET of a device", "ms", answers.quantile(0.99)});
}

} // namespace outband::bench
