/// What the instances that firmware returns amount to: from XML elements to domain values.
///
/// An element of the wrong class, a missing property or an absurd number is a
/// problem::device_protocol whose detail names it. Context: pure, any thread.
#pragma once

#include "messages/domain/amt.hpp"
#include "messages/wsman/node.hpp"

#include <vector>

namespace outband::wsman {

/// CIM_AssociatedPowerManagementService among the items of CIM_ServiceAvailableToElement.
result<power_state> read_power_state(const std::vector<node>& items);
result<std::vector<int>> read_available_states(const std::vector<node>& items);
/// OSPowerSavingState of an IPS_PowerManagementService; 0 if it is not told.
int read_os_power_saving(const node& service);
/// CIM_SoftwareIdentity items; fills amt, sku and build.
result<amt::versions> read_software(const std::vector<node>& items);
/// 16 for "16.1.25"
result<int> major_version(std::string_view amt_version);
/// Of an AMT_BootCapabilities; what the firmware does not mention it cannot do.
result<power_capabilities> read_boot_capabilities(const node& instance);

/// AMT_BootSettingData with everything cleared that would make the next boot a special one.
struct cleared_boot_settings {
  std::string xml; ///< the properties to Put
  bool was_clear_already = true;
};
cleared_boot_settings clear_boot_settings(const node& instance);

} // namespace outband::wsman
