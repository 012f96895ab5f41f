// The role: who gets a turn, and when.
#include "actors/activation/provisioner.hpp"

#include "tests/unit/activation/stage.hpp"

#include <doctest/doctest.h>

using namespace outband;
using namespace outband::testing;

namespace {

/// One turn at a time, on the stage.
struct turns {
  explicit turns(activation_stage& on) : s(on) {
    all.emplace(s.sys, s.with, s.rows, s.control, settings_of(s));
    all->start();
  }
  ~turns() {
    all->stop();
    s.settle();
  }
  static activation::provisioner::settings settings_of(const activation_stage& s) {
    activation::provisioner::settings o;
    o.ca_certificate = s.where.ca_certificate;
    o.ca_key = s.where.ca_key;
    o.at_once = 1;
    return o;
  }
  std::shared_ptr<sim_wire> come(bench& m, std::uint64_t id, std::string token) {
    auto wire = std::make_shared<sim_wire>(m, s.wire_events);
    all->opened({id, std::move(token), "10.0.0.1", wire}, s.wish(m));
    return wire;
  }
  activation_stage& s;
  std::optional<activation::provisioner> all;
};

struct three_machines {
  three_machines() { s.prepare(activation_kind::client_mode); }
  activation_stage s;
  turns r{s};
  bench first{"16.1.25", 1}, second{"16.1.25", 2}, third{"16.1.25", 3};
};

} // namespace

TEST_CASE("a client that was answered and stays does not keep another from its turn") {
  three_machines t;
  auto& s = t.s;
  auto& r = t.r;
  auto stranger = r.come(t.first, 1, "guess");
  auto guest = r.come(t.second, 2, s.token());
  auto late = r.come(t.third, 3, s.token());
  s.settle();
  REQUIRE(stranger->reports.size() == 1);
  CHECK(!stranger->reports.front().success);
  REQUIRE(guest->reports.size() == 1);
  CHECK_MESSAGE(guest->reports.front().success, guest->reports.front().status);
  s.settle();
  REQUIRE(late->reports.size() == 1);
  CHECK_MESSAGE(late->reports.front().success, late->reports.front().status);
  r.all->closed(1);
  s.settle();
  CHECK(stranger->reports.size() == 1);
}

TEST_CASE("who leaves while waiting is not begun and the next one is") {
  three_machines t;
  auto& s = t.s;
  auto& r = t.r;
  auto a = r.come(t.first, 1, s.token());
  auto gone = r.come(t.second, 2, s.token());
  auto b = r.come(t.third, 3, s.token());
  r.all->closed(2);
  s.settle();
  s.settle();
  CHECK(a->reports.size() == 1);
  CHECK(b->reports.size() == 1);
  CHECK(gone->reports.empty());
  CHECK(gone->exchanges == 0);
  CHECK(t.second.model.control_mode == 0);
}

TEST_CASE("when the role ends everybody is told and nobody is let in any more") {
  three_machines t;
  auto& s = t.s;
  auto& r = t.r;
  auto a = r.come(t.first, 1, s.token());
  auto waiting = r.come(t.second, 2, s.token());
  while (a->exchanges == 0 && s.sched.run() + s.bus.run() + s.store.run() != 0) {
  }
  r.all->stop();
  s.settle();
  auto late = r.come(t.third, 3, s.token());
  for (const auto& w : {a, waiting, late}) {
    REQUIRE(w->reports.size() == 1);
    CHECK(w->reports.front().status.find("shutting down") != std::string::npos);
  }
}
