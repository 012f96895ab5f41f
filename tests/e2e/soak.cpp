/// One server under a mixed load for a long time: what it holds in memory, files and threads must
/// be the same in the last quarter as in the second. A part of ./tools/test --full only.
///
/// OUTBAND_SOAK_MINUTES: how long (default 30). This is the one program here that lets time pass on
/// purpose; what it checks are sizes, never how long something took.
#include "tests/e2e/stage.hpp"
#include "tests/support/ports.hpp"

#include "messages/bus/topics.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <random>
#include <stdexcept>
#include <thread>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace outband;
using namespace outband::e2e;

namespace {

constexpr std::size_t how_many = 200;

// Growth from the second quarter's median to the last quarter's. Memory that is given back and
// taken again moves in steps of glibc's arenas (128 KiB and more, one arena per busy thread), which
// is what 2 MiB are for; 3% because a share of each page stays in use by what is long-lived. At a
// load of some 100 operations a second and half an hour, what is allowed is below 60 octets for
// each operation in between: less than the smallest object that an operation makes.
constexpr double allowed_share = 0.03;
constexpr long allowed_kib = 2048;
constexpr long allowed_files = 16; // sockets of what is under way

class soak_site final : public stage {
public:
  soak_site() : soak_site(test::free_port(), test::free_port()) {}

  e2e::server& server() { return server_; }
  std::uint16_t cira_port() const { return cira_port_; }
  std::uint16_t https_port() const { return https_port_; }

private:
  soak_site(std::uint16_t cira, std::uint16_t https)
      : stage("cira: {bind: 127.0.0.1, port: " + std::to_string(cira) +
              ", common_name: localhost}\nhttps: {bind: 127.0.0.1, port: " + std::to_string(https) +
              ", names: [localhost, 127.0.0.1]}\n"),
        cira_port_(cira), https_port_(https), server_(config()) {
    talk_to(https);
    server_.start();
    if (!until([&] { return ready(); }))
      throw std::runtime_error("the server does not become ready: " + server_.log());
    sign_in_admin();
    add_machines(cira, how_many);
    fleet().connect();
    if (!until([&] { return fleet().connected() == how_many; }))
      throw std::runtime_error("not all machines connect: " + server_.log());
  }

  std::uint16_t cira_port_, https_port_;
  e2e::server server_;
};

/// What all loads share. Context: any thread.
class course {
public:
  /// False when it is over; else after that pause.
  bool pause(std::chrono::milliseconds how_long) {
    std::unique_lock lock(mutex_);
    return !changed_.wait_for(lock, how_long, [&] { return over_; });
  }
  void end() {
    std::lock_guard lock(mutex_);
    over_ = true;
    changed_.notify_all();
  }
  void count(const std::string& what) {
    std::lock_guard lock(mutex_);
    ++counts_[what];
  }
  /// An answer that a server at fault would give; the first few are kept.
  void complain(const std::string& what) {
    std::lock_guard lock(mutex_);
    if (complaints_.size() < 20)
      complaints_.push_back(what);
  }
  std::map<std::string, std::uint64_t> counts() {
    std::lock_guard lock(mutex_);
    return counts_;
  }
  std::vector<std::string> complaints() {
    std::lock_guard lock(mutex_);
    return complaints_;
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::map<std::string, std::uint64_t> counts_;
  std::vector<std::string> complaints_;
};

/// One kind of work, again and again, on a thread of its own.
class load {
public:
  load(soak_site& s, course& c, unsigned seed) : site_(s), course_(c), random_(seed) {}
  virtual ~load() {
    if (thread_.joinable())
      thread_.join();
  }
  void start(std::chrono::milliseconds pace) {
    thread_ = std::thread([this, pace] {
      while (course_.pause(pace))
        try {
          step();
        } catch (const std::exception& e) {
          course_.complain(e.what());
        }
    });
  }

protected:
  virtual void step() = 0;

  int random(int from, int to) { return std::uniform_int_distribution<int>(from, to)(random_); }
  const machine& any() {
    return site_.machines()[static_cast<std::size_t>(random(0, static_cast<int>(how_many) - 1))];
  }
  /// Machines come and go, so 404 and 504 are honest answers; a defect's are not.
  reply ask(const std::string& method, const std::string& path, const std::string& body = {}) {
    auto r = rest_.call(&site_.admin(), method, path, body);
    course_.count(method + " " + path.substr(0, path.find_last_of('/')));
    if (r.status == 0 || r.status == 500 || r.status == 503)
      course_.complain(method + " " + path + ": " + std::to_string(r.status) + " " + r.body);
    return r;
  }

