#include "gateway/cira/gate.hpp"

#include <algorithm>
#include <utility>

namespace outband::cira {

peer_address gate::key_of(const peer_address& from) {
  const bool v4 = std::all_of(from.begin(), from.begin() + 10, [](auto o) { return o == 0; });
  auto key = from;
  if (!v4)
    std::fill(key.begin() + 8, key.end(), std::uint8_t{0});
  return key;
}

void gate::decay(record& r, time now) const {
  const std::chrono::duration<double> passed = now - r.at;
  if (passed.count() > 0) {
    r.failures = std::max(0.0, r.failures - passed.count() * forgiven_per_second_);
    r.at = now;
  }
}

gate::decision gate::knock(const peer_address& from, time now) {
  const std::lock_guard hold{mutex_};
  if (const auto at = records_.find(key_of(from)); at != records_.end()) {
    decay(at->second, now);
    if (at->second.failures >= max_failures_)
      return std::exchange(at->second.told, true) ? decision::still_blocked : decision::blocked;
    at->second.told = false;
    if (at->second.failures <= 0)
      records_.erase(at);
  }
  if (++pending_ < max_pending_)
    return decision::come_in;
  full_ = true;
  return decision::come_in_last;
}

void gate::settle(const peer_address& from, outcome how, time now) {
  bool room = false;
  {
    const std::lock_guard hold{mutex_};
    --pending_;
    // Not at the very first free place, or accepting would start and stop all the time.
    room = full_ && pending_ <= max_pending_ - max_pending_ / 8 - 1;
    if (room)
      full_ = false;
    const auto key = key_of(from);
    const auto at = records_.find(key);
    if (how == outcome::authenticated && at != records_.end()) {
      decay(at->second, now);
      at->second.failures = std::max(0.0, at->second.failures - 1);
    } else if (how == outcome::failed && never_block_.count(from) == 0) {
      if (at == records_.end() && records_.size() >= max_addresses)
        make_room(now);
      auto& r = records_[key];
      if (r.failures <= 0)
        r.at = now;
      decay(r, now);
      // Bounded, so that no address is blocked for longer than twice the time of forgiving.
      r.failures = std::min(r.failures + 1, 2.0 * max_failures_);
    }
  }
  if (room && on_room_)
    on_room_();
}

// Makes room for many at once: going through all of them for every newcomer, with the lock held,
// would let a flood from ever new addresses slow down everybody's accepting.
void gate::make_room(time now) {
  constexpr auto enough = max_addresses - max_addresses / 8;
  for (auto at = records_.begin(); at != records_.end();) {
    decay(at->second, now);
    at = at->second.failures <= 0 ? records_.erase(at) : std::next(at);
  }
  // All of them fail at the same time: forget one in two of those that are not blocked, and only if
  // most are blocked also one in eight whoever it is.
  unsigned count = 0;
  if (records_.size() > enough)
    for (auto at = records_.begin(); at != records_.end();)
      at = at->second.failures < max_failures_ && ++count % 2 == 1 ? records_.erase(at)
                                                                   : std::next(at);
  if (records_.size() > enough)
    for (auto at = records_.begin(); at != records_.end();)
      at = ++count % 8 == 0 ? records_.erase(at) : std::next(at);
}

std::size_t gate::pending() const {
  const std::lock_guard hold{mutex_};
  return pending_;
}

double gate::failures(const peer_address& from, time now) const {
  const std::lock_guard hold{mutex_};
  const auto at = records_.find(key_of(from));
  if (at == records_.end())
    return 0;
  auto r = at->second;
  decay(r, now);
  return r.failures;
}

} // namespace outband::cira
