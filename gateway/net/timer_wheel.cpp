#include "gateway/net/timer_wheel.hpp"

#include <algorithm>

namespace outband::net {

void timer_wheel::entry::cancel() {
  if (wheel_ != nullptr)
    wheel_->unlink(*this);
}

timer_wheel::timer_wheel(time start, std::chrono::milliseconds resolution)
    : start_(start), resolution_(std::max(resolution, std::chrono::milliseconds{1})) {}

timer_wheel::~timer_wheel() {
  for (auto* head : heads_)
    while (head != nullptr) {
      auto* const e = head;
      head = e->next_;
      unlink(*e);
    }
}

void timer_wheel::link(entry& e, entry*& head) {
  e.next_ = head;
  e.link_ = &head;
  if (head != nullptr)
    head->link_ = &e.next_;
  head = &e;
}

void timer_wheel::unlink(entry& e) {
  *e.link_ = e.next_;
  if (e.next_ != nullptr)
    e.next_->link_ = e.link_;
  e.next_ = nullptr;
  e.link_ = nullptr;
  e.wheel_ = nullptr;
  --size_;
}

void timer_wheel::arm(entry& e, time due) {
  e.cancel();
  // Rounded up: better late by one tick than early.
  const auto after = std::max(due - start_, time::duration::zero());
  const auto ticks = (after + resolution_ - time::duration{1}) /
                     std::chrono::duration_cast<time::duration>(resolution_);
  e.due_ = std::max(static_cast<std::uint64_t>(ticks), now_ + 1);
  const std::size_t slot = e.due_ % slots;
  link(e, heads_[slot]);
  e.wheel_ = this;
  occupied_[slot / 64] |= std::uint64_t{1} << slot % 64;
  ++size_;
}

void timer_wheel::advance(time now) {
  if (now < start_)
    return;
  const auto target = static_cast<std::uint64_t>((now - start_) / resolution_);
  if (target <= now_)
    return;
  // More than one turn has passed: each slot still needs looking at only once.
  const auto first = target - now_ >= slots ? target - slots + 1 : now_ + 1;
  now_ = target; // what a firing entry arms is due later than this
  entry* due = nullptr;
  for (auto tick = first; tick <= target; ++tick) {
    const std::size_t slot = tick % slots;
    const auto bit = std::uint64_t{1} << slot % 64;
    if ((occupied_[slot / 64] & bit) == 0)
      continue;
    for (auto* e = heads_[slot]; e != nullptr;) {
      auto* const following = e->next_;
      if (e->due_ <= target) {
        unlink(*e);
        // Still cancellable while it waits for its turn in this call.
        link(*e, due);
        e->wheel_ = this;
        ++size_;
      }
      e = following;
    }
    if (heads_[slot] == nullptr)
      occupied_[slot / 64] &= ~bit;
  }
  while (due != nullptr) {
    auto* const e = due;
    unlink(*e);
    e->fire();
  }
}

std::optional<std::uint64_t> timer_wheel::next_tick() const {
  if (size_ == 0)
    return {};
  for (auto tick = now_ + 1; tick <= now_ + slots;) {
    const std::size_t slot = tick % slots;
    const auto rest = occupied_[slot / 64] >> slot % 64;
    if (rest != 0)
      return std::min(tick + static_cast<std::uint64_t>(__builtin_ctzll(rest)), now_ + slots);
    tick += 64 - slot % 64;
  }
  return now_ + slots;
}

std::optional<timer_wheel::time> timer_wheel::next() const {
  const auto tick = next_tick();
  if (!tick)
    return {};
  return start_ +
         std::chrono::duration_cast<time::duration>(resolution_) * static_cast<time::rep>(*tick);
}

} // namespace outband::net
