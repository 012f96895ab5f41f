#include "messages/ticket/base64url.hpp"

#include <cstdint>

namespace outband::ticket {

namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

int value_of(char c) {
  if (c >= 'A' && c <= 'Z')
    return c - 'A';
  if (c >= 'a' && c <= 'z')
    return c - 'a' + 26;
  if (c >= '0' && c <= '9')
    return c - '0' + 52;
  if (c == '-')
    return 62;
  if (c == '_')
    return 63;
  return -1;
}

} // namespace

std::string base64url_encode(std::string_view octets) {
  std::string out;
  out.reserve((octets.size() * 4 + 2) / 3);
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
  return out;
}

std::optional<std::string> base64url_decode(std::string_view text) {
  if (text.size() % 4 == 1)
    return std::nullopt;
  std::string out;
  out.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  int have = 0;
  for (char c : text) {
    int v = value_of(c);
    if (v < 0)
      return std::nullopt;
    bits = ((bits << 6) | static_cast<std::uint32_t>(v)) & 0xfff;
    have += 6;
    if (have >= 8) {
      have -= 8;
      out += static_cast<char>((bits >> have) & 0xff);
    }
  }
  if ((bits & ((1u << have) - 1)) != 0)
    return std::nullopt;
  return out;
}

} // namespace outband::ticket
