#include "messages/apf/messages.hpp"

namespace outband::apf {

uuid to_uuid(const wire_guid& guid) {
  return swap_smbios(uuid{guid});
}

wire_guid to_wire(const uuid& id) {
  return swap_smbios(id).bytes;
}

std::string_view to_string(type t) {
  switch (t) {
  case type::disconnect:
    return "DISCONNECT";
  case type::service_request:
    return "SERVICE_REQUEST";
  case type::service_accept:
    return "SERVICE_ACCEPT";
  case type::userauth_request:
    return "USERAUTH_REQUEST";
  case type::userauth_failure:
    return "USERAUTH_FAILURE";
  case type::userauth_success:
    return "USERAUTH_SUCCESS";
  case type::global_request:
    return "GLOBAL_REQUEST";
  case type::request_success:
    return "REQUEST_SUCCESS";
  case type::request_failure:
    return "REQUEST_FAILURE";
  case type::channel_open:
    return "CHANNEL_OPEN";
  case type::channel_open_confirmation:
    return "CHANNEL_OPEN_CONFIRMATION";
  case type::channel_open_failure:
    return "CHANNEL_OPEN_FAILURE";
  case type::channel_window_adjust:
    return "CHANNEL_WINDOW_ADJUST";
  case type::channel_data:
    return "CHANNEL_DATA";
  case type::channel_close:
    return "CHANNEL_CLOSE";
  case type::protocol_version:
    return "PROTOCOLVERSION";
  case type::keepalive_request:
    return "KEEPALIVE_REQUEST";
  case type::keepalive_reply:
    return "KEEPALIVE_REPLY";
  case type::keepalive_options_request:
    return "KEEPALIVE_OPTIONS_REQUEST";
  case type::keepalive_options_reply:
    return "KEEPALIVE_OPTIONS_REPLY";
  }
  return "unknown type";
}

std::string_view to_string(disconnect_reason r) {
  switch (r) {
  case disconnect_reason::host_not_allowed:
    return "host not allowed";
  case disconnect_reason::protocol_error:
    return "protocol error";
  case disconnect_reason::key_exchange_failed:
    return "key exchange failed";
  case disconnect_reason::reserved:
    return "reserved";
  case disconnect_reason::mac_error:
    return "MAC error";
  case disconnect_reason::compression_error:
    return "compression error";
  case disconnect_reason::service_not_available:
    return "service not available";
  case disconnect_reason::version_not_supported:
    return "protocol version not supported";
  case disconnect_reason::host_key_not_verifiable:
    return "host key not verifiable";
  case disconnect_reason::connection_lost:
    return "connection lost";
  case disconnect_reason::by_application:
    return "by application";
  case disconnect_reason::too_many_connections:
    return "too many connections";
  case disconnect_reason::auth_cancelled_by_user:
    return "authentication cancelled by user";
  case disconnect_reason::no_more_auth_methods:
    return "no more authentication methods";
  case disconnect_reason::invalid_credentials:
    return "invalid credentials";
  case disconnect_reason::connection_timed_out:
    return "connection timed out";
  case disconnect_reason::by_policy:
    return "by policy";
  case disconnect_reason::temporarily_unavailable:
    return "temporarily unavailable";
  }
  return "unknown reason";
}

std::string_view to_string(open_failure_reason r) {
  switch (r) {
  case open_failure_reason::administratively_prohibited:
    return "administratively prohibited";
  case open_failure_reason::connect_failed:
    return "connect failed";
  case open_failure_reason::unknown_channel_type:
    return "unknown channel type";
  case open_failure_reason::resource_shortage:
    return "resource shortage";
  }
  return "unknown reason";
}

namespace {

struct type_visitor {
  type operator()(const disconnect&) const { return type::disconnect; }
  type operator()(const service_request&) const { return type::service_request; }
  type operator()(const service_accept&) const { return type::service_accept; }
  type operator()(const userauth_request&) const { return type::userauth_request; }
  type operator()(const userauth_failure&) const { return type::userauth_failure; }
  type operator()(const userauth_success&) const { return type::userauth_success; }
  type operator()(const tcpip_forward&) const { return type::global_request; }
  type operator()(const cancel_tcpip_forward&) const { return type::global_request; }
  type operator()(const udp_send_to&) const { return type::global_request; }
  type operator()(const unknown_request&) const { return type::global_request; }
  type operator()(const request_success&) const { return type::request_success; }
  type operator()(const request_failure&) const { return type::request_failure; }
  type operator()(const channel_open&) const { return type::channel_open; }
  type operator()(const channel_open_confirmation&) const {
    return type::channel_open_confirmation;
  }
  type operator()(const channel_open_failure&) const { return type::channel_open_failure; }
  type operator()(const channel_window_adjust&) const { return type::channel_window_adjust; }
  type operator()(const channel_data&) const { return type::channel_data; }
  type operator()(const channel_close&) const { return type::channel_close; }
  type operator()(const protocol_version&) const { return type::protocol_version; }
  type operator()(const keepalive_request&) const { return type::keepalive_request; }
  type operator()(const keepalive_reply&) const { return type::keepalive_reply; }
  type operator()(const keepalive_options_request&) const {
    return type::keepalive_options_request;
  }
  type operator()(const keepalive_options_reply&) const { return type::keepalive_options_reply; }
};

} // namespace

type type_of(const message& m) {
  return std::visit(type_visitor{}, m);
}

} // namespace outband::apf
