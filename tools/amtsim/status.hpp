/// ReturnValues of AMT_ and IPS_ methods (PT_STATUS) that the simulator gives.
///
/// Source: MPS src/utils/constants.ts. Methods inherited from CIM have lists of their own; they
/// stand where they are used.
#pragma once

#include <cstdint>

namespace outband::amtsim::status {

inline constexpr std::uint32_t success = 0;
inline constexpr std::uint32_t internal_error = 1;
inline constexpr std::uint32_t max_limit_reached = 23;
inline constexpr std::uint32_t invalid_parameter = 36;
inline constexpr std::uint32_t invalid_handle = 2053;
inline constexpr std::uint32_t data_missing = 2057;
inline constexpr std::uint32_t duplicate = 2058;
inline constexpr std::uint32_t invalid_key = 2062;
inline constexpr std::uint32_t invalid_cert = 2063;
inline constexpr std::uint32_t cert_key_not_match = 2064;

} // namespace outband::amtsim::status
