#include "tools/bench/fleet.hpp"

#include <algorithm>
#include <utility>

namespace outband::bench {

namespace {

constexpr std::chrono::milliseconds tick_every{20};
constexpr std::chrono::milliseconds retry_after{50};

double seconds(clock::duration d) {
  return std::chrono::duration<double>(d).count();
}

} // namespace

device_id guid_of(std::size_t i) {
  device_id out;
  auto& b = out.bytes;
  b = {0xbe, 0x9c, 0x40, 0, 0, 0, 0x40, 0, 0x80, 0, 0, 0, 0, 0, 0, 0};
  for (std::size_t k = 0; k < 4; ++k)
    b[15 - k] = static_cast<std::uint8_t>(i >> (8 * k));
  return out;
}

fleet::fleet(loop& io, soap_answers& soap, options o, std::size_t count, std::size_t first)
    : io_(io), tls_(client_context(o.tls)),
      around_{io,    tls_.get(), o.port, std::move(o.user), std::move(o.password), soap,
              false, {},         {}},
      keep_alive_(o.keep_alive) {
  around_.up = [this](device& d) {
    became_up(d);
  };
  around_.down = [this](device& d) {
    went_down(d);
  };
  for (std::size_t i = 0; i < count; ++i)
    devices_.push_back(std::make_unique<device>(around_, guid_of(first + i)));
  tick();
}

fleet::~fleet() {
  *exists_ = false;
}

fleet::outcome fleet::connect(std::size_t count, std::size_t at_a_time,
                              std::chrono::seconds patience) {
  wanted_ = std::min(count, devices_.size());
  next_ = failures_ = 0;
  const auto began = clock::now();
  for (std::size_t i = 0; i < at_a_time; ++i)
    begin_next();
  io_.run_until([this] { return up_ >= wanted_; }, patience);
  outcome out{seconds(clock::now() - began), up_, failures_, why_};
  wanted_ = 0;
  return out;
}

void fleet::begin_next() {
  while (next_ < wanted_) {
    auto& d = *devices_[next_++];
    if (!d.busy()) {
      d.connect();
      return;
    }
  }
}

void fleet::became_up(device&) {
  ++up_;
  if (flapping_)
    flap_next();
  else
    begin_next();
}

void fleet::went_down(device& d) {
  ++failures_;
  why_ = d.why();
  up_ = static_cast<std::size_t>(
      std::count_if(devices_.begin(), devices_.end(), [](const auto& one) { return one->up(); }));
  // Again, but not inside its own callback, and not as fast as the server can refuse.
  io_.after(retry_after, [this, &d, alive = exists_] {
    if (*alive && (wanted_ > 0 || flapping_) && !d.busy())
      d.connect();
  });
}

void fleet::close_all() {
  for (auto& d : devices_)
    d->close();
  up_ = 0;
}

void fleet::cut_all() {
  for (auto& d : devices_)
    d->cut();
  up_ = 0;
}

void fleet::begin_flapping(std::size_t at_a_time) {
  flapping_ = true;
  flaps_ = 0;
  for (std::size_t i = 0; i < at_a_time; ++i)
    flap_next();
}

void fleet::end_flapping() {
  flapping_ = false;
}

void fleet::flap_next() {
  for (std::size_t tries = 0; tries < devices_.size(); ++tries) {
    auto& d = *devices_[flap_at_++ % devices_.size()];
    if (!d.up())
      continue;
    // Later: a machine may be the one that has just come up.
    io_.later([this, &d, alive = exists_] {
      if (!*alive || !d.up())
        return;
      d.close();
      --up_;
      ++flaps_;
      d.connect();
    });
    return;
  }
}

void fleet::tick() {
  // Spread evenly over the interval, as those of machines that came one by one are.
  const auto now = clock::now();
  if (!devices_.empty()) {
    const auto step = std::chrono::duration_cast<clock::duration>(keep_alive_) /
                      static_cast<std::int64_t>(devices_.size());
    if (now - alive_at_ > std::chrono::seconds(1))
      alive_at_ = now - std::chrono::seconds(1);
    for (; alive_at_ <= now; alive_at_ += step)
      devices_[alive_next_++ % devices_.size()]->keep_alive();
  }
  io_.after(tick_every, [this, alive = exists_] {
    if (*alive)
      tick();
  });
}

} // namespace outband::bench
