// Everything is killed at random moments while clients go on; nobody intervenes but a service
// manager that starts what died. Afterwards every promise must be kept.
#include "messages/bus/topics.hpp"
#include "tests/e2e/chaos_clients.hpp"
#include "tests/e2e/knobs.hpp"
#include "tests/e2e/site.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
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

template <class T>
std::optional<bus::decoded<T>> newest(const watcher& seen, const std::string& topic,
                                      result<bus::decoded<T>> (*decode)(std::string_view,
                                                                        bus::encoding)) {
  std::optional<bus::decoded<T>> out;
  for (const auto& m : seen.seen())
    if (m.topic == topic)
      if (auto d = decode(*m.payload, bus::encoding::msgpack))
        out = *d;
  return out;
}

std::string level_name(int code) {
  return std::string(to_string(level_of(power_state_from_code(code))));
}

/// Empty, or what the broker tells differently from the server.
std::string compare(site& s, const watcher& current, const watcher& desired, const machine& m) {
  const device_ref ref{"demo", *parse_uuid(m.guid)};
  const auto h = s.host(m.guid);
  auto c = newest<current_state>(current, bus::current_topic(ref), bus::decode_current);
  if (!c || c->env.rev != h.at("power").at("currentRevision").get<revision>())
    return "current has revision " + (c ? std::to_string(c->env.rev) : "none") + ", the host " +
           h.at("power").dump();
  if (h.at("power").at("actual") != to_string(level_of(c->body.power.state)) ||
      h.at("link").at("state") != to_string(c->body.link.state))
    return "current differs from " + h.dump();
  for (const auto& cond : c->body.conditions)
    if (!cond.ok)
      return "condition " + cond.type + " is false: " + cond.code + " " + cond.reason;
  const auto rev = h.at("power").at("desiredRevision").get<revision>();
  auto d = newest<desired_state>(desired, bus::desired_topic(ref), bus::decode_desired);
  if (rev == 0)
    return {};
  if (!d || d->env.rev != rev || h.at("power").at("wanted") != to_string(d->body.power.target))
    return "desired has revision " + (d ? std::to_string(d->env.rev) : "none") + ", the host " +
           h.at("power").dump();
  if (c->body.desired_rev != rev)
    return "current.desiredRev is " + std::to_string(c->body.desired_rev) + " of " +
           std::to_string(rev);
  return {};
}

/// For whoever has to find out why: what the server said, in all its lives.
void keep_log(const site& s) {
  const auto path = std::filesystem::temp_directory_path() /
                    ("outband-chaos-" + std::to_string(getpid()) + ".log");
  std::ofstream(path) << s.server_log();
  MESSAGE("the server's log is in " << path.string());
}

template <class T> std::vector<T> slice(const std::vector<T>& from, std::size_t a, std::size_t n) {
  return {from.begin() + static_cast<std::ptrdiff_t>(a),
          from.begin() + static_cast<std::ptrdiff_t>(a + n)};
}

} // namespace

TEST_CASE("kill -9 of server and broker and database at random moments breaks no promise") {
  const auto seed = how_thorough().seed;
  MESSAGE("OUTBAND_SEED=" << seed);
  auto& s = site::get();
  progress p;
  const auto& all = s.machines();
  REQUIRE(all.size() == 24);
  std::vector<std::unique_ptr<wisher>> wishers;
  std::vector<std::unique_ptr<commander>> commanders;
  for (std::size_t i = 0; i < 2; ++i) {
    wishers.push_back(std::make_unique<wisher>(s, p, seed + i, slice(all, i * 8, 8)));
    commanders.push_back(
        std::make_unique<commander>(s, p, seed + 10 + i, slice(all, 16 + i * 4, 4), i == 1));
  }

  reaper r(s, p, seed + 100);
  const int minutes = how_thorough().chaos_minutes;
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(minutes);
  for (int n = 0; minutes > 0 ? std::chrono::steady_clock::now() < end : n < rounds; ++n)
    r.round();

  // Everything runs again; whoever waits for a promise gets it.
  bool good = true;
  const auto must = [&](bool ok, const std::string& what) {
    good = good && ok;
    CHECK_MESSAGE(ok, what);
  };
  must(r.wait([&] { return s.ready(); }), "the server does not become ready");
  p.over = true;
  const auto end_of = [&](client& c) {
    c.finish();
    for (const auto& text : c.complaints())
      must(false, text);
  };
  for (const auto& c : wishers)
    end_of(*c);
  for (const auto& c : commanders) {
    end_of(*c);
    for (const auto& [how, count] : c->outcomes())
      MESSAGE("commands that ended as " << how << ": " << count);
  }
  MESSAGE("attempts " << p.attempts.load() << ", promises " << p.acknowledged.load()
                      << ", ended by itself and started again " << r.restarts());

  for (const auto& m : all)
    must(r.wait([&] { return s.connected(m.guid); }), m.hostname + " is not connected");
  for (const auto& w : wishers)
    for (const auto& [guid, promise] : w->promises()) {
      must(r.wait([&] { return s.host(guid).at("power").at("converged") == true; }),
           guid + " does not obey");
      const auto power = s.host(guid).at("power");
      must(power.at("desiredRevision").get<std::uint64_t>() == promise.revision,
           guid + " has another wish than revision " + std::to_string(promise.revision) + ": " +
               power.dump());
      must(level_name(s.power(guid)) == (promise.state == "ON" ? "on" : "off"),
           guid + " is not " + promise.state);
    }
  for (const auto& c : commanders)
    for (const auto& [guid, codes] : c->expected())
      for (const auto& [code, bounds] : codes) {
        const auto really = s.carried_out(guid)[code];
        must(really >= bounds.least && really <= bounds.most,
             guid + " carried out " + std::to_string(code) + " " + std::to_string(really) +
                 " times instead of " + std::to_string(bounds.least) + " to " +
                 std::to_string(bounds.most));
      }

  auto on = s.connect(s.admin());
  watcher current(*on, "oob/v1/demo/dev/+/current");
  watcher desired(*on, "oob/v1/demo/dev/+/desired");
  for (const auto& m : all)
    must(r.wait([&] { return compare(s, current, desired, m).empty(); }),
         m.hostname + ": " + compare(s, current, desired, m));
  must(r.wait([&] { return s.sql("select count(*) from outbox") == "0"; }),
       "the outbox is not empty");
  if (!good)
    keep_log(s);
}
