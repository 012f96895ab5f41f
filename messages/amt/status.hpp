/// What a firmware's ReturnValue means to the person who asked.
///
/// Source: PT_STATUS of MPS src/utils/constants.ts; the sentences are ours. Context: pure.
#pragma once

#include "messages/amt/pass_through.hpp"
#include "messages/rest/json.hpp"
#include "messages/wsman/talk.hpp"

#include <cstdint>
#include <string_view>

namespace outband::amt {

/// One sentence: what was wrong and what to do now; empty for 0.
std::string_view status_text(std::uint32_t value);
/// problem::device_refused: "SetBootConfigRole was refused with NOT_READY (2): ...".
failure status_failure(std::string_view method, std::uint32_t value);

/// Did the method of an AMT_ or IPS_ class do what was asked? Otherwise why not.
status done(const result<wsman::returned>& told, std::string_view method);
/// RequestStateChange of a CIM class; 4096, a job was started, is success (DMTF DSP1027).
status request_state(wsman::talk& t, std::string_view cls, std::uint32_t state);

/// {"Header":{...},"Body":{"ReturnValue":0,"ReturnValueStr":"SUCCESS"},"ReturnValue":0}: under Body
/// for MPS's clients, at the top for Console's; "text" is added to a refusal. `t`'s last answer is
/// the method's.
json::value acknowledgement(const wsman::talk& t, std::uint32_t value, std::string_view text,
                            relates_to how = relates_to::number);

} // namespace outband::amt
