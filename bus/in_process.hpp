/// The broker that local and scripted endpoints share: retained messages, filters, windows and, for
/// tests, faults. Internal to bus/.
///
/// Context: any thread; handlers and completions run as tasks of the scheduler, never inside a
/// call. Limits: `window` unfinished publications per client, as with a real broker.
#pragma once

#include "bus/endpoint.hpp"
#include "bus/request_table.hpp"
#include "bus/scheduler.hpp"

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <random>

namespace outband::bus {

/// Probabilities from 0 to 1, drawn from a seeded generator.
struct fault_plan {
  double lose_publish = 0;  ///< the broker never sees it, the publisher is told bus_unavailable
  double lose_ack = 0;      ///< the broker has it, the publisher is told bus_unavailable
  double lose_delivery = 0; ///< one subscriber does not get it
  double duplicate = 0;     ///< one subscriber gets it twice
  double reorder = 0;       ///< it may overtake what was sent to this subscriber before
  std::chrono::milliseconds max_delay{0}; ///< each delivery and ack is this late at most
};

class in_process_bus : public std::enable_shared_from_this<in_process_bus> {
public:
  using client_id = std::uint64_t;
  using time_point = scheduler::clock::time_point;
  struct stored {
    message what;
    std::optional<time_point> expires;
  };
  using retained_map = std::map<std::string, stored>;

  in_process_bus(scheduler& loop, std::uint64_t seed, bool ordered_by_time);

  client_id attach(std::size_t window, std::size_t max_payload);
  /// Its subscriptions end, what it waits for fails.
  void detach(client_id who);
  void publish(client_id who, message m, endpoint::completion done);
  subscription subscribe(client_id who, std::string filter, subscribe_options options,
                         endpoint::handler on_message);
  bool connected(client_id who) const;
  subscription on_connection(client_id who, std::function<void(bool)> changed);

  /// Cuts or restores one client's connection: unfinished publications fail, deliveries under way
  /// are lost (clean start), and retained messages come again afterwards.
  void set_connected(client_id who, bool up);
  void set_faults(const fault_plan& plan);
  retained_map retained() const;
  void set_retained(retained_map content);

  scheduler& loop() { return loop_; }

private:
  struct listener {
    std::function<void(bool)> changed;
    bool alive = true;
  };
  struct client {
    bool up = true;
    std::uint64_t connection = 0; ///< counts connections; deliveries of an older one are lost
    std::size_t window = 0, max_payload = 0;
    std::map<std::uint64_t, endpoint::completion> unfinished;
    std::list<std::shared_ptr<listener>> listeners;
    time_point last_due{};
  };
  struct filter_entry {
    std::uint32_t id = 0;
    client_id owner = 0;
    std::string filter;
    subscribe_options options;
    endpoint::handler on_message;
    bool alive = true; ///< guarded by the mutex of the bus
  };

  bool draw(double probability);
  std::chrono::milliseconds draw_delay();
  void schedule(client& c, bool may_overtake, scheduler::task t);
  void route(const message& m);
  void keep(const message& m);
  void send(client& c, const std::shared_ptr<filter_entry>& to, message m);
  void replay(client& c, const std::shared_ptr<filter_entry>& to);
  void deliver(const std::shared_ptr<filter_entry>& to, std::uint64_t connection, message m,
               std::optional<time_point> expires);
  /// Clears what a subscription does not take retained.
  void refuse(client_id who, const message& m);
  void finish(client_id who, std::uint64_t serial, status outcome);
  void tell(client& c);

  scheduler& loop_;
  const bool ordered_by_time_; ///< every task is a timer, so that delays keep the order
  mutable std::mutex mutex_;
  std::mt19937_64 random_;
  fault_plan faults_;
  std::uint64_t serial_ = 0;
  std::uint32_t next_filter_ = 0;
  std::map<client_id, client> clients_;
  std::list<std::shared_ptr<filter_entry>> filters_;
  retained_map retained_;
};

/// What local and scripted endpoints are: one client of such a bus.
class in_process_endpoint : public endpoint {
public:
  /// `response_prefix`: requests are answered below it; empty: this endpoint makes no requests.
  in_process_endpoint(std::shared_ptr<in_process_bus> bus, std::string response_prefix,
                      std::uint64_t salt, std::size_t window,
                      std::size_t payload_limit = default_max_payload);
  ~in_process_endpoint() override;

  void publish(message m, completion done = {}) override;
  subscription subscribe(std::string filter, subscribe_options options,
                         handler on_message) override;
  void request(message m, std::chrono::milliseconds deadline,
               std::function<bool(result<message>)> on_response) override;
  bool connected() const override;
  subscription on_connection(std::function<void(bool)> changed) override;

protected:
  std::shared_ptr<in_process_bus> bus_;
  in_process_bus::client_id self_;

private:
  std::shared_ptr<request_table> requests_;
  subscription answers_;
};

/// "{prefix}/c{hex}": the level is unique per endpoint; empty for an empty prefix.
std::string response_topic(const std::string& prefix, std::uint64_t salt);

} // namespace outband::bus
