/// Small files in the data directory: keys and first passwords.
/// Context: start-up thread; blocks.
#pragma once

#include "messages/domain/result.hpp"

#include <string>
#include <string_view>

namespace outband::auth {

/// Written to a temporary name, synced, renamed: whole or not at all. `mode` as for open(2).
status write_file(const std::string& path, std::string_view text, unsigned mode);
/// not_found if there is none; forbidden if it is readable by group or others.
result<std::string> read_private_file(const std::string& path);

} // namespace outband::auth
