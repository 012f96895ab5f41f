/// What the MQTT endpoint consists of: connections and subscriptions in mqtt_endpoint.cpp, what
/// passes through them in mqtt_traffic.cpp. Internal to bus/; those two files only.
#pragma once

#include "bus/mqtt_endpoint.hpp"
#include "bus/mqtt_link.hpp"
#include "bus/request_table.hpp"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>
#include <set>

namespace outband::bus {

struct mqtt_endpoint::impl : std::enable_shared_from_this<impl> {
  struct subscriber {
    handler on_message;
    std::atomic<bool> alive{true};
  };
  struct filter_entry {
    std::uint32_t id = 0;
    subscribe_options options;
    std::vector<std::shared_ptr<subscriber>> subscribers;
  };
  struct listener {
    std::function<void(bool)> changed;
    std::atomic<bool> alive{true};
  };
  struct held_message {
    message what;
    completion done;
  };

  explicit impl(mqtt_options o);

  const mqtt_options options;
  std::uint64_t salt;
  std::shared_ptr<thread_loop> loop = std::make_shared<thread_loop>();
  std::shared_ptr<request_table> requests;
  subscription answers;

  mutable std::mutex mutex;
  std::condition_variable drained;
  // Guarded by the mutex.
  bool closed = false, up = false;
  std::size_t window, in_window = 0, maximum_packet = 0;
  std::uint32_t next_id = 0;
  std::map<std::string, filter_entry> filters;
  std::list<std::shared_ptr<listener>> listeners;
  std::set<std::string> to_clear; ///< retained messages that were refused while not connected
  mqtt_counters counted;
  std::string error;

  std::shared_ptr<inbound_queue> inbound; ///< rx's; set once

  // Tasks of the loop only.
  std::shared_ptr<mqtt_link> rx, tx;
  bool rx_ready = false;         ///< every subscription was answered on this connection
  std::size_t pending_subs = 0;  ///< SUBSCRIBEs without SUBACK
  std::set<std::uint32_t> sent;  ///< subscribed on this connection
  std::deque<held_message> held; ///< publications that wait for a SUBACK; within the window

  void start();
  void close();
  void link_up(bool publishes, const link_limits& limits);
  void link_down(bool publishes, const std::string& why);
  void note_failure(bool publishes, const std::string& why);
  void note_reason(int code);
  void evaluate();
  void hand_over(message m, completion done);
  void flush_held();
  void finish(const completion& done, status outcome);
  void send_subscribe(const std::string& filter, std::uint32_t id, bool again);
  void received(message m, const std::vector<std::uint32_t>& ids);
  void clear(const std::string& topic);
  void publish(message m, completion done);
  subscription subscribe(std::string filter, subscribe_options how, handler on_message);
  void unsubscribe(const std::string& filter, const std::shared_ptr<subscriber>& who);
  std::optional<failure> refusal(const message& m) const;
};

} // namespace outband::bus
