/// What a controller changes in a machine, as a person with a screwdriver would.
/// Context: pure.
#pragma once

#include "tools/amtsim/device_model.hpp"

#include <nlohmann/json_fwd.hpp>

#include <functional>
#include <string>

namespace outband::amtsim {

/// Of "set", "add_event", "add_audit" and "alert" (control.hpp); empty with `why` set if it is
/// wrong.
std::function<void(device_model&, sim_time)>
read_wish(const std::string& op, const nlohmann::json& asked, std::string& why);

} // namespace outband::amtsim
