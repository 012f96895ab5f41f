#include "messages/apf/handshake.hpp"

#include <algorithm>

namespace outband::apf {

namespace {

constexpr std::size_t max_ports = 32;
/// The port that real firmware announces last (comments in mps src/amt/APFProcessor.ts).
constexpr std::uint32_t last_announced_port = 5900;

class machine {
public:
  machine(handshake_state now, const handshake_config& config)
      : state_(std::move(now)), config_(config) {}

  handshake_step finish() { return {std::move(state_), std::move(effects_)}; }

  void operator()(tls_complete&) {
    if (state_.now != stage::tls)
      return;
    state_.now = stage::version;
    emit(arm_timer{timer::handshake, config_.deadline});
  }
  void operator()(received& event) {
    if (state_.now == stage::closed || state_.now == stage::refusing)
      return;
    std::visit(*this, event.what);
  }
  void operator()(credentials_accepted&) {
    if (state_.now != stage::checking)
      return; // the device left, or the deadline passed, while we looked
    state_.now = stage::pfwd_service;
    emit(send{userauth_success{}});
  }
  void operator()(credentials_rejected&) {
    if (state_.now == stage::checking)
      reject("unknown device or wrong credentials");
  }
  void operator()(timer_fired& event) {
    switch (event.which) {
    case timer::handshake:
      if (state_.now != stage::ready && state_.now != stage::closed)
        violation("not ready in time", disconnect_reason::connection_timed_out);
      return;
    case timer::options_quiet:
    case timer::options_latest:
      send_options();
      return;
    case timer::refusal:
      if (state_.now == stage::refusing)
        close();
      return;
    }
  }
  void operator()(peer_gone&) {
    if (state_.now != stage::closed)
      close();
  }

  void operator()(protocol_version& m) {
    if (!in(stage::version, type::protocol_version))
      return;
    if (m.major != 1) {
      violation("version " + std::to_string(m.major) + " is not 1",
                disconnect_reason::version_not_supported);
      return;
    }
    state_.guid = m.guid;
    state_.now = stage::auth_service;
    emit(identified{m});
  }
  void operator()(service_request& m) {
    if (state_.now == stage::auth_service && m.service == auth_service_name) {
      state_.now = stage::auth;
      emit(send{service_accept{std::move(m.service)}});
    } else if (state_.now == stage::pfwd_service && m.service == pfwd_service_name) {
      state_.now = stage::ready;
      emit(send{service_accept{std::move(m.service)}});
      emit(cancel_timer{timer::handshake});
      emit(arm_timer{timer::options_latest, config_.options_at_latest});
      emit(became_ready{});
    } else if (state_.now == stage::auth_service || state_.now == stage::pfwd_service) {
      violation("service is not the one due", disconnect_reason::service_not_available);
    } else {
      out_of_order(type::service_request);
    }
  }
  void operator()(userauth_request& m) {
    if (!in(stage::auth, type::userauth_request))
      return;
    if (m.service != pfwd_service_name)
      reject("authentication for another service");
    else if (m.method != "password")
      reject("authentication without a password");
    else {
      state_.now = stage::checking;
      emit(look_up_credentials{state_.guid, std::move(m.user), std::move(m.password)});
    }
  }
  void operator()(tcpip_forward& m) {
    if (!in(stage::ready, type::global_request))
      return;
    // Peers answer whatever want_reply says, and devices wait for it.
    if (!announce(m.port)) {
      emit(send{request_failure{}});
      return;
    }
    emit(send{request_success{m.port}});
    emit(port_announced{static_cast<std::uint16_t>(m.port)});
    if (state_.options_sent)
      return;
    if (m.port == last_announced_port)
      send_options();
    else
      emit(arm_timer{timer::options_quiet, config_.options_after_quiet});
  }
  void operator()(cancel_tcpip_forward& m) {
    if (!in(stage::ready, type::global_request))
      return;
    emit(send{request_success{}});
    const auto at = std::lower_bound(state_.ports.begin(), state_.ports.end(), m.port);
    if (at == state_.ports.end() || *at != m.port)
      return; // cancelling twice changes nothing
    state_.ports.erase(at);
    emit(port_cancelled{static_cast<std::uint16_t>(m.port)});
  }
  void operator()(udp_send_to& m) {
    if (in(stage::ready, type::global_request))
      emit(datagram{std::move(m)}); // no peer replies
  }
  void operator()(unknown_request& m) {
    if (in(stage::ready, type::global_request) && m.want_reply)
      emit(send{request_failure{}});
  }
  void operator()(keepalive_request& m) {
    if (introduced(type::keepalive_request))
      emit(send{keepalive_reply{m.cookie}});
  }
  void operator()(keepalive_reply&) { introduced(type::keepalive_reply); }
  void operator()(keepalive_options_reply& m) {
    if (!state_.options_sent)
      out_of_order(type::keepalive_options_reply);
    else
      emit(keepalive_agreed{m.interval_s, m.timeout_s});
  }
  void operator()(disconnect& m) {
    emit(refuse{"the device disconnected: " + std::string{to_string(m.reason)}, m.reason});
    close();
  }
  void operator()(channel_open& m) { traffic(std::move(m), type::channel_open); }
  void operator()(channel_open_confirmation& m) { traffic(m, type::channel_open_confirmation); }
  void operator()(channel_open_failure& m) { traffic(m, type::channel_open_failure); }
  void operator()(channel_window_adjust& m) { traffic(m, type::channel_window_adjust); }
  void operator()(channel_data& m) { traffic(m, type::channel_data); }
  void operator()(channel_close& m) { traffic(m, type::channel_close); }

