// The life of a tunnel: handshake, admission, liveness, end. Its octets are in tunnel_io.cpp.
#include "gateway/cira/tunnel.hpp"

#include "gateway/cira/tunnel_handle.hpp"
#include "messages/apf/encoder.hpp"

#include <spdlog/spdlog.h>

namespace outband::cira {

namespace asio = net::asio;
using clock = net::timer_wheel::clock;

namespace {

apf::handshake_config handshake_config(const options& o) {
  return {o.handshake_deadline, o.options_quiet,        o.options_latest,
          o.refusal_delay,      o.keepalive_interval_s, o.keepalive_timeout_s};
}

apf::channels_config channels_config(const options& o) {
  auto c = apf::channels_config::server();
  c.receive_window = o.channel_window;
  c.accept_opens = o.accept_alerts;
  return c;
}

device_id device_of(const apf::wire_guid& guid) {
  return swap_smbios(uuid{guid});
}

} // namespace

tunnel::tunnel(std::shared_ptr<lane> l, net::lean_tls_stream stream, endpoint peer)
    : home_(std::move(l)), lane_(*home_), stream_(std::move(stream)), peer_(peer),
      decoder_(apf::side::server, apf::decoder_limits::before_authentication()),
      channels_(channels_config(lane_.shared->opts)), last_heard_(clock::now()) {}

tunnel::~tunnel() = default;

void tunnel::start() {
  lane_.add(shared_from_this());
  if (lane_.closing) {
    shut();
    return;
  }
  decide(apf::tls_complete{});
  pump();
}

void tunnel::shut() {
  our_trouble_ = true;
  end(link_end::shutdown, "this server is shutting down");
}

void tunnel::abandon() {
  if (phase_ == phase::speaking || phase_ == phase::ending)
    finish(link_end::shutdown, "this server is shutting down");
  close_socket();
}

// -- handshake --------------------------------------------------------------------------------

void tunnel::decide(apf::handshake_event what) {
  if (phase_ != phase::speaking)
    return;
  auto made =
      apf::decide(std::move(handshake_), std::move(what), handshake_config(lane_.shared->opts));
  handshake_ = std::move(made.next);
  for (auto& effect : made.effects)
    carry_out(effect);
  touched();
}

void tunnel::carry_out(apf::handshake_effect& effect) {
  if (const auto* out = std::get_if<apf::send>(&effect))
    apf::encode(out->what, out_);
  else if (const auto* who = std::get_if<apf::identified>(&effect))
    trigger_ = static_cast<int>(who->what.why);
  else if (auto* login = std::get_if<apf::look_up_credentials>(&effect))
    ask_admission(*login);
  else if (auto* refused = std::get_if<apf::refuse>(&effect)) {
    if (refusal_.empty())
      refusal_ = std::move(refused->why);
  } else if (std::holds_alternative<apf::became_ready>(effect))
    ready();
  else if (const auto* port = std::get_if<apf::port_announced>(&effect)) {
    if (client_)
      client_->port_announced(port->port);
  } else if (const auto* timer = std::get_if<apf::arm_timer>(&effect))
    arm(*timer);
  else if (const auto* stop = std::get_if<apf::cancel_timer>(&effect))
    cancel(stop->which);
  else if (const auto* traffic = std::get_if<apf::channel_traffic>(&effect))
    on_channel_event(channels_.on(traffic->what, out_));
  else if (std::holds_alternative<apf::close_tunnel>(effect))
    end(by_peer_ ? link_end::peer_closed : link_end::protocol, refusal_);
  // A datagram (udp-send-to) carries ASF alerts that nobody evaluates; the agreed keep-alive
  // changes nothing here: silence is judged by our own times.
}

void tunnel::cancel(apf::timer which) {
  if (which == apf::timer::options_quiet)
    quiet_.cancel();
  else if ((which == apf::timer::handshake && step_is_ == step::handshake) ||
           (which == apf::timer::refusal && step_is_ == step::refusal) ||
           (which == apf::timer::options_latest && step_is_ == step::options_latest))
    step_.cancel();
}

void tunnel::arm(const apf::arm_timer& what) {
  switch (what.which) {
  case apf::timer::options_quiet:
    lane_.timers.arm(quiet_, what.after);
    return;
  case apf::timer::handshake:
    step_is_ = step::handshake;
    break;
  case apf::timer::refusal:
    step_is_ = step::refusal;
    break;
  case apf::timer::options_latest:
    step_is_ = step::options_latest;
    break;
  }
  lane_.timers.arm(step_, what.after);
}

void tunnel::step_passed() {
  switch (step_is_) {
  case step::handshake:
    decide(apf::timer_fired{apf::timer::handshake});
    return;
  case step::refusal:
    decide(apf::timer_fired{apf::timer::refusal});
    return;
  case step::options_latest:
    decide(apf::timer_fired{apf::timer::options_latest});
    return;
  case step::closing:
    close_socket();
    return;
  }
}

void tunnel::ask_admission(apf::look_up_credentials& who) {
  cira_login login;
  login.guid = device_of(who.guid);
  login.username = std::move(who.user);
  login.password = secret_text{std::move(who.password)};
  login.peer = text_of(peer_);
  login.trigger = trigger_;
  asking_ = true;
  lane_.shared->port.admit(
      std::move(login),
      // The lane lists us at least until answered() has run, so io_context and thread are there.
      [self = shared_from_this(), &context = lane_.context](result<admission> outcome) {
        asio::post(context, [self, outcome = std::move(outcome)]() mutable {
          self->answered(std::move(outcome));
        });
      });
}

void tunnel::answered(result<admission> outcome) {
  asking_ = false;
  auto& shared = *lane_.shared;
  if (outcome) {
    shared.counts.admitted.fetch_add(1, std::memory_order_relaxed);
    if (pending_)
      shared.door.settle(address_of(peer_), gate::outcome::authenticated, clock::now());
    pending_ = false;
    ref_ = outcome->ref;
    epoch_ = outcome->epoch;
    if (phase_ != phase::speaking) { // it left, or was too slow, while we looked
      shared.port.down(ref_, epoch_, link_end::peer_closed,
                       "the tunnel ended before the machine could be let in");
      shared.counts.end(link_end::peer_closed);
      if (phase_ == phase::closed)
        lane_.remove(*this);
      return;
    }
    admitted_ = true;
    admission_ = std::make_unique<admission>(std::move(*outcome));
    decoder_.set_limits(apf::decoder_limits::after_authentication(shared.opts.channel_window));
    decide(apf::credentials_accepted{});
  } else {
    if (phase_ != phase::speaking) {
      if (phase_ == phase::closed)
        lane_.remove(*this);
      return;
    }
    const auto& why = outcome.error();
    if (why.what == problem::unauthenticated) {
      stranger_ = true;
      refusal_ = "unknown machine or wrong credentials: " + why.detail;
      decide(apf::credentials_rejected{});
    } else {
      // Not the machine's fault: it must not hear that its password is wrong.
      our_trouble_ = true;
      end(link_end::protocol, "its credentials could not be checked: " + to_string(why));
      return;
    }
  }
  if (phase_ != phase::speaking)
    return;
  const auto held = std::exchange(held_, {});
  take(held);
  pump();
}

void tunnel::ready() {
  auto& shared = *lane_.shared;
  const auto who = std::move(admission_);
  handle_ = std::make_shared<handle>(lane_.context, weak_from_this());
  client_ = std::make_shared<amt::amt_client>(handle_, to_string(ref_.device),
                                              amt::login{who->amt_username, who->amt_password});
  lane_.timers.arm(live_, shared.opts.late_after);
  shared.tunnels.add({ref_, epoch_, handle_, &lane_.context});
  spdlog::info("cira: device={} link=up epoch={} peer={} trigger={}", to_string(ref_), epoch_,
               text_of(peer_), trigger_);
  shared.port.up(*who, text_of(peer_), trigger_, client_);
}

// -- liveness ---------------------------------------------------------------------------------

void tunnel::heard() {
  last_heard_ = clock::now();
  if (late_) {
    late_ = false;
    lane_.shared->counts.late_now.fetch_sub(1, std::memory_order_relaxed);
    lane_.shared->port.late(ref_, epoch_, false);
  }
}

void tunnel::live_passed() {
  // Not rearmed with every octet: it looks when the time may be over, and sleeps on if it is not.
  const auto& o = lane_.shared->opts;
  const auto now = clock::now();
  if (now - last_heard_ >= o.down_after) {
    const auto silent = std::chrono::duration_cast<std::chrono::seconds>(now - last_heard_);
    end(link_end::silent, "no sign of life for " + std::to_string(silent.count()) + " s");
    return;
  }
  if (late_) {
    lane_.timers.arm_at(live_, last_heard_ + o.down_after);
    return;
  }
  if (now - last_heard_ < o.late_after) {
    lane_.timers.arm_at(live_, last_heard_ + o.late_after);
    return;
  }
  late_ = true;
  lane_.shared->counts.late.fetch_add(1, std::memory_order_relaxed);
  lane_.shared->counts.late_now.fetch_add(1, std::memory_order_relaxed);
  lane_.timers.arm_at(live_, last_heard_ + o.down_after);
  lane_.shared->port.late(ref_, epoch_, true);
  // Every machine answers this one.
  apf::encode(apf::keepalive_request{static_cast<std::uint32_t>(epoch_)}, out_);
  touched();
}

// -- end --------------------------------------------------------------------------------------

void tunnel::violation(std::string text) {
  apf::encode(apf::disconnect{apf::disconnect_reason::protocol_error}, out_);
  end(link_end::protocol, std::move(text));
}

void tunnel::end(link_end why, std::string text) {
  if (phase_ != phase::speaking)
    return;
  phase_ = phase::ending;
  asio::post(lane_.context,
             [self = shared_from_this(), why, text = std::move(text)] { self->finish(why, text); });
}

void tunnel::finish(link_end why, const std::string& text) {
  if (phase_ != phase::speaking && phase_ != phase::ending)
    return;
  const auto self = shared_from_this();
  phase_ = phase::flushing;
  quiet_.cancel();
  live_.cancel();
  step_is_ = step::closing;
  lane_.timers.arm(step_, lane_.shared->opts.close_patience);
  std::string{}.swap(held_);

  if (handle_)
    handle_->detach();
  // Users may call close() from here; the list they would change is theirs no longer.
  for (const auto& used : std::exchange(users_, {}))
    used.user->channel_closed(true);
  alerts_.clear();
  if (const auto client = std::exchange(client_, nullptr))
    client->carrier_gone();
  report(why, text);
  handle_.reset();
  flush();
}

void tunnel::report(link_end why, const std::string& text) {
  auto& shared = *lane_.shared;
  if (admitted_) {
    shared.tunnels.remove(ref_, epoch_);
    shared.counts.end(why);
    if (std::exchange(late_, false))
      shared.counts.late_now.fetch_sub(1, std::memory_order_relaxed);
    spdlog::info("cira: device={} link=down epoch={} peer={} why={} text=\"{}\"", to_string(ref_),
                 epoch_, text_of(peer_), to_string(why), text);
    admitted_ = false;
    shared.port.down(ref_, epoch_, why, text);
    return;
  }
  if (!pending_)
    return;
  pending_ = false;
  shared.door.settle(address_of(peer_),
                     our_trouble_ ? gate::outcome::neutral : gate::outcome::failed, clock::now());
  if (why == link_end::shutdown)
    return;
  shared.counts.refuse(our_trouble_ ? turned_away::store
                       : stranger_  ? turned_away::credentials
                                    : turned_away::protocol);
  const char* next = "if it is a machine of yours, look at its CIRA configuration";
  if (our_trouble_)
    next = "see to the store; the machine comes back by itself";
  else if (handshake_.now == apf::stage::refusing || handshake_.guid != apf::wire_guid{})
    next = "compare GUID, MPS user and MPS password of this machine with what is stored here; "
           "configuring CIRA again sets both";
  spdlog::warn("cira: refused peer={} {}reason=\"{}\" next=\"{}\"", text_of(peer_), device_text(),
               refusal_.empty() || our_trouble_ ? text : refusal_, next);
}

std::string tunnel::device_text() const {
  if (handshake_.guid == apf::wire_guid{})
    return {};
  return "guid=" + to_string(device_of(handshake_.guid)) + " ";
}

} // namespace outband::cira
