/// The end of our management of a machine.
///
/// Source: MPS src/routes/amt/deactivate.ts. Context: pure, see wsman/talk.hpp.
#pragma once

#include "messages/wsman/talk.hpp"

namespace outband::amt {

/// Unprovision; its ReturnValue. After 0 the firmware forgets credentials, certificates and
/// profiles, and closes its tunnel; what follows for our records is the caller's.
result<std::uint32_t> deactivate(wsman::talk& t);

} // namespace outband::amt
