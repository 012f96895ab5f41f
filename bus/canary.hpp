/// The retained document by which the outbox publisher sees what the broker has lost.
///
/// `generation` counts writes; `complete_ms` is a moment before which everything committed has been
/// published and acknowledged ahead of this write on the same ordered connection. So a broker that
/// has the canary has everything up to that moment, however old the store it restarted from.
/// A probe goes to the same topic, not retained: when it comes back, a retained canary would have
/// come before it. Context: pure.
#pragma once

#include "messages/domain/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace outband::bus {

inline constexpr const char* canary_topic = "oob/v1/-/broker/canary";
inline constexpr const char* canary_content_type = "application/vnd.oob.v1+msgpack";

struct canary {
  std::uint64_t generation = 0; ///< 0: this is a probe
  std::int64_t complete_ms = 0; ///< since 1970 UTC
  std::uint64_t writer = 0;     ///< random per publisher
};

/// MessagePack map {v:1, k:"canary", d:{gen, at, by}}.
std::string encode(const canary& c);
result<canary> decode_canary(std::string_view octets);

} // namespace outband::bus
