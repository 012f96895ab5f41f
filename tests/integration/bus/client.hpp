/// A bare MQTT client that shows what the broker answers: the reason codes that bus::endpoint turns
/// into problems or hides.
#pragma once

#include "bus/mqtt_endpoint.hpp"

#include <memory>
#include <string>
#include <vector>

namespace outband::test {

class raw_client {
public:
  explicit raw_client(const bus::mqtt_options& options);
  ~raw_client();
  raw_client(const raw_client&) = delete;
  raw_client& operator=(const raw_client&) = delete;

  /// 0, or the CONNACK reason code (or Paho's negative error).
  int connect();
  /// PUBACK reason code; 0x10 (nobody listens) is not shown by Paho and reads 0.
  int publish(const std::string& topic, const std::string& payload = "x", bool retain = false);
  /// SUBACK reason code: 0 to 2 is granted.
  int subscribe(const std::string& filter);
  bool connected() const;
  /// Waits until the broker has ended the connection.
  bool wait_disconnected();
  /// All topics that have come up to now.
  std::vector<std::string> topics() const;
  bool wait_topic(const std::string& topic);

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace outband::test
