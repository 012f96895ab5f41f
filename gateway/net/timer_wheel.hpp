/// Many deadlines for the price of one: a hashed timer wheel. No clock and no Asio here; the time
/// is handed in (timers.hpp ties a wheel to an I/O thread).
///
/// An entry is a member of whoever waits; it unlinks itself when destroyed. arm() and cancel() take
/// constant time. An entry fires at its deadline rounded up to the resolution, never early.
/// Context: one thread. Limits: a deadline beyond one turn (slots x resolution, 102 s by default)
///   is looked at once per turn until it is due.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

namespace outband::net {

class timer_wheel {
public:
  using clock = std::chrono::steady_clock;
  using time = clock::time_point;

  class entry {
  public:
    entry(const entry&) = delete;
    entry& operator=(const entry&) = delete;
    virtual ~entry() { cancel(); }
    bool armed() const { return wheel_ != nullptr; }
    void cancel();

  protected:
    entry() = default;
    /// On the wheel's thread, disarmed; may arm or destroy any entry, also this one.
    virtual void fire() = 0;

  private:
    friend class timer_wheel;
    entry* next_ = nullptr;
    entry** link_ = nullptr; ///< what points to this entry
    timer_wheel* wheel_ = nullptr;
    std::uint64_t due_ = 0; ///< tick
  };

  explicit timer_wheel(time start,
                       std::chrono::milliseconds resolution = std::chrono::milliseconds{100});
  timer_wheel(const timer_wheel&) = delete;
  timer_wheel& operator=(const timer_wheel&) = delete;
  ~timer_wheel(); ///< disarms what is left

  /// Replaces the entry's former deadline, if it has one.
  void arm(entry& e, time due);
  /// Fires what is due. An entry armed by a firing one fires in a later call at the earliest.
  void advance(time now);
  /// When advance() should be called next; nullopt while nothing is armed.
  std::optional<time> next() const;
  std::size_t size() const { return size_; }

private:
  static constexpr std::size_t slots = 1024;
  using words = std::array<std::uint64_t, slots / 64>;

  void link(entry& e, entry*& head);
  void unlink(entry& e);
  std::optional<std::uint64_t> next_tick() const;

  time start_;
  std::chrono::milliseconds resolution_;
  std::uint64_t now_ = 0; ///< every entry due at or before this tick has fired
  std::size_t size_ = 0;
  std::array<entry*, slots> heads_{};
  words occupied_{}; ///< may be set for a slot that has become empty, never the reverse
};

/// An entry that calls a member function of its owner.
template <class T, void (T::*Member)()> class member_timer final : public timer_wheel::entry {
public:
  explicit member_timer(T& owner) : owner_(owner) {}

private:
  void fire() override { (owner_.*Member)(); }
  T& owner_;
};

} // namespace outband::net
