/// Where the next boot goes: BIOS setup, a redirected drive, the network, a recovery image.
///
/// Source: MPS src/routes/amt/bootOptions.ts, in its order of calls. Where MPS leaves an order
/// half carried out and says it succeeded (no such boot source, consent missing, diagnostics,
/// secure erase), this refuses instead. Context: pure, see wsman/talk.hpp.
#pragma once

#include "messages/wsman/talk.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace outband::amt {

/// Numbers are those of MPS's DMTFPowerExtendedStates.
enum class boot_action : std::uint16_t {
  on_to_bios = 100,
  reset_to_bios = 101,
  secure_erase = 104,
  reset_to_https = 105,
  on_to_https = 106,
  reset_to_pba = 107,
  on_to_pba = 108,
  reset_to_winre = 109,
  on_to_winre = 110,
  reset_to_ider_floppy = 200,
  on_to_ider_floppy = 201,
  reset_to_ider_cd = 202,
  on_to_ider_cd = 203,
  on_to_diagnostic = 300,
  reset_to_diagnostic = 301,
  reset_to_pxe = 400,
  on_to_pxe = 401,
};
std::optional<boot_action> boot_action_from_code(std::int64_t code);

/// A CIM_BootSourceSetting.
struct boot_source {
  std::string instance_id; ///< "Intel(r) AMT: Force PXE Boot"
  std::string element_name;
  std::string bios_boot_string; ///< what the BIOS calls it: "WinRe"
  std::string boot_string;      ///< a device path
  std::string structured_boot_string;
  std::uint32_t fail_through_supported = 0;
};
result<std::vector<boot_source>> get_boot_sources(wsman::talk& t);

struct boot_order {
  boot_action action = boot_action::on_to_bios;
  bool use_sol = false;
  /// For HTTPS boot: `https://`, at most 300 octets; user name and password at most 16.
  std::string url, user, password;
  /// For PBA and WinRE: a boot source's boot_string; empty: the first source that is one.
  std::string boot_path;
  /// Recovery images must be signed. Cannot be lifted in client control mode.
  bool enforce_secure_boot = true;
};
/// Sets everything and switches power; gives RequestPowerStateChange's ReturnValue, its answer
/// being the talk's last. Nothing stays behind for a later boot if the machine refuses on the way.
/// problem::unsupported, ::malformed (with field) or ::device_refused.
result<std::uint32_t> set_boot(wsman::talk& t, const boot_order& order);

/// AMT_BootSettingData: what is pending for the next boot, and what BIOS and firmware allow.
struct boot_state {
  bool options_cleared = true; ///< nothing is pending
  bool bios_setup = false;
  bool use_sol = false;
  bool use_ider = false;
  bool ider_cd = false;
  bool secure_erase = false;
  bool platform_erase = false;
  bool enforce_secure_boot = false;
  std::uint32_t uefi_parameters = 0;
  bool https_boot_enabled = false;
  bool winre_boot_enabled = false;
  bool local_pba_boot_enabled = false;
  bool rpe_enabled = false;
  /// BIOSLastStatus: what became of the last boot options, and why; empty if not told.
  std::vector<std::uint32_t> bios_last_status;
};
result<boot_state> get_boot_state(wsman::talk& t);
/// "success", "in-progress", "none", "failed", "unknown": BIOSLastStatus[0].
std::string_view bios_status_text(std::uint32_t status);

/// Makes what AMT_BootSettingData holds hold for the next boot, once.
status use_boot_settings_once(wsman::talk& t);

} // namespace outband::amt
