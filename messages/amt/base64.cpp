#include "messages/amt/base64.hpp"

#include <cstdint>

namespace outband::amt {

namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

} // namespace

std::string base64_encode(std::string_view octets) {
  std::string out;
  out.reserve((octets.size() + 2) / 3 * 4);
  std::uint32_t bits = 0;
  int have = 0;
  for (char c : octets) {
    bits = (bits << 8) | static_cast<unsigned char>(c);
    have += 8;
    while (have >= 6) {
      have -= 6;
      out += alphabet[(bits >> have) & 63];
    }
  }
  if (have > 0)
    out += alphabet[(bits << (6 - have)) & 63];
  out.append((4 - out.size() % 4) % 4, '=');
  return out;
}

std::optional<std::string> base64_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size() / 4 * 3);
  std::uint32_t bits = 0;
  std::size_t digits = 0;
  std::size_t padding = 0;
  for (char c : text) {
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
      continue;
    if (c == '=') {
      ++padding;
      continue;
    }
    const auto value = alphabet.find(c);
    if (value == std::string_view::npos || padding > 0)
      return std::nullopt;
    bits = (bits << 6) | static_cast<std::uint32_t>(value);
    ++digits;
    if (digits % 4 == 0) {
      out += static_cast<char>(bits >> 16);
      out += static_cast<char>(bits >> 8);
      out += static_cast<char>(bits);
    }
  }
  const auto rest = digits % 4;
  if (rest == 1 || padding > 2 || (padding > 0 && (rest + padding) != 4))
    return std::nullopt;
  if (rest >= 2)
    out += static_cast<char>(bits >> (rest == 2 ? 4 : 10));
  if (rest == 3)
    out += static_cast<char>(bits >> 2);
  return out;
}

} // namespace outband::amt
