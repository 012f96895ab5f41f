#include "messages/rest/host.hpp"

#include <openssl/sha.h>

#include <algorithm>
#include <array>

namespace outband::rest {

namespace {

constexpr std::string_view idle = "STATUS_INDICATION_IDLE";
constexpr std::string_view in_progress = "STATUS_INDICATION_IN_PROGRESS";
constexpr std::string_view error = "STATUS_INDICATION_ERROR";
constexpr std::string_view unspecified = "STATUS_INDICATION_UNSPECIFIED";

std::string_view reached_text(power_level l) {
  switch (l) {
  case power_level::on:
    return "Powered on";
  case power_level::off:
    return "Powered off";
  case power_level::sleep:
    return "Sleep state";
  case power_level::hibernate:
    return "Hibernate state";
  case power_level::unknown:
    return "Unknown";
  }
  return "Unknown";
}

std::string_view progress_text(power_target t) {
  switch (t) {
  case power_target::on:
    return "Powering on";
  case power_target::off:
    return "Powering off";
  case power_target::sleep:
    return "Sleeping";
  case power_target::hibernate:
    return "Hibernating";
  case power_target::keep:
    return "Unspecified";
  }
  return "Unspecified";
}

std::string trouble_text(const condition& c) {
  if (c.code == "waiting" || c.code == "link-down" || c.code == "stale-epoch")
    return "Device not found/connected";
  if (c.code == "device-timeout" || c.code == "expired")
    return "timeout while waiting response";
  if (c.reason.find("NOT_READY") != std::string::npos)
    return "Device must be powered on first";
  if (c.code == "transition-refused")
    return "mismatch between desired and current power state";
  return "Unknown error occurred. Check logs for more details.";
}

failure bad(std::string why, std::string field) {
  return fail(problem::malformed, std::move(why), std::move(field));
}

/// EMF's writable members that this server does not serve (yet): refused by name, not as unknown.
constexpr std::array<std::string_view, 9> elsewhere = {
    "desiredState",    "desiredAmtState", "amtControlMode", "amtDnsSuffix", "desiredKvmState",
    "desiredSolState", "siteId",          "metadata",       "note"};

} // namespace

std::string host_id(const device_id& guid) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(guid.bytes.data(), guid.bytes.size(), digest.data());
  static constexpr char hex[] = "0123456789abcdef";
  std::string out = "host-";
  for (std::size_t i = 0; i < 4; ++i) {
    out += hex[digest[i] >> 4];
    out += hex[digest[i] & 15];
  }
  return out;
}

bool is_host_id(std::string_view text) {
  return text.size() == 13 && text.substr(0, 5) == "host-" &&
         text.find_first_not_of("0123456789abcdef", 5) == std::string_view::npos;
}

std::string_view power_state_name(power_level l) {
  switch (l) {
  case power_level::on:
    return "POWER_STATE_ON";
  case power_level::off:
    return "POWER_STATE_OFF";
  case power_level::sleep:
    return "POWER_STATE_SLEEP";
  case power_level::hibernate:
    return "POWER_STATE_HIBERNATE";
  case power_level::unknown:
    return "POWER_STATE_UNSPECIFIED";
  }
  return "POWER_STATE_UNSPECIFIED";
}

std::string_view power_state_name(power_target t) {
  switch (t) {
  case power_target::on:
    return "POWER_STATE_ON";
  case power_target::off:
    return "POWER_STATE_OFF";
  case power_target::sleep:
    return "POWER_STATE_SLEEP";
  case power_target::hibernate:
    return "POWER_STATE_HIBERNATE";
  case power_target::keep:
    return "POWER_STATE_UNSPECIFIED";
  }
  return "POWER_STATE_UNSPECIFIED";
}

std::string_view power_policy_name(power_policy p) {
  switch (p) {
  case power_policy::ordered:
    return "POWER_COMMAND_POLICY_ORDERED";
  case power_policy::immediate:
    return "POWER_COMMAND_POLICY_IMMEDIATE";
  }
  return "POWER_COMMAND_POLICY_UNSPECIFIED";
}

