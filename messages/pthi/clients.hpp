/// The parts of the management engine that a host program can connect to, by GUID.
///
/// Source: linux include/uapi/linux/mei.h, rpc-go pkg/heci (the octets its connect call passes).
/// Context: pure, any thread.
#pragma once

#include "messages/domain/ids.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace outband::pthi {

enum class mei_client : std::uint8_t {
  amthi,    ///< PTHI: facts and host based setup
  watchdog, ///< "state independence": is AMT enabled?
  lme,      ///< APF: the local manageability service's way to AMT's ports
};

/// 12f80028-b4b7-4b2d-aca8-46e0ff65814c
uuid guid_of(mei_client c);
/// The 16 octets of the connect call: the first three groups little-endian.
std::string connect_octets(mei_client c);
/// Nothing for other lengths and unknown clients.
std::optional<mei_client> client_of(std::string_view connect_octets);
/// "AMTHI"
std::string_view to_string(mei_client c);

} // namespace outband::pthi
