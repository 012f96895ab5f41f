#include "gateway/rest/documents.hpp"

#include "gateway/rest/documents_parts.hpp"
#include "gateway/rest/router.hpp"
#include "messages/amt/catalogue.hpp"
#include "messages/domain/roles.hpp"

#include <algorithm>

namespace outband::rest {

result<json::value> document_part(std::string_view name) {
  json::limits within;
  within.depth = 64; // a schema's nesting is twice its document's
  return json::parse(document_text(name), within);
}

void add_members(json::object& to, const json::value* from) {
  if (from != nullptr && from->members() != nullptr)
    to.insert(to.end(), from->members()->begin(), from->members()->end());
}

json::value schema_ref(std::string_view name) {
  return json::object{{"$ref", "#/components/schemas/" + std::string(name)}};
}

void add_operation_schemas(json::object& to, const json::value& operations) {
  if (operations.members() == nullptr)
    return;
  for (const auto& o : *operations.members())
    for (const char* side : {"argument", "result"})
      if (const auto* schema = o.val.find(side))
        to.push_back({o.name + "." + side, *schema});
}

namespace {

const json::value* member(const json::value* of, std::string_view name) {
  return of == nullptr ? nullptr : of->find(name);
}

std::string text_of(const json::value* of, std::string_view name) {
  const auto* v = member(of, name);
  return v != nullptr && v->text() != nullptr ? *v->text() : std::string();
}

json::value content(const std::string& type, json::value schema) {
  return json::object{{type, json::object{{"schema", std::move(schema)}}}};
}

json::value answer_of(std::string description, const std::string& type, const json::value* schema) {
  json::object out{{"description", std::move(description)}};
  if (schema != nullptr && !schema->is_null())
    out.push_back({"content", content(type, *schema)});
  return json::value(std::move(out));
}

struct described {
  const json::value* route = nullptr;     ///< of routes.json
  const json::value* operation = nullptr; ///< of operations.json
  std::string operation_name;
};

json::array parameters_of(const access_rule& rule, const described& d) {
  json::array out;
  const std::string_view name = rule.name;
  for (auto at = name.find('{'); at != std::string_view::npos; at = name.find('{', at + 1)) {
    const std::string param(name.substr(at + 1, name.find('}', at) - at - 1));
    json::object schema{{"type", "string"}};
    out.push_back(json::object{
        {"name", param}, {"in", "path"}, {"required", true}, {"schema", std::move(schema)}});
  }
  if (const auto* query = member(d.route, "query"); query != nullptr && query->items() != nullptr)
    for (const auto& q : *query->items()) {
      json::object p{{"in", "query"}};
      add_members(p, &q);
      out.push_back(std::move(p));
    }
  if (d.operation_name == "log.audit")
    out.push_back(json::object{{"name", "startIndex"},
                               {"in", "query"},
                               {"description", "The first record, from 1."},
                               {"schema", json::object{{"type", "integer"}}}});
  if (rule.needed == role::none)
    return out;
  out.push_back(json::object{{"$ref", "#/components/parameters/tenant"}});
  const bool changes = name.find("/amt/") != std::string_view::npos ||
                       name.find("/compute/") != std::string_view::npos;
  if (changes && name.substr(0, 4) != "GET ")
    out.push_back(json::object{{"$ref", "#/components/parameters/idempotencyKey"}});
  return out;
}

/// What was written down, then what may be refused to anybody.
json::value answers_of(const access_rule& rule, const described& d) {
  json::object out;
  const auto kind = text_of(d.route, "type");
  const std::string type = kind.empty() ? "application/json" : kind;
  if (const auto* told = member(d.route, "answers"); told != nullptr && told->members() != nullptr)
    for (const auto& a : *told->members())
      out.push_back({a.name, answer_of(a.name == "503" ? "Not now." : "Done.", type, &a.val)});
  const auto error = schema_ref("Error");
  if (d.operation != nullptr) {
    const bool tells = d.operation->find("result") != nullptr;
    const auto told = schema_ref(d.operation_name + ".result");
    out.push_back({tells ? "200" : "204", answer_of("Done.", type, tells ? &told : nullptr)});
    const json::value refused =
        tells ? json::value(json::object{{"anyOf", json::array{error, told}}}) : error;
    out.push_back(
        {"400", answer_of("A wrong request, or the firmware's refusal.", type, &refused)});
  }
  auto refusal = [&](const char* status, const char* why) {
    if (std::none_of(out.begin(), out.end(), [&](const auto& m) { return m.name == status; }))
      out.push_back({status, answer_of(why, "application/json", &error)});
  };
  if (rule.needed != role::none) {
    refusal("400", "A wrong request.");
    refusal("401", "No token, or one that is not good.");
    refusal("403", "The role or the tenant does not allow it.");
    refusal("404", "There is no such thing in this tenant, or the machine is not connected.");
    refusal("503", "Database or broker are away: try again.");
  }
  refusal("default", "Any other refusal.");
  return json::value(std::move(out));
}

json::value operation_of_rule(const access_rule& rule, const described& d) {
  std::string id(rule.name);
  std::replace_if(
      id.begin(), id.end(), [](char c) { return c == ' ' || c == '/' || c == '.'; }, '_');
  id.erase(std::remove_if(id.begin(), id.end(), [](char c) { return c == '{' || c == '}'; }),
           id.end());
  auto group = text_of(d.route, "group");
  if (group.empty())
    group = d.operation != nullptr ? "Firmware" : "Other";
  json::object out{{"operationId", id},
                   {"tags", json::array{group}},
                   {"summary", text_of(d.operation != nullptr ? d.operation : d.route, "summary")},
                   {"x-role", to_string(rule.needed)}};
  if (auto more = text_of(d.route, "description"); !more.empty())
    out.push_back({"description", more});
  if (!d.operation_name.empty())
    out.push_back({"x-act", "amt." + d.operation_name});
  if (rule.needed == role::none)
    out.push_back({"security", json::array{}});
  if (auto parameters = parameters_of(rule, d); !parameters.empty())
    out.push_back({"parameters", std::move(parameters)});
  const bool reads = rule.name.substr(0, 4) == "GET ";
  const auto* body = member(d.route, "body");
  const bool argument = !reads && d.operation != nullptr &&
                        d.operation->find("argument") != nullptr &&
                        // What stands in the path is the whole argument.
                        std::count(rule.name.begin(), rule.name.end(), '{') < 2;
  if (body != nullptr || argument)
    out.push_back(
        {"requestBody",
         json::object{
             {"required", true},
             {"content",
              content("application/json",
                      body != nullptr ? *body : schema_ref(d.operation_name + ".argument"))}}});
  out.push_back({"responses", answers_of(rule, d)});
  return json::value(std::move(out));
}

json::value header(const char* name, const char* description) {
  return json::object{{"name", name},
                      {"in", "header"},
                      {"description", description},
                      {"schema", json::object{{"type", "string"}}}};
}

} // namespace

result<json::value> make_openapi(std::string_view version) {
  auto routes = document_part("routes");
  auto operations = document_part("operations");
  if (!routes)
    return routes.error();
  if (!operations)
    return operations.error();
  json::object paths;
  for (const auto& rule : access_rules()) {
    if (rule.kind != access_kind::route)
      continue;
    described d;
    d.route = member(routes->find("routes"), rule.name);
    d.operation_name = operation_of(rule.name);
    if (!d.operation_name.empty())
      d.operation = member(operations->find("operations"), d.operation_name);
    const auto space = rule.name.find(' ');
    const std::string path(rule.name.substr(space + 1));
    std::string method(rule.name.substr(0, space));
    std::transform(method.begin(), method.end(), method.begin(),
                   [](char c) { return static_cast<char>(c - 'A' + 'a'); });
    auto at = std::find_if(paths.begin(), paths.end(),
                           [&](const json::member& m) { return m.name == path; });
    if (at == paths.end())
      at = paths.insert(paths.end(), {path, json::object{}});
    at->val.members()->push_back({method, operation_of_rule(rule, d)});
  }
  json::object schemas;
  add_members(schemas, routes->find("schemas"));
  add_members(schemas, operations->find("schemas"));
  add_operation_schemas(schemas, *operations->find("operations"));
  json::object bearer{{"type", "http"}, {"scheme", "bearer"}, {"bearerFormat", "JWT"}};
  json::object parameters{
      {"tenant",
       header("x-tenant-id", "The tenant; else the token's first. Also ActiveProjectID.")},
      {"idempotencyKey",
       header("Idempotency-Key", "A UUID. The same again is answered and not carried out again.")}};
  return json::value(json::object{
      {"openapi", "3.1.0"},
      {"info", json::object{{"title", "Outband"},
                            {"version", version},
                            {"description",
                             "Every route with its role (x-role; each role includes those before "
                             "it: viewer, operator, admin, site-admin). x-act: the same operation "
                             "on the bus, see /api/asyncapi.json."}}},
      {"security", json::array{json::object{{"bearer", json::array{}}}}},
      {"paths", std::move(paths)},
      {"components", json::object{{"securitySchemes", json::object{{"bearer", std::move(bearer)}}},
                                  {"parameters", std::move(parameters)},
                                  {"schemas", std::move(schemas)}}}});
}

} // namespace outband::rest
