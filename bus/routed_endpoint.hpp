/// The bus between our own roles, wherever they run: within this process without the broker,
/// to other processes through it, with the same code above.
///
/// A message whose topic some subscription of this endpoint matches at the moment of publish() is
/// delivered here and nowhere else; every other one goes through `far`. So a node that plays all
/// roles works on while the broker is away, and from the first near subscriber on nothing on that
/// topic leaves: a near message never overtakes a far one. What is retained always goes far, for
/// the broker is who keeps it. Subscriptions are made on both sides; far's survive its reconnects.
/// `connected()` is far's: whether other processes can be reached.
///
/// Threads: handlers and completions run one at a time on one thread of its own (or the scheduler
/// that is handed in), wherever the message came from.
/// Limits: `window` unfinished near publications, then busy. Of far publications `far_window` are
/// under way at once and `far_waiting` more wait here in the order of their calls: when a fleet
/// comes back at once a node has more to say than fits far's window, and what was refused would be
/// missing until the next resync. Beyond that: busy. `inbound` messages of far that wait for
/// handlers; then far's own thread waits, and far's bound (mqtt_options::max_inbound) counts.
#pragma once

#include "bus/endpoint.hpp"

#include <memory>
#include <string>

namespace outband::bus {

class scheduler;
class thread_loop;

struct routed_options {
  std::string response_prefix; ///< e.g. "oob/v1/-/inst/n1/node/reply"; empty: makes no requests
  std::size_t window = 100'000;
  std::size_t inbound = 65'536;
  std::size_t far_window = 50; ///< half of far's own, which others use too
  std::size_t far_waiting = 65'536;
  std::size_t far_waiting_octets = 64 * 1024 * 1024; ///< of payloads
};

struct routed_counters {
  std::uint64_t near = 0;       ///< publications that stayed in the process
  std::uint64_t far = 0;        ///< publications handed to far
  std::uint64_t far_waited = 0; ///< of these, those that had to wait for others
  std::uint64_t far_failed = 0; ///< of these, those that far did not take
  std::uint64_t received = 0;   ///< messages from far
};

class routed_endpoint final : public endpoint {
public:
  /// `far` must outlive it.
  explicit routed_endpoint(endpoint& far, routed_options options = {});
  /// On a scheduler that outlives it, for tests on virtual time.
  routed_endpoint(endpoint& far, routed_options options, scheduler& loop);
  /// Returns when no handler is running any more; what is open ends with bus_unavailable. Not from
  /// a handler.
  ~routed_endpoint() override;

  void publish(message m, completion done = {}) override;
  subscription subscribe(std::string filter, subscribe_options options,
                         handler on_message) override;
  void request(message m, std::chrono::milliseconds deadline,
               std::function<bool(result<message>)> on_response) override;
  bool connected() const override;
  subscription on_connection(std::function<void(bool)> changed) override;

  routed_counters counters() const;

private:
  struct impl;
  void start();

  std::shared_ptr<thread_loop> own_; ///< none with a scheduler from outside
  std::shared_ptr<impl> impl_;
};

} // namespace outband::bus
