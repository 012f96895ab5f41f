/// What happened to a machine, in words. Context: pure.
#pragma once

#include "tools/amtsim/machine.hpp"

#include <string>

namespace outband::amtsim {

/// "machine edge-0001 powered off (asked gracefully, took 4.6 s)"
std::string sentence(const machine_event& e);

} // namespace outband::amtsim
