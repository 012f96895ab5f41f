/// The only clock that decisions know.
#pragma once

#include "messages/domain/ids.hpp"

namespace outband {

class clock_port {
public:
  virtual ~clock_port() = default;
  /// Milliseconds UTC; for people and deadlines, never to order events.
  virtual time_ms now() const = 0;
  /// Fresh, time-ordered.
  virtual uuid new_id() = 0;
};

} // namespace outband
