/// Which node has a device's link, as far as this process knows. Threads: any.
#pragma once

#include "messages/domain/ids.hpp"

#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

namespace outband {

class link_directory {
public:
  struct entry {
    std::string instance;
    link_epoch epoch = 0;
  };
  void put(const device_ref& ref, entry e) {
    std::lock_guard lock(mutex_);
    auto& known = entries_[ref];
    if (known.epoch <= e.epoch)
      known = std::move(e);
  }
  /// Only if the epoch is still that one.
  void remove(const device_ref& ref, link_epoch epoch) {
    std::lock_guard lock(mutex_);
    auto at = entries_.find(ref);
    if (at != entries_.end() && at->second.epoch == epoch)
      entries_.erase(at);
  }
  std::optional<entry> find(const device_ref& ref) const {
    std::lock_guard lock(mutex_);
    auto at = entries_.find(ref);
    if (at == entries_.end())
      return std::nullopt;
    return at->second;
  }

private:
  mutable std::mutex mutex_;
  std::unordered_map<device_ref, entry> entries_;
};

} // namespace outband
