/// MQTT 5 to a real broker, through Paho (which no header of ours includes).
///
/// Two connections: one receives, one publishes. Paho sets no TCP_NODELAY, so an acknowledgement
/// and a publication on one connection wait for each other (88 ms instead of 0.15 ms for a request
/// and its answer). The will and `client_id` belong to the publishing one; the receiving one is
/// "{client_id}-rx". `connected()` means: both are up and the broker has taken every subscription.
///
/// Publications go out in the order of the calls, at most min(window, the broker's Receive Maximum)
/// unacknowledged; nothing waits inside Paho, which looks at what waits only once a second. A
/// publication that follows a new subscription waits for its SUBACK.
///
/// Threads: one of its own for timers, handlers and completions, besides Paho's two per process.
#pragma once

#include "bus/endpoint.hpp"

#include <map>

namespace outband::bus {

struct credentials {
  std::string username, password;
};
/// Asked before every connection, for tickets expire. Called on the endpoint's thread; answers
/// once, then or later, from any thread.
using credential_source = std::function<void(std::function<void(result<credentials>)>)>;
credential_source fixed_credentials(std::string username, std::string password);

struct mqtt_options {
  std::string host = "localhost";
  std::uint16_t port = 8883;
  bool tls = true;
  std::string ca_file;             ///< PEM; needed with tls
  std::string cert_file, key_file; ///< PEM; empty: no client certificate
  bool verify_host = true;         ///< `host` must be in the broker's certificate
  credential_source credentials;   ///< none: the certificate is enough
  /// Asked before every attempt of either connection; none: yes. Called on the endpoint's thread,
  /// answers once, then or later (a `true` that waits for a lease needs no asking again), from any
  /// thread. `false`: no attempt now, asked again after the back-off, which does not grow. For a
  /// client id that several processes share: the broker ends the loser's connections, and the
  /// loser must stay away.
  std::function<void(std::function<void(bool)>)> may_connect;

  std::string client_id;       ///< unique on the broker and stable: the broker fences by it
  std::string response_prefix; ///< requests are answered below it; empty: makes no requests
  /// The will of the connection that is about to be made (it may carry an epoch); none: no will.
  std::function<std::optional<message>()> will;
  std::chrono::seconds will_delay{0};     ///< works only within `session_expiry`
  std::chrono::seconds session_expiry{0}; ///< of the publishing connection
  bool clean_start = true;
  std::chrono::seconds keep_alive{60};

  std::size_t window = 100;
  std::size_t max_payload = 524'288; ///< octets; larger is refused here, not by the broker
  /// Full jitter: each delay is random(0, min(cap, base * 2^failures)). The first attempt is made
  /// at once; attempts never end.
  std::chrono::milliseconds reconnect_base{1000}, reconnect_cap{60'000};
  std::chrono::seconds connect_timeout{10};
  /// What has come and waits for handlers. Beyond either bound the receiving connection is dropped
  /// and made again, so that what is retained comes again and gaps in sequences show.
  std::size_t max_inbound = 65'536;
  std::size_t max_inbound_octets = 64 * 1024 * 1024;
  /// At destruction: how long what is in flight may take.
  std::chrono::milliseconds closing_grace{1000};
};

struct mqtt_counters {
  std::uint64_t connects = 0, connects_failed = 0, connections_lost = 0;
  std::uint64_t published = 0, publish_refused = 0, received = 0, subscribe_refused = 0;
  std::uint64_t retained_refused = 0;  ///< see subscribe_options::refuse_retained
  std::uint64_t inbound_overflows = 0; ///< connections dropped because handlers lagged
  std::uint64_t inbound_dropped = 0;   ///< messages that came between overflow and drop
  std::size_t inbound_waiting = 0;     ///< now
  /// Ended because somebody connected with our client id. Mosquitto 2.0 does not say so.
  std::uint64_t takeovers = 0;
  /// By MQTT reason code, 0x80 and above: refused connections, publications and subscriptions, and
  /// why the broker ended connections. (0x10, "no subscriber", Paho does not show.)
  std::map<int, std::uint64_t> by_reason;
};

class mqtt_endpoint final : public endpoint {
public:
  /// Starts connecting and returns at once.
  explicit mqtt_endpoint(mqtt_options options);
  /// Waits for what is in flight, at most `closing_grace`, and says goodbye (no will). Whatever is
  /// still open ends with problem::bus_unavailable. Not from a handler.
  ~mqtt_endpoint() override;

  void publish(message m, completion done = {}) override;
  subscription subscribe(std::string filter, subscribe_options options,
                         handler on_message) override;
  void request(message m, std::chrono::milliseconds deadline,
               std::function<bool(result<message>)> on_response) override;
  bool connected() const override;
  subscription on_connection(std::function<void(bool)> changed) override;

  mqtt_counters counters() const;
  /// Why the last attempt failed or the connection was lost; empty while connected.
  std::string last_error() const;

private:
  struct impl;
  std::shared_ptr<impl> impl_;
};

} // namespace outband::bus
