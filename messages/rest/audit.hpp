/// What of a request may be kept in the audit trail, and a row of the trail as JSON.
///
/// What is kept is what the tables in audit.cpp name, act by act; whatever else a client sends is
/// counted as `omitted` and forgotten, so that a new member that holds a secret is never kept by
/// mistake. Context: pure, any thread. Limits: max_kept_argument; texts of 256 octets, lists of 64.
#pragma once

#include "messages/domain/audit.hpp"
#include "messages/rest/json.hpp"

#include <string>
#include <string_view>

namespace outband {

inline constexpr std::size_t max_kept_argument = 4096;

/// A JSON object, or empty if there is nothing to tell. `act` is "features.set" or
/// "amt.features.set".
std::string audit_argument(std::string_view act, const json::value& argument);
std::string audit_argument(const request_body& body);

/// {"id","at","act","device",...}: GET /api/v1/audit, one line of the export.
json::value audit_json(const audit_row& row);

} // namespace outband
