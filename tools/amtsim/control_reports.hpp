/// What the control interface says about machines. Context: pure.
#pragma once

#include "tools/amtsim/machine.hpp"

#include <nlohmann/json_fwd.hpp>

namespace outband::amtsim {

/// `in_full`: all of it, else what a list shows.
nlohmann::json to_json(const machine_report& r, bool in_full);
nlohmann::json to_json(const machine_event& e);

} // namespace outband::amtsim
