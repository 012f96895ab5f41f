// Many machines at once, and everything at random.
#include "tests/e2e/audit.hpp"
#include "tests/e2e/cluster.hpp"
#include "tests/e2e/knobs.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <thread>
#include <unistd.h>

using namespace outband;
using namespace outband::e2e;

namespace {

// ThreadSanitizer makes a key exchange some ten times as dear, and sees in a small fleet what it
// would see in a large one.
#ifdef __SANITIZE_THREAD__
constexpr std::size_t usual_fleet = 60, large_fleet = 500;
#else
constexpr std::size_t usual_fleet = 500, large_fleet = 5000;
#endif

/// Asks for one thing after the other and notes how long each took.
class steady_client {
public:
  explicit steady_client(const cluster& c)
      : rest_(c.client()), thread_([this, &c] {
          const auto& all = c.machines();
          for (std::size_t i = 0; !over_; ++i) {
            const auto from = std::chrono::steady_clock::now();
            auto r = rest_.call(&c.admin(), "GET", "/compute/hosts/" + all[i % all.size()].guid);
            took_.push_back(std::chrono::steady_clock::now() - from);
            bad_ += r.status == 200 ? 0 : 1;
            ++asked_;
          }
        }) {}
  ~steady_client() { stop(); }
  void stop() {
    over_ = true;
    if (thread_.joinable())
      thread_.join();
  }
  std::size_t asked() const { return asked_; }
  std::size_t bad() const { return bad_; }
  /// After stop(): milliseconds.
  double percentile(double p) {
    std::sort(took_.begin(), took_.end());
    const auto at = static_cast<std::size_t>(p * static_cast<double>(took_.size() - 1));
    return std::chrono::duration<double, std::milli>(took_.at(at)).count();
  }

private:
  rest_client rest_;
  std::atomic<bool> over_{false};
  std::atomic<std::size_t> asked_{0}, bad_{0};
  std::vector<std::chrono::steady_clock::duration> took_;
  std::thread thread_;
};

int up_in_database(const cluster& c, const std::string& terminator) {
  return std::stoi(c.sql("select count(*) from link where state = 'up'" +
                         (terminator.empty() ? "" : " and instance = '" + terminator + "'")));
}

/// A fleet takes its time, and a busy machine more: what counts is that it is ever nearer. True
/// when `far_off` is down to 0; false when nothing came nearer for test::patience.
bool gets_there(const std::function<long()>& far_off) {
  for (long least = far_off(), now = least; least > 0; least = now)
    if (!e2e::until([&] { return (now = far_off()) < least; }))
      return false;
  return true;
}

} // namespace

TEST_CASE("fault 19: a whole fleet reconnects and nobody is lost while requests are answered") {
  auto& c = cluster::get();
  c.heal();
  const std::size_t many = how_thorough().full ? large_fleet : usual_fleet;
  machine_options o;
  o.server_port = c.front().port();
  o.root_ca = c.https_ca();
  o.devices_file = c.folder() + "/storm.json";
  o.count = many;
  o.more = {"--seed",         "19",       "--hostname-prefix", "storm-",
            "--reconnect-ms", "100:3000", "--connect-rate",    "0"};
  machines storm(o);
  const auto list = json::parse(storm.devices());
  for (std::size_t at = 0; at < list.size(); at += 500) {
    auto part = json::array();
    for (std::size_t i = at; i < std::min(at + 500, list.size()); ++i)
      part.push_back(list[i]);
    auto added = c.call(&c.admin(), "POST", "/api/v1/devices", part.dump());
    REQUIRE_MESSAGE(added.status / 100 == 2, added.body);
  }
  storm.connect();
  const auto everybody = static_cast<int>(many + c.machines().size());
  CHECK(gets_there([&] { return static_cast<long>(many - storm.connected()); }));
  CHECK(gets_there([&] { return everybody - up_in_database(c, {}); }));
  CHECK(up_in_database(c, "term-a") > everybody / 4); // both have a part
  CHECK(up_in_database(c, "term-b") > everybody / 4);

  steady_client asking(c);
  CHECK(c.until([&] { return asking.asked() > 20; }));
  const auto from = std::chrono::steady_clock::now();
  c.node("term-a").kill();
  c.front().prefer(c.cira_port("term-b"));
  c.front().cut(c.cira_port("term-b")); // those of the other one have to come again too
  CHECK(gets_there([&] { return everybody - up_in_database(c, "term-b"); }));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - from;
  CHECK(gets_there([&] { return static_cast<long>(many - storm.connected()); }));
  // And it is told of: nobody's document says anything else.
  const std::string untold = " from link where told_epoch <> epoch or told_state <> state";
  CHECK_MESSAGE(gets_there([&] { return std::stol(c.sql("select count(*)" + untold)); }),
                c.sql("select *" + untold + " limit 3"));
  asking.stop();
  CHECK(asking.bad() == 0);
  int refused = 0;
  for (std::size_t i = 0; i < many; i += 20)
    refused += storm.truth(storm.all()[i].guid).at("refused").get<int>();
  CHECK(refused == 0);
  MESSAGE(everybody << " machines reconnected in " << took.count() << " s; " << asking.asked()
                    << " requests meanwhile, p50 " << asking.percentile(0.5) << " ms, p99 "
                    << asking.percentile(0.99) << " ms");
  storm.disconnect();
  CHECK(gets_there([&] { return up_in_database(c, {}) - static_cast<long>(c.machines().size()); }));
}

