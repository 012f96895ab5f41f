/// APF: the messages of one CIRA tunnel (and of the LME connection inside a machine).
///
/// APF is a dialect of SSH's connection protocol (RFC 4254) plus Intel's 192 and 208 to 211.
/// Source: open-amt-cloud-toolkit/mps src/amt/APFProcessor.ts, go-wsman-messages pkg/apf/types.go.
/// Integers are big-endian. "recipient" is always the number that the receiver of the message
/// assigned to the channel; 0 is a valid number.
/// Context: pure, any thread.
#pragma once

#include "messages/domain/ids.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace outband::apf {

/// A system UUID as it travels: SMBIOS order, first three groups little-endian.
using wire_guid = std::array<std::uint8_t, 16>;
uuid to_uuid(const wire_guid& guid);
wire_guid to_wire(const uuid& id);

constexpr std::string_view auth_service_name = "auth@amt.intel.com";
constexpr std::string_view pfwd_service_name = "pfwd@amt.intel.com";

/// First octet of a message.
enum class type : std::uint8_t {
  disconnect = 1,
  service_request = 5,
  service_accept = 6,
  userauth_request = 50,
  userauth_failure = 51,
  userauth_success = 52,
  global_request = 80,
  request_success = 81,
  request_failure = 82,
  channel_open = 90,
  channel_open_confirmation = 91,
  channel_open_failure = 92,
  channel_window_adjust = 93,
  channel_data = 94,
  channel_close = 97,
  protocol_version = 192,
  keepalive_request = 208,
  keepalive_reply = 209,
  keepalive_options_request = 210,
  keepalive_options_reply = 211,
};
/// "CHANNEL_DATA"; "unknown type" for a number that is none.
std::string_view to_string(type t);

/// A peer may send a number that is not listed; it is kept.
enum class disconnect_reason : std::uint32_t {
  host_not_allowed = 1,
  protocol_error = 2,
  key_exchange_failed = 3,
  reserved = 4,
  mac_error = 5,
  compression_error = 6,
  service_not_available = 7,
  version_not_supported = 8,
  host_key_not_verifiable = 9,
  connection_lost = 10,
  by_application = 11,
  too_many_connections = 12,
  auth_cancelled_by_user = 13,
  no_more_auth_methods = 14,
  invalid_credentials = 15,
  connection_timed_out = 16,
  by_policy = 17,
  temporarily_unavailable = 18,
};
std::string_view to_string(disconnect_reason r);

/// A peer may send a number that is not listed; it is kept.
enum class open_failure_reason : std::uint32_t {
  administratively_prohibited = 1,
  connect_failed = 2,
  unknown_channel_type = 3,
  resource_shortage = 4,
};
std::string_view to_string(open_failure_reason r);

/// Why the machine opened its tunnel. WS-MAN policy rules count the same things from 0.
enum class trigger : std::uint32_t {
  user_initiated = 1,
  alert = 2,
  provisioning = 3,
  periodic = 4,
  lme = 254,
};

struct disconnect {
  disconnect_reason reason = disconnect_reason::by_application;
};
struct service_request {
  std::string service;
};
struct service_accept {
  std::string service;
};
/// `password` travels only with method "password"; method "none" has nothing more.
struct userauth_request {
  std::string user;
  std::string service{pfwd_service_name};
  std::string method{"password"};
  std::string password;
};
/// Written with 14 octets as in SSH. MPS writes 15: the decoder takes both.
struct userauth_failure {
  std::string methods{"password"};
  bool partial_success = false;
};
struct userauth_success {};
/// The machine announces that channels to `port` can be opened.
struct tcpip_forward {
  bool want_reply = true; ///< every peer answers whatever this says
  std::string address;    ///< the machine's host name, or empty
  std::uint32_t port = 0;
};
struct cancel_tcpip_forward {
  bool want_reply = true;
  std::string address;
  std::uint32_t port = 0;
};
struct udp_send_to {
  bool want_reply = false;
  std::string address;
  std::uint32_t port = 0;
  std::string originator;
  std::uint32_t originator_port = 0;
  std::string data;
};
/// A request whose name nobody knows; only name and want_reply are consumed, as MPS does.
struct unknown_request {
  std::string name;
  bool want_reply = false;
};
/// With the port after a forward; without after a cancel.
struct request_success {
  std::optional<std::uint32_t> port;
};
struct request_failure {};
/// The device chooses by `connected_port` alone; both addresses are decoration.
struct channel_open {
  std::string channel_type{"forwarded-tcpip"};
  std::uint32_t sender = 0;
  std::uint32_t window = 0; ///< octets
  std::string connected_address;
  std::uint32_t connected_port = 0;
  std::string originator_address;
  std::uint32_t originator_port = 0;
};
struct channel_open_confirmation {
  std::uint32_t recipient = 0;
  std::uint32_t sender = 0;
  std::uint32_t window = 0; ///< octets
};
struct channel_open_failure {
  std::uint32_t recipient = 0;
  open_failure_reason reason = open_failure_reason::connect_failed;
};
struct channel_window_adjust {
  std::uint32_t recipient = 0;
  std::uint32_t add = 0; ///< octets
};
/// `data` from a decoder is a view: valid until that decoder's next call, or until the caller
/// reuses the octets it handed in, whichever is first.
struct channel_data {
  std::uint32_t recipient = 0;
  std::string_view data;
};
struct channel_close {
  std::uint32_t recipient = 0;
};
struct protocol_version {
  std::uint32_t major = 1;
  std::uint32_t minor = 0;
  trigger why = trigger::periodic;
  wire_guid guid{};
};
struct keepalive_request {
  std::uint32_t cookie = 0;
};
struct keepalive_reply {
  std::uint32_t cookie = 0;
};
struct keepalive_options_request {
  std::uint32_t interval_s = 0;
  std::uint32_t timeout_s = 0;
};
struct keepalive_options_reply {
  std::uint32_t interval_s = 0;
  std::uint32_t timeout_s = 0;
};

using message =
    std::variant<disconnect, service_request, service_accept, userauth_request, userauth_failure,
                 userauth_success, tcpip_forward, cancel_tcpip_forward, udp_send_to,
                 unknown_request, request_success, request_failure, channel_open,
                 channel_open_confirmation, channel_open_failure, channel_window_adjust,
                 channel_data, channel_close, protocol_version, keepalive_request, keepalive_reply,
                 keepalive_options_request, keepalive_options_reply>;

/// The first octet that `m` has on the wire.
type type_of(const message& m);

} // namespace outband::apf
