#include "gateway/main/clock.hpp"

#include <array>
#include <chrono>
#include <cstring>
#include <random>

namespace outband {

time_ms system_clock::now() const {
  using namespace std::chrono;
  return duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

uuid system_clock::new_id() {
  // Ids must be unique, not secret: a generator per thread, seeded by the system.
  thread_local std::mt19937_64 generator = [] {
    std::random_device seed;
    std::seed_seq all{seed(), seed(), seed(), seed(), seed(), seed(), seed(), seed()};
    return std::mt19937_64(all);
  }();
  std::array<std::uint8_t, 10> random{};
  const auto a = generator(), b = generator();
  std::memcpy(random.data(), &a, 8);
  std::memcpy(random.data() + 8, &b, 2);
  return make_uuid_v7(now(), random);
}

} // namespace outband
