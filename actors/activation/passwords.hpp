/// Passwords that are made, for machines and for what they call. Context: any thread; pure but for
/// the system's random numbers.
#pragma once

#include "actors/ports/secrets.hpp"

#include <cstddef>
#include <functional>
#include <string>

namespace outband::activation {

/// Of the system; there is no other way to a password than an unpredictable one, so without random
/// numbers it throws, and whoever asked for it ends by that.
std::string random_octets(std::size_t n);

/// 16 characters with upper case, lower case, digit and special among them: what AMT, MEBx and CIRA
/// all accept (rps src/utils/PasswordHelper.ts has the same alphabet).
secret_text make_password(const std::function<std::string(std::size_t)>& random);

/// What firmware takes as the administrator's password: 8 to 32 octets of ASCII, all four kinds,
/// none of `:,"`.
bool acceptable_password(const std::string& text);

} // namespace outband::activation