  // Only servers say these; a decoder for side::server lets none through.
  void operator()(service_accept&) { out_of_order(type::service_accept); }
  void operator()(userauth_failure&) { out_of_order(type::userauth_failure); }
  void operator()(userauth_success&) { out_of_order(type::userauth_success); }
  void operator()(request_success&) { out_of_order(type::request_success); }
  void operator()(request_failure&) { out_of_order(type::request_failure); }
  void operator()(keepalive_options_request&) { out_of_order(type::keepalive_options_request); }

private:
  void emit(handshake_effect e) { effects_.push_back(std::move(e)); }

  bool in(stage due, type got) {
    if (state_.now == due)
      return true;
    out_of_order(got);
    return false;
  }
  /// Anything that may come once the device has said who it is.
  bool introduced(type got) {
    if (state_.now != stage::tls && state_.now != stage::version)
      return true;
    out_of_order(got);
    return false;
  }
  void out_of_order(type got) {
    violation(std::string{to_string(got)} + " has no place in stage " +
                  std::string{to_string(state_.now)},
              disconnect_reason::protocol_error);
  }
  void violation(std::string why, disconnect_reason code) {
    // Before TLS is complete nothing can be sent, after a refusal the device has its answer.
    if (state_.now != stage::tls && state_.now != stage::refusing)
      emit(send{disconnect{code}});
    emit(refuse{std::move(why), code});
    close();
  }
  void reject(std::string why) {
    state_.now = stage::refusing;
    emit(send{userauth_failure{}});
    emit(refuse{std::move(why), disconnect_reason::invalid_credentials});
    emit(cancel_timer{timer::handshake});
    emit(arm_timer{timer::refusal, config_.close_after_refusal});
  }
  void close() {
    state_.now = stage::closed;
    for (const auto t :
         {timer::handshake, timer::options_quiet, timer::options_latest, timer::refusal})
      emit(cancel_timer{t});
    emit(close_tunnel{});
  }
  void send_options() {
    if (state_.now != stage::ready || state_.options_sent)
      return;
    state_.options_sent = true;
    emit(cancel_timer{timer::options_quiet});
    emit(cancel_timer{timer::options_latest});
    emit(
        send{keepalive_options_request{config_.keepalive_interval_s, config_.keepalive_timeout_s}});
  }
  bool announce(std::uint32_t port) {
    if (port == 0 || port > 0xFFFF)
      return false;
    const auto at = std::lower_bound(state_.ports.begin(), state_.ports.end(), port);
    if (at != state_.ports.end() && *at == port)
      return true;
    if (state_.ports.size() >= max_ports)
      return false;
    state_.ports.insert(at, static_cast<std::uint16_t>(port));
    return true;
  }
  void traffic(message m, type got) {
    if (in(stage::ready, got))
      emit(channel_traffic{std::move(m)});
  }

  handshake_state state_;
  const handshake_config& config_;
  std::vector<handshake_effect> effects_;
};

} // namespace

std::string_view to_string(stage s) {
  switch (s) {
  case stage::tls:
    return "TLS";
  case stage::version:
    return "VERSION";
  case stage::auth_service:
    return "AUTH_SVC";
  case stage::auth:
    return "AUTH";
  case stage::checking:
    return "CHECKING";
  case stage::pfwd_service:
    return "PFWD_SVC";
  case stage::ready:
    return "READY";
  case stage::refusing:
    return "REFUSING";
  case stage::closed:
    return "CLOSED";
  }
  return "unknown";
}

handshake_step decide(handshake_state now, handshake_event what, const handshake_config& config) {
  machine m{std::move(now), config};
  std::visit(m, what);
  return m.finish();
}

bool is_channel_traffic(const message& m) {
  switch (type_of(m)) {
  case type::channel_open:
  case type::channel_open_confirmation:
  case type::channel_open_failure:
  case type::channel_window_adjust:
  case type::channel_data:
  case type::channel_close:
    return true;
  default:
    return false;
  }
}

} // namespace outband::apf
