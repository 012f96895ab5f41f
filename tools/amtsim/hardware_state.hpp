/// What is built into a machine. Context: pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace outband::amtsim {

struct hardware_state {
  std::vector<std::uint64_t> memory_octets{17179869184U, 17179869184U}; ///< module by module
  std::vector<std::uint64_t> disk_kilobytes{960197124U, 500107862U};
  /// What somebody set: "CIM_Chassis.SerialNumber" -> text.
  std::map<std::string, std::string> set;
};

} // namespace outband::amtsim
