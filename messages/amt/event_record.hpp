/// One record of AMT_MessageLog (the event log): 21 octets, and what they mean in words.
///
/// Source: MPS src/routes/amt/eventLog.ts; texts also MeshCommander amt-0.2.0.js and
/// go-wsman-messages pkg/wsman/amt/messagelog. Context: pure, any thread.
#pragma once

#include "messages/domain/result.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace outband::amt {

/// IPMI's platform event trap severities.
enum class event_severity : std::uint8_t {
  unspecified = 0,
  monitor = 1,
  information = 2,
  ok = 4,
  non_critical = 8,
  critical = 16,
  non_recoverable = 32,
};

struct event_record {
  std::uint32_t time = 0; ///< seconds since 1970 by the machine's clock; 0: it did not know
  std::uint8_t device_address = 0;
  std::uint8_t sensor_type = 0;
  std::uint8_t event_type = 0;
  std::uint8_t offset = 0;
  std::uint8_t source_type = 0;
  event_severity severity = event_severity::unspecified; ///< any octet; named ones above
  std::uint8_t sensor_number = 0;
  std::uint8_t entity = 0;
  std::uint8_t entity_instance = 0;
  std::array<std::uint8_t, 8> data{};
  std::string raw; ///< base64, as the firmware wrote it
};

/// `base64` as in RecordArray.
result<event_record> read_event_record(std::string_view base64);
/// "BIOS"; "Unknown" outside the table.
std::string_view entity_name(std::uint8_t entity);
/// "Starting operating system boot process"; nullopt where nothing is known to say.
std::optional<std::string> describe(const event_record& r);

} // namespace outband::amt
