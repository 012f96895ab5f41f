// Everything is killed at random moments while clients go on; nobody intervenes but a service
// manager that starts what died. Afterwards every promise must be kept.
#include "tests/e2e/audit.hpp"
#include "tests/e2e/knobs.hpp"
#include "tests/e2e/site.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <unistd.h>

using namespace outband;
using namespace outband::e2e;

namespace {

constexpr int rounds = 12;

enum victim { the_server, the_broker, the_database };
const char* const names[] = {"outbandd", "Mosquitto", "PostgreSQL"};

/// Kills and starts. Context: the test's thread.
class reaper {
public:
  reaper(site& s, progress& p, std::uint64_t seed) : site_(s), progress_(p), random_(seed) {}

  void round() {
    wait_attempts(random(1, 40));
    std::vector<victim> chosen{the_server, the_broker, the_database};
    std::shuffle(chosen.begin(), chosen.end(), random_);
    chosen.resize(static_cast<std::size_t>(std::max(1, random(-3, 3)))); // mostly one
    for (auto v : chosen) {
      kill(v);
      wait_attempts(random(0, 6));
      reconnect_some();
    }
    wait_attempts(random(0, 25));
    std::shuffle(chosen.begin(), chosen.end(), random_);
    for (auto v : chosen) {
      start(v);
      wait_attempts(random(0, 6));
    }
    // Something must get through before the next blow, else all of it is one outage.
    const auto enough = progress_.acknowledged + static_cast<unsigned>(random(1, 20));
    CHECK_MESSAGE(wait([&] { return progress_.acknowledged >= enough; }),
                  "nothing gets through after " << last_);
    if (random(0, 2) == 0) {
      const auto orders = progress_.by_bus + 1;
      CHECK_MESSAGE(wait([&] { return progress_.by_bus >= orders; }),
                    "nothing gets through the broker after " << last_);
    }
    reconnect_some();
  }

  /// As a service manager does: what ended by itself is started again.
  void supervise() {
    if (site_.server().running() || down_)
      return;
    ++restarts_;
    site_.server().launch();
  }
  bool wait(const std::function<bool()>& ready) {
    return site_.until([&] {
      supervise();
      return ready();
    });
  }
  int restarts() const { return restarts_; }

private:
  int random(int from, int to) { return std::uniform_int_distribution<int>(from, to)(random_); }

  void wait_attempts(int more) {
    const auto enough = progress_.attempts + static_cast<unsigned>(more);
    CHECK(wait([&] { return progress_.attempts >= enough; }));
  }

  void reconnect_some() {
    for (int n = random(0, 3); n > 0; --n) {
      const auto& all = site_.machines();
      const auto& m = all[static_cast<std::size_t>(random(0, static_cast<int>(all.size()) - 1))];
      site_.fault(m.guid, random(0, 1) == 0 ? "drop" : "rst", 1, random(1, 300));
    }
  }

  void kill(victim v) {
    last_ = names[v];
    if (v == the_server) {
      down_ = true;
      site_.server().kill();
    } else if (v == the_broker) {
      site_.broker().kill();
    } else {
      site_.database().kill();
    }
  }

  void start(victim v) {
    if (v == the_server) {
      site_.server().launch();
      down_ = false;
    } else if (v == the_broker) {
      site_.broker().start();
    } else {
      site_.database().start();
    }
  }

  site& site_;
  progress& progress_;
  std::mt19937_64 random_;
  std::string last_;
  bool down_ = false; ///< the server is, because we want it to be
  int restarts_ = 0;
};

/// For whoever has to find out why: what the server said, in all its lives.
void keep_log(const site& s) {
  const auto path = std::filesystem::temp_directory_path() /
                    ("outband-chaos-" + std::to_string(getpid()) + ".log");
  std::ofstream(path) << s.server_log();
  MESSAGE("the server's log is in " << path.string());
}

} // namespace

TEST_CASE("kill -9 of server and broker and database at random moments breaks no promise") {
  const auto seed = how_thorough().seed;
  MESSAGE("OUTBAND_SEED=" << seed);
  auto& s = site::get();
  crowd people(s, seed);
  reaper r(s, people.at, seed + 100);
  const int minutes = how_thorough().chaos_minutes;
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(minutes);
  for (int n = 0; minutes > 0 ? std::chrono::steady_clock::now() < end : n < rounds; ++n)
    r.round();

  // Everything runs again; whoever waits for a promise gets it.
  CHECK(r.wait([&] { return s.ready(); }));
  auto wrong = people.finish();
  MESSAGE(people.summary() << "; ended by itself and started again " << r.restarts());
  for (auto& w : broken_promises(s, people, [&](const auto& ready) { return r.wait(ready); }))
    wrong.push_back(std::move(w));
  for (const auto& w : wrong)
    FAIL_CHECK(w);
  if (!wrong.empty())
    keep_log(s);
}
