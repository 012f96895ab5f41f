/// Being told what a firmware notices: WS-Eventing, where the firmware offers it.
///
/// The machine delivers by HTTP POST to `delivery`, for which it asks its CIRA server for a
/// channel; that name means nothing outside of the tunnel. A machine without one cannot deliver
/// there. Source: DSP0226 10; requests as MeshCommander's amt-wsman writes them.
#pragma once

#include "messages/wsman/talk.hpp"

#include <cstdint>

namespace outband::amt {

namespace delivery {
inline constexpr std::string_view host = "127.0.0.1";
inline constexpr std::uint16_t port = 16991;
inline constexpr std::string_view path = "/outband/alerts";
inline constexpr std::string_view url = "http://127.0.0.1:16991/outband/alerts";
} // namespace delivery

/// Asks for every event the firmware offers. Gives the filter's name. Asks nothing of a machine
/// that delivers to us already: it remembers subscriptions, and has room for few.
/// problem::unsupported if it has no such thing.
result<std::string> subscribe_events(wsman::talk& t);
/// Ends every subscription that delivers to us; gives how many there were.
result<std::uint32_t> unsubscribe_events(wsman::talk& t);

} // namespace outband::amt
