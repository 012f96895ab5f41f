#include "messages/domain/power.hpp"

#include <string>

namespace outband {

power_state power_state_from_code(int code) {
  switch (code) {
  case 1:
  case 2:
  case 3:
  case 4:
  case 5:
  case 6:
  case 7:
  case 8:
  case 9:
  case 12:
  case 13:
    return static_cast<power_state>(code);
  default:
    return power_state::unknown;
  }
}

power_level level_of(power_state s) {
  switch (s) {
  case power_state::on:
    return power_level::on;
  case power_state::sleep_light:
  case power_state::sleep_deep:
    return power_level::sleep;
  case power_state::hibernate:
    return power_level::hibernate;
  case power_state::off_hard:
  case power_state::off_soft:
  case power_state::off_soft_graceful:
  case power_state::off_hard_graceful:
    return power_level::off;
  case power_state::unknown:
  case power_state::other:
  case power_state::cycle_soft:
  case power_state::cycle_hard:
    return power_level::unknown;
  }
  return power_level::unknown;
}

std::string_view to_string(power_level l) {
  switch (l) {
  case power_level::unknown:
    return "unknown";
  case power_level::on:
    return "on";
  case power_level::sleep:
    return "sleep";
  case power_level::hibernate:
    return "hibernate";
  case power_level::off:
    return "off";
  }
  return "unknown";
}

std::string_view to_string(power_target t) {
  switch (t) {
  case power_target::keep:
    return "keep";
  case power_target::on:
    return "on";
  case power_target::off:
    return "off";
  case power_target::sleep:
    return "sleep";
  case power_target::hibernate:
    return "hibernate";
  }
  return "keep";
}

std::optional<power_target> parse_power_target(std::string_view text) {
  for (auto t : {power_target::keep, power_target::on, power_target::off, power_target::sleep,
                 power_target::hibernate})
    if (text == to_string(t))
      return t;
  return std::nullopt;
}

bool satisfies(power_level now, power_target wanted) {
  switch (wanted) {
  case power_target::keep:
    return true;
  case power_target::on:
    return now == power_level::on;
  case power_target::off:
    return now == power_level::off;
  case power_target::sleep:
    return now == power_level::sleep;
  case power_target::hibernate:
    return now == power_level::hibernate;
  }
  return false;
}

std::string_view to_string(power_policy p) {
  switch (p) {
  case power_policy::ordered:
    return "ordered";
  case power_policy::immediate:
    return "immediate";
  }
  return "ordered";
}

std::optional<power_policy> parse_power_policy(std::string_view text) {
  for (auto p : {power_policy::ordered, power_policy::immediate})
    if (text == to_string(p))
      return p;
  return std::nullopt;
}

std::optional<power_action> power_action_from_code(int code) {
  if (code < 2 || code > 16)
    return std::nullopt;
  return static_cast<power_action>(code);
}

std::string describe(power_action a) {
  std::string name;
  switch (a) {
  case power_action::on:
    name = "power on";
    break;
  case power_action::sleep_light:
    name = "light sleep";
    break;
  case power_action::sleep_deep:
    name = "sleep";
    break;
  case power_action::cycle_soft:
    name = "power cycle";
    break;
  case power_action::off_hard:
    name = "hard power off";
    break;
  case power_action::hibernate:
    name = "hibernate";
    break;
  case power_action::off_soft:
    name = "power off";
    break;
  case power_action::cycle_hard:
    name = "hard power cycle";
    break;
  case power_action::reset:
    name = "reset";
    break;
  case power_action::nmi:
    name = "diagnostic interrupt";
    break;
  case power_action::off_soft_graceful:
    name = "graceful power off";
    break;
  case power_action::off_hard_graceful:
    name = "graceful hard power off";
    break;
  case power_action::reset_graceful:
    name = "graceful reset";
    break;
  case power_action::cycle_soft_graceful:
    name = "graceful power cycle";
    break;
  case power_action::cycle_hard_graceful:
    name = "graceful hard power cycle";
    break;
  }
  return name + " (" + std::to_string(static_cast<int>(a)) + ")";
}

power_target target_of(power_action a) {
  switch (a) {
  case power_action::on:
    return power_target::on;
  case power_action::sleep_light:
  case power_action::sleep_deep:
    return power_target::sleep;
  case power_action::hibernate:
    return power_target::hibernate;
  case power_action::off_hard:
  case power_action::off_soft:
  case power_action::off_soft_graceful:
  case power_action::off_hard_graceful:
    return power_target::off;
  case power_action::cycle_soft:
  case power_action::cycle_hard:
  case power_action::reset:
  case power_action::nmi:
  case power_action::reset_graceful:
  case power_action::cycle_soft_graceful:
  case power_action::cycle_hard_graceful:
    return power_target::keep;
  }
  return power_target::keep;
}

std::string_view to_string(power_once o) {
  switch (o) {
  case power_once::reset:
    return "reset";
  case power_once::cycle:
    return "cycle";
  }
  return "reset";
}

namespace {

failure refused(std::string_view what, power_level now, std::string_view hint) {
  return fail(problem::transition_refused,
              std::string(what) + " is not possible while the machine is " +
                  std::string(to_string(now)) + "; " + std::string(hint));
}

} // namespace

status check_transition(power_level now, power_target wanted) {
  if (wanted == power_target::keep || satisfies(now, wanted))
    return success();
  const bool suspend = wanted == power_target::sleep || wanted == power_target::hibernate;
  // Sleeping and hibernating are done by the operating system, so it has to run.
  if (suspend && now != power_level::on && now != power_level::unknown)
    return refused(to_string(wanted), now, "power it on first");
  return success();
}

status check_transition(power_level now, power_once wanted) {
  if (now == power_level::off || now == power_level::hibernate)
    return refused(to_string(wanted), now, "power it on instead");
  return success();
}

status check_transition(power_level now, power_action wanted) {
  auto target = target_of(wanted);
  if (target != power_target::keep)
    return check_transition(now, target);
  if (wanted == power_action::nmi && now != power_level::on && now != power_level::unknown)
    return refused("a diagnostic interrupt", now, "power it on first");
  return check_transition(now,
                          wanted == power_action::reset || wanted == power_action::reset_graceful
                              ? power_once::reset
                              : power_once::cycle);
}

power_plan plan_for(power_target wanted, power_policy policy, const power_capabilities& can) {
  switch (wanted) {
  case power_target::off:
    if (policy == power_policy::ordered && can.graceful())
      return {power_action::off_soft_graceful, power_action::off_soft};
    return {power_action::off_soft, std::nullopt};
  case power_target::sleep:
    return {power_action::sleep_deep, std::nullopt};
  case power_target::hibernate:
    return {power_action::hibernate, std::nullopt};
  case power_target::on:
  case power_target::keep:
    break;
  }
  return {power_action::on, std::nullopt};
}

power_plan plan_for(power_once wanted, power_policy policy, const power_capabilities& can) {
  const bool graceful = policy == power_policy::ordered && can.graceful();
  if (wanted == power_once::reset) {
    if (graceful)
      return {power_action::reset_graceful, power_action::reset};
    return {power_action::reset, std::nullopt};
  }
  return {power_action::cycle_soft, std::nullopt};
}

} // namespace outband
