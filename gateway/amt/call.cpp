#include "gateway/amt/call.hpp"
#include "gateway/amt/idle_channel.hpp"
#include "messages/domain/text.hpp"

#include <openssl/rand.h>

namespace outband::amt {

namespace {

/// Unpredictable, 16 hex digits; MPS's are base-36 and shorter.
std::string random_cnonce() {
  unsigned char octets[8];
  if (RAND_bytes(octets, sizeof octets) != 1)
    return {}; // the digest stays valid, only its freshness rests on the nonce alone
  return to_hex(octets, sizeof octets);
}

} // namespace

call::call(amt_client& owner, carrier& way, std::string envelope, std::chrono::milliseconds timeout,
           callback cb)
    : owner_(owner), way_(way),
      exchange_(owner.who_, owner.host_, std::move(envelope), owner.to_.close_each),
      timeout_(timeout), callback_(std::move(cb)) {}

call::~call() {
  close_channel();
}

void call::begin() {
  way_.timers().arm(deadline_, timeout_);
  if (auto idle = owner_.take(exchange_.reads())) {
    channel_ = idle->channel;
    idle->channel.reset();
    way_.hand_over(*channel_, *this);
    kept_ = true;
    send();
    return;
  }
  if (way_.announced(owner_.to_.number) || owner_.unannounced_) {
    open();
    return;
  }
  way_.timers().arm(step_, owner_.timing_.port_wait);
}

void call::port_announced() {
  if (now_ == phase::waiting_for_port)
    open();
}

void call::open() {
  step_.cancel();
  kept_ = false;
  auto channel = way_.open(owner_.to_.number, *this);
  if (!channel) {
    end(channel.error());
    return;
  }
  channel_ = *channel;
  now_ = phase::opening;
  way_.timers().arm(step_, owner_.timing_.open);
}

void call::channel_opened() {
  send();
}

void call::channel_refused(refusal why) {
  channel_.reset();
  step_.cancel();
  if (why != refusal::prohibited && !opened_before_) {
    // Too many channels at once, or a port between cancelling and announcing: both pass.
    opened_before_ = true;
    now_ = phase::pausing;
    way_.timers().arm(step_, owner_.timing_.retry);
    return;
  }
  switch (why) {
  case refusal::shortage:
    end(fail(problem::busy, "the firmware has no free channel"));
    return;
  case refusal::no_service:
    end(fail(problem::device_timeout, "the firmware does not serve port " +
                                          std::to_string(owner_.to_.number) + " at the moment"));
    return;
  case refusal::prohibited:
    end(fail(problem::device_refused,
             "the firmware allows no channel to port " + std::to_string(owner_.to_.number)));
    return;
  }
}

void call::send() {
  step_.cancel();
  now_ = phase::exchanging;
  auto octets = exchange_.request(random_cnonce());
  if (!octets) {
    end(octets.error());
    return;
  }
  request_ = std::move(*octets);
  at_ = 0;
  channel_writable();
}

void call::channel_writable() {
  if (now_ != phase::exchanging || !channel_)
    return;
  at_ += way_.write(*channel_, std::string_view{request_}.substr(at_));
}

void call::channel_data(std::string_view octets) {
  if (!channel_)
    return;
  way_.consumed(*channel_, octets.size()); // the parser has its own bound
  act_on(exchange_.on_data(octets));
}

void call::channel_closed(bool carrier_gone) {
  channel_.reset();
  if (carrier_gone)
    return; // the client ends every call
  if (now_ == phase::exchanging)
    act_on(exchange_.on_closed());
}

void call::act_on(http_exchange::verdict v) {
  if (std::holds_alternative<http_exchange::more>(v))
    return;
  if (std::holds_alternative<http_exchange::lost>(v)) {
    act_on_lost();
    return;
  }
  if (auto* why = std::get_if<failure>(&v)) {
    // An answer that cannot be read is still one: the firmware may have done what it was told.
    if (why->what == problem::device_protocol && written() && exchange_.authorized() &&
        !exchange_.reads())
      why->what = problem::outcome_unknown;
    end(*why);
    return;
  }
  // An answer to half a request leaves the other half on the connection.
  if (const auto* more = std::get_if<http_exchange::again>(&v)) {
    if (more->keep && channel_ && written()) {
      send();
      return;
    }
    close_channel();
    open();
    return;
  }
  auto& d = std::get<http_exchange::done>(v);
  if (d.keep && channel_ && written()) {
    const auto channel = *channel_;
    channel_.reset();
    owner_.keep(way_, channel);
  }
  end(std::move(d.answer));
}

void call::act_on_lost() {
  // A kept channel that the firmware closed at the same moment: what it has not read it has not
  // done, but whether it read cannot be seen, so only what does no harm twice is repeated.
  const bool harmless = exchange_.reads() || !written() || !exchange_.authorized();
  if (kept_ && harmless && !repeated_) {
    repeated_ = true;
    open();
    return;
  }
  if (harmless)
    end(fail(problem::device_protocol, "the firmware closed the connection without an answer"));
  else
    end(fail(problem::outcome_unknown,
             "the firmware closed the connection after the request was sent"));
}

failure call::cut_off() const {
  if (written() && exchange_.authorized())
    return fail(problem::outcome_unknown, "the tunnel ended after the request was sent");
  return fail(problem::link_down, "the tunnel ended before the request was sent");
}

void call::close_channel() {
  if (!channel_)
    return;
  const auto channel = *channel_;
  channel_.reset();
  way_.close(channel);
}

void call::step_passed() {
  switch (now_) {
  case phase::waiting_for_port:
    // Firmware that announces only its TLS ports still serves this one through the tunnel.
    owner_.unannounced_ = true;
    open();
    return;
  case phase::pausing:
    open();
    return;
  case phase::opening:
    end(fail(problem::device_timeout, "the firmware did not answer the opening of a channel"));
    return;
  case phase::exchanging:
    return;
  }
}

void call::deadline_passed() {
  end(fail(problem::device_timeout, written() ? "the firmware did not answer within " +
                                                    std::to_string(timeout_.count()) + " ms"
                                              : "the request could not be sent within " +
                                                    std::to_string(timeout_.count()) + " ms"));
}

} // namespace outband::amt
