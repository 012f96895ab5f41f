/// The retained document by which the outbox publisher sees what the broker has lost.
///
/// `generation` counts writes; `complete_ms` is a moment before which everything committed has been
/// published and acknowledged ahead of this write on the same ordered connection. So a broker that
/// has the canary has everything up to that moment, however old the store it restarted from.
/// A probe (generation 0) goes to the same topic, not retained: when it comes back, a retained
/// canary would have come before it. Form: messages/bus, `canary`. Context: pure.
#pragma once

#include "messages/domain/ids.hpp"
#include "messages/domain/result.hpp"

#include <string_view>

namespace outband::bus {

struct canary_note {
  std::uint64_t generation = 0;
  time_ms complete_ms = 0;
  std::string writer; ///< different for each publisher, at most 128 octets
  uuid id;            ///< of this message
};

std::string encode_note(const canary_note& n, time_ms now);
result<canary_note> decode_note(std::string_view octets);

} // namespace outband::bus
