/// The connection to the broker with a ticket of the REST server.
/// Context: any thread; the endpoint has its own.
#pragma once

#include "bus/endpoint.hpp"
#include "tools/cli/api.hpp"

#include <functional>
#include <memory>

namespace outband::cli {

/// A fresh ticket: called on a thread of its own before every connection but the first.
using ticket_source = std::function<result<bus_ticket>()>;

/// Connected or not: says so later. Asked by tests for an in-process one.
struct bus_link {
  std::unique_ptr<bus::endpoint> endpoint;
  std::string where; ///< "host:port", for people
  /// Why it is not connected; empty while it is.
  std::function<std::string()> trouble;
};
using bus_opener =
    std::function<result<bus_link>(const bus_ticket& first, const session& as, ticket_source next)>;

/// Where the ticket's broker is: what the person said, else what the server announced, else the
/// server's own host; at port 8883 unless told. A loopback address announced by another machine
/// means that machine.
struct broker_address {
  std::string host;
  int port = 8883;
};
broker_address broker_of(const bus_ticket& t, const https::server_name& rest,
                         const std::string& said = {});

/// Over MQTT 5 and TLS. The broker's certificate is verified with the roots that the REST server
/// named, else with the user's, else with the system's; without any of them it refuses.
result<bus_link> open_mqtt(const bus_ticket& first, const session& as, ticket_source next);

} // namespace outband::cli
