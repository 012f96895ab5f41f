/// What a firmware says by itself: the SOAP of one delivered WS-Eventing event, as JSON.
///
/// {"text", "class", "severity", "message", "arguments", "time", "filter", "id", "owner",
/// "system"}: `text` is one sentence for people, `severity` the word of CIM's PerceivedSeverity,
/// the others are the firmware's own and left out where it tells none. Source: DMTF
/// CIM_AlertIndication; messages by DSP8007 (PLAT...) and Intel AMT's own (iAMT...). Context: pure,
/// any thread. Limits: `max_alert` octets of SOAP; of each text 256 octets, of arguments four are
/// kept, so the JSON is below 12,000 octets.
#pragma once

#include "messages/domain/result.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace outband::amt {

inline constexpr std::size_t max_alert = 64 << 10;

result<std::string> read_alert(std::string_view soap);

} // namespace outband::amt
