/// Between our messages and Paho's: the only header that includes Paho. Internal to bus/, for
/// paho.cpp and mqtt_link.cpp.
///
/// Context: pure functions, any thread.
#pragma once

#include "bus/mqtt_link.hpp"

#include <mqtt/async_client.h>

namespace outband::bus::paho {

std::string uri_of(const mqtt_options& o);
mqtt::create_options creation();
/// `publishes`: the connection with the will.
mqtt::connect_options connect_options(const mqtt_options& o, bool publishes,
                                      const credentials& who);

/// "0x87"
std::string hex(int code);
/// The broker's reason code (0x80 and above), or 0 when it is Paho that failed.
int refusal_code(const mqtt::token& t);
std::string why_failed(const mqtt::token& t);

/// Adds the identifiers of the subscriptions that matched. May throw: a foreign property.
message from_paho(const mqtt::const_message_ptr& in, std::vector<std::uint32_t>& ids);
mqtt::message_ptr to_paho(const message& m);

} // namespace outband::bus::paho
