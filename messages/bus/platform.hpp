/// Documents that only our own programs exchange and that no domain struct stands for.
/// Context: pure. Times are milliseconds UTC.
#pragma once

#include "messages/domain/ids.hpp"

#include <cstdint>
#include <string>

namespace outband::bus {

/// On `ctl/wake`: the store has something new. A hint: losing it costs time, never state.
struct wake {
  device_ref device;
  std::string what; ///< "desired", "command"
};

/// On `inst/{i}/node/presence`, retained; the will says `up = false`.
struct node_presence {
  uuid incarnation; ///< of one process life
  std::string instance;
  bool up = false;
  std::uint64_t links = 0; ///< tunnels at the moment of publishing, for people
};

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
