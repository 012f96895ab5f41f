/// What may be asked of a machine's firmware, and what it answers.
///
/// One `amt_operation` may need several WS-MAN calls; messages/amt knows which.
/// Context: pure. Times are milliseconds UTC.
#pragma once

#include "messages/domain/ids.hpp"
#include "messages/domain/power.hpp"
#include "messages/domain/result.hpp"

#include <cstdint>
#include <string>
#include <variant>

namespace outband {

namespace amt {

struct read_power {};        ///< -> power_reading
struct read_capabilities {}; ///< -> power_capabilities
struct read_versions {};     ///< -> versions
struct request_power {       ///< -> power_ack
  power_action action;
};
/// An operation of the catalogue (messages/amt/catalogue.hpp). -> document
struct perform {
  std::string name;     ///< "features.set"
  std::string argument; ///< JSON, or sealed JSON; empty: none
  bool sealed = false;  ///< between nodes a secret argument is not in clear
};

/// CIM_AssociatedPowerManagementService and IPS_PowerManagementService.
struct power_reading {
  power_state state = power_state::unknown;
  /// 0 unknown, 1 unsupported, 2 full power, 3 OS power saving.
  int os_power_saving = 0;
};
/// CIM_SoftwareIdentity, AMT_SetupAndConfigurationService.
struct versions {
  std::string amt;           ///< "16.1.25"
  std::string sku;           ///< decimal bit mask, as the firmware tells it
  std::string build;         ///< "1424"
  int provisioning_mode = 0; ///< 1 admin control mode, 4 client control mode, 0 unknown
};
/// What RequestPowerStateChange returned; 0 is success.
struct power_ack {
  std::uint32_t return_value = 0;
};

/// What an operation of the catalogue told: the body of MPS's answer to the same question, at most
/// `max_document` octets.
inline constexpr std::size_t max_document = 400'000;
inline constexpr std::size_t max_argument = 24'000; ///< octets of JSON; sealed a third more
struct document {
  std::string json;
};

} // namespace amt

using amt_operation = std::variant<amt::read_power, amt::read_capabilities, amt::read_versions,
                                   amt::request_power, amt::perform>;
using amt_outcome = std::variant<amt::power_reading, power_capabilities, amt::versions,
                                 amt::power_ack, amt::document>;

/// Reading may be repeated at will; a change may have happened although no answer came. Of a
/// `perform` the catalogue knows it: false here.
bool is_change(const amt_operation& op);
/// "read power state"
std::string describe(const amt_operation& op);
/// "NOT_READY" for 2; "UNKNOWN_ERROR" outside the table (PT_STATUS).
std::string_view pt_status_name(std::uint32_t return_value);

/// Work for a link: answered exactly once, at the latest at `deadline`.
struct amt_call {
  uuid id; ///< of this call; a repeated id is answered with the stored result
  device_ref device;
  link_epoch epoch = 0; ///< 0: whatever link there is now
  amt_operation operation;
  time_ms deadline = 0;
};
struct amt_answer {
  uuid id;
  device_ref device;
  link_epoch epoch = 0;
  result<amt_outcome> outcome = fail(problem::internal);
};

} // namespace outband
