/// The watchdog client of the management engine: may AMT be switched on, is it on, does it insist
/// on TLS at its local ports?
///
/// Source: rpc-go pkg/pthi ("state independence"). Context: pure, any thread.
/// Limits: what is too short or another command is problem::malformed, another sub-command
/// problem::unsupported.
#pragma once

#include "messages/domain/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace outband::pthi {

struct ask_change_enabled {};
struct set_operational_state {
  bool enabled = false;
};
using watchdog_request = std::variant<ask_change_enabled, set_operational_state>;

/// One octet on the wire.
struct change_enabled {
  bool change_allowed = false; ///< bit 0
  bool amt_enabled = false;    ///< bit 1
  bool hardened = false;       ///< bit 4: AMT 22 and later, which has no weak algorithms
  bool restricted = false;     ///< bit 5
  bool tls_enforced = false;   ///< bit 6: AMT 19 and later
  bool new_interface = false;  ///< bit 7: management engine 16.1 and later; set_operational_state
                               ///< exists, and amt_enabled means something
};

std::string encode(const watchdog_request& r);
result<watchdog_request> decode_watchdog_request(std::string_view octets);

std::string encode(const change_enabled& r);
/// AMT may pad its answer: what follows the first octet is ignored.
result<change_enabled> decode_change_enabled(std::string_view octets);

/// The answer to set_operational_state: the request's head and a status, 0 for done.
std::string encode_operational_state_answer(std::uint32_t status);
result<std::uint32_t> decode_operational_state_answer(std::string_view octets);

} // namespace outband::pthi
