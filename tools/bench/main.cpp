/// bench-load: the load generator and the measurements. tools/bench/run starts it with a site.
#include "tools/bench/measure.hpp"

#include <CLI/CLI.hpp>
#include <spdlog/spdlog.h>

#include <csignal>
#include <cstdio>
#include <ctime>
#include <exception>
#include <functional>
#include <map>

#include <sys/resource.h>

namespace {

using namespace outband::bench;

struct arguments {
  std::string site_folder, out, floor_program, floor_threads = "1", only, commit, compiler;
  std::size_t rounds = 0;
  int minutes = -1, keep_alive = 30, hold = 0;
  bool quick = false;
};

std::string utc_now() {
  const auto t = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&t, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

int measure(const arguments& a) {
  // Each simulated machine needs a descriptor.
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  signal(SIGPIPE, SIG_IGN);
  spdlog::set_level(spdlog::level::err);

  report to(a.out);
  const auto facts = this_machine();
  to.machine({{"cpu", facts.cpu},
              {"cores", std::to_string(facts.cores)},
              {"memory_octets", std::to_string(facts.memory_octets)},
              {"kernel", facts.kernel},
              {"compiler", a.compiler},
              {"commit", a.commit},
              {"time", utc_now()},
              {"sizes", a.quick ? "quick" : "full"}});
  site at(a.site_folder);
  auto how = a.quick ? sizes::quick() : sizes{};
  if (a.minutes >= 0)
    how.minutes = a.minutes;
  else if (!a.only.empty() && !a.quick)
    how.minutes = 10; // somebody asks for "long"; who asks for everything does not wait for it
  how.keep_alive = std::chrono::seconds(a.keep_alive);
  if (a.rounds > 0)
    how.rounds = a.rounds;
  stage s(at, to, how, a.floor_program, a.floor_threads);

  if (a.hold > 0) { // nothing is measured: whoever profiles the server has time to
    s.need_machines(static_cast<std::size_t>(a.hold));
    const auto f = s.machines(at.cira_port(), static_cast<std::size_t>(a.hold));
    s.connect(*f, f->size(), 64);
    std::fprintf(stderr, "%d machines are connected; end with Ctrl-C\n", a.hold);
    while (true)
      s.io.run_for(std::chrono::hours(1));
  }
  const std::pair<const char*, void (*)(stage&)> all[] = {
      // Memory first: what a server has freed it keeps, and then idle machines seem to need less.
      {"idle", measure_idle},
      {"connects", measure_connects},
      {"storm", measure_storm},
      {"rest", measure_rest},
      {"reads", measure_reads},
      {"long", measure_rest_long},
      {"disconnect", measure_disconnect},
      {"desired", measure_desired},
      {"events", measure_events},
  };
  const std::regex wanted(a.only.empty() ? ".*" : a.only);
  int failed = 0;
  for (const auto& [name, run] : all) {
    if (!std::regex_search(name, wanted))
      continue;
    std::fprintf(stderr, "%s ...\n", name);
    try {
      run(s);
    } catch (const std::exception& e) {
      ++failed;
      std::fprintf(stderr, "  %s could not be measured: %s\n", name, e.what());
    }
    s.settle();
  }
  std::fputs(to.table().c_str(), stdout);
  return failed == 0 ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app{"Measures a site of Outband against a bare loop; see tools/bench/run"};
  arguments a;
  app.add_option("--site", a.site_folder, "the --data folder of a running tools/up")->required();
  app.add_option("--out", a.out, "JSON lines go here")->required();
  app.add_option("--floor", a.floor_program, "the program bench-floor")->required();
  app.add_option("--floor-threads", a.floor_threads, "of the bare loop");
  app.add_option("--only", a.only, "a regular expression for the measurements' names");
  app.add_option("--rounds", a.rounds, "how often each is repeated; the median counts");
  app.add_option("--minutes", a.minutes, "of the long run of REST requests")
      ->check(CLI::Range(0, 1440));
  app.add_option("--keep-alive", a.keep_alive, "seconds between two of one machine (30)")
      ->check(CLI::Range(1, 3600));
  app.add_option("--hold", a.hold, "only connects so many machines and keeps them, for a profiler");
  app.add_option("--commit", a.commit, "what is measured");
  app.add_option("--compiler", a.compiler, "what it was built with");
  app.add_flag("--quick", a.quick, "small and short, to see that it works");
  CLI11_PARSE(app, argc, argv);
  try {
    return measure(a);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "bench-load: %s\n", e.what());
    return 1;
  }
}