host_status power_status(const desired_state& wanted, const current_state& now) {
  auto wrong = std::find_if(now.conditions.begin(), now.conditions.end(),
                            [](const condition& c) { return c.type == "power" && !c.ok; });
  if (wrong == now.conditions.end()) {
    auto level = level_of(now.power.state);
    return {std::string(reached_text(level)), level == power_level::unknown ? unspecified : idle,
            now.power.since};
  }
  if (wrong->code == "in-progress")
    return {std::string(progress_text(wanted.power.target)), in_progress, wrong->since};
  return {trouble_text(*wrong), error, wrong->since};
}

result<host_patch> parse_host_patch(const json::value& body) {
  if (!body.members())
    return bad("must be an object, not " + std::string(json::type_name(body)), "body");
  host_patch out;
  for (const auto& m : *body.members()) {
    const auto* text = m.val.text();
    const bool known =
        m.name == "name" || m.name == "desiredPowerState" || m.name == "powerCommandPolicy";
    if (std::find(elsewhere.begin(), elsewhere.end(), m.name) != elsewhere.end())
      return bad("cannot be changed on this server", m.name);
    if (!known)
      return bad("is not a member that can be changed; those are name, desiredPowerState, "
                 "powerCommandPolicy",
                 m.name.substr(0, 64));
    if (!text)
      return bad("must be a string, not " + std::string(json::type_name(m.val)), m.name);
    if (m.name == "name") {
      if (text->empty() || text->size() > 255 ||
          std::any_of(text->begin(), text->end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }))
        return bad("must have 1 to 255 octets without control characters", m.name);
      out.name = *text;
    } else if (m.name == "desiredPowerState") {
      if (*text == "POWER_STATE_RESET" || *text == "POWER_STATE_RESET_REPEAT") {
        out.once = power_once::reset;
      } else if (*text == "POWER_STATE_POWER_CYCLE") {
        out.once = power_once::cycle;
      } else {
        for (auto t : {power_target::on, power_target::off, power_target::sleep,
                       power_target::hibernate, power_target::keep})
          if (*text == power_state_name(t))
            out.target = t;
        if (!out.target)
          return bad("must be one of POWER_STATE_ON, _OFF, _SLEEP, _HIBERNATE, _RESET, "
                     "_RESET_REPEAT, _POWER_CYCLE, _UNSPECIFIED",
                     m.name);
      }
    } else {
      for (auto p : {power_policy::ordered, power_policy::immediate})
        if (*text == power_policy_name(p))
          out.policy = p;
      if (!out.policy && *text != "POWER_COMMAND_POLICY_UNSPECIFIED")
        return bad("must be POWER_COMMAND_POLICY_ORDERED or POWER_COMMAND_POLICY_IMMEDIATE",
                   m.name);
    }
  }
  return out;
}

std::string_view grpc_code(problem p) {
  switch (p) {
  case problem::malformed:
  case problem::too_large:
    return "InvalidArgument";
  case problem::unauthenticated:
    return "Unauthenticated";
  case problem::forbidden:
    return "PermissionDenied";
  case problem::not_found:
    return "NotFound";
  case problem::already_exists:
    return "AlreadyExists";
  case problem::revision_conflict:
  case problem::stale_epoch:
  case problem::cancelled:
  case problem::outcome_unknown:
    return "Aborted";
  case problem::transition_refused:
  case problem::device_refused:
  case problem::device_auth:
  case problem::duplicate_guid:
    return "FailedPrecondition";
  case problem::unsupported:
    return "Unimplemented";
  case problem::busy:
    return "ResourceExhausted";
  case problem::expired:
  case problem::device_timeout:
    return "DeadlineExceeded";
  case problem::link_down:
  case problem::store_unavailable:
  case problem::bus_unavailable:
  case problem::stale_controller:
    return "Unavailable";
  case problem::device_protocol:
  case problem::internal:
    return "Internal";
  }
  return "Internal";
}

} // namespace outband::rest
