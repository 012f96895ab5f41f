/// Times at which the machine wakes or powers on by itself.
///
/// Source: MPS src/routes/amt/{get,set,delete}AlarmOccurrence*.ts; wsman-messages
/// src/amt/messages.ts (AddAlarm). Context: pure, see wsman/talk.hpp. Limits: firmware holds about
/// five alarms.
#pragma once

#include "messages/domain/ids.hpp"
#include "messages/wsman/talk.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace outband::amt {

/// An IPS_AlarmClockOccurrence.
struct alarm {
  std::string instance_id;
  std::string element_name;
  std::string start;    ///< "2030-01-01T02:00:00Z", verbatim
  std::string interval; ///< "P1DT2H30M", verbatim; empty: once
  std::int64_t interval_minutes = 0;
  bool delete_on_completion = true;
};
result<std::vector<alarm>> list_alarms(wsman::talk& t);

struct new_alarm {
  std::string instance_id;
  std::string element_name;
  time_ms start = 0;                 ///< whole seconds count
  std::int64_t interval_minutes = 0; ///< 0: once
  bool delete_on_completion = true;
};
inline constexpr std::int64_t max_interval_minutes = 3650LL * 24 * 60;

/// AddAlarm. A full alarm clock and values the firmware does not take are problem::malformed, as
/// MPS answers 400 to both.
status add_alarm(wsman::talk& t, const new_alarm& what);
/// problem::not_found if there is none.
status remove_alarm(wsman::talk& t, const std::string& instance_id);

/// 1590 for "P1DT2H30M"; nullopt if it is no such duration or beyond max_interval_minutes. Seconds
/// are cut.
std::optional<std::int64_t> minutes_of(std::string_view duration);
/// "P1DT2H30M"
std::string duration_of(std::int64_t minutes);

} // namespace outband::amt
