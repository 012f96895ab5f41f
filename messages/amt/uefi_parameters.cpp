#include "messages/amt/uefi_parameters.hpp"

#include "messages/amt/base64.hpp"

namespace outband::amt {

namespace {

constexpr std::uint32_t intel = 0x8086;

void append_little_endian(std::string& out, std::uint32_t value, unsigned octets) {
  for (unsigned i = 0; i < octets; ++i)
    out += static_cast<char>(value >> 8U * i & 0xFFU);
}

} // namespace

std::size_t max_octets(uefi_parameter p) {
  switch (p) {
  case uefi_parameter::https_url:
  case uefi_parameter::file_device_path:
    return 300;
  case uefi_parameter::device_path_length:
    return 2;
  case uefi_parameter::sync_root_ca:
    return 1;
  case uefi_parameter::https_user:
  case uefi_parameter::https_password:
    return 16;
  }
  return 0;
}

void uefi_parameters::add(std::uint16_t type, std::string_view value) {
  append_little_endian(octets_, intel, 2);
  append_little_endian(octets_, type, 2);
  append_little_endian(octets_, static_cast<std::uint32_t>(value.size()), 4);
  octets_ += value;
  ++count_;
}

void uefi_parameters::text(uefi_parameter p, std::string_view value) {
  if (value.size() > max_octets(p)) {
    fits_ = false;
    return;
  }
  add(static_cast<std::uint16_t>(p), value);
}

void uefi_parameters::flag(uefi_parameter p, bool value) {
  add(static_cast<std::uint16_t>(p), std::string(1, value ? '\1' : '\0'));
}

void uefi_parameters::number(uefi_parameter p, std::uint16_t value) {
  std::string octets;
  append_little_endian(octets, value, 2);
  add(static_cast<std::uint16_t>(p), octets);
}

void uefi_parameters::erase_mask(std::uint32_t mask) {
  std::string octets;
  append_little_endian(octets, mask, 4);
  add(1, octets);
}

std::string uefi_parameters::base64() const {
  return base64_encode(octets_);
}

} // namespace outband::amt