TEST_CASE("kill -9 and standstill of nodes at random moments break no promise") {
  const auto seed = how_thorough().seed;
  MESSAGE("OUTBAND_SEED=" << seed);
  auto& c = cluster::get();
  c.heal();
  crowd people(c, seed);
  std::mt19937_64 random(seed + 100);
  const auto pick = [&](int from, int to) {
    return std::uniform_int_distribution<int>(from, to)(random);
  };
  const auto some_attempts = [&](int most) {
    const auto enough = people.at.attempts + static_cast<unsigned>(pick(0, most));
    CHECK(c.until([&] { return people.at.attempts >= enough; }));
  };
  std::vector<std::string> names;
  for (const auto& [name, n] : c.nodes())
    names.push_back(name);
  const int minutes = how_thorough().chaos_minutes;
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(minutes);
  for (int n = 0; minutes > 0 ? std::chrono::steady_clock::now() < end : n < 10; ++n) {
    some_attempts(30);
    const auto& name = names[static_cast<std::size_t>(pick(0, static_cast<int>(names.size()) - 1))];
    auto& node = c.node(name);
    // The clients know one api node: while it stands still they could only wait for it.
    const int how = name == "api-a" ? pick(0, 1) * 2 : pick(0, 3);
    if (how == 0) {
      node.stop();
    } else if (how == 1) {
      node.pause();
    } else {
      node.kill();
    }
    if (pick(0, 4) == 0)
      c.broker().kill();
    if (pick(0, 4) == 0)
      c.database().kill();
    some_attempts(20);
    if (!c.broker().running())
      c.broker().start();
    if (!c.database().running())
      c.database().start();
    some_attempts(20);
    how == 1 ? node.resume() : node.launch();
    const auto enough = people.at.acknowledged + static_cast<unsigned>(pick(1, 10));
    CHECK_MESSAGE(c.until([&] { return people.at.acknowledged >= enough; }),
                  "nothing gets through after " << name);
  }
  for (const auto& [name, n] : c.nodes())
    if (!n->running())
      n->launch();
  CHECK(c.until([&] { return c.ready() && !c.controller().holder.empty(); }));
  auto wrong = people.finish();
  MESSAGE(people.summary());
  for (auto& w : broken_promises(c, people, e2e::until))
    wrong.push_back(std::move(w));
  for (const auto& w : wrong)
    FAIL_CHECK(w);
  if (!wrong.empty()) {
    const auto path = std::filesystem::temp_directory_path() /
                      ("outband-cluster-" + std::to_string(getpid()) + ".log");
    std::ofstream(path) << c.logs();
    MESSAGE("the nodes' logs are in " << path.string());
  }
}
