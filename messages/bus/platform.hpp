/// Documents that only our own programs exchange and that no domain struct stands for.
/// Context: pure. Times are milliseconds UTC.
#pragma once

#include "messages/domain/ids.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace outband::bus {

/// On `ctl/wake`: the store has something new. A hint: losing it costs time, never state.
struct wake {
  device_ref device;
  std::string what; ///< "desired", "command"; "tenant...": of no device
};

/// On `inst/{i}/node/presence`, retained; the will says `up = false`.
struct node_presence {
  uuid incarnation; ///< of one process life
  std::string instance;
  bool up = false;
  std::uint64_t links = 0;          ///< tunnels at the moment of publishing, for people
  std::vector<std::string> roles{}; ///< "controller", "terminator", "api"; empty: not said
  bool draining = false;            ///< lets its machines go and takes no new ones
};
inline constexpr std::size_t max_node_roles = 8;

/// On `{tenant}/meta/bus`, retained: which incarnations of terminators live. A device's presence
/// "up" holds only while the incarnation that it names is here and up, so that the end of a node is
/// one message per tenant and not one per device.
struct bus_instance {
  std::string instance;
  uuid incarnation;
  bool up = false;
};
struct bus_instances {
  std::vector<bus_instance> instances;
};
/// With the longest names that many just fit into a payload.
inline constexpr std::size_t max_bus_instances = 1000;

/// On `ctl/presence`, retained; the will says `up = false`.
struct controller_presence {
  std::string instance;
  uuid incarnation;
  std::uint64_t epoch = 0; ///< of the controller's lease
  bool up = false;
};

/// On `broker/canary`, retained, written through the outbox's own connection: a store that holds
/// generation g holds everything published before g.
struct canary {
  std::uint64_t gen = 0;
  time_ms at = 0;
};

} // namespace outband::bus
