/// Power: what AMT reports, what is wanted, what may be asked, in which order.
///
/// Numbers are CIM's (CIM_AssociatedPowerManagementService.PowerState and
/// CIM_PowerManagementService.RequestPowerStateChange, the same table). Context: pure.
#pragma once

#include "messages/domain/ids.hpp"
#include "messages/domain/result.hpp"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace outband {

/// What the firmware reports. Values are CIM codes.
enum class power_state : std::uint8_t {
  unknown = 0,
  other = 1,
  on = 2,
  sleep_light = 3,
  sleep_deep = 4,
  cycle_soft = 5,
  off_hard = 6,
  hibernate = 7,
  off_soft = 8,
  cycle_hard = 9,
  off_soft_graceful = 12,
  off_hard_graceful = 13,
};
/// unknown for a code outside the table.
power_state power_state_from_code(int code);

/// The level a report amounts to, in the operator's words.
enum class power_level : std::uint8_t { unknown, on, sleep, hibernate, off };
power_level level_of(power_state s);
std::string_view to_string(power_level l);

/// The wish. `keep`: nobody asked for anything, so nothing is enforced.
enum class power_target : std::uint8_t { keep, on, off, sleep, hibernate };
std::string_view to_string(power_target t);
std::optional<power_target> parse_power_target(std::string_view text);
bool satisfies(power_level now, power_target wanted);

enum class power_policy : std::uint8_t {
  ordered,  ///< graceful first, watch, force after a timer
  immediate ///< force at once
};
std::string_view to_string(power_policy p);
std::optional<power_policy> parse_power_policy(std::string_view text);

/// What is sent to the firmware. Values are CIM codes.
enum class power_action : std::uint8_t {
  on = 2,
  sleep_light = 3,
  sleep_deep = 4,
  cycle_soft = 5,
  off_hard = 6,
  hibernate = 7,
  off_soft = 8,
  cycle_hard = 9,
  reset = 10,
  nmi = 11,
  off_soft_graceful = 12,
  off_hard_graceful = 13,
  reset_graceful = 14,
  cycle_soft_graceful = 15,
  cycle_hard_graceful = 16,
};
std::optional<power_action> power_action_from_code(int code);
/// "reset (10)"
std::string describe(power_action a);

/// The level the machine is at after the action, if it is an action towards a level;
/// keep for what happens once (reset, cycle, NMI).
power_target target_of(power_action a);

/// One-shot commands of the northbound interface.
enum class power_once : std::uint8_t { reset, cycle };
std::string_view to_string(power_once o);

/// May this be asked of a machine in that state? Refused before anything is sent; `detail` tells
/// the operator why. Matrix: orchestration reference, allowed transitions.
status check_transition(power_level now, power_target wanted);
status check_transition(power_level now, power_once wanted);
status check_transition(power_level now, power_action wanted);

/// What a machine can do, from its firmware version and boot capabilities.
struct power_capabilities {
  int amt_major = 0; ///< 0: unknown
  bool bios_setup = false;
  bool secure_erase = false;
  bool force_diagnostic_boot = false;
  /// CIM_AssociatedPowerManagementService.AvailableRequestedPowerStates; empty if not told.
  std::vector<int> available_now;

  /// Soft-off, soft-reset, sleep, hibernate exist from AMT 10 on; unknown firmware is given the
  /// benefit of the doubt, for its answer tells.
  bool graceful() const { return amt_major == 0 || amt_major > 9; }
};

/// The first and, under ORDERED, the forced action for a wish.
struct power_plan {
  power_action first;
  std::optional<power_action> forced; ///< sent when `first` had no effect in time
};
power_plan plan_for(power_target wanted, power_policy policy, const power_capabilities& can);
power_plan plan_for(power_once wanted, power_policy policy, const power_capabilities& can);

} // namespace outband
