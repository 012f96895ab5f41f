/// What documents.cpp and bus_document.cpp share. Internal; pure.
#pragma once

#include "messages/rest/json.hpp"

namespace outband::rest {

/// The parts of documents/{name}.json.
result<json::value> document_part(std::string_view name);
/// Appends the members of `from`, if it is an object.
void add_members(json::object& to, const json::value* from);
/// "{name}.argument" and "{name}.result" of every operation, for components.schemas.
void add_operation_schemas(json::object& to, const json::value& operations);
json::value schema_ref(std::string_view name);

} // namespace outband::rest
