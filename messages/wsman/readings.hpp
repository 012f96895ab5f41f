/// What the instances that firmware returns amount to: from XML elements to domain values.
///
/// An element of the wrong class, a missing property or an absurd number is a
/// problem::device_protocol whose detail names it. Context: pure, any thread.
#pragma once

#include "messages/domain/amt.hpp"
#include "messages/wsman/node.hpp"

#include <vector>

namespace outband::wsman {

/// The first child of `parent` that is an instance of that class.
const node* instance_of(const node& parent, std::string_view class_name);

/// CIM_AssociatedPowerManagementService among the items of CIM_ServiceAvailableToElement.
result<power_state> read_power_state(const node& items);
result<std::vector<int>> read_available_states(const node& items);
/// OSPowerSavingState of the IPS_PowerManagementService in `body`; 0 if it is not told.
int read_os_power_saving(const node& body);
/// CIM_SoftwareIdentity items; fills amt, sku and build.
result<amt::versions> read_software(const node& items);
/// 16 for "16.1.25"
result<int> major_version(std::string_view amt_version);
/// AMT_SetupAndConfigurationService in `body`.
result<int> read_provisioning_mode(const node& body);
/// AMT_BootCapabilities in `body`; what the firmware does not mention it cannot do.
result<power_capabilities> read_boot_capabilities(const node& body);
/// `Method_OUTPUT`'s ReturnValue.
result<std::uint32_t> read_return_value(const node& body, std::string_view class_name,
                                        std::string_view method);

/// AMT_BootSettingData with everything cleared that would make the next boot a special one.
struct cleared_boot_settings {
  std::string xml; ///< the properties to Put
  bool was_clear_already = true;
};
result<cleared_boot_settings> clear_boot_settings(const node& body);

} // namespace outband::wsman
