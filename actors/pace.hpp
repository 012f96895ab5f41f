/// Spreads what may wait: slots at a fixed rate, the first at once. Threads: any.
#pragma once

#include "messages/domain/ids.hpp"

#include <algorithm>
#include <chrono>
#include <mutex>

namespace outband {

class pace {
public:
  /// A slot further away than `longest` means that the clock was set back.
  explicit pace(int per_second, std::chrono::milliseconds longest = std::chrono::minutes(2))
      : gap_(1'000'000 / per_second), longest_(longest.count() * 1'000) {}

  /// How long to wait for the next free slot, which is taken. `now`: milliseconds; a clock that is
  /// set back costs at most `longest`.
  std::chrono::milliseconds reserve(time_ms now) {
    std::lock_guard lock(mutex_);
    const auto at = now * 1'000;
    if (next_ < at || next_ > at + longest_)
      next_ = at;
    const auto wait = next_ - at;
    next_ += gap_;
    return std::chrono::milliseconds(wait / 1'000);
  }

private:
  const time_ms gap_; ///< microseconds, as the following
  const time_ms longest_;
  std::mutex mutex_;
  time_ms next_ = 0;
};

} // namespace outband
