#include "gateway/main/own_process.hpp"

#include <filesystem>
#include <fstream>
#include <sys/resource.h>
#include <unistd.h>

namespace outband {

namespace {

std::uint64_t entries_of(const char* folder) {
  std::error_code ec;
  std::uint64_t n = 0;
  for (std::filesystem::directory_iterator at(folder, ec), end; !ec && at != end; at.increment(ec))
    ++n;
  return n;
}

double seconds_of(const timeval& t) {
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
}

} // namespace

process_figures own_process() {
  process_figures f;
  std::uint64_t size = 0, resident = 0; // proc(5), statm: in pages
  if (std::ifstream statm("/proc/self/statm"); statm >> size >> resident)
    f.resident_octets = resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  f.open_descriptors = entries_of("/proc/self/fd");
  if (f.open_descriptors > 0)
    --f.open_descriptors; // the one that was used for looking
  f.threads = entries_of("/proc/self/task");
  rusage used{};
  if (::getrusage(RUSAGE_SELF, &used) == 0)
    f.cpu_seconds = seconds_of(used.ru_utime) + seconds_of(used.ru_stime);
  return f;
}

} // namespace outband
