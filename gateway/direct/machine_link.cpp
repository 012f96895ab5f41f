// The link of a machine: its channels, its held connection, its silence, its end.
#include "gateway/direct/machine.hpp"

#include "gateway/cira/lane.hpp"
#include "gateway/direct/machine_handle.hpp"

#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace outband::direct {

namespace asio = net::asio;
using namespace std::chrono_literals;
using clock = net::timer_wheel::clock;

namespace {

/// Of a connection that nothing came over: firmware that wants no idle ones; nobody who serves it.
constexpr auto short_life = 60s, no_life = 1s;
constexpr int max_hold_failures = 2, max_stillborn = 3;
constexpr std::uint16_t redirection_above = 2; ///< 16994 and 16995 are to 16992 and 16993

bool is_wsman(std::uint16_t port) {
  return port == 16992 || port == 16993;
}

} // namespace

void machine::admitted(result<admission> outcome) {
  if (!outcome)
    return give_up("it could not be let in: " + to_string(outcome.error()));
  const auto peer = cira::text_of(endpoint_of(true));
  epoch_ = outcome->epoch;
  phase_ = phase::up;
  turn_over();
  up_since_ = last_heard_ = clock::now();
  late_ = false;
  hold_failures_ = short_holds_ = stillborn_ = 0;
  hub_.admitted.fetch_add(1, std::memory_order_relaxed);
  hub_.open.add({ref_, epoch_, handle_, &lane_.context});
  spdlog::info("direct: device={} link=up epoch={} peer={}", to_string(ref_), epoch_, peer);
  lane_.timers.arm(live_, hub_.opts.late_after);
  hub_.links.up(*outcome, peer, 0, client_);
  report(direct_trouble::none, {});
  check_held(); // it may have closed its connection after the proof
}

// -- connections --------------------------------------------------------------------------------

std::shared_ptr<wire> machine::make_wire() {
  const auto& tls = target_.how.legacy_tls ? hub_.legacy : hub_.modern;
  return std::make_shared<wire>(lane_.context, lane_.timers, *lane_.buffer, hub_.opts, *this,
                                target_.how.tls ? tls.get() : nullptr);
}

wire::endpoint machine::endpoint_of(bool wsman) const {
  const auto port = target_.how.port + (wsman ? 0 : redirection_above);
  return {address_, static_cast<std::uint16_t>(port)};
}

machine::channel* machine::find(std::uint32_t number) {
  for (auto& c : channels_)
    if (c.number == number && number != 0)
      return &c;
  return nullptr;
}

machine::channel* machine::find(const wire& w) {
  for (auto& c : channels_)
    if (c.via.get() == &w)
      return &c;
  return nullptr;
}

void machine::forget(const wire& w) {
  channels_.erase(std::remove_if(channels_.begin(), channels_.end(),
                                 [&](const auto& c) { return c.via.get() == &w; }),
                  channels_.end());
}

result<std::uint32_t> machine::open(std::uint16_t port, amt::channel_user& user) {
  if (!speaking())
    return fail(problem::link_down, "the connection is ending");
  const bool wsman = is_wsman(port);
  if (!wsman && port != 16994 && port != 16995)
    return fail(problem::device_refused, "a machine is connected to on its AMT ports only");
  if (wsman)
    for (auto& c : channels_) {
      if (c.user != nullptr || !c.wsman)
        continue;
      c.number = ++last_channel_;
      c.user = &user;
      if (c.via->is_open())
        later([number = c.number, n = attempt_](machine& m) {
          auto* const at = n == m.attempt_ ? m.find(number) : nullptr;
          if (at != nullptr && at->user != nullptr && at->via->is_open())
            at->user->channel_opened();
        });
      return c.number;
    }
  if (channels_.size() >= hub_.opts.max_channels)
    return fail(problem::busy, "too many connections to this machine are open");
  channels_.push_back({++last_channel_, make_wire(), &user, wsman});
  channels_.back().via->connect(endpoint_of(wsman));
  return last_channel_;
}

void machine::hand_over(std::uint32_t number, amt::channel_user& user) {
  if (auto* const c = find(number))
    c->user = &user;
}

std::size_t machine::write(std::uint32_t number, std::string_view octets) {
  const auto* const c = find(number);
  return c != nullptr ? c->via->write(octets) : 0;
}

void machine::consumed(std::uint32_t number, std::size_t octets) {
  if (const auto* const c = find(number))
    asio::post(lane_.context, [w = c->via, octets] { w->consumed(octets); });
}

void machine::close(std::uint32_t number) {
  const auto* const c = find(number);
  if (c == nullptr)
    return;
  const auto w = c->via;
  forget(*w);
  w->close();
  check_held();
}

bool machine::announced(std::uint16_t port) const {
  return is_wsman(port);
}

void machine::wire_open(wire& w) {
  if (phase_ == phase::connecting)
    return first_open(w);
  // Never a word to somebody else.
  if (target_.how.tls && w.certificate() != certificate_)
    return end(link_end::protocol, "It shows another certificate than before.");
  last_heard_ = clock::now();
  hold_failures_ = 0;
  if (const auto* const c = find(w); c != nullptr && c->user != nullptr)
    c->user->channel_opened();
}

void machine::wire_failed(wire& w, bool spoke, const std::string& why) {
  const auto* const c = find(w);
  auto* const user = c != nullptr ? c->user : nullptr;
  forget(w);
  if (phase_ == phase::connecting) {
    text_ = cira::text_of(endpoint_of(true)) + ": " + why;
    if (spoke && next_address_ == addresses_.size())
      return give_up(text_, direct_trouble::protocol);
    return try_next();
  }
  if (user != nullptr)
    user->channel_refused(amt::refusal::no_service);
  else if (phase_ == phase::up && ++hold_failures_ >= max_hold_failures)
    return end(link_end::peer_closed, "The machine accepts no connection any more: " + why);
  check_held();
}