  soak_site& site_;
  course& course_;

private:
  std::mt19937 random_;
  rest_client rest_ = site_.client();
  std::thread thread_;
};

/// Looks, and reads power live.
class reader final : public load {
  using load::load;
  void step() override {
    const auto& guid = any().guid;
    switch (random(0, 6)) {
    case 0:
      ask("GET", "/compute/hosts");
      break;
    case 1:
      ask("GET", "/compute/hosts/" + guid);
      break;
    case 2:
      ask("GET", "/api/v1/devices/" + guid);
      break;
    case 3:
      ask("GET", "/metrics");
      break;
    case 4:
      ask("GET", "/api/v1/amt/power/capabilities/" + guid);
      break;
    default:
      ask("GET", "/api/v1/amt/power/state/" + guid);
    }
  }
};

/// Wishes, and one-shot commands.
class wisher final : public load {
  using load::load;
  void step() override {
    const auto& m = any();
    if (random(0, 3) == 0) {
      ask("POST", "/api/v1/amt/power/action/" + m.guid,
          random(0, 1) == 0 ? R"({"action":10})" : R"({"action":5})");
      return;
    }
    ask("PATCH", "/compute/hosts/" + m.guid,
        json{{"name", m.hostname},
             {"desiredPowerState", random(0, 2) == 0 ? "POWER_STATE_OFF" : "POWER_STATE_ON"},
             {"powerCommandPolicy", random(0, 1) == 0 ? "POWER_COMMAND_POLICY_ORDERED"
                                                      : "POWER_COMMAND_POLICY_IMMEDIATE"}}
            .dump());
  }
};

/// Tunnels that break, and strangers at every door.
class trouble final : public load {
  using load::load;
  void step() override {
    switch (random(0, 5)) {
    case 0:
      site_.fault(any().guid, "rst");
      break;
    case 1:
      knock(site_.cira_port(), std::string(40, 'x'));
      break;
    case 2:
      knock(site_.https_port(), "GET / HTTP/1.1\r\n\r\n");
      break;
    case 3:
      knock(site_.cira_port(), {});
      break;
    default:
      site_.fault(any().guid, "drop");
    }
    course_.count("trouble");
  }
  /// From an address of its own: whoever fails often is not let in for a while.
  static void knock(std::uint16_t port, const std::string& words) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    inet_pton(AF_INET, "127.0.0.2", &at.sin_addr);
    bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof at);
    at.sin_port = htons(port);
    inet_pton(AF_INET, "127.0.0.1", &at.sin_addr);
    if (connect(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0)
      send(fd, words.data(), words.size(), MSG_NOSIGNAL);
    close(fd);
  }
};

/// Registers and removes, signs in and fails to.
class clerk final : public load {
  using load::load;
  void step() override {
    const auto guid = to_string(random_id());
    ask("POST", "/api/v1/devices",
        json{{"guid", guid},
             {"hostname", "soak-" + guid},
             {"mpsusername", "admin"},
             {"mpspassword", "Guess-1234"},
             {"amtpassword", "Guess-1234"}}
            .dump());
    if (auto r = ask("DELETE", "/api/v1/devices/" + guid); r.status / 100 != 2)
      course_.complain("DELETE device: " + std::to_string(r.status) + " " + r.body);
    if (random(0, 3) == 0)
      site_.call(nullptr, "POST", "/api/v1/authorize",
                 json{{"username", "nobody-" + guid}, {"password", "wrong"}}.dump());
    course_.count("device came and went");
  }
};

/// People on the bus that come, listen, ask and go.
class listener final : public load {
  using load::load;
  void step() override {
    if (!on_ || random(0, 19) == 0) {
      all_.reset();
      on_.reset();
      on_ = site_.connect(site_.admin());
      all_ = std::make_unique<bus::subscription>(
          on_->subscribe("oob/v1/demo/dev/+/current", {},
                         [c = &course_](const bus::message&) { c->count("document heard"); }));
    }
    auto r =
        people::ask(*on_, site_.admin(), any().guid, random_id(), ask_snapshot{}, test::patience);
    if (!r || r->status != request_status::done)
      course_.complain("snapshot: " + std::string(r ? r->text : "no answer"));
    course_.count("asked on the bus");
  }
  std::unique_ptr<bus::mqtt_endpoint> on_;
  std::unique_ptr<bus::subscription> all_;
};

struct sizes {
  long memory_kib = 0, files = 0, threads = 0;
};

sizes look(pid_t pid) {
  sizes out;
  const auto own = "/proc/" + std::to_string(pid);
  std::ifstream in(own + "/status");
  for (std::string line; std::getline(in, line);) {
    if (line.rfind("VmRSS:", 0) == 0)
      out.memory_kib = std::strtol(line.c_str() + 6, nullptr, 10);
    if (line.rfind("Threads:", 0) == 0)
      out.threads = std::strtol(line.c_str() + 8, nullptr, 10);
  }
  for ([[maybe_unused]] const auto& f : std::filesystem::directory_iterator(own + "/fd"))
    ++out.files;
  return out;
}

/// Of the samples of one quarter, 0 to 3.
long median(const std::vector<sizes>& all, std::size_t quarter, long sizes::*what) {
  std::vector<long> of;
  for (auto i = all.size() * quarter / 4; i < all.size() * (quarter + 1) / 4; ++i)
    of.push_back(all[i].*what);
  std::sort(of.begin(), of.end());
  return of.empty() ? 0 : of[of.size() / 2];
}

int minutes() {
  const char* value = std::getenv("OUTBAND_SOAK_MINUTES");
  const int out = value ? std::atoi(value) : 30;
  ::unsetenv("OUTBAND_SOAK_MINUTES"); // outbandd refuses what it does not know
  return std::max(out, 1);
}

} // namespace

