/// Counts failed sign-ins per address and name, and per address alone (ten times as many, for one
/// NAT may hide many people). Successes are never counted: machines behind one address are no
/// threat. Context: pure but for its lock; the time is handed in; any thread. Limit: `max_entries`
/// counters.
#pragma once

#include "messages/domain/ids.hpp"

#include <chrono>
#include <mutex>
#include <string>
#include <unordered_map>

namespace outband::auth {

class failures {
public:
  failures(int limit, std::chrono::milliseconds window) : limit_(limit), window_(window) {}

  /// How long to wait before the next attempt; zero: go on.
  std::chrono::milliseconds blocked(const std::string& address, const std::string& name,
                                    time_ms now) const;
  void failed(const std::string& address, const std::string& name, time_ms now);
  /// A success forgives what this address did under this name.
  void succeeded(const std::string& address, const std::string& name);

private:
  static constexpr std::size_t max_entries = 50'000;
  struct entry {
    int count = 0;
    time_ms since = 0;
  };
  std::chrono::milliseconds left(const std::string& key, int limit, time_ms now) const;
  void add(const std::string& key, time_ms now);

  const int limit_;
  const std::chrono::milliseconds window_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, entry> entries_;
};

} // namespace outband::auth
