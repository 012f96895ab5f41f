/// What a terminator says to other roles goes over the internal bus; its two files share this.
#pragma once

#include "actors/services.hpp"
#include "messages/bus/envelope.hpp"

#include <string>

namespace outband {

bus::envelope terminator_envelope(const services& with);
/// Failures are in the log; nobody waits.
void publish_internal(const services& with, std::string topic, std::string payload,
                      std::string correlation = {});

} // namespace outband
