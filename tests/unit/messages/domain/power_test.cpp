#include "messages/domain/power.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace outband;

namespace {

constexpr power_level all_levels[] = {power_level::unknown, power_level::on, power_level::sleep,
                                      power_level::hibernate, power_level::off};
constexpr power_target all_targets[] = {power_target::keep, power_target::on, power_target::off,
                                        power_target::sleep, power_target::hibernate};

power_capabilities with_amt(int major) {
  power_capabilities c;
  c.amt_major = major;
  return c;
}

} // namespace

TEST_CASE("only CIM's codes are power states") {
  for (int code = -2; code < 300; ++code) {
    CAPTURE(code);
    const bool known = (code >= 1 && code <= 9) || code == 12 || code == 13;
    CHECK((power_state_from_code(code) != power_state::unknown) == known);
    if (known)
      CHECK(static_cast<int>(power_state_from_code(code)) == code);
  }
}

TEST_CASE("a reported state amounts to a level") {
  CHECK(level_of(power_state::on) == power_level::on);
  CHECK(level_of(power_state::sleep_light) == power_level::sleep);
  CHECK(level_of(power_state::sleep_deep) == power_level::sleep);
  CHECK(level_of(power_state::hibernate) == power_level::hibernate);
  for (auto s : {power_state::off_hard, power_state::off_soft, power_state::off_soft_graceful,
                 power_state::off_hard_graceful})
    CHECK(level_of(s) == power_level::off);
  for (auto s :
       {power_state::unknown, power_state::other, power_state::cycle_soft, power_state::cycle_hard})
    CHECK(level_of(s) == power_level::unknown);
}

TEST_CASE("only CIM's codes are power actions and each has words") {
  for (int code = -2; code < 300; ++code) {
    CAPTURE(code);
    const auto a = power_action_from_code(code);
    CHECK(a.has_value() == (code >= 2 && code <= 16));
    if (a) {
      CHECK(static_cast<int>(*a) == code);
      CHECK(describe(*a).find("(" + std::to_string(code) + ")") != std::string::npos);
      CHECK(describe(*a).size() > 5);
    }
  }
}

TEST_CASE("an action towards a level has that level as target and an edge has none") {
  using a = power_action;
  CHECK(target_of(a::on) == power_target::on);
  CHECK(target_of(a::sleep_light) == power_target::sleep);
  CHECK(target_of(a::sleep_deep) == power_target::sleep);
  CHECK(target_of(a::hibernate) == power_target::hibernate);
  for (auto off : {a::off_hard, a::off_soft, a::off_soft_graceful, a::off_hard_graceful})
    CHECK(target_of(off) == power_target::off);
  for (auto edge : {a::cycle_soft, a::cycle_hard, a::reset, a::nmi, a::reset_graceful,
                    a::cycle_soft_graceful, a::cycle_hard_graceful})
    CHECK(target_of(edge) == power_target::keep);
}

TEST_CASE("keep is always satisfied and an unknown level satisfies nothing else") {
  for (auto l : all_levels)
    CHECK(satisfies(l, power_target::keep));
  for (auto t : all_targets)
    CHECK(satisfies(power_level::unknown, t) == (t == power_target::keep));
  CHECK(satisfies(power_level::on, power_target::on));
  CHECK_FALSE(satisfies(power_level::on, power_target::off));
  CHECK_FALSE(satisfies(power_level::sleep, power_target::off));
  CHECK_FALSE(satisfies(power_level::hibernate, power_target::off));
}

TEST_CASE("transitions towards a level that must be allowed") {
  for (auto now : all_levels) {
    CAPTURE(to_string(now));
    CHECK(check_transition(now, power_target::keep).ok());
    CHECK(check_transition(now, power_target::on).ok());
    CHECK(check_transition(now, power_target::off).ok());
  }
  for (auto wish : {power_target::sleep, power_target::hibernate}) {
    CHECK(check_transition(power_level::on, wish).ok());
    CHECK(check_transition(power_level::unknown, wish).ok());
  }
  CHECK(check_transition(power_level::sleep, power_target::sleep).ok());
  CHECK(check_transition(power_level::hibernate, power_target::hibernate).ok());
}

TEST_CASE("a machine whose system does not run cannot be put to sleep") {
  struct row {
    power_level now;
    power_target wish;
  };
  for (const auto& r :
       {row{power_level::off, power_target::sleep}, row{power_level::off, power_target::hibernate},
        row{power_level::sleep, power_target::hibernate},
        row{power_level::hibernate, power_target::sleep}}) {
    const auto refused = check_transition(r.now, r.wish);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().what == problem::transition_refused);
    CHECK(refused.error().detail.find(std::string(to_string(r.now))) != std::string::npos);
    CHECK(refused.error().detail.find("power it on first") != std::string::npos);
  }
}

TEST_CASE("resets and cycles need a machine that is not off") {
  for (auto once : {power_once::reset, power_once::cycle}) {
    CHECK(check_transition(power_level::on, once).ok());
    CHECK(check_transition(power_level::sleep, once).ok());
    CHECK(check_transition(power_level::unknown, once).ok());
    CHECK_FALSE(check_transition(power_level::off, once).ok());
    CHECK_FALSE(check_transition(power_level::hibernate, once).ok());
  }
}

TEST_CASE("a CIM action is allowed exactly where its wish is") {
  for (int code = 2; code <= 16; ++code)
    for (auto now : all_levels) {
      const auto action = *power_action_from_code(code);
      CAPTURE(describe(action));
      CAPTURE(to_string(now));
      const bool allowed = check_transition(now, action).ok();
      if (target_of(action) != power_target::keep)
        CHECK(allowed == check_transition(now, target_of(action)).ok());
      else if (action == power_action::nmi)
        CHECK(allowed == (now == power_level::on || now == power_level::unknown));
      else
        CHECK(allowed == (now != power_level::off && now != power_level::hibernate));
    }
}

TEST_CASE("ordered asks gracefully and forces later where the firmware can") {
  for (int major : {0, 10, 16}) {
    CAPTURE(major);
    const auto off = plan_for(power_target::off, power_policy::ordered, with_amt(major));
    CHECK(off.first == power_action::off_soft_graceful);
    CHECK(off.forced == power_action::off_soft);
    const auto reset = plan_for(power_once::reset, power_policy::ordered, with_amt(major));
    CHECK(reset.first == power_action::reset_graceful);
    CHECK(reset.forced == power_action::reset);
  }
}

TEST_CASE("immediate and old firmware force at once") {
  struct row {
    power_policy policy;
    int major;
  };
  for (const auto& r : {row{power_policy::immediate, 16}, row{power_policy::ordered, 9},
                        row{power_policy::immediate, 0}}) {
    const auto off = plan_for(power_target::off, r.policy, with_amt(r.major));
    CHECK(off.first == power_action::off_soft);
    CHECK_FALSE(off.forced.has_value());
    const auto reset = plan_for(power_once::reset, r.policy, with_amt(r.major));
    CHECK(reset.first == power_action::reset);
    CHECK_FALSE(reset.forced.has_value());
  }
}

TEST_CASE("a plan's first step leads to the wish") {
  for (auto policy : {power_policy::ordered, power_policy::immediate})
    for (auto wish :
         {power_target::on, power_target::off, power_target::sleep, power_target::hibernate}) {
      const auto plan = plan_for(wish, policy, with_amt(16));
      CHECK(target_of(plan.first) == wish);
      if (plan.forced)
        CHECK(target_of(*plan.forced) == wish);
    }
  CHECK(plan_for(power_once::cycle, power_policy::ordered, with_amt(16)).first ==
        power_action::cycle_soft);
}
