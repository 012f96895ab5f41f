/// The outbox: what the store has accepted reaches the broker, in order, however often either of
/// them restarts.
///
/// `bus/` declares the source, `actors/store` implements it. Publisher: bus/outbox_publisher.hpp.
#pragma once

#include "messages/domain/result.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace outband::bus {

/// A message that a transaction wants published when it has committed.
struct outgoing {
  std::string topic;
  std::string payload; ///< octets; empty deletes a retained topic
  std::string content_type;
  bool retain = false;
  std::optional<std::chrono::seconds> expiry;
};

struct outbox_row {
  std::uint64_t id = 0; ///< ascending in commit order per device
  outgoing message;
};

/// Threads: called on the publisher's thread; completions on any thread, exactly once.
class outbox_source {
public:
  virtual ~outbox_source() = default;
  /// The oldest rows not yet removed, at most `limit`, ascending by id. Rows may turn up late
  /// (a lower id that committed later), so there is no cursor: what is done is removed.
  virtual void fetch(std::size_t limit,
                     std::function<void(result<std::vector<outbox_row>>)> cb) = 0;
  virtual void remove(std::vector<std::uint64_t> ids, std::function<void(status)> cb) = 0;
  /// Called (any thread) whenever rows may have been added.
  virtual void on_added(std::function<void()> wake) = 0;
  /// Retained documents as the database has them, for a broker that lost or rolled back its store;
  /// page by page: `after` is the last topic of the former page, "" at first. Rows changed at or
  /// after `since_ms` only.
  virtual void retained(std::int64_t since_ms, std::string after, std::size_t limit,
                        std::function<void(result<std::vector<outgoing>>)> cb) = 0;
};

} // namespace outband::bus
