/// Redirection sessions as the firmware counts them: what opening and closing one does to consent,
/// logs and subscribers. Whoever moves the octets calls these. Context: pure.
#pragma once

#include "tools/amtsim/device_model.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace outband::amtsim {

enum class session_kind : std::uint8_t { sol, ider, kvm };
/// "sol", "ider", "kvm".
std::optional<session_kind> parse_session_kind(std::string_view text);

/// Empty, or why the firmware does not allow it: switched off, or no consent.
std::string open_session(device_model& d, session_kind kind, sim_time now);
void close_session(device_model& d, session_kind kind, sim_time now);

} // namespace outband::amtsim
