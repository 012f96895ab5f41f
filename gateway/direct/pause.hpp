/// How long to wait before the next attempt: doubles, with a fifth of chance in it, so that a site
/// that comes back is not met by all attempts at once.
/// Context: one thread; the random number is handed in.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

namespace outband::direct {

class pause {
public:
  using time = std::chrono::milliseconds;
  pause(time first, time longest) : first_(first), longest_(longest) {}

  time next(std::uint32_t random) {
    return spread(std::exchange(now_, now_ == time{0} ? std::min(first_ * 2, longest_)
                                                      : std::min(now_ * 2, longest_)),
                  random);
  }
  /// When waiting for a person and not for the machine: another attempt changes nothing.
  time longest(std::uint32_t random) const { return spread(longest_, random); }
  void reset() { now_ = time{0}; }

private:
  /// From 90 to 110 %.
  time spread(time t, std::uint32_t random) const {
    if (t == time{0})
      t = first_;
    return t * 9 / 10 + t * (random % 1000) / 5000;
  }
  time first_, longest_, now_{0};
};

} // namespace outband::direct
