/// The machine's screens, and which of them a KVM session shows first.
///
/// Source: MPS src/routes/amt/kvm/. Context: pure, see wsman/talk.hpp.
#pragma once

#include "messages/wsman/talk.hpp"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace outband::amt {

enum class display_role : std::uint8_t { primary, secondary, tertiary, quaternary };
std::string_view to_string(display_role r);

struct display {
  std::uint32_t index = 0;
  bool active = false;
  /// Pixels; an inactive screen has -1, -1 and 0, 0.
  std::int32_t left = 0, top = 0, width = 0, height = 0;
  bool is_default = false;
  std::optional<display_role> role;
};
/// problem::not_found where the firmware has no KVM.
result<std::vector<display>> get_displays(wsman::talk& t);

inline constexpr std::uint32_t max_display = 3; ///< IPS_KVMRedirectionSettingData.DefaultScreen
/// Gives the instance as the firmware now has it.
result<const wsman::node*> set_display(wsman::talk& t, std::uint32_t index);

} // namespace outband::amt
