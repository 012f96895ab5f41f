/// The requests an `amt_operation` consists of, in order. Used by operations.cpp only.
///
/// Source: MPS src/amt/DeviceAction.ts, src/routes/amt/powerAction.ts. Context: pure.
#pragma once

#include "messages/domain/amt.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace outband::wsman {

/// One request each, except that pulls repeat while the firmware has more.
enum class step : std::uint8_t {
  get_os_power,
  enumerate_association,
  pull_association,
  enumerate_software,
  pull_software,
  get_boot_capabilities,
  get_setup,
  get_boot_settings,
  put_boot_settings,
  request_full_power,
  request_change,
};

std::string_view class_of(step s);
/// "Get", "Pull", or the method's name.
std::string_view verb_of(step s);
std::vector<step> plan(const amt_operation& op);

} // namespace outband::wsman
