/// What a client of the activation WebSocket says: one JSON text is one message.
///
/// Source: rpc-go internal/rps/message.go; rps src/utils/ClientMsgJsonParser.ts, VersionChecker.ts.
/// Every failure's `detail` is a sentence for the person at the machine, in RPS's words where RPS
/// has any; `field` names the member. It never repeats a part of a `method` or a password.
/// Context: pure, any thread. Limits: max_message octets.
#pragma once

#include "messages/domain/activation.hpp"
#include "messages/domain/result.hpp"

#include <string>
#include <string_view>
#include <variant>

namespace outband::rps {

/// RPS closes without a word beyond this.
constexpr std::size_t max_message = 102'400;
/// Of this protocol, not of a program.
constexpr std::string_view protocol_version = "4.0.0";

/// What the firmware wrote on its local port in answer to one `wsman`, as far as the client read.
struct firmware_response {
  std::string octets;
};
/// Octets of the TLS session between the firmware and us.
struct tls_octets {
  std::string octets;
};
/// The local TLS connection is gone.
struct connection_reset {};
struct port_switched {};
struct heartbeat {};

using client_frame = std::variant<provisioning_wish, firmware_response, tls_octets,
                                  connection_reset, port_switched, heartbeat>;

result<client_frame> parse_client_frame(std::string_view text);

} // namespace outband::rps
