/// Power as firmware has it: what it is, what is possible, one action.
///
/// Source: MPS src/amt/DeviceAction.ts, src/routes/amt/powerAction.ts, in their order of calls,
/// because firmware in the field was tested with them. Context: pure, see wsman/talk.hpp.
#pragma once

#include "messages/domain/amt.hpp"
#include "messages/rest/json.hpp"
#include "messages/wsman/talk.hpp"

namespace outband::amt {

result<power_reading> get_power(wsman::talk& t);
result<power_capabilities> get_power_capabilities(wsman::talk& t);
result<versions> get_versions(wsman::talk& t);
/// Clears left-over boot options before what boots, and wakes an OS that saves power before it is
/// switched on. A ReturnValue other than 0 is an answer, not a failure.
result<power_ack> set_power(wsman::talk& t, power_action action);

/// 0 unknown, 1 unsupported, 2 full power, 3 OS power saving; 0 where the firmware cannot tell.
int get_os_power_saving(wsman::talk& t);
/// RequestOSPowerSavingStateChange; its ReturnValue. `state`: 2 or 3.
result<std::uint32_t> set_os_power_saving(wsman::talk& t, int state);
/// What actions 500 and 501 ask for; values are IPS_PowerManagementService.OSPowerSavingState's.
enum class os_power : std::uint8_t { full = 2, saving = 3 };
/// {"Body":{"ReturnValue":0,"ReturnValueStr":"COMPLETED_WITH_NO_ERROR"}}; a firmware that cannot is
/// a ReturnValue too. Source: MPS src/routes/amt/powerAction.ts, but boot options stay untouched.
result<json::value> change_os_power(wsman::talk& t, os_power wanted);
/// Puts AMT_BootSettingData with everything cleared that would make the next boot a special one.
/// Fails only if something was set and stays set.
status clear_boot_settings(wsman::talk& t);
/// RequestPowerStateChange and nothing else; its ReturnValue.
result<std::uint32_t> request_power_state(wsman::talk& t, int state);

} // namespace outband::amt
