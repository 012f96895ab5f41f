/// One connection to a broker that is made again for ever. Internal to bus/: the only header that
/// includes Paho.
///
/// Context: every member but the constructor runs as a task of the scheduler; stop() is for the
/// thread that destroys the endpoint. Paho's threads only convert and post.
#pragma once

#include "bus/mqtt_endpoint.hpp"
#include "bus/scheduler.hpp"

#include <map>
#include <mqtt/async_client.h>
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
};

class mqtt_link : public std::enable_shared_from_this<mqtt_link> {
public:
  /// `publishes`: this is the connection with the will.
  mqtt_link(std::shared_ptr<scheduler> loop, const mqtt_options& options, bool publishes,
            link_events events);

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

private:
  enum class state { idle, waiting, asking, connecting, up, closed };
  /// Paho calls it from its threads; the serial number says which operation it was.
  class listener final : public mqtt::iaction_listener {
  public:
    std::function<void(std::uint64_t serial, const mqtt::token& t, bool ok)> done;
    void on_success(const mqtt::token& t) override { report(t, true); }
    void on_failure(const mqtt::token& t) override { report(t, false); }

  private:
    void report(const mqtt::token& t, bool ok);
  };

  std::unique_ptr<mqtt::async_client> make_client();
  void attempt();
  void connect(const credentials& who);
  mqtt::connect_options options_for(const credentials& who) const;
  void connected(std::uint64_t attempt, const link_limits& limits);
  void failed(std::uint64_t attempt, const std::string& why);
  void lost(std::uint64_t attempt, const std::string& why);
  void retry_later();
  void finish(std::uint64_t serial, status outcome);
  void fail_open(const std::string& why);
  std::uint64_t open(endpoint::completion done);

  const std::shared_ptr<scheduler> loop_; ///< shared: Paho and credential sources post late
  const mqtt_options options_;
  const bool publishes_;
  link_events events_;
  std::mt19937_64 random_{std::random_device{}()};

  state state_ = state::idle;
  std::uint64_t attempt_ = 0; ///< number of the latest attempt; answers to older ones are ignored
  unsigned failures_ = 0;     ///< since the last connection that lasted
  scheduler::clock::time_point up_since_{};
  scheduler::timer timer_{};
  std::uint64_t serial_ = 0;
  std::map<std::uint64_t, endpoint::completion> open_;

  listener on_connect_, on_publish_, on_subscribe_;
  /// A new one for each attempt: MQTTAsync_connect changes what Paho's own threads may still be
  /// reading after a failed attempt, and keeps a pointer to that attempt's token (paho.mqtt.c
  /// 1.3.12 src/MQTTAsync.c). Last, so that the listeners outlive it.
  std::unique_ptr<mqtt::async_client> client_;
};

/// What a broker's MQTT 5 reason code (0x80 and above) means to a caller.
failure reason_failure(int code);

} // namespace outband::bus
