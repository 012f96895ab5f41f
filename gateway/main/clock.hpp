/// The wall clock, and ids ordered by it. Threads: any.
#pragma once

#include "actors/ports/clock.hpp"

namespace outband {

class system_clock final : public clock_port {
public:
  time_ms now() const override;
  uuid new_id() override;
};

} // namespace outband
