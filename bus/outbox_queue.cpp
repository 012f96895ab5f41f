#include "bus/outbox_queue.hpp"

#include <algorithm>
#include <utility>

namespace outband::bus {

outbox_queue::serial outbox_queue::append(item i) {
  if (i.what == kind::row && i.body.retain) {
    auto [known, fresh] = newest_.try_emplace(i.body.topic, end());
    if (!fresh) {
      const auto older = std::exchange(known->second, end());
      if (older >= next_ && at(older).state == progress::waiting) {
        at(older).state = progress::superseded;
        --unacknowledged_;
        ++superseded_;
      }
    }
  }
  entries_.push_back({std::move(i), progress::waiting});
  ++unacknowledged_;
  return end() - 1;
}

const outbox_queue::item* outbox_queue::take(serial& which) {
  // What was given up before a failure is not sent again.
  while (next_ < end() && skipped(at(next_).state))
    ++next_;
  if (failed_ || next_ >= end())
    return nullptr;
  which = next_++;
  auto& e = at(which);
  e.state = progress::in_flight;
  ++in_flight_;
  return &e.what;
}

void outbox_queue::acknowledged(serial which) {
  at(which).state = progress::acknowledged;
  --in_flight_;
  --unacknowledged_;
}

void outbox_queue::failed(serial which) {
  at(which).state = progress::waiting;
  --in_flight_;
  failed_ = failed_ ? std::min(*failed_, which) : which;
}

bool outbox_queue::refused(serial which, unsigned limit) {
  auto& e = at(which);
  if (++e.what.refusals < limit) {
    failed(which);
    return false;
  }
  e.state = progress::given_up;
  --in_flight_;
  --unacknowledged_;
  return true;
}

std::size_t outbox_queue::go_back() {
  if (!failed_ || in_flight_ > 0)
    return 0;
  std::size_t again = 0;
  for (auto s = *failed_; s < next_; ++s) {
    auto& e = at(s);
    if (skipped(e.state))
      continue;
    if (e.state == progress::acknowledged)
      ++unacknowledged_;
    e.state = progress::waiting;
    ++again;
  }
  next_ = *failed_;
  failed_.reset();
  return again;
}

std::optional<outbox_queue::item> outbox_queue::pop_finished() {
  if (entries_.empty() || (failed_ && base_ >= *failed_))
    return std::nullopt;
  auto& front = entries_.front();
  if (front.state != progress::acknowledged && !skipped(front.state))
    return std::nullopt;
  if (front.what.what == kind::row && front.what.body.retain)
    if (auto known = newest_.find(front.what.body.topic);
        known != newest_.end() && known->second == base_)
      newest_.erase(known);
  front.what.superseded = front.state == progress::superseded;
  auto out = std::move(front.what);
  entries_.pop_front();
  ++base_;
  next_ = std::max(next_, base_);
  return out;
}

} // namespace outband::bus
