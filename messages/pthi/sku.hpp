/// What the number under "Sku" of the code versions means.
/// Source: rpc-go pkg/utils/helper.go. Context: pure, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace outband::pthi {

constexpr std::uint32_t sku_amt_pro = 0x08;
constexpr std::uint32_t sku_standard_manageability = 0x10;
constexpr std::uint32_t sku_corporate = 0x4000;

/// "AMT Pro Corporate", as `rpc amtinfo` prints it, for AMT 5 and later; `version` is "16.1.27".
/// Empty when `sku` is no decimal number or no known bit is set.
std::string features_of(std::string_view version, std::string_view sku);

/// Full AMT or Intel Standard Manageability; anything else cannot be managed.
bool is_manageable(std::uint32_t sku);

} // namespace outband::pthi
