/// The CIM instances that a machine shows: class by class, from its model.
///
/// Property names and fixed values are those of captured devices (go-wsman-messages
/// pkg/wsman/wsmantesting/responses). Context: pure.
#pragma once

#include "messages/wsman/answers.hpp"
#include "tools/amtsim/device_model.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace outband::amtsim {

/// Instances of a class, or of its subclasses (enumerating CIM_ServiceAvailableToElement gives
/// CIM_AssociatedPowerManagementService). nullopt: this firmware has no such class.
std::optional<std::vector<wsman::instance>> instances_of(std::string_view class_name,
                                                         const device_model& device);

/// Takes over what may be written from a Put's body and ignores the rest. False: the class cannot
/// be Put, or a value does not fit; nothing was changed then.
enum class put_result : std::uint8_t { stored, not_supported, bad_value };
put_result put_instance(const wsman::node& body, device_model& device);

} // namespace outband::amtsim
