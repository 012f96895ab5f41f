/// The audit log's tables. Source: MPS src/utils/constants.ts, AMTAuditStringTable, RealmNames
/// (its "Hiberate" is spelt right here). Context: pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace outband::amt {

/// Empty outside the tables.
std::string_view audit_app_name(std::uint32_t app);
/// `key` = app * 100 + event
std::string_view audit_event_name(std::uint32_t key);
std::string_view realm_name(std::uint32_t realm);

} // namespace outband::amt
