/// The configuration file of the Mosquitto that Outband runs with.
///
/// Two TLS listeners, because Mosquitto either requires a client certificate on a listener or does
/// not ask for one: machines show a certificate whose common name becomes the user name, people and
/// systems show a ticket as the password. Who may do what is the plugin's business
/// (bus/broker-plugin); there is no account file. WebSockets come through outbandd, not from here.
/// Context: pure.
#pragma once

#include "messages/domain/result.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace outband::bus {

struct broker_options {
  std::string data_dir;                           ///< persistence; the broker's user owns it
  std::vector<std::string> bind_addresses = {""}; ///< "" is every address
  std::uint16_t machine_port = 8883;              ///< TLS with client certificate
  std::uint16_t people_port = 8884;               ///< TLS with ticket; 0: none
  std::uint16_t plain_port = 0; ///< without TLS, loopback only, with ticket; 0: none

  std::string ca_file; ///< signs the machines' certificates
  std::string cert_file, key_file;
  std::string plugin_file;
  std::string ticket_key_file; ///< public keys (PEM) that verify tickets
  std::string revocation_file; ///< may be empty, or not exist yet
  std::string ticket_issuer = "outband";

  std::string run_as;                           ///< user to become when started as root
  std::vector<std::string> log_to = {"stderr"}; ///< values of log_dest
  bool log_connections = false;                 ///< one line per connect and disconnect

  /// Limits; Mosquitto's defaults drop silently (20 in flight, 1000 queued).
  std::uint32_t max_inflight = 200; ///< also the Receive Maximum that clients are told
  std::uint32_t max_queued = 200'000;
  std::uint32_t max_queued_bytes = 64 * 1024 * 1024;
  std::uint32_t max_payload = 524'288; ///< octets; as large as a document of messages/bus may be
  std::uint32_t autosave_s = 900;      ///< correctness does not depend on it (outbox canary)
  std::uint32_t sys_interval_s = 30;   ///< how often $SYS is published (bus/broker_figures)
};

/// mosquitto.conf; fails with the field when a value is missing or cannot be written in a line.
result<std::string> broker_config(const broker_options& options);

} // namespace outband::bus
