/// The first packet of an MQTT connection, CONNECT, as far as /mqtt must understand it: who.
///
/// Source: MQTT 3.1.1 and 5.0, section 3.1. Everything else of the protocol is the broker's.
/// Context: pure. Limit: a packet is at most `max_connect` octets.
#pragma once

#include "messages/domain/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace outband::mqtt {

inline constexpr std::size_t max_connect = 8192;

struct connect_packet {
  int version = 0; ///< 4 is 3.1.1, 5 is 5.0
  std::string client_id;
  std::string username;
  std::string password;
  bool clean = false; ///< clean session or clean start
  std::uint16_t keep_alive_s = 0;
  std::size_t size = 0; ///< octets of the packet; what follows belongs to the next one
};

/// nullopt in the result: incomplete, feed more (never once `octets` holds max_connect).
/// malformed: not a CONNECT, a version or protocol name we do not serve, or a broken length.
result<std::optional<connect_packet>> parse_connect(std::string_view octets);

/// A CONNACK that says "not authorized" in the version's own code, to be sent before closing.
std::string refused_connack(int version);

} // namespace outband::mqtt
