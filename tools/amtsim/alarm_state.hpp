/// Alarms that wake a machine. Context: pure. Limits: 5, as firmware has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace outband::amtsim {

inline constexpr std::size_t max_alarms = 5;

struct alarm {
  std::string id;
  std::string name;
  std::int64_t at_s = 0;       ///< by the firmware's clock
  std::uint32_t every_min = 0; ///< 0: once
  bool delete_when_done = false;
  bool done = false; ///< rang, and does not again
};

struct alarm_state {
  std::vector<alarm> alarms;

  /// When the next rings.
  std::optional<std::int64_t> next() const;
  /// Moves on what is due. True: something rang.
  bool ring(std::int64_t now_s);
};

/// "P1DT2H30M" -> 1590 minutes.
std::optional<std::uint32_t> parse_interval(std::string_view text);
std::string interval_text(std::uint32_t minutes);

} // namespace outband::amtsim
