/// Actors on a stage: CAF's deterministic scheduler, the scripted bus, an in-memory store, and a
/// clock that moves only when told. No threads, no sleeps.
#pragma once

#include "actors/control.hpp"
#include "actors/controller.hpp"
#include "actors/services.hpp"
#include "actors/terminator.hpp"
#include "bus/scripted_endpoint.hpp"
#include "tests/unit/actors/memory_cluster.hpp"
#include "tests/unit/actors/memory_store.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include <doctest/doctest.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace outband::testing {

class stage_clock final : public clock_port {
public:
  time_ms now() const override { return now_; }
  uuid new_id() override {
    uuid u;
    ++count_;
    for (int i = 0; i < 8; ++i)
      u.bytes[static_cast<std::size_t>(15 - i)] = static_cast<std::uint8_t>(count_ >> (8 * i));
    u.bytes[0] = 1;
    return u;
  }
  time_ms now_ = 1'700'000'000'000;

private:
  std::uint64_t count_ = 0;
};

class memory_secrets final : public secrets_port {
public:
  void get(device_ref ref, secret_name name, answer<secret_versions> cb) override {
    cb(kept[{to_string(ref), name}]);
  }
  void put_active(device_ref ref, secret_name name, secret_text v, answer<nothing> cb) override {
    kept[{to_string(ref), name}].active = std::move(v);
    cb(nothing{});
  }
  void put_pending(device_ref ref, secret_name name, secret_text v, answer<nothing> cb) override {
    kept[{to_string(ref), name}].pending = std::move(v);
    cb(nothing{});
  }
  void promote(device_ref ref, secret_name name, answer<nothing> cb) override {
    auto& s = kept[{to_string(ref), name}];
    if (!s.pending)
      return cb(fail(problem::not_found, "nothing is pending"));
    s.active = std::move(s.pending);
    s.pending.reset();
    cb(nothing{});
  }
  void discard_pending(device_ref ref, secret_name name, answer<nothing> cb) override {
    kept[{to_string(ref), name}].pending.reset();
    cb(nothing{});
  }
  result<std::string> seal(const device_ref& ref, std::string_view text) override {
    return "sealed:" + to_string(ref) + ":" + std::string(text);
  }
  result<secret_text> open(const device_ref& ref, std::string_view sealed) override {
    const auto front = "sealed:" + to_string(ref) + ":";
    if (sealed.substr(0, front.size()) != front)
      return fail(problem::internal, "sealed for somebody else");
    return secret_text(std::string(sealed.substr(front.size())));
  }
  result<std::string> seal_named(const tenant_key& tenant, std::string_view label,
                                 std::string_view text) override {
    return "sealed:" + tenant + ":" + std::string(label) + ":" + std::string(text);
  }
  result<secret_text> open_named(const tenant_key& tenant, std::string_view label,
                                 std::string_view sealed) override {
    const auto front = "sealed:" + tenant + ":" + std::string(label) + ":";
    if (sealed.substr(0, front.size()) != front)
      return fail(problem::internal, "sealed for another place");
    return secret_text(std::string(sealed.substr(front.size())));
  }
  std::map<std::pair<std::string, secret_name>, secret_versions> kept;
};

/// The firmware's end of a link: keeps what was posted until the test answers it.
class fake_link final : public amt_link_port {
public:
  struct posted {
    std::string envelope;
    std::chrono::milliseconds timeout;
    std::function<void(result<soap_answer>)> cb;
  };
  void post(std::string envelope, std::chrono::milliseconds timeout,
            std::function<void(result<soap_answer>)> cb) override {
    waiting.push_back({std::move(envelope), timeout, std::move(cb)});
  }
  void close(link_end why, std::string) override { closed.push_back(why); }
  std::deque<posted> waiting;
  std::vector<link_end> closed;
};

/// What is not asked for is not read: tests of calls count them.
inline power_times without_facts() {
  power_times t;
  t.read_facts = false;
  return t;
}

struct stage_config : caf::actor_system_config {
  stage_config() { set("scheduler.policy", caf::atom("testing")); }
};

class stage {
public:
  stage() {
    with.node = "n1";
    with.incarnation = clock.new_id();
    store.lease_epoch = 1;
    sched.clock().current_time += std::chrono::hours(1); // zero means unset in places
  }
  ~stage() {
    control_role.stop();
    terminator_role.stop();
    controller_role.stop();
    sched.run();
    sched.clock().cancel_all();
    sched.run();
  }

  /// Delivers all that is ready; time stands still.
  void run() {
    for (int i = 0; i < 10'000; ++i) {
      auto moved = sched.run() + bus.run() + store.run();
      if (moved == 0)
        return;
    }
    FAIL("the stage does not come to rest");
  }
  void advance(std::chrono::milliseconds dt) {
    run();
    while (dt.count() > 0) {
      auto part = std::min(dt, std::chrono::milliseconds(100));
      dt -= part;
      clock.now_ += part.count();
      store.now += part.count();
      sched.advance_time(part);
      bus.advance(part);
      run();
    }
  }

  stage_clock clock;
  memory_store store;
  memory_cluster cluster{store};
  memory_secrets secrets;
  bus::scripted_bus bus{1};
  std::unique_ptr<bus::scripted_endpoint> internal =
      bus.attach({"oob/v1/-/inst/n1/node/reply", 10'000});
  link_directory directory;
  actor_counters counters;
  services with{store,
                cluster,
                secrets,
                clock,
                *internal,
                directory,
                counters,
                {},
                {},
                without_facts(),
                std::chrono::minutes(5),
                std::chrono::milliseconds(50),
                {},
                std::make_shared<pace>(100),
                false};
  stage_config cfg;
  caf::actor_system sys{cfg};
  caf::scheduler::test_coordinator& sched =
      dynamic_cast<caf::scheduler::test_coordinator&>(sys.scheduler());
  controller controller_role{sys, with};
  terminator terminator_role{sys, with};
  control control_role{sys, with};
};

} // namespace outband::testing
