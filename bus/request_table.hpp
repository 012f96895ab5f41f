/// Requests that wait for their answers; the same for every back end. Internal to bus/.
///
/// Context: the scheduler's tasks, and any thread for start().
#pragma once

#include "bus/endpoint.hpp"
#include "bus/scheduler.hpp"

#include <map>
#include <memory>
#include <mutex>

namespace outband::bus {

class request_table : public std::enable_shared_from_this<request_table> {
public:
  using on_response = std::function<bool(result<message>)>;
  using publish_function = std::function<void(message, endpoint::completion)>;

  /// `response_topic` empty: requests are refused with problem::unsupported. `salt`: unique per
  /// endpoint and process, the first half of every correlation.
  request_table(scheduler& loop, std::string response_topic, std::uint64_t salt);

  /// Keeps a correlation that the caller has set (the request's id), and gives the message an
  /// expiry when it has none, so that nobody carries it out after the deadline.
  void start(message m, std::chrono::milliseconds deadline, on_response cb,
             const publish_function& publish);
  void on_message(const message& m);
  /// The endpoint goes: every open request ends with this.
  void fail_all(const failure& why);

private:
  struct entry {
    std::shared_ptr<on_response> cb;
    scheduler::timer deadline;
  };
  void finish(const std::string& correlation, failure why);

  scheduler& loop_;
  const std::string response_topic_;
  const std::uint64_t salt_;
  std::mutex mutex_;
  std::uint64_t serial_ = 0;
  std::map<std::string, entry> open_;
};

/// Topic without wildcards, payload present and at most `limit` octets, QoS 0 or 1.
status check_message(const message& m, std::size_t limit);
/// MQTT 5 section 4.7: '+' and '#' only as whole levels, '#' only as the last.
bool valid_filter(std::string_view filter);

/// Octets; as large as a document of messages/bus may be.
inline constexpr std::size_t default_max_payload = 524288;

} // namespace outband::bus
