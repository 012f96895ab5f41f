/// The two spellings of a document, and the MQTT content types that announce them.
///
/// The topic's root decides. A received content type only confirms: MQTT 3.1.1 clients cannot send
/// one, so a missing one is accepted; one that contradicts the root is refused. Context: pure.
#pragma once

#include "messages/bus/topics.hpp"
#include "messages/domain/result.hpp"

#include <string_view>

namespace outband::bus {

enum class encoding : std::uint8_t { msgpack, cloudevents };

inline constexpr std::string_view msgpack_content_type = "application/vnd.oob.v1+msgpack";
/// CloudEvents 1.0, structured mode, so that tools without MQTT 5 properties read it too.
inline constexpr std::string_view cloudevents_content_type =
    "application/cloudevents+json; charset=utf-8";

encoding encoding_of(root r);
std::string_view content_type_of(root r);
std::string_view content_type_of(encoding e);
/// Compares media types, without regard to case and parameters. Below `oobx/v1`, plain
/// `application/json` is welcome too: a request may be a plain body.
status check_content_type(root r, std::string_view received);

} // namespace outband::bus
