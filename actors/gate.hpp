/// Lets callbacks of ports into an object only while it lives.
///
/// A callback holds the gate by shared pointer and enters before it touches `this`; stop() closes
/// the gate and waits until nobody is inside. Callbacks never block, so the wait is short. Threads:
/// any; close() must not be called from inside (it would wait for itself).
#pragma once

#include "messages/domain/result.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>

namespace outband {

class gate {
public:
  /// Inside as long as it lives; false: the gate was closed, touch nothing.
  class pass {
  public:
    explicit pass(gate* g) : gate_(g) {}
    pass(pass&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    pass(const pass&) = delete;
    pass& operator=(const pass&) = delete;
    pass& operator=(pass&&) = delete;
    ~pass() {
      if (gate_)
        gate_->leave();
    }
    explicit operator bool() const { return gate_ != nullptr; }

  private:
    gate* gate_;
  };

  [[nodiscard]] pass enter() {
    std::lock_guard lock(mutex_);
    if (closed_)
      return pass(nullptr);
    ++inside_;
    return pass(this);
  }
  void close() {
    std::unique_lock lock(mutex_);
    closed_ = true;
    left_.wait(lock, [this] { return inside_ == 0; });
  }
  bool closed() const {
    std::lock_guard lock(mutex_);
    return closed_;
  }

private:
  void leave() {
    std::lock_guard lock(mutex_);
    if (--inside_ == 0)
      left_.notify_all(); // under the lock: who waits may destroy what it protects
  }

  mutable std::mutex mutex_;
  std::condition_variable left_;
  int inside_ = 0;
  bool closed_ = false;
};

/// What is said to who asked and finds the gate closed.
inline failure stopping() {
  return fail(problem::store_unavailable, "the server is shutting down");
}

} // namespace outband
