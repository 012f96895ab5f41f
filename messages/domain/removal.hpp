/// A machine that is to go: first its AMT is deactivated, then its registration is removed.
///
/// EMF's states are "deauthorized" (UNTRUSTED) and "deleted"; what it only designed, a barrier
/// until AMT is clean, is this. Context: pure. Times are milliseconds UTC.
#pragma once

#include "messages/domain/ids.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace outband {

enum class removal_kind : std::uint8_t {
  remove,      ///< then the registration is removed
  deauthorize, ///< then it stays, without secrets: the machine is not let in any more
};
/// "remove", "deauthorize"
std::string_view to_string(removal_kind k);
std::optional<removal_kind> parse_removal_kind(std::string_view text);

enum class removal_state : std::uint8_t {
  waiting, ///< for the machine: it is asked now, or when it calls
  refused, ///< the firmware refused; it is asked again when it calls
  done,    ///< of a machine that is deauthorized
};
std::string_view to_string(removal_state s);
std::optional<removal_state> parse_removal_state(std::string_view text);

struct removal {
  device_ref device;
  removal_kind kind = removal_kind::remove;
  removal_state state = removal_state::waiting;
  std::string code; ///< of a failure: stable
  std::string text; ///< one plain sentence: why it has not gone yet
  std::string by;   ///< who asked
  time_ms asked = 0, updated = 0;
};

} // namespace outband
