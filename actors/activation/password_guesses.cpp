#include "actors/activation/password_guesses.hpp"

#include <algorithm>

namespace outband::activation {

bool password_guesses::may_compare(const device_ref& machine, time_ms now) {
  std::lock_guard<std::mutex> lock(mutex_);
  auto at = counts_.find(to_string(machine));
  if (at == counts_.end()) {
    make_room(now);
    at = counts_.emplace(to_string(machine), count{0, now}).first;
  } else if (now - at->second.since >= window) {
    at->second = {0, now};
  }
  if (at->second.guesses >= most)
    return false;
  ++at->second.guesses;
  return true;
}

void password_guesses::was_right(const device_ref& machine) {
  std::lock_guard<std::mutex> lock(mutex_);
  counts_.erase(to_string(machine));
}

void password_guesses::make_room(time_ms now) {
  if (counts_.size() < max_machines)
    return;
  for (auto at = counts_.begin(); at != counts_.end();)
    at = now - at->second.since >= window ? counts_.erase(at) : std::next(at);
  if (counts_.size() >= max_machines)
    counts_.erase(
        std::min_element(counts_.begin(), counts_.end(), [](const auto& a, const auto& b) {
          return a.second.since < b.second.since;
        }));
}

} // namespace outband::activation
