/// XML as MPS turns it into JSON, for the bodies that it hands on as they are.
///
/// Source: MPS src/amt/DeviceAction.ts and xml2js with its options: prefixes stripped, attributes
/// dropped, text that is a number or a boolean converted (but not ElementName and InstanceID with a
/// leading zero), repeated elements an array, an empty element "". Context: pure.
#pragma once

#include "messages/rest/json.hpp"
#include "messages/wsman/envelope.hpp"

namespace outband::amt {

/// An element's content: text, or an object of its children. What is nested deeper than any
/// instance that a firmware has is left out.
json::value as_json(const wsman::node& element);
/// RelatesTo as a number, as MPS tells it, or as text: EMF's generated client takes a consent,
/// general settings or versions only with text, and hardware only with a number.
enum class relates_to { number, text };
/// {"To":..., "RelatesTo":..., "Action":..., "MessageID":..., "ResourceURI":..., "Method":...}
json::value header_as_json(const wsman::response& answer, relates_to how = relates_to::number);

} // namespace outband::amt
