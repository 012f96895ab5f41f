/// One record of AMT_AuditLog, big-endian, of variable length; and what it means in words.
///
/// Source: MPS src/routes/amt/auditLog.ts; serial numbers, host and domain names:
/// go-wsman-messages pkg/wsman/amt/auditlog/decoder.go. Context: pure, any thread.
#pragma once

#include "messages/domain/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace outband::amt {

enum class initiator_type : std::uint8_t {
  http_digest = 0,
  kerberos = 1,
  local = 2,
  kvm_default_port = 3,
};

struct audit_record {
  std::uint16_t app = 0;                            ///< 16 Security Admin ...
  std::uint16_t event = 0;                          ///< within the app
  initiator_type initiator = initiator_type::local; ///< any octet; named ones above
  std::string initiator_name;     ///< user name or SID; of the rest what MPS calls them
  std::uint32_t time = 0;         ///< seconds since 1970 by the machine's clock
  std::uint8_t location_type = 0; ///< 0 IPv4, 1 IPv6, 2 none
  std::string net_address;
  std::string extended; ///< octets; see extended_text()
  std::string raw;      ///< base64, as the firmware wrote it
  bool readable = true; ///< false: only `raw` is of use
};

/// `base64` as in EventRecords.
result<audit_record> read_audit_record(std::string_view base64);
/// "Security Admin"; "#31" outside the table.
std::string audit_app_text(std::uint16_t app);
/// "Provisioning Completed"; "#7" outside the table.
std::string audit_event_text(std::uint16_t app, std::uint16_t event);
/// "Remote ServerAuth, Local NoAuth"; nullopt where nothing is known to say or the data are short.
std::optional<std::string> extended_text(const audit_record& r);
/// "S-1-5-21-..." of a binary SID.
std::string sid_text(std::string_view octets);
/// Octets as code points, which is how MPS puts them into JSON.
std::string latin1_to_utf8(std::string_view octets);

} // namespace outband::amt
