/// The firmware's two logs, newest record first: events (AMT_MessageLog) and audit (AMT_AuditLog).
///
/// Each can also be asked for what came after a cursor, so that new records can be published. A
/// cursor is text to be kept and handed back; the empty one means: from here on, tell me where I
/// am. Source: MPS src/routes/amt/{auditLog,eventLog}.ts. Context: pure, see wsman/talk.hpp.
/// Limits: 4,000 events, 500 audit records in one answer to a cursor.
#pragma once

#include "messages/amt/audit_record.hpp"
#include "messages/amt/event_record.hpp"
#include "messages/wsman/talk.hpp"

#include <string>
#include <vector>

namespace outband::amt {

struct event_log {
  std::vector<event_record> records; ///< newest first
};
result<event_log> get_event_log(wsman::talk& t);

struct new_events {
  std::vector<event_record> records; ///< oldest first, the order in which to publish them
  std::string cursor;                ///< for the next time
  bool gap = false;                  ///< the log no longer holds the record of the cursor
};
/// What of the log came after the cursor.
result<new_events> events_after(const event_log& log, const std::string& cursor);

struct audit_page {
  std::uint32_t total = 0;
  std::vector<audit_record> records; ///< newest first
};
/// The page that begins with the `start`th newest record (1, also meant by 0). A page is as long as
/// what the firmware tells at once, about ten records.
result<audit_page> get_audit_page(wsman::talk& t, std::uint32_t start);

struct new_audit_records {
  std::vector<audit_record> records; ///< oldest first
  std::string cursor;
  bool gap =
      false; ///< some may be missing: the log was cleared, or rolled over the cursor's record
};
result<new_audit_records> audit_after(wsman::talk& t, const std::string& cursor);

} // namespace outband::amt
