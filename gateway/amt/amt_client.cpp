#include "gateway/amt/amt_client.hpp"

#include "gateway/amt/call.hpp"
#include "gateway/amt/idle_channel.hpp"

#include <algorithm>

namespace outband::amt {

namespace {

constexpr std::size_t max_calls = 3;
constexpr std::size_t max_envelope = 256 << 10;

} // namespace

amt_client::amt_client(std::shared_ptr<carrier_handle> way, const std::string& guid, login who,
                       client_timing timing, firmware_port to)
    : way_(std::move(way)), to_(to), host_(guid + ":" + std::to_string(to.number)),
      who_(std::move(who)), timing_(timing) {}

amt_client::~amt_client() = default;

void amt_client::post(std::string envelope, std::chrono::milliseconds timeout,
                      std::function<void(result<soap_answer>)> cb) {
  if (envelope.size() > max_envelope) {
    cb(fail(problem::too_large, "more than 256 KiB", "envelope"));
    return;
  }
  // Shared, so that it is still here if run() drops what it was given.
  auto shared_cb = std::make_shared<decltype(cb)>(std::move(cb));
  const bool alive =
      way_->run([self = shared_from_this(), shared_cb, timeout,
                 text = std::make_shared<std::string>(std::move(envelope))](carrier* way) {
        if (way == nullptr)
          (*shared_cb)(fail(problem::link_down, "the tunnel has ended"));
        else
          self->begin(*way, std::move(*text), timeout, std::move(*shared_cb));
      });
  if (!alive)
    (*shared_cb)(fail(problem::link_down, "the tunnel has ended"));
}

void amt_client::close(link_end why, std::string text) {
  way_->run([why, text = std::move(text)](carrier* way) {
    if (way != nullptr)
      way->end(why, text);
  });
}

void amt_client::begin(carrier& way, std::string envelope, std::chrono::milliseconds timeout,
                       std::function<void(result<soap_answer>)> cb) {
  if (calls_.size() >= max_calls) {
    cb(fail(problem::busy, "three calls of this machine are under way"));
    return;
  }
  calls_.push_back(std::make_unique<call>(*this, way, std::move(envelope), timeout, std::move(cb)));
  calls_.back()->begin();
}

void amt_client::finish(call& c, result<soap_answer> outcome) {
  const auto at =
      std::find_if(calls_.begin(), calls_.end(), [&](const auto& one) { return one.get() == &c; });
  if (at == calls_.end())
    return;
  auto ended = std::move(*at);
  calls_.erase(at);
  if (calls_.empty())
    std::vector<std::unique_ptr<call>>{}.swap(calls_); // an idle machine holds no heap for it
  const auto cb = ended->take_callback();
  ended.reset(); // its channel is closed before anyone hears of it
  if (cb)
    cb(std::move(outcome));
}

void amt_client::port_announced(std::uint16_t port) {
  if (port != to_.number)
    return;
  // A call may end and leave the list while it opens its channel.
  std::vector<call*> waiting;
  for (const auto& c : calls_)
    waiting.push_back(c.get());
  for (auto* c : waiting)
    if (std::any_of(calls_.begin(), calls_.end(), [&](const auto& one) { return one.get() == c; }))
      c->port_announced();
}

void amt_client::carrier_gone() {
  if (idle_)
    idle_->channel.reset();
  idle_.reset();
  while (!calls_.empty()) {
    auto& c = *calls_.back();
    c.forget_channel();
    finish(c, c.cut_off());
  }
}

void amt_client::keep(carrier& way, std::uint32_t channel) {
  if (idle_) {
    way.close(channel); // one is enough
    return;
  }
  idle_ = std::make_unique<idle_channel>(*this, way, channel);
  way.hand_over(channel, *idle_);
  way.timers().arm(idle_->timer, timing_.idle);
}

std::unique_ptr<amt_client::idle_channel> amt_client::take(bool reads) {
  if (!idle_ || !idle_->channel ||
      (!reads && net::timer_wheel::clock::now() - idle_->since > timing_.reuse))
    return nullptr;
  return std::move(idle_);
}

amt_client::idle_channel::~idle_channel() {
  if (channel)
    way.close(*channel);
}

void amt_client::idle_channel::gone() {
  owner.idle_.reset(); // destroys this
}

} // namespace outband::amt
