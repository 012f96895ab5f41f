#include "messages/domain/ids.hpp"

#include "messages/domain/text.hpp"

#include <cstring>

namespace outband {

namespace {

bool slug_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

} // namespace

bool uuid::is_nil() const {
  for (auto b : bytes)
    if (b != 0)
      return false;
  return true;
}

std::string to_string(const uuid& id) {
  static const char digits[] = "0123456789abcdef";
  std::string out;
  out.reserve(36);
  for (std::size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10)
      out.push_back('-');
    out.push_back(digits[id.bytes[i] >> 4]);
    out.push_back(digits[id.bytes[i] & 15]);
  }
  return out;
}

std::optional<uuid> parse_uuid(std::string_view text) {
  if (text.size() != 36)
    return std::nullopt;
  uuid id;
  std::size_t at = 0;
  for (std::size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) {
      if (text[at++] != '-')
        return std::nullopt;
    }
    auto high = hex_digit(text[at]);
    auto low = hex_digit(text[at + 1]);
    if (high < 0 || low < 0)
      return std::nullopt;
    id.bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
    at += 2;
  }
  return id;
}

uuid swap_smbios(const uuid& id) {
  static const std::size_t from[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
  uuid out;
  for (std::size_t i = 0; i < 16; ++i)
    out.bytes[i] = id.bytes[from[i]];
  return out;
}

uuid make_uuid_v7(std::int64_t unix_ms, const std::array<std::uint8_t, 10>& random) {
  uuid id;
  auto ms = static_cast<std::uint64_t>(unix_ms);
  for (std::size_t i = 0; i < 6; ++i)
    id.bytes[i] = static_cast<std::uint8_t>(ms >> (8 * (5 - i)));
  std::memcpy(id.bytes.data() + 6, random.data(), random.size());
  id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0f) | 0x70);
  id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3f) | 0x80);
  return id;
}

bool valid_tenant_key(std::string_view key) {
  if (key.empty() || key.size() > 20 || key.front() == '-' || key.back() == '-')
    return false;
  for (char c : key)
    if (!slug_char(c))
      return false;
  return true;
}

bool valid_level(std::string_view level) {
  if (level.empty() || level.size() > 64)
    return false;
  for (char c : level)
    if (!slug_char(c))
      return false;
  return true;
}

std::string to_string(const device_ref& ref) {
  return ref.tenant + "/" + to_string(ref.device);
}

std::string to_string(const principal& p) {
  switch (p.what) {
  case principal::kind::person:
    return "op/" + p.name;
  case principal::kind::external:
    return "ext/" + p.name;
  case principal::kind::agent:
    return "dev/" + p.name;
  case principal::kind::node:
    return "inst/" + p.name;
  }
  return p.name;
}

} // namespace outband

std::size_t std::hash<outband::uuid>::operator()(const outband::uuid& id) const noexcept {
  return std::hash<std::string_view>()(
      {reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()});
}

std::size_t
std::hash<outband::device_ref>::operator()(const outband::device_ref& ref) const noexcept {
  return std::hash<outband::uuid>()(ref.device) * 31 + std::hash<std::string>()(ref.tenant);
}
