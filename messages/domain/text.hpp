/// ASCII letters and hexadecimal digits, independent of any locale.
/// Context: pure, any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace outband {

constexpr char ascii_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string lower(std::string_view text);
bool same_text(std::string_view a, std::string_view b);

/// 0 to 15 for a digit of either case, -1 for anything else.
constexpr int hex_digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  const char l = ascii_lower(c);
  return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

/// Two lower-case digits for each octet.
std::string to_hex(const unsigned char* octets, std::size_t count);

/// 16 hexadecimal digits (FNV-1a, 64 bits) that change when the text does: to notice changes, not
/// to withstand anybody.
std::string text_fingerprint(std::string_view text);

} // namespace outband
