/// The event log as firmware keeps it: records of 21 octets.
/// Context: pure. Limits: 390 records, as captured devices have; then the oldest make room.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace outband::amtsim {

class device_model;
struct power_change;

inline constexpr std::size_t max_event_records = 390;
inline constexpr std::size_t event_record_size = 21;

struct event_log_state {
  event_log_state();                ///< three captured records
  std::vector<std::string> records; ///< oldest first
  bool frozen = false;
};

/// What a platform event says (IPMI's terms); time and source are added.
struct platform_event {
  std::uint8_t sensor_type = 0;
  std::uint8_t offset = 0;
  std::uint8_t severity = 1; ///< 1 monitor, 8 non-critical, 16 critical
  std::uint8_t entity = 34;  ///< 34 BIOS, 38 Intel(r) ME
  std::array<std::uint8_t, 8> data{};
};

/// A frozen log takes nothing.
void append_event(device_model& d, const platform_event& e, std::int64_t unix_s);
/// What a power change leaves in the log.
void log_power_change(device_model& d, const power_change& what, std::int64_t unix_s);

} // namespace outband::amtsim