void machine::wire_data(wire& w, std::string_view octets) {
  const auto* const c = find(w);
  if (c == nullptr)
    return;
  if (c->user != nullptr)
    return c->user->channel_data(octets);
  // Nothing was asked, so this belongs to nothing.
  forget(w);
  w.close();
  check_held();
}

void machine::wire_writable(wire& w) {
  if (const auto* const c = find(w); c != nullptr && c->user != nullptr)
    c->user->channel_writable();
}

void machine::wire_lost(wire& w, bool orderly, const std::string& why) {
  const auto* const c = find(w);
  if (c == nullptr)
    return;
  auto* const user = c->user;
  const bool wsman = c->wsman;
  forget(w);
  if (user != nullptr)
    user->channel_closed(false);
  if (phase_ != phase::up || !wsman)
    return;
  const bool others = std::any_of(channels_.begin(), channels_.end(),
                                  [](const auto& o) { return o.wsman && o.via->is_open(); });
  if (!orderly && !others)
    return end(clock::now() - last_heard_ < hub_.opts.late_after ? link_end::peer_closed
                                                                 : link_end::silent,
               "The connection broke: " + why);
  short_holds_ = !w.was_used() && w.age() < short_life ? short_holds_ + 1 : 0;
  stillborn_ = !w.was_used() && w.age() < no_life ? stillborn_ + 1 : 0;
  if (stillborn_ >= max_stillborn && !others)
    return end(link_end::peer_closed, "The machine closes every connection at once.");
  check_held();
}

// -- the held connection ------------------------------------------------------------------------

/// After whatever is going on now: who lost a channel may just be opening the next one.
void machine::check_held() {
  if (phase_ != phase::up || std::exchange(checking_, true))
    return;
  later([](machine& m) {
    m.checking_ = false;
    const bool held =
        std::any_of(m.channels_.begin(), m.channels_.end(), [](const auto& c) { return c.wsman; });
    if (m.phase_ != phase::up || held || m.hold_.armed())
      return;
    // Firmware that wants no idle connection is not asked again and again.
    auto wait = 0ms;
    if (m.hold_failures_ > 0)
      wait = m.hub_.opts.hold_again;
    else if (m.short_holds_ > 0)
      wait = std::min(m.hub_.opts.longest_unheld,
                      m.hub_.opts.hold_again * (1 << std::min(m.short_holds_ - 1, 8)));
    if (wait == 0ms)
      m.hold_again();
    else
      m.lane_.timers.arm(m.hold_, wait);
  });
}

void machine::hold_again() {
  if (phase_ != phase::up ||
      std::any_of(channels_.begin(), channels_.end(), [](const auto& c) { return c.wsman; }))
    return;
  auto w = make_wire();
  channels_.push_back({0, w, nullptr, true});
  w->connect(endpoint_of(true));
}

// -- liveness -----------------------------------------------------------------------------------

void machine::live_passed() {
  const auto& o = hub_.opts;
  const auto now = clock::now();
  for (const auto& c : channels_)
    if (c.via->is_open())
      last_heard_ = std::max(last_heard_, now - c.via->silence());
  const auto silent = now - last_heard_;
  if (silent >= o.down_after) {
    const auto s = std::chrono::duration_cast<std::chrono::seconds>(silent).count();
    return end(link_end::silent, "no sign of life for " + std::to_string(s) + " s");
  }
  const bool is_late = silent >= o.late_after;
  if (is_late)
    lane_.timers.arm(live_, o.late_look); // what ends the silence is no event to us
  else
    lane_.timers.arm_at(live_, last_heard_ + o.late_after);
  if (is_late == std::exchange(late_, is_late))
    return;
  if (is_late) {
    hub_.fell_late.fetch_add(1, std::memory_order_relaxed);
    hub_.late_now.fetch_add(1, std::memory_order_relaxed);
  } else {
    hub_.late_now.fetch_sub(1, std::memory_order_relaxed);
  }
  hub_.links.late(ref_, epoch_, is_late);
}

// -- the end ------------------------------------------------------------------------------------

void machine::end(link_end why, std::string text) {
  later([n = attempt_, why, text = std::move(text)](machine& m) {
    if (n != m.attempt_)
      return;
    if (m.phase_ == phase::up)
      m.finish(why, text);
    else if (m.phase_ == phase::proving || m.phase_ == phase::admitting)
      m.give_up(text);
  });
}

void machine::finish(link_end why, const std::string& text) {
  const auto lasted = clock::now() - up_since_;
  phase_ = phase::resting;
  drop_all();
  hub_.open.remove(ref_, epoch_);
  hub_.ended[static_cast<std::size_t>(why)].fetch_add(1, std::memory_order_relaxed);
  if (std::exchange(late_, false))
    hub_.late_now.fetch_sub(1, std::memory_order_relaxed);
  spdlog::info("direct: device={} link=down epoch={} why={} text=\"{}\"", to_string(ref_), epoch_,
               to_string(why), text);
  hub_.links.down(ref_, epoch_, why, text);
  // Whoever took the link away may want it back: the longer we wait each time, the less we quarrel.
  if (lasted >= hub_.opts.good_after && why != link_end::evicted)
    pause_.reset();
  if (!shutting_)
    rest(pause_.next(static_cast<std::uint32_t>(lasted.count() >> 10)));
}

} // namespace outband::direct
