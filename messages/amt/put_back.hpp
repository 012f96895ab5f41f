/// An instance that was read, as the properties of the Put that changes some of it.
///
/// Firmware in the field was tested with MPS, which puts back whole instances, read-only properties
/// included, in the order in which they came. Context: pure.
#pragma once

#include "messages/wsman/envelope.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace outband::amt {

struct new_value {
  std::string name;
  std::string value;
  bool add = true; ///< also where this firmware has no such property
};
/// Elements of an array keep their order. A property in `without` is left out.
std::string put_back(const wsman::node& instance, const std::vector<new_value>& changes,
                     const std::vector<std::string_view>& without = {});

inline std::string truth(bool b) {
  return b ? "true" : "false";
}

} // namespace outband::amt
