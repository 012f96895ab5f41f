/// What the kernel says of this process, for /metrics. Threads: any; reads /proc, some 50 us.
#pragma once

#include <cstdint>
#include <optional>

namespace outband {

struct process_figures {
  std::uint64_t resident_octets = 0;
  std::uint64_t open_descriptors = 0;
  std::uint64_t threads = 0;
  double cpu_seconds = 0; ///< user and system
};
/// What could not be read stays 0.
process_figures own_process();

} // namespace outband
