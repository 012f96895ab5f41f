/// Screens and KVM settings. Context: pure.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace outband::amtsim {

struct screen {
  bool active = false;
  std::int32_t width = 0, height = 0; ///< pixels
  std::int32_t left = -1, top = -1;   ///< of the desktop
};

struct screen_state {
  std::array<screen, 4> screens{
      {{true, 1920, 1080, 0, 0}, {true, 1920, 1080, 1920, 0}, screen{}, screen{}}};
  std::uint32_t default_screen = 0;
  bool back_to_back = false;
  bool port_5900 = false;
  bool opt_in_policy = true;
  std::uint32_t opt_in_timeout_s = 300;
  std::uint32_t session_timeout_min = 3;
  std::string rfb_password; ///< write-only, 8 characters
};

} // namespace outband::amtsim
