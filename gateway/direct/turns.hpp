/// So many attempts at a time, over all threads. Private to gateway/direct.
/// Threads: any; callbacks run inside take() or give_back() and must hand over.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <utility>

namespace outband::direct {

class turns {
public:
  explicit turns(std::size_t most) : free_(most) {}

  /// `yours` runs when it is its turn; true: then give_back() must follow, once. false: it does not
  /// want it any more.
  void take(std::function<bool()> yours) {
    {
      const std::lock_guard hold{mutex_};
      if (free_ == 0) {
        waiting_.push_back(std::move(yours));
        return;
      }
      --free_;
    }
    if (!yours())
      give_back();
  }
  void give_back() {
    std::function<bool()> next;
    do {
      const std::lock_guard hold{mutex_};
      if (waiting_.empty()) {
        ++free_;
        return;
      }
      next = std::move(waiting_.front());
      waiting_.pop_front();
    } while (!next());
  }

private:
  std::mutex mutex_;
  std::size_t free_;
  std::deque<std::function<bool()>> waiting_;
};

} // namespace outband::direct
