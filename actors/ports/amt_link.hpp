/// A tunnel (or direct connection) as the link actor sees it. Implemented by gateway/amt over a
/// CIRA tunnel; a fake in tests.
///
/// Threads: called from the actor pool, never blocks; completions run on the tunnel's I/O thread,
/// exactly once, and must hand over. When the tunnel ends, every open call ends with
/// problem::link_down (or outcome_unknown if the request had been written).
#pragma once

#include "messages/domain/documents.hpp"
#include "messages/domain/result.hpp"

#include <chrono>
#include <functional>
#include <string>

namespace outband {

/// One HTTP exchange with the firmware, digest done.
struct soap_answer {
  int status = 0;   ///< 200, 400 (fault), ...
  std::string body; ///< at most 1 MiB
};

class amt_link_port {
public:
  virtual ~amt_link_port() = default;
  /// POST /wsman. 401 is handled inside (fresh nonce, new channel); device_auth when refused twice.
  virtual void post(std::string envelope, std::chrono::milliseconds timeout,
                    std::function<void(result<soap_answer>)> cb) = 0;
  /// Ends the tunnel. Idempotent; `link_down` follows by the usual way.
  virtual void close(link_end why, std::string text) = 0;
};

} // namespace outband
