#include "messages/bus/value.hpp"

namespace outband::bus {

bool operator==(const member& a, const member& b) {
  return a.key == b.key && a.content == b.content;
}

bool operator==(const value& a, const value& b) {
  return a.data == b.data;
}

const value* find(const value::map& m, std::string_view key) {
  for (const auto& e : m)
    if (e.key == key)
      return &e.content;
  return nullptr;
}

std::string_view type_name(const value& v) {
  struct visitor {
    std::string_view operator()(std::monostate) const { return "null"; }
    std::string_view operator()(bool) const { return "true or false"; }
    std::string_view operator()(std::int64_t) const { return "a negative integer"; }
    std::string_view operator()(std::uint64_t) const { return "an integer"; }
    std::string_view operator()(double) const { return "a fraction"; }
    std::string_view operator()(const std::string&) const { return "text"; }
    std::string_view operator()(const octet_string&) const { return "octets"; }
    std::string_view operator()(const uuid&) const { return "a UUID"; }
    std::string_view operator()(const moment&) const { return "a time"; }
    std::string_view operator()(const value::array&) const { return "a list"; }
    std::string_view operator()(const value::map&) const { return "a map"; }
  };
  return std::visit(visitor{}, v.data);
}

namespace {

/// Octets of the well-formed character at the front of `s` (RFC 3629 section 4), 0 if there is
/// none.
std::size_t character(std::string_view s) {
  auto at = [&](std::size_t i) {
    return static_cast<unsigned char>(s[i]);
  };
  auto tail = [&](std::size_t i) {
    return i < s.size() && (at(i) & 0xC0) == 0x80;
  };
  if (s.empty() || at(0) == 0)
    return 0;
  if (at(0) < 0x80)
    return 1;
  if (at(0) >= 0xC2 && at(0) <= 0xDF)
    return tail(1) ? 2 : 0;
  if (at(0) >= 0xE0 && at(0) <= 0xEF) {
    if (!tail(1) || !tail(2))
      return 0;
    const bool overlong = at(0) == 0xE0 && at(1) < 0xA0;
    const bool surrogate = at(0) == 0xED && at(1) > 0x9F;
    return overlong || surrogate ? 0 : 3;
  }
  if (at(0) >= 0xF0 && at(0) <= 0xF4) {
    if (!tail(1) || !tail(2) || !tail(3))
      return 0;
    const bool overlong = at(0) == 0xF0 && at(1) < 0x90;
    const bool beyond = at(0) == 0xF4 && at(1) > 0x8F;
    return overlong || beyond ? 0 : 4;
  }
  return 0;
}

} // namespace

bool valid_text(std::string_view octets) {
  while (!octets.empty()) {
    const auto n = character(octets);
    if (n == 0)
      return false;
    octets.remove_prefix(n);
  }
  return true;
}

std::string clean_text(std::string_view octets, std::size_t limit) {
  std::string out;
  while (!octets.empty()) {
    const auto n = character(octets);
    if (out.size() + (n == 0 ? 1 : n) > limit)
      break;
    if (n == 0)
      out.push_back('?');
    else
      out.append(octets.substr(0, n));
    octets.remove_prefix(n == 0 ? 1 : n);
  }
  return out;
}

} // namespace outband::bus
