/// Collects what arrives while a batch is away, so that many calls become one statement.
///
/// One batch is away at a time. Items with equal keys never share a batch and keep their order: one
/// UPDATE changes a row once. Context: pure; one thread.
#pragma once

#include <deque>
#include <set>
#include <utility>
#include <vector>

namespace outband::store {

/// `Item` has a member `key` that can be ordered.
template <class Item> class batcher {
public:
  explicit batcher(std::size_t max_batch) : max_batch_(max_batch) {}

  void add(Item item) { waiting_.push_back(std::move(item)); }

  /// The next batch; empty while one is away or when nothing waits.
  std::vector<Item> take() {
    std::vector<Item> batch;
    if (away_)
      return batch;
    std::set<decltype(Item::key)> in_batch;
    std::vector<Item> later;
    while (!waiting_.empty() && batch.size() < max_batch_) {
      auto item = std::move(waiting_.front());
      waiting_.pop_front();
      if (in_batch.insert(item.key).second)
        batch.push_back(std::move(item));
      else
        later.push_back(std::move(item));
    }
    for (auto it = later.rbegin(); it != later.rend(); ++it)
      waiting_.push_front(std::move(*it));
    away_ = !batch.empty();
    return batch;
  }

  /// The batch that was away has been answered.
  void done() { away_ = false; }

  std::size_t waiting() const { return waiting_.size(); }

private:
  std::size_t max_batch_;
  std::deque<Item> waiting_;
  bool away_ = false;
};

} // namespace outband::store
