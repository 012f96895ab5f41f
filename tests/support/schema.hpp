/// Holds a JSON document against a JSON schema, for tests of what the server says of itself.
///
/// Knows the keywords that our documents use and refuses any other, so that no schema promises what
/// nobody checks: $ref (within the document), type, properties, required, items, enum, anyOf,
/// oneOf, additionalProperties; format, description are words. An object whose schema lists
/// properties and does not mention additionalProperties may have no others here.
/// Context: pure, any thread.
#pragma once

#include "messages/rest/json.hpp"

#include <string>
#include <vector>

namespace outband::test {

/// Every difference as "body.power.target: ...". Empty: it fits. `document`: where $ref leads.
std::vector<std::string> schema_differences(const json::value& document, const json::value& schema,
                                            const json::value& instance,
                                            const std::string& at = "body");
/// Keywords that are not known and references that lead nowhere, anywhere in `schema`.
std::vector<std::string> schema_mistakes(const json::value& document, const json::value& schema,
                                         const std::string& at = "schema");
/// "#/components/schemas/Device"; nullptr: leads nowhere.
const json::value* referred(const json::value& document, const std::string& reference);

} // namespace outband::test
