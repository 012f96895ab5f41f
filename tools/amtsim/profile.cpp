#include "tools/amtsim/profile.hpp"

namespace outband::amtsim {

const firmware* find_firmware(std::string_view profile) {
  // Ports in the order that comments in MPS src/amt/APFProcessor.ts give. From 16.1 on firmware no
  // longer opens the plain ports towards the LAN, but announces them in the tunnel all the same:
  // MPS and Console reach it on 16992 and 16994 only.
  static const std::vector<std::uint16_t> ports{16993, 16992, 664, 623, 16995, 16994, 5900};
  static const firmware amt16{"16.1.25", "2049", "16392", true, true, ports};
  static const firmware amt12{"12.0.67", "1579", "16392", false, true, ports};
  static const firmware ism16{"16.1.25", "2049", "16400", true, false, ports, false};
  static const firmware amt19{"19.0.5", "1710", "16392", true, true, ports, true, true};
  static const firmware amt22{"22.0.1", "1302", "16392", true, true, ports, true, true};
  if (profile == "amt19")
    return &amt19;
  if (profile == "amt22")
    return &amt22;
  if (profile == "ism16")
    return &ism16;
  if (profile == "amt16")
    return &amt16;
  if (profile == "amt12")
    return &amt12;
  return nullptr;
}

} // namespace outband::amtsim
