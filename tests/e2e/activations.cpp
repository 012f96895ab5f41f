/// 500 new machines that are activated at the same moment, in client and in admin control mode: do
/// all get through, none twice, and what does it cost? tools/bench/run --only activations.
///
/// OUTBAND_ACTIVATIONS: how many machines (500). OUTBAND_ACTIVATIONS_OUT: a file to which a JSON
/// line per figure is written, in the form of bench-load's. The machines' times are those of the
/// simulator's defaults, the server's pause is production's; what one machine alone takes, on the
/// same site right before, stands next to each figure as its floor.
#include "tests/e2e/crowd.hpp"
#include "tests/e2e/knobs.hpp"

#include "tools/bench/process.hpp"
#include "tools/bench/report.hpp"
#include "tools/bench/statistics.hpp"

#include <nlohmann/json.hpp>

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

using namespace outband;
using namespace outband::e2e;

namespace {

constexpr std::size_t alone = 5; ///< machines, one after the other

std::string taken(const char* name, const std::string& otherwise) {
  const char* value = std::getenv(name);
  std::string out = value ? value : otherwise;
  ::unsetenv(name); // outbandd refuses what it does not know
  return out;
}

/// Resident memory of the process: now, and its peak since begin_peak().
double memory(pid_t pid, const std::string& which) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/status");
  for (std::string word; in >> word;)
    if (word == which + ":") {
      double kib = 0;
      in >> kib;
      return kib * 1024;
    }
  return 0;
}

void begin_peak(pid_t pid) {
  std::ofstream("/proc/" + std::to_string(pid) + "/clear_refs") << "5";
}

/// What server and database have used so far.
struct use {
  double server = 0, database = 0; ///< seconds of CPU
  double commits = 0, frames = 0;

  use operator-(const use& o) const {
    return {server - o.server, database - o.database, commits - o.commits, frames - o.frames};
  }
};

class figures {
public:
  explicit figures(provisioning_site& s)
      : site_(s), database_(std::stoi(s.sql("select pg_read_file('postmaster.pid')"))) {}

  use now() const {
    use out;
    out.server = bench::cpu_seconds(site_.server().pid());
    out.database = bench::cpu_seconds(database_, true);
    out.commits = std::stod(
        site_.sql("select xact_commit from pg_stat_database where datname = current_database()"));
    std::istringstream lines(site_.call(&site_.admin(), "GET", "/metrics").body);
    for (std::string line; std::getline(lines, line);)
      if (line.find("activation_messages_total{") != std::string::npos)
        out.frames += std::stod(line.substr(line.rfind(' ')));
    return out;
  }

private:
  provisioning_site& site_;
  pid_t database_;
};

double average(const std::vector<double>& all) {
  double sum = 0;
  for (const auto x : all)
    sum += x;
  return all.empty() ? 0 : sum / static_cast<double>(all.size());
}

/// What the environment says, and where all figures go.
struct course {
  std::size_t count = std::strtoul(taken("OUTBAND_ACTIVATIONS", "500").c_str(), nullptr, 10);
  bench::report to{taken("OUTBAND_ACTIVATIONS_OUT", "/dev/null")};

  course() {
    const auto facts = bench::this_machine();
    to.machine({{"cpu", facts.cpu},
                {"cores", std::to_string(facts.cores)},
                {"memory_octets", std::to_string(facts.memory_octets)},
                {"kernel", facts.kernel},
                {"compiler", taken("OUTBAND_ACTIVATIONS_COMPILER", "unknown")},
                {"commit", taken("OUTBAND_ACTIVATIONS_COMMIT", "unknown")}});
  }
};

void measure(const std::string& profile, const std::string& mode) {
  static course how;
  const auto count = how.count;
  auto& to = how.to;
  REQUIRE(count > 0);
  provisioning_site::options o;
  o.count = count + alone;
  o.settle = "3s";
  o.call_home = false; // until all are measured: a tunnel's begin is another figure
  provisioning_site s(o);
  const figures from(s);
  const auto pid = s.server().pid();

  std::vector<double> singly;
  auto before = from.now();
  for (std::size_t i = 0; i < alone; ++i) {
    const auto one = activate_at_once(s, 1, profile);
    REQUIRE_MESSAGE(one.succeeded() == 1, one.complaints());
    singly.push_back(one.seconds);
  }
  const auto for_one = from.now() - before;
  const auto n_alone = static_cast<double>(alone);

  const auto first = memory(pid, "VmRSS");
  use at_begin;
  const auto got = activate_at_once(s, count, profile, [&] {
    begin_peak(pid);
    at_begin = from.now();
  });
  const auto peak = memory(pid, "VmHWM"), last = memory(pid, "VmRSS");
  const auto used = from.now() - at_begin;
  CHECK_MESSAGE(got.succeeded() == count, got.complaints());
  std::size_t twice = 0, never = 0;
  bench::samples each;
  for (const auto& one : got.all) {
    const auto times = activations_of(s, one.who);
    twice += times > 1 ? 1 : 0;
    never += times < 1 ? 1 : 0;
    each.add(one.seconds);
  }
  CHECK(twice == 0);
  CHECK(never == 0);

  s.fleet().connect();
  std::size_t managed = 0;
  for (const auto& m : s.machines())
    managed += s.until([&] {
      return s.call(&s.admin(), "GET", "/api/v1/amt/power/state/" + m.guid).status == 200;
    })
                   ? 1
                   : 0;
  CHECK(managed == o.count);

  const auto n = static_cast<double>(count);
  const auto what = mode + ", " + std::to_string(count) + " at once";
  bench::figure all{"activations", what, "s", got.seconds, average(singly)};
  all.goal = "all finish, none twice";
  all.met = got.succeeded() == count && twice == 0 && never == 0 && managed == o.count;
  all.more = {{"succeeded", static_cast<double>(got.succeeded())},
              {"twice", static_cast<double>(twice)},
              {"managed_afterwards", static_cast<double>(managed)},
              {"median_s", each.median()},
              {"p99_s", each.quantile(0.99)}};
  all.note = got.complaints();
  to.add(all);
  to.add({"activations, rate", what, "1/s", n / got.seconds, 1 / average(singly)});
  bench::figure cpu{"activations, CPU each", what, "ms", used.server * 1000 / n,
                    for_one.server * 1000 / n_alone};
  cpu.more = {{"database_ms", used.database * 1000 / n},
              {"floor_database_ms", for_one.database * 1000 / n_alone},
              {"transactions", used.commits / n},
              {"messages", used.frames / n}};
  to.add(cpu);
  bench::figure octets{"activations, memory each", what, "KiB", (peak - first) / 1024 / n};
  octets.more = {{"before_octets", first}, {"peak_octets", peak}, {"after_octets", last}};
  to.add(octets);
}

} // namespace

TEST_CASE("hundreds of machines come into client control mode at once and none of them twice") {
  measure("demo_ccm", "CCM");
}

TEST_CASE("hundreds of machines come into admin control mode at once and none of them twice") {
  measure("demo_acm", "ACM");
}
