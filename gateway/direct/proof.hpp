/// Is it the machine that it should be? One WS-MAN Get, whose login proves that it has our password
/// and whose answer names its GUID.
///
/// CIM_ComputerSystemPackage.PlatformGUID: 32 hexadecimal digits in SMBIOS order, as MeshCommander
/// and Console read it. Context: pure.
#pragma once

#include "actors/ports/amt_link.hpp"
#include "messages/domain/ids.hpp"

#include <string>

namespace outband::direct {

std::string who_are_you();
/// device_protocol if the answer does not say it.
result<device_id> its_guid(const soap_answer& answer);

} // namespace outband::direct
