#include "gateway/auth/failures.hpp"

#include <algorithm>

namespace outband::auth {

namespace {
constexpr int per_address = 10;
std::string both(const std::string& address, const std::string& name) {
  return address + '\n' + name;
}
} // namespace

std::chrono::milliseconds failures::left(const std::string& key, int limit, time_ms now) const {
  auto it = entries_.find(key);
  if (it == entries_.end() || it->second.count < limit)
    return std::chrono::milliseconds{0};
  return std::max(std::chrono::milliseconds{0},
                  window_ - std::chrono::milliseconds(now - it->second.since));
}

std::chrono::milliseconds failures::blocked(const std::string& address, const std::string& name,
                                            time_ms now) const {
  std::lock_guard lock(mutex_);
  return std::max(left(both(address, name), limit_, now), left(address, limit_ * per_address, now));
}

void failures::add(const std::string& key, time_ms now) {
  if (entries_.size() >= max_entries) {
    // Forget what is over; if an attacker filled it within one window, start anew rather than grow.
    for (auto it = entries_.begin(); it != entries_.end();)
      it = now - it->second.since > window_.count() ? entries_.erase(it) : std::next(it);
    if (entries_.size() >= max_entries)
      entries_.clear();
  }
  auto& e = entries_[key];
  if (e.count == 0 || now - e.since > window_.count())
    e = {0, now};
  ++e.count;
}

void failures::failed(const std::string& address, const std::string& name, time_ms now) {
  std::lock_guard lock(mutex_);
  add(both(address, name), now);
  add(address, now);
}

void failures::succeeded(const std::string& address, const std::string& name) {
  std::lock_guard lock(mutex_);
  entries_.erase(both(address, name));
}

} // namespace outband::auth
