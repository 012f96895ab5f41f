/// Asking the user at the machine: a code on their screen, told to the operator, sent back.
///
/// Source: MPS src/routes/amt/userConsent/; go-wsman-messages pkg/wsman/ips/optin. Context: pure.
#pragma once

#include "messages/wsman/talk.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace outband::amt {

/// What IPS_OptInService's methods return. Not PT_STATUS, although MPS prints its names.
enum class consent_answer : std::uint32_t {
  success = 0,
  internal_error = 1, ///< of SendOptInCode: the code is wrong
  invalid_state = 2,
  blocked = 3,
  failed_ffs = 4,
};

/// Shows a six-digit code on the machine's screen.
result<std::uint32_t> request_consent(wsman::talk& t);
/// `code`: six digits.
result<std::uint32_t> send_consent(wsman::talk& t, std::string_view code);
/// Also ends a consent that was given.
result<std::uint32_t> cancel_consent(wsman::talk& t);

/// Six digits, zeros put before a number that lost its own; nullopt if it is no such code.
std::optional<std::string> consent_code(std::string_view digits);

} // namespace outband::amt
