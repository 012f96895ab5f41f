/// One connection to a broker that is made again for ever. Internal to bus/.
///
/// Context: every member but the constructor runs as a task of the scheduler; stop() is for the
/// thread that destroys the endpoint. Paho's threads only convert and post.
#pragma once

#include "bus/mqtt_endpoint.hpp"
#include "bus/scheduler.hpp"

#include <atomic>
#include <map>
#include <random>

namespace outband::bus {

struct link_limits {
  std::size_t receive_maximum = 65535; ///< unacknowledged publications the broker takes
  std::size_t maximum_packet = 0;      ///< octets; 0: not said
};

struct link_events {
  std::function<void(const link_limits&)> up;
  std::function<void(const std::string& why)> down;   ///< after up
  std::function<void(const std::string& why)> failed; ///< an attempt
  std::function<void(message, std::vector<std::uint32_t> subscription_ids)> received;
  std::function<void(int code)> reason; ///< 0x80 and above, of CONNACK, PUBACK, SUBACK, DISCONNECT
};

/// What has come and waits for its handlers. Any thread.
struct inbound_queue {
  std::size_t max_messages = 0, max_octets = 0;
  std::atomic<std::size_t> messages{0}, octets{0};
  std::atomic<std::uint64_t> overflows{0}; ///< times that the bound was reached
  std::atomic<std::uint64_t> dropped{0};   ///< messages that came after it

  /// Octets that a message takes up, about.
  static std::size_t cost(const message& m) {
    return sizeof(message) + m.topic.size() + m.payload->size() + m.content_type.size() +
           m.response_topic.size() + m.correlation.size();
  }
  bool enter(std::size_t cost);
  void leave(std::size_t cost);
};

class mqtt_link : public std::enable_shared_from_this<mqtt_link> {
public:
  /// `publishes`: this is the connection with the will.
  mqtt_link(std::shared_ptr<scheduler> loop, const mqtt_options& options, bool publishes,
            link_events events);
  ~mqtt_link();

  void start();
  bool is_up() const { return state_ == state::up; }
  /// Completes exactly once; with bus_unavailable when the connection is lost.
  void publish(const message& m, endpoint::completion done);
  void subscribe(std::uint32_t id, const std::string& filter, const subscribe_options& options,
                 endpoint::completion done);
  void unsubscribe(const std::string& filter);
  /// No further attempts; what is open ends with bus_unavailable.
  void close();
  /// After close(), from outside the scheduler: says goodbye, at most two seconds.
  void disconnect();

  /// Shared with Paho's thread, and read by anybody.
  const std::shared_ptr<inbound_queue>& inbound() const { return inbound_; }

private:
  enum class state { idle, waiting, asking, connecting, up, closed };
  struct client; ///< Paho's

  void make_client();
  void attempt();
  void ask_credentials(std::uint64_t attempt);
  void connect(const credentials& who);
  void connected(std::uint64_t attempt, const link_limits& limits);
  void failed(std::uint64_t attempt, const std::string& why);
  void lost(std::uint64_t attempt, const std::string& why);
  void overflowed(std::uint64_t attempt);
  void wait_and_attempt();
  void finish(std::uint64_t serial, status outcome, int code);
  void fail_open(const std::string& why);
  std::uint64_t open(endpoint::completion done);

  const std::shared_ptr<scheduler> loop_; ///< shared: Paho and credential sources post late
  const mqtt_options options_;
  const bool publishes_;
  link_events events_;
  const std::shared_ptr<inbound_queue> inbound_;
  std::mt19937_64 random_{std::random_device{}()};

  state state_ = state::idle;
  std::uint64_t attempt_ = 0; ///< number of the latest attempt; answers to older ones are ignored
  unsigned failures_ = 0;     ///< since the last connection that lasted
  scheduler::clock::time_point up_since_{};
  scheduler::timer timer_{};
  std::uint64_t serial_ = 0;
  std::map<std::uint64_t, endpoint::completion> open_;
  std::unique_ptr<client> client_; ///< last: its listeners post to us
};

/// What a broker's MQTT 5 reason code (0x80 and above) means to a caller.
failure reason_failure(int code);

} // namespace outband::bus