TEST_CASE("memory and files stay the same under a mixed load") {
  const auto how_long = std::chrono::minutes(minutes());
  soak_site s;
  course c;
  std::vector<std::unique_ptr<load>> loads;
  auto add = [&](std::unique_ptr<load> l, int pace_ms) {
    l->start(std::chrono::milliseconds(pace_ms));
    loads.push_back(std::move(l));
  };
  unsigned seed = std::random_device{}();
  MESSAGE("seed " << seed);
  add(std::make_unique<reader>(s, c, seed++), 10);
  add(std::make_unique<reader>(s, c, seed++), 25);
  add(std::make_unique<wisher>(s, c, seed++), 60);
  add(std::make_unique<trouble>(s, c, seed++), 100);
  add(std::make_unique<clerk>(s, c, seed++), 300);
  add(std::make_unique<listener>(s, c, seed++), 200);

  std::vector<sizes> seen;
  std::array<std::uint64_t, 2> operations{}; // until the middle of the second and the last quarter
  const auto from = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - from < how_long && c.pause(std::chrono::seconds(1))) {
    REQUIRE_MESSAGE(s.server().running(), s.server().log());
    seen.push_back(look(s.server().pid()));
    const auto part = (std::chrono::steady_clock::now() - from) * 8 / how_long;
    std::uint64_t sum = 0;
    for (const auto& [what, n] : c.counts())
      sum += what == "document heard" ? 0 : n;
    if (part < 3)
      operations[0] = sum;
    if (part < 7)
      operations[1] = sum;
    if (seen.size() % 60 == 0) {
      std::printf("%zu s: %ld KiB, %ld files, %ld threads, %llu operations\n", seen.size(),
                  seen.back().memory_kib, seen.back().files, seen.back().threads,
                  static_cast<unsigned long long>(sum));
      std::fflush(stdout);
    }
  }
  c.end();
  loads.clear();
  for (const auto& [what, n] : c.counts())
    std::printf("%8llu %s\n", static_cast<unsigned long long>(n), what.c_str());
  for (const auto& what : c.complaints())
    FAIL_CHECK(what);
  CHECK(c.counts()["document heard"] > 0);

  // Whoever listens on the bus lost nothing to the broker's limits.
  CHECK(s.until([&] {
    const auto told = s.call(nullptr, "GET", "/metrics").body;
    return told.find("\noutband_broker_dropped_messages ") != std::string::npos;
  }));
  CHECK(s.call(nullptr, "GET", "/metrics").body.find("\noutband_broker_dropped_messages 0\n") !=
        std::string::npos);

  REQUIRE(seen.size() >= 8);
  const auto before = median(seen, 1, &sizes::memory_kib);
  const auto after = median(seen, 3, &sizes::memory_kib);
  const auto between = static_cast<double>(operations[1] - operations[0]);
  REQUIRE(between > 0);
  std::printf("memory: median of the second quarter %ld KiB, of the last %ld KiB; %.1f octets for "
              "each of %.0f operations\n",
              before, after, static_cast<double>(after - before) * 1024 / between, between);
  CHECK(static_cast<double>(after) <=
        static_cast<double>(before) * (1 + allowed_share) + static_cast<double>(allowed_kib));
  CHECK(median(seen, 3, &sizes::files) <= median(seen, 1, &sizes::files) + allowed_files);
  CHECK(median(seen, 3, &sizes::threads) == median(seen, 1, &sizes::threads));
  CHECK(s.server().stop() == 0);
}
