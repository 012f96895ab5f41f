/// AMT_BootSettingData.UefiBootParametersArray: what the BIOS is told about the next boot.
///
/// A list of type, length and value, all little-endian: u16 vendor 0x8086, u16 type, u32 length,
/// octets. Source: MPS src/routes/amt/bootOptionsValidator.ts; for types 40 and 41, which its
/// validator refuses, Intel AMT SDK "One Click Recovery". Context: pure.
#pragma once

#include "messages/domain/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace outband::amt {

enum class uefi_parameter : std::uint16_t {
  https_url = 1,
  file_device_path = 2,
  device_path_length = 3, ///< goes with 2
  sync_root_ca = 20,      ///< the BIOS takes AMT's root certificates
  https_user = 40,
  https_password = 41,
};

/// The longest value, octets.
std::size_t max_octets(uefi_parameter p);

class uefi_parameters {
public:
  /// Text of at most max_octets(); longer text is not added and spoils the list.
  void text(uefi_parameter p, std::string_view value);
  void flag(uefi_parameter p, bool value);
  void number(uefi_parameter p, std::uint16_t value);
  /// A mask of what to erase, with type 1 (Console internal/usecase/devices/wsman/rpe.go).
  void erase_mask(std::uint32_t mask);

  std::uint32_t count() const { return count_; }
  const std::string& octets() const { return octets_; }
  std::string base64() const;
  bool fits() const { return fits_; }

private:
  void add(std::uint16_t type, std::string_view value);

  std::string octets_;
  std::uint32_t count_ = 0;
  bool fits_ = true;
};

} // namespace outband::amt
