/// The audit trail: who asked what of which machine, when, by which channel, what came of it.
///
/// A record never holds a secret: `argument` is what messages/rest/audit.hpp lets through.
/// Context: pure, any thread.
#pragma once

#include "messages/domain/documents.hpp"
#include "messages/domain/ids.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace outband {

enum class audit_status : std::uint8_t {
  asked,    ///< stored before it is carried out; nothing is known yet
  done,     ///< also: the firmware answered
  failed,   ///< it was tried
  rejected, ///< it was not tried
  expired,  ///< its deadline passed before it could be tried
  unknown   ///< it was sent, or may have been, and nobody can tell what came of it
};
std::string_view to_string(audit_status s);
std::optional<audit_status> parse_audit_status(std::string_view text);

/// The tenant of what concerns no tenant: a sign-in under a name that does not exist.
inline constexpr std::string_view site_tenant = "-";

struct audit_entry {
  tenant_key tenant; ///< of who asks; or site_tenant
  uuid id;         ///< the request's, unique within the tenant; refusals and the like: a fresh one
  std::string act; ///< "features.set", "power.action", "device.add", "session.open", ...
  std::optional<device_id> device{};
  std::string by{};            ///< "op/alice"; empty: nobody that is known
  std::string channel{};       ///< "rest", "mqtt"
  std::string node{};          ///< that was asked
  std::string address{};       ///< of the client, if known
  std::string argument{};      ///< a JSON object without secrets; empty: none
  std::string argument_hash{}; ///< the same id with another argument is another request
  time_ms deadline = 0;        ///< of an act that is begun; an open one reads as `unknown` later
};

struct audit_outcome {
  audit_status status = audit_status::done;
  std::string code{};                          ///< of a problem: explain().code
  std::string text{};                          ///< one plain sentence
  std::optional<std::uint32_t> return_value{}; ///< the firmware's
  std::string document{}; ///< what a resent request is answered with; encoded by who asks for it
};
/// Its document stays empty.
audit_outcome outcome_of(const response& r);
audit_outcome outcome_of(audit_status s, const failure& why);

struct audit_row {
  audit_entry entry;
  audit_outcome outcome{};
  time_ms at = 0;       ///< the database's clock
  time_ms finished = 0; ///< 0: open
  std::uint64_t count =
      1; ///< so many alike in this row: what comes in floods is not written singly
};

/// An open act without a word so long after its deadline reads as `unknown`.
inline constexpr time_ms audit_grace = 5'000;

/// What the bus is told. Everybody who sees the machine may read it, so it names neither argument
/// nor address.
event event_of(const audit_entry& e, const audit_outcome& o);

} // namespace outband
