#include "messages/amt/boot.hpp"

#include <utility>

namespace outband::amt {

std::string_view bios_status_text(std::uint32_t status) {
  switch (status) {
  case 0:
    return "success";
  case 1:
    return "in-progress";
  case 2:
    return "none";
  case 0xFFFF:
    return "failed";
  default:
    return "unknown";
  }
}

result<boot_state> get_boot_state(wsman::talk& t) {
  auto settings = t.get("AMT_BootSettingData");
  if (!settings)
    return settings.error();
  const auto& from = **settings;
  boot_state out;
  for (const auto& [name, into] :
       {std::pair<std::string_view, bool*>{"OptionsCleared", &out.options_cleared},
        {"BIOSSetup", &out.bios_setup},
        {"UseSOL", &out.use_sol},
        {"UseIDER", &out.use_ider},
        {"SecureErase", &out.secure_erase},
        {"PlatformErase", &out.platform_erase},
        {"EnforceSecureBoot", &out.enforce_secure_boot},
        {"UEFIHTTPSBootEnabled", &out.https_boot_enabled},
        {"WinREBootEnabled", &out.winre_boot_enabled},
        {"UEFILocalPBABootEnabled", &out.local_pba_boot_enabled},
        {"RPEEnabled", &out.rpe_enabled}}) {
    auto value = wsman::bool_or(from, name, *into);
    if (!value)
      return value.error();
    *into = *value;
  }
  auto device = wsman::number_or(from, "IDERBootDevice", 0, 255);
  if (!device)
    return device.error();
  out.ider_cd = *device == 1;
  auto count = wsman::number_or(from, "UefiBootNumberOfParams", 0, 255);
  if (!count)
    return count.error();
  out.uefi_parameters = *count;
  for (const auto& c : from.children) {
    if (c.name != "BIOSLastStatus" || c.value().empty())
      continue;
    const auto number = wsman::to_number(c.value());
    if (!number || *number > 0xFFFF || out.bios_last_status.size() == 2)
      return fail(problem::device_protocol,
                  "AMT_BootSettingData.BIOSLastStatus is not two numbers of 16 bits");
    out.bios_last_status.push_back(*number);
  }
  return out;
}

} // namespace outband::amt
