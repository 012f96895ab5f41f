/// What the configuration says of the activation WebSocket.
#pragma once

#include "actors/ports/clock.hpp"
#include "gateway/activation/options.hpp"
#include "gateway/config/config.hpp"

namespace outband {

/// `clock` must outlive the options. A failure: a file that cannot be read.
result<activation::options> activation_options(const config::settings& s, clock_port& clock);

} // namespace outband
