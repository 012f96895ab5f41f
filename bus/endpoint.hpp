/// The bus as the rest of Outband sees it: topics, messages, completion. No MQTT library here.
///
/// Three back ends with the same contract tests: `mqtt_endpoint` (Paho, a real broker),
/// `local_endpoint` (one process) and `scripted_endpoint` (duplicates, drops, delays by seed).
/// Threads: every member may be called from any thread and never blocks. Handlers and completions
/// run on the endpoint's own thread: they convert, hand over (anon_send, asio::post) and return.
/// Delivery is at least once; consumers are idempotent. An acknowledgement proves that the broker
/// took a message, never that somebody processed it.
#pragma once

#include "messages/domain/result.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace outband::bus {

struct message {
  std::string topic;
  std::shared_ptr<const std::string> payload; ///< never null; empty string deletes a retained topic
  std::string content_type;                   ///< empty: not given
  std::string response_topic;                 ///< empty: no answer wanted
  std::string correlation;                    ///< octets
  bool retain = false;
  std::uint8_t qos = 1; ///< 0 or 1; 2 is not used
  std::optional<std::chrono::seconds> expiry;
  std::uint32_t subscription_id = 0; ///< on receipt: of the subscription that matched
};

struct subscribe_options {
  std::uint8_t qos = 1;
  /// 0 retained messages are sent at subscription, 2 never.
  std::uint8_t retain_handling = 0;
  /// Keep the publisher's retain flag, so that a retained command can be refused.
  bool retain_as_published = true;
  /// For commands, which are never retained: what comes with the retain flag is not delivered but
  /// counted, and its topic is cleared with an empty retained message. Needs retain_as_published.
  bool refuse_retained = false;
};

/// Ends the subscription when the last copy goes: the handler is not called again, but a call may
/// be under way on the endpoint's thread at that moment. What it uses must outlive the endpoint or
/// be held by weak_ptr.
using subscription = std::shared_ptr<void>;

class endpoint {
public:
  using handler = std::function<void(const message&)>;
  using completion = std::function<void(status)>;

  virtual ~endpoint() = default;

  /// Accepted into the window or, when that is full or the broker is away, refused at once with
  /// problem::busy or problem::bus_unavailable: who must not lose a message keeps it (the outbox).
  /// `done` is called exactly once: success when the broker has it (also when nobody subscribes).
  virtual void publish(message m, completion done = {}) = 0;

  /// Survives reconnects. Filters may overlap: each subscription gets a message.
  [[nodiscard]] virtual subscription subscribe(std::string filter, subscribe_options options,
                                               handler on_message) = 0;

  /// Publishes with a fresh response topic and correlation, and calls `on_response` for each answer
  /// until it returns true (that was the last) or the deadline passes (then with
  /// problem::device_timeout's sibling problem::expired).
  virtual void request(message m, std::chrono::milliseconds deadline,
                       std::function<bool(result<message>)> on_response) = 0;

  virtual bool connected() const = 0;
  /// Called with the present state at once and at each change.
  [[nodiscard]] virtual subscription on_connection(std::function<void(bool)> changed) = 0;
};

} // namespace outband::bus
