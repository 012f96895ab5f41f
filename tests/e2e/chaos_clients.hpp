/// Clients that go on whatever happens to the site, and remember what they were promised.
///
/// Context: each has a thread of its own between its construction and finish(). A client resends
/// what was not answered with the same id, as a careful client does, and for ever: the test has to
/// put the site right again.
#pragma once

#include "tests/e2e/stage.hpp"

#include <atomic>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace outband::e2e {

/// What the test's thread looks at while the clients run.
struct progress {
  std::atomic<std::uint64_t> attempts{0}; ///< also those that failed
  std::atomic<std::uint64_t> acknowledged{0};
  std::atomic<std::uint64_t> by_bus{0}; ///< of those, orders that went over the broker
  std::atomic<bool> over{false};
};

class client {
public:
  client(const stage& s, progress& p, std::uint64_t seed, std::vector<machine> own);
  virtual ~client();
  /// After progress::over: waits for the promise that is being fetched.
  void finish();
  /// What no answer may be.
  const std::vector<std::string>& complaints() const { return complaints_; }
  const std::vector<machine>& own() const { return own_; }

protected:
  void run();
  virtual void step(const machine& m) = 0;
  /// Until it returns true; complains if that takes too long.
  void insist(const std::string& what, const std::function<bool()>& attempt);
  void complain(std::string what) { complaints_.push_back(std::move(what)); }
  int random(int from, int to) { return std::uniform_int_distribution<int>(from, to)(random_); }

  const stage& stage_;
  progress& progress_;
  rest_client rest_;

private:
  std::mt19937_64 random_;
  std::vector<machine> own_;
  std::vector<std::string> complaints_;
  std::thread thread_;
};

/// Wants machines on and off by PATCH.
class wisher final : public client {
public:
  wisher(const stage& s, progress& p, std::uint64_t seed, std::vector<machine> own)
      : client(s, p, seed, std::move(own)) {
    run();
  }
  ~wisher() override { finish(); }

  struct promise {
    std::string state; ///< "ON", "OFF"
    std::uint64_t revision = 0;
  };
  /// The newest acknowledged wish per GUID.
  const std::map<std::string, promise>& promises() const { return promises_; }

private:
  void step(const machine& m) override;
  std::map<std::string, promise> promises_;
};

/// Sends resets and power cycles, by REST or by MQTT, and follows each to its end.
class commander final : public client {
public:
  commander(const stage& s, progress& p, std::uint64_t seed, std::vector<machine> own, bool by_bus)
      : client(s, p, seed, std::move(own)), by_bus_(by_bus) {
    if (by_bus_)
      bus_ = s.connect(s.admin());
    for (const auto& m : this->own())
      for (const auto& [code, n] : s.carried_out(m.guid))
        expected_[m.guid][code] = {n, n};
    run();
  }
  ~commander() override { finish(); }

  /// How often the machine may and must have carried out something, by what its orders came to.
  struct bounds {
    int least = 0, most = 0;
  };
  /// Per GUID and CIM code.
  const std::map<std::string, std::map<int, bounds>>& expected() const { return expected_; }
  const std::map<std::string, int>& outcomes() const { return outcomes_; } ///< how many of each

private:
  void step(const machine& m) override;
  void order_by_rest(const machine& m, const uuid& id, int code);
  void order_by_bus(const machine& m, const uuid& id, int code);
  /// The stored status of a request; empty: it was never stored.
  std::string outcome_of(const uuid& id);

  bool by_bus_;
  std::unique_ptr<bus::mqtt_endpoint> bus_;
  std::map<std::string, std::map<int, bounds>> expected_;
  std::map<std::string, int> outcomes_;
};

} // namespace outband::e2e
