/// EMF's host resource: ids, enum names, status texts, and what PATCH may say.
///
/// Source: open-edge-platform infra-core inventory/api/compute/v1/compute.proto and apiv2;
///   status texts infra-external dm-manager/pkg/status/status.go. JSON is lowerCamelCase with full
///   proto names of enum values. Context: pure, any thread.
#pragma once

#include "messages/domain/documents.hpp"
#include "messages/rest/json.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace outband::rest {

/// "host-" and the first 8 hex digits of SHA-256 over the GUID's octets: the same on every node and
/// after every restart. Two machines of a site may share one (a chance of 1% at 9,000); whoever
/// looks one up must be ready for that.
std::string host_id(const device_id& guid);
/// "host-" and 8 lower-case hex digits.
bool is_host_id(std::string_view text);

std::string_view power_state_name(power_level l);   ///< "POWER_STATE_ON"
std::string_view power_state_name(power_target t);  ///< keep: "POWER_STATE_UNSPECIFIED"
std::string_view power_policy_name(power_policy p); ///< "POWER_COMMAND_POLICY_ORDERED"

struct host_status {
  std::string text;           ///< EMF's exact words
  std::string_view indicator; ///< "STATUS_INDICATION_IDLE"
  time_ms since = 0;
};
/// `wanted` and `now` in one line, as EMF's power_status.
host_status power_status(const desired_state& wanted, const current_state& now);

struct host_patch {
  std::optional<std::string> name;
  std::optional<power_target> target;
  std::optional<power_once> once; ///< POWER_STATE_RESET, _RESET_REPEAT, _POWER_CYCLE
  std::optional<power_policy> policy;
};
/// problem::malformed with the member in `field`: unknown, of a wrong type, or a value that exists
/// in EMF but that this server does not set.
result<host_patch> parse_host_patch(const json::value& body);

/// The gRPC name that EMF's errors carry: {"code":"InvalidArgument","message":...}
std::string_view grpc_code(problem p);

} // namespace outband::rest
