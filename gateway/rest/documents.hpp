/// What this server speaks, as it tells it itself: OpenAPI of its routes, AsyncAPI of its topics.
///
/// Paths, parameters of paths and roles come from messages/domain/roles.cpp, operations from
/// messages/amt/catalogue.hpp; only words and schemas are written down, in documents/*.json, which
/// are compiled in. What has no words there is listed without; tests refuse that. Context: pure.
#pragma once

#include "messages/domain/result.hpp"
#include "messages/rest/json.hpp"

#include <string>
#include <string_view>

namespace outband::rest {

/// documents/{name}.json; empty: there is none.
std::string_view document_text(std::string_view name);

result<json::value> make_openapi(std::string_view version);
result<json::value> make_asyncapi(std::string_view version);
/// Both for people: HTML without scripts.
std::string documents_page(const json::value& openapi, const json::value& asyncapi);

} // namespace outband::rest
