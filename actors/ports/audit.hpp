/// Recording what is over: sign-ins, registrations, refusals. What has yet to be carried out is
/// begun and finished at the store (store.hpp, "audit").
#pragma once

#include "messages/domain/audit.hpp"

#include <string>
#include <vector>

namespace outband {

/// Threads: called from any thread, never blocks. Nobody is told whether it succeeded: what could
/// not be stored is in the log. Node and, if it is nil, id are filled in.
class audit_port {
public:
  virtual ~audit_port() = default;

  /// All with the same outcome; one statement.
  virtual void record(std::vector<audit_entry> what, const audit_outcome& outcome) = 0;
  /// For what somebody can cause at will. `source` ("op/alice", an address) has ten rows a minute;
  /// what comes beyond is one more row at the minute's end, with a count.
  virtual void record_limited(const std::string& source, audit_entry what,
                              audit_outcome outcome) = 0;
};

} // namespace outband
