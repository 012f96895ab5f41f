/// The audit log as firmware keeps it: binary records, oldest first.
/// Context: pure. Limits: 500 records; then the oldest make room, as storage policy 1 says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace outband::amtsim {

inline constexpr std::size_t max_audit_records = 500;

struct audit_state {
  audit_state(); ///< what a machine has that was set up and updated once
  std::vector<std::string> records;
  std::int64_t last_s; ///< when the last was written, by the firmware's clock
};

/// Who did it: a user of HTTP digest, or with an empty name the machine itself.
std::string audit_record(std::uint16_t app, std::uint16_t event, const std::string& user,
                         std::int64_t unix_s, const std::string& data);
void append_audit(audit_state& log, std::string record, std::int64_t unix_s);

} // namespace outband::amtsim
