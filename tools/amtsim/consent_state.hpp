/// User consent: the code on the screen and what may be done with it.
///
///   not_started --StartOptIn--> displayed --right code--> received --session--> in_session
///   displayed: back to not_started after OptInDisplayTimeout, or with the third wrong code
///   received:  back to not_started after OptInCodeTimeout unless a session began
///   in_session: received again when the last session ends; CancelOptIn ends any of them
///
/// Source: states and timeouts from go-wsman-messages pkg/wsman/ips/optin; the transitions from
/// Intel's AMT Implementation and Reference Guide, "User Consent". Context: pure.
#pragma once

#include "tools/amtsim/faults.hpp"

#include <cstdint>

namespace outband::amtsim {

enum class opt_in_state : std::uint8_t {
  not_started = 0,
  requested = 1, ///< never seen here: the code is on the screen at once
  displayed = 2,
  received = 3,
  in_session = 4,
};

struct consent_state {
  opt_in_state state = opt_in_state::not_started;
  std::uint8_t wrong_codes = 0;
  std::uint8_t sessions = 0;
  std::uint32_t code = 0; ///< six digits, leading zeros not shown
  sim_time until{0};      ///< when the state ends by itself; 0: it does not
};

} // namespace outband::amtsim
