/// The bus within one process: what a site that plays every role in one program uses for topics
/// that nobody outside needs, and what unit tests use.
///
/// One thread of its own delivers in order, so handlers never run inside publish(). A message
/// passes as a shared payload, not as a copy.
#pragma once

#include "bus/endpoint.hpp"

#include <memory>
#include <string>

namespace outband::bus {

struct local_options {
  std::string response_prefix; ///< e.g. "oob/v1/-/inst/n1/node/reply"; empty: makes no requests
  std::size_t window = 10'000; ///< unfinished publications; beyond it publish() answers busy
};

class local_bus {
public:
  local_bus();
  /// Endpoints may outlive it; whoever is last ends the thread, so not from a handler.
  ~local_bus();
  local_bus(const local_bus&) = delete;
  local_bus& operator=(const local_bus&) = delete;

  /// One participant; any number may share the bus. Its destructor returns when none of its
  /// handlers is running any more.
  std::unique_ptr<endpoint> attach(local_options options = {});

private:
  struct core;
  std::shared_ptr<core> core_;
};

} // namespace outband::bus
