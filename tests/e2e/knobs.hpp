/// How thorough a run is, from the environment. The variables are taken out of it before anything
/// is started: outbandd refuses to start with an OUTBAND_... variable that it does not know.
#pragma once

#include <cstdint>

namespace outband::e2e {

struct knobs {
  bool full = false;      ///< OUTBAND_FULL=1: sizes of production
  int chaos_minutes = 0;  ///< OUTBAND_CHAOS_MINUTES; 0: a few rounds
  std::uint64_t seed = 0; ///< OUTBAND_SEED; else a new one at each run
};
const knobs& how_thorough();

} // namespace outband::e2e
