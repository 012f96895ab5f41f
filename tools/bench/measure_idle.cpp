// What machines that do nothing cost: memory, CPU, and what the server does without being asked.
#include "tools/bench/measure.hpp"

#include <cmath>

namespace outband::bench {

namespace {

constexpr std::size_t under_way = 64;
/// After the last machine was looked at, the guards of those looks (10 s, 5 s of grace, whole
/// seconds) still pass in the server. They belong to the arrivals, and stage::settle, content with
/// 3 % of a core, does not see them.
constexpr std::chrono::seconds guards{17};

struct counts {
  double sql = 0, published = 0, amt_calls = 0;
};

counts now(site& at) {
  auto m = at.metrics();
  return {m["outband_sql_statements_total"], site::published(m), m["outband_amt_calls_total"]};
}

struct idle {
  double memory = 0; ///< octets
  double cores = 0, database_cores = 0, broker_cores = 0;
  counts did;
};

idle watch(stage& s) {
  idle out;
  s.settle();
  s.io.run_for(s.how.idle_time < guards ? s.how.idle_time : guards);
  auto& at = s.at;
  const auto counted = now(at);
  // Asking for the counts costs CPU itself, so that time begins after it.
  const auto cpu = cpu_seconds(at.server()), database = cpu_seconds(at.database(), true),
             broker = cpu_seconds(at.broker());
  const auto began = clock::now();
  s.io.run_for(s.how.idle_time);
  const auto took = std::chrono::duration<double>(clock::now() - began).count();
  out.cores = (cpu_seconds(at.server()) - cpu) / took;
  out.database_cores = (cpu_seconds(at.database(), true) - database) / took;
  out.broker_cores = (cpu_seconds(at.broker()) - broker) / took;
  out.memory = static_cast<double>(memory_octets(at.server()));
  const auto after = now(at);
  out.did = {after.sql - counted.sql, after.published - counted.published,
             after.amt_calls - counted.amt_calls};
  return out;
}

struct bare_idle {
  double memory = 0, cores = 0;
};

bare_idle watch(stage& s, const stage::floor& floor, fleet* f, std::size_t count) {
  if (f != nullptr)
    s.connect(*f, count, under_way);
  s.io.run_for(std::chrono::seconds(2));
  const auto cpu = cpu_seconds(floor.process->pid());
  s.io.run_for(s.how.idle_time / 2);
  const std::chrono::duration<double> half = s.how.idle_time / 2;
  return {static_cast<double>(memory_octets(floor.process->pid())),
          (cpu_seconds(floor.process->pid()) - cpu) / half.count()};
}

} // namespace

void measure_idle(stage& s) {
  const auto most = s.how.idle.back();
  s.need_machines(most);
  // An empty server that has worked a little: what is allocated once, whatever the number of
  // machines, is there already. Not more, for what is freed stays with the process.
  {
    constexpr std::size_t few = 16;
    const auto warm = s.machines(s.at.cira_port(), few);
    s.connect(*warm, warm->size(), under_way);
    s.settle();
  }
  s.settle();
  const auto empty = watch(s);
  const auto floor = s.start_floor();
  const auto bare_empty = watch(s, floor, nullptr, 0);
  s.to.add({"idle CPU",
            "no machines",
            "cores",
            empty.cores,
            bare_empty.cores,
            {},
            {},
            {{"database_cores", empty.database_cores}, {"broker_cores", empty.broker_cores}},
            {}});
  const auto f = s.machines(s.at.cira_port(), most);
  const auto bare = s.machines(floor.port, most);
  for (const auto n : s.how.idle) {
    const auto what = std::to_string(n) + " machines";
    const auto bare_now = watch(s, floor, bare.get(), n);
    s.connect(*f, n, under_way);
    const auto with = watch(s);
    const auto per = [&](double all, double none) {
      return (all - none) / static_cast<double>(n) / 1000;
    };
    const auto kb = per(with.memory, empty.memory);
    const bool last = n == most;
    s.to.add({"memory per idle machine",
              what,
              "kB",
              kb,
              per(bare_now.memory, bare_empty.memory),
              "under 22 kB",
              kb < 22,
              {{"server_octets", with.memory}},
              {}});
    figure cpu{"idle CPU", what, "cores", with.cores, bare_now.cores};
    if (last) {
      cpu.goal = "under 0.01 core above empty";
      cpu.met = with.cores - empty.cores < 0.01;
    }
    cpu.more = {{"above_empty", with.cores - empty.cores},
                {"database_cores", with.database_cores},
                {"broker_cores", with.broker_cores}};
    s.to.add(cpu);
    const auto same = [&](const char* name, double ours, double none) {
      s.to.add(
          {name,
           what,
           "in " + std::to_string(s.how.idle_time.count()) + " s",
           ours,
           {},
           "as with none (" + std::to_string(static_cast<long>(none)) + "), give or take a timer",
           std::abs(ours - none) <= 1,
           {{"with_none", none}},
           {}});
    };
    same("idle SQL statements", with.did.sql, empty.did.sql);
    same("idle publications", with.did.published, empty.did.published);
    same("idle AMT calls", with.did.amt_calls, empty.did.amt_calls);
  }
  f->close_all();
  s.settle();
}

} // namespace outband::bench
