/// A real Mosquitto with Outband's own configuration and plugin, certificates and ticket key.
#pragma once

#include "bus/broker_config.hpp"
#include "bus/mqtt_endpoint.hpp"
#include "messages/ticket/claims.hpp"
#include "tests/support/certs.hpp"
#include "tests/support/mosquitto.hpp"
#include "tests/support/tempdir.hpp"

#include <atomic>
#include <condition_variable>
#include <ctime>
#include <functional>
#include <mutex>

namespace outband::test {

class broker {
public:
  /// `change`: what differs from Outband's own configuration.
  explicit broker(const std::function<void(bus::broker_options&)>& change = {});

  mosquitto& process() { return *process_; }
  std::uint16_t machine_port() const { return options_.machine_port; }
  std::uint16_t people_port() const { return options_.people_port; }
  std::uint16_t plain_port() const { return options_.plain_port; } ///< 0: none
  std::string store_file() const { return folder_.file("mosquitto.db"); }
  const std::string& ca_file() const { return options_.ca_file; }
  const ticket::signing_key& key() const { return key_; }
  const tempdir& folder() const { return folder_; }
  void revoke(const std::string& line);

  /// Options of a machine with a certificate of this common name, made on the spot.
  bus::mqtt_options machine(const std::string& common_name, const std::string& client_id);
  /// Options of a person or system with a ticket as password.
  bus::mqtt_options person(const std::string& username, const std::string& ticket,
                           const std::string& client_id) const;
  /// A good ticket.
  std::string ticket_for(const bus_identity& who,
                         std::chrono::seconds lifetime = std::chrono::hours(1)) const;

private:
  tempdir folder_;
  certificate_authority ca_;
  ticket::signing_key key_;
  bus::broker_options options_;
  std::unique_ptr<mosquitto> process_;
  int serial_ = 0;
};

/// One for all tests that do not stop it or change its files.
broker& shared_broker();

inline bus_identity identity(principal::kind kind, std::string tenant, std::string name, role r) {
  return {{kind, std::move(tenant), std::move(name)}, r};
}

/// Waits until the endpoint is connected.
bool wait_connected(bus::endpoint& e, bool up = true);

} // namespace outband::test
