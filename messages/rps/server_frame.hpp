/// What we say to a client of the activation WebSocket; each function gives one JSON text.
///
/// Source: rps src/utils/ServerResponse..., rpc-go internal/rps/message.go for how it is read.
/// Context: pure, any thread. Octets of a text that are not UTF-8 become U+FFFD.
#pragma once

#include "messages/domain/activation.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace outband::rps {

/// Octets for the firmware's local port: one complete HTTP request.
std::string wsman_frame(std::string_view octets);
/// Octets of the TLS session with the firmware.
std::string tls_frame(std::string_view octets);
/// Go over to port 16993 after `delay`. The only payload that is JSON and not base64.
std::string port_switch_frame(std::chrono::seconds delay);
/// For clients that understand it (machine_claim::progress): others would write it to the firmware.
std::string progress_frame(std::string_view label);
/// `components`: with RPS's newer object of that name, at which rpc from v2.51 on prints other
/// lines: EMF's agent, which looks for "CIRA: Configured", then takes success for failure.
std::string final_frame(const provisioning_report& report, bool components);
/// An end without a report.
std::string error_frame(std::string_view text);
/// Answered by heartbeat_response.
std::string heartbeat_frame();

} // namespace outband::rps
