/// WS-Eventing: who wants to be told what, and what is on its way.
///
/// Subscribe on a CIM_FilterCollection names a URL; firmware POSTs a CIM_AlertIndication to it for
/// every alert that the filter lets through, with the subscriber's reference parameters in the
/// header. Through CIRA it asks the server for a "direct-tcpip" channel to that URL's host.
/// Source: Intel's AMT Implementation and Reference Guide, "WS-Eventing"; Intel's LMS; MeshCentral
///   amt-wsman.js ExecSubscribe; captured events in the tests of rpc's and MeshCentral's agents.
/// Context: pure. Limits: 9 subscribers, as AMT 6 and newer have; a URL of 253 octets; 16 events
/// that wait.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

namespace outband::amtsim {

class device_model;

inline constexpr std::size_t max_subscribers = 9;
inline constexpr std::size_t max_waiting_events = 16;

struct subscription {
  std::uint32_t number = 0;
  std::string filter; ///< InstanceID of the CIM_FilterCollection
  std::string url;
  bool with_ack = false;
  /// Reference parameters to be repeated: an element with its namespace, and its text.
  std::vector<std::pair<std::pair<std::string, std::string>, std::string>> arguments;
};

struct outgoing_event {
  std::string host;
  std::uint16_t port = 80;
  std::string request; ///< HTTP, whole
};

struct subscription_state {
  std::vector<subscription> subscriptions;
  std::uint32_t next_number = 0;
  std::uint32_t next_event = 0;
  std::deque<outgoing_event> waiting;
  std::uint64_t raised = 0; ///< alerts, whether somebody wanted them or not
};

struct alert {
  std::string id;             ///< "iAMT0055", "PLAT0272"
  std::string argument;       ///< MessageArguments[0]: which of several meanings
  std::uint32_t severity = 2; ///< 2 information, 3 warning, 5 major
  bool of_platform = false;   ///< else about Intel AMT itself
};
/// Puts an event in the way to everybody who wants it. Cheap while nobody does.
void raise_alert(device_model& d, const alert& what, std::int64_t unix_s);

/// "http://host:port/path", "host:port" (as Intel's examples write it). False: no such thing.
bool split_url(const std::string& url, std::string& host, std::uint16_t& port, std::string& path);

} // namespace outband::amtsim
