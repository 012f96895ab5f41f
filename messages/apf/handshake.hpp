/// The order in which a device may speak, from TLS to a usable tunnel, as a pure state machine.
///
///   TLS -> VERSION -> AUTH_SVC -> AUTH (-> CHECKING) -> PFWD_SVC -> READY
///
/// A message that has no place in the present stage is a protocol error: DISCONNECT(2), close. An
/// unknown GUID and a wrong password look the same to the device: SERVICE_ACCEPT is still sent,
/// then USERAUTH_FAILURE, and the tunnel closes a second later.
/// Source: the exchange of open-amt-cloud-toolkit/mps src/test/helper/ciraclient.js; the strictness
///   is ours (MPS checks no order at all).
/// Context: pure. The terminator's I/O thread feeds it and carries out the effects in order.
/// Limits: 30 s from TLS to READY; at most 32 announced ports.
#pragma once

#include "messages/apf/messages.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace outband::apf {

enum class stage : std::uint8_t {
  tls,          ///< TLS is not complete
  version,      ///< waits for PROTOCOLVERSION
  auth_service, ///< waits for SERVICE_REQUEST auth
  auth,         ///< waits for USERAUTH_REQUEST
  checking,     ///< credentials are being looked up: do not read from the socket meanwhile
  pfwd_service, ///< waits for SERVICE_REQUEST pfwd
  ready,        ///< usable
  refusing,     ///< USERAUTH_FAILURE was sent; everything is ignored until the timer closes
  closed,       ///< final
};
std::string_view to_string(stage s);

enum class timer : std::uint8_t {
  handshake,      ///< the whole way to READY
  options_quiet,  ///< no further port was announced
  options_latest, ///< no port was announced, or they keep coming
  refusal,        ///< between USERAUTH_FAILURE and closing
};

struct handshake_config {
  std::chrono::seconds deadline{30};
  std::chrono::seconds options_after_quiet{2};
  std::chrono::seconds options_at_latest{5};
  std::chrono::seconds close_after_refusal{1};
  std::uint32_t keepalive_interval_s = 30;
  std::uint32_t keepalive_timeout_s = 90;
};

struct handshake_state {
  stage now = stage::tls;
  bool options_sent = false;
  wire_guid guid{};                 ///< what the device claims; proven from pfwd_service on
  std::vector<std::uint16_t> ports; ///< announced, ascending
};

// Events.
struct tls_complete {};
struct received {
  message what;
};
struct credentials_accepted {};
/// Wrong password, wrong user or unknown GUID: the machine does not care which.
struct credentials_rejected {};
struct timer_fired {
  timer which;
};
struct peer_gone {};
using handshake_event = std::variant<tls_complete, received, credentials_accepted,
                                     credentials_rejected, timer_fired, peer_gone>;

// Effects, to be carried out in order.
struct send {
  message what;
};
/// PROTOCOLVERSION came: for the log only, nothing is proven.
struct identified {
  protocol_version what;
};
/// Answer with credentials_accepted or credentials_rejected.
struct look_up_credentials {
  wire_guid guid;
  std::string user;
  std::string password;
};
/// For log and metrics. `close` comes with it or, after USERAUTH_FAILURE, a second later.
struct refuse {
  std::string why;
  disconnect_reason code;
};
struct became_ready {};
struct port_announced {
  std::uint16_t port;
};
struct port_cancelled {
  std::uint16_t port;
};
struct datagram {
  udp_send_to what;
};
struct keepalive_agreed {
  std::uint32_t interval_s;
  std::uint32_t timeout_s;
};
/// Give the message to this tunnel's `channels`.
struct channel_traffic {
  message what;
};
/// Replaces a timer of the same name that is running.
struct arm_timer {
  timer which;
  std::chrono::seconds after;
};
struct cancel_timer {
  timer which;
};
/// Close the connection once everything sent is flushed. Always the last effect.
struct close_tunnel {};
using handshake_effect = std::variant<send, identified, look_up_credentials, refuse, became_ready,
                                      port_announced, port_cancelled, datagram, keepalive_agreed,
                                      channel_traffic, arm_timer, cancel_timer, close_tunnel>;

struct handshake_step {
  handshake_state next;
  std::vector<handshake_effect> effects;
};

handshake_step decide(handshake_state now, handshake_event what,
                      const handshake_config& config = {});

/// CHANNEL_OPEN to CHANNEL_CLOSE. In stage `ready` these may go to `channels` directly.
bool is_channel_traffic(const message& m);

} // namespace outband::apf
