/// Forms that MPS's validators know beside those of argument.hpp.
/// Source: express-validator 7 (`checkFalsy`, isIP(4)); MPS wirelessProfileValidator.ts.
/// Context: pure, any thread.
#pragma once

#include "messages/rest/json.hpp"

#include <string_view>

namespace outband::amt {

/// Absent, null, false, 0, "".
bool is_falsy(const json::value* v);
/// "192.168.0.1"
bool is_ipv4(std::string_view text);
/// [a-zA-Z0-9]+
bool is_alphanumeric(std::string_view text);

} // namespace outband::amt
