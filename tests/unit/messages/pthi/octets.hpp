/// Octets from hexadecimal digits and back, for the vectors of these tests.
#pragma once

#include "messages/domain/text.hpp"

#include <string>
#include <string_view>

namespace outband::pthi::test {

inline std::string unhex(std::string_view digits) {
  std::string out;
  int high = -1;
  for (const char c : digits) {
    if (hex_digit(c) < 0)
      continue; // blanks for the reader
    if (high < 0) {
      high = hex_digit(c);
      continue;
    }
    out += static_cast<char>(high * 16 + hex_digit(c));
    high = -1;
  }
  return out;
}

inline std::string hex(std::string_view octets) {
  return to_hex(reinterpret_cast<const unsigned char*>(octets.data()), octets.size());
}

inline std::string squeeze(std::string_view digits) {
  return hex(unhex(digits));
}

} // namespace outband::pthi::test
