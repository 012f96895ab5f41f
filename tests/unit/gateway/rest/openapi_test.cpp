#include "tests/support/schema.hpp"
#include "tests/unit/gateway/rest/site.hpp"

#include "gateway/rest/documents.hpp"
#include "gateway/rest/router.hpp"
#include "messages/amt/catalogue.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

using namespace outband;
using namespace outband::testing;

namespace {

json::value served(site& s, const std::string& path) {
  auto r = s.send("GET", path);
  REQUIRE(r.status == 200);
  json::limits within;
  within.depth = 64;
  auto parsed = json::parse(r.text, within);
  REQUIRE(parsed.ok());
  return std::move(*parsed);
}

std::string text_at(const json::value& of, const std::string& name) {
  const auto* v = of.find(name);
  return v != nullptr && v->text() != nullptr ? *v->text() : std::string();
}

/// "GET /api/v1/devices" -> its operation.
const json::value* operation(const json::value& document, std::string_view rule) {
  const auto space = rule.find(' ');
  std::string method(rule.substr(0, space));
  for (char& c : method)
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const auto* path = document.find("paths")->find(rule.substr(space + 1));
  return path != nullptr ? path->find(method) : nullptr;
}

const json::value* schema_of(const json::value* with_content) {
  const auto* content = with_content != nullptr ? with_content->find("content") : nullptr;
  return content != nullptr ? content->members()->front().val.find("schema") : nullptr;
}

/// What is wrong with an answer: a status that is not described, a body that does not fit.
std::vector<std::string> differences(const json::value& document, std::string_view rule,
                                     const reply& r) {
  const auto* o = operation(document, rule);
  if (o == nullptr)
    return {"there is no such route"};
  const auto* answer = o->find("responses")->find(std::to_string(r.status));
  if (answer == nullptr && r.status < 400)
    return {std::to_string(r.status) + " is not described"};
  if (answer == nullptr)
    answer = o->find("responses")->find("default");
  const auto* schema = schema_of(answer);
  if (schema == nullptr)
    return r.text.empty() ? std::vector<std::string>{} : std::vector<std::string>{"a body"};
  const auto type = answer->find("content")->members()->front().name;
  if (r.type.rfind(type, 0) != 0)
    return {"the type is " + r.type + " and not " + type};
  return test::schema_differences(document, *schema,
                                  type == "application/json" ? r.body : json::value(r.text));
}

} // namespace

TEST_CASE("every route is in the OpenAPI document with its role and its parameters") {
  site s;
  const auto document = served(s, "/api/openapi.json");
  CHECK(text_at(document, "openapi") == "3.1.0");
  CHECK(text_at(*document.find("info"), "version") == s.services.version);
  std::size_t routes = 0;
  for (const auto& rule : access_rules()) {
    if (rule.kind != access_kind::route)
      continue;
    CAPTURE(rule.name);
    ++routes;
    const auto* o = operation(document, rule.name);
    REQUIRE(o != nullptr);
    CHECK(text_at(*o, "x-role") == to_string(rule.needed));
    CHECK_FALSE(text_at(*o, "summary").empty()); // a line in routes.json or operations.json
    CHECK(std::any_of(o->find("responses")->members()->begin(),
                      o->find("responses")->members()->end(),
                      [](const auto& m) { return m.name[0] == '2'; }));
    std::size_t in_path = 0;
    if (const auto* parameters = o->find("parameters"))
      for (const auto& p : *parameters->items())
        if (text_at(p, "in") == "path") {
          ++in_path;
          CHECK(rule.name.find("{" + text_at(p, "name") + "}") != std::string_view::npos);
        }
    CHECK(in_path == static_cast<std::size_t>(std::count(rule.name.begin(), rule.name.end(), '{')));
  }
  std::size_t described = 0;
  std::set<std::string> ids;
  for (const auto& path : *document.find("paths")->members())
    for (const auto& method : *path.val.members()) {
      ++described;
      ids.insert(text_at(method.val, "operationId"));
    }
  CHECK(described == routes);
  CHECK(ids.size() == routes);
}

TEST_CASE("nothing is described that is no route and no operation") {
  auto routes = json::parse(rest::document_text("routes"), {1 << 20, 64});
  auto operations = json::parse(rest::document_text("operations"), {1 << 20, 64});
  REQUIRE(routes.ok());
  REQUIRE(operations.ok());
  for (const auto& r : *routes->find("routes")->members()) {
    CAPTURE(r.name);
    CHECK(role_needed(access_kind::route, r.name).has_value());
    CHECK(rest::operation_of(r.name).empty());
  }
  for (const auto& o : *operations->find("operations")->members()) {
    CAPTURE(o.name);
    CHECK(amt::find_operation(o.name) != nullptr);
  }
}

TEST_CASE("every operation has its result and an argument exactly if it looks at one") {
  site s;
  const auto document = served(s, "/api/openapi.json");
  auto texts = json::parse(rest::document_text("operations"), {1 << 20, 64});
  REQUIRE(texts.ok());
  // They tell nothing: 204.
  const std::set<std::string_view> silent = {"wired.set", "wifi.profiles.add",
                                             "wifi.profiles.update", "wifi.profiles.remove"};
  for (const auto& o : amt::operations()) {
    CAPTURE(o.name);
    const auto* words = texts->find("operations")->find(o.name);
    REQUIRE(words != nullptr);
    // The logs' cursors are looked at only once the machine is asked.
    const bool cursor = o.name == "log.audit.news" || o.name == "log.event.news";
    CHECK((words->find("argument") != nullptr) == (o.check != nullptr || cursor));
    CHECK((words->find("result") == nullptr) == (silent.count(o.name) != 0));
    const auto* schemas = document.find("components")->find("schemas");
    CHECK((schemas->find(std::string(o.name) + ".result") == nullptr) ==
          (words->find("result") == nullptr));
    // What the schema refuses for its missing members, the operation refuses too.
    if (words->find("argument") == nullptr || o.check == nullptr)
      continue;
    const bool schema_refuses =
        !test::schema_differences(document, *words->find("argument"), json::object{}).empty();
    if (schema_refuses && o.name.substr(0, 7) != "alarms.") // looks later, as MPS does
      CHECK_FALSE(o.check(json::object{}).empty());
  }
}

TEST_CASE("schemas use only keywords that are checked and references that lead somewhere") {
  site s;
  for (const char* path : {"/api/openapi.json", "/api/asyncapi.json"}) {
    const auto document = served(s, path);
    for (const auto& schema : *document.find("components")->find("schemas")->members())
      CHECK(test::schema_mistakes(document, schema.val, schema.name) == std::vector<std::string>{});
  }
  const auto document = served(s, "/api/openapi.json");
  for (const auto& path : *document.find("paths")->members())
    for (const auto& method : *path.val.members()) {
      CAPTURE(method.name + " " + path.name);
      if (const auto* body = schema_of(method.val.find("requestBody")))
        CHECK(test::schema_mistakes(document, *body) == std::vector<std::string>{});
      for (const auto& answer : *method.val.find("responses")->members())
        if (const auto* schema = schema_of(&answer.val))
          CHECK(test::schema_mistakes(document, *schema) == std::vector<std::string>{});
    }
}

TEST_CASE("what any route answers to anybody is as the OpenAPI document says") {
  site s;
  s.control.live = amt_outcome(amt::power_reading{power_state::on, 2});
  const auto document = served(s, "/api/openapi.json");
  std::size_t good = 0;
  auto check = [&](const access_rule& rule, const std::string& token, const std::string& body) {
    std::string name(rule.name);
    auto put = [&](const std::string& key, const std::string& value) {
      if (auto at = name.find(key); at != std::string::npos)
        name.replace(at, key.size(), value);
    };
    put("{guid}", s.guid);
    put("{id}", s.guid);
    put("{project}", "acme");
    put("{name}", "nobody");
    const auto space = name.find(' ');
    auto r = s.send(name.substr(0, space), name.substr(space + 1), token, body);
    CAPTURE(name);
    CAPTURE(body);
    CAPTURE(r.status);
    CAPTURE(r.text.substr(0, 400));
    CHECK(differences(document, rule.name, r) == std::vector<std::string>{});
    good += r.status < 300 ? 1U : 0U;
  };
  for (const bool away : {false, true}) {
    s.store.away = away;
    for (const auto& rule : access_rules()) {
      if (rule.kind != access_kind::route || rule.name == "DELETE /api/v1/devices/{guid}")
        continue;
      for (const std::string& token : {std::string(), s.viewer, s.admin, s.stranger, s.root})
        for (const char* body : {"", "{}", R"({"action":2})", R"({"username":"vera"})"})
          check(rule, token, body);
    }
  }
  CHECK(good > 100);
}

TEST_CASE("what the registry answers to good requests is as the OpenAPI document says") {
  site s;
  const auto document = served(s, "/api/openapi.json");
  auto check = [&](const std::string& rule, const std::string& target, const std::string& body,
                   int status) {
    const auto method = rule.substr(0, rule.find(' '));
    auto r = s.send(method, target, s.root, body);
    CAPTURE(rule);
    CAPTURE(r.text);
    CHECK(r.status == status);
    CHECK(differences(document, rule, r) == std::vector<std::string>{});
    if (body.empty())
      return;
    const auto* schema = schema_of(operation(document, rule)->find("requestBody"));
    REQUIRE(schema != nullptr);
    CHECK(test::schema_differences(document, *schema, *json::parse(body)) ==
          std::vector<std::string>{});
  };
  const std::string fresh = "99999999-9999-4999-8999-999999999999";
  check("POST /api/v1/authorize", "/api/v1/authorize",
        R"({"username":"vera","password":"correct horse"})", 200);
  check("POST /api/v1/tenants", "/api/v1/tenants", R"({"key":"gamma","displayName":"Gamma"})", 201);
  check("POST /api/v1/accounts", "/api/v1/accounts",
        R"({"name":"new","password":"correct horse","roles":{"acme":"viewer"}})", 201);
  check("DELETE /api/v1/accounts/{name}", "/api/v1/accounts/new", "", 204);
  check("POST /api/v1/devices", "/api/v1/devices",
        "{\"guid\":\"" + fresh + R"(","hostname":"x","tags":["a"],"mpspassword":"Str0ng!pass"})",
        201);
  check("POST /api/v1/devices", "/api/v1/devices", "[{\"guid\":\"" + fresh + "\"}]", 200);
  check("PATCH /api/v1/devices", "/api/v1/devices",
        "{\"guid\":\"" + fresh + R"(","friendlyName":"Front desk"})", 200);
  check("GET /api/v1/devices", "/api/v1/devices?$count=true&$top=1", "", 200);
  check("GET /api/v1/devices", "/api/v1/devices?$top=-1", "", 400);
  check("DELETE /api/v1/devices/{guid}", "/api/v1/devices/" + fresh, "", 204);
  check("DELETE /api/v1/devices/{guid}", "/api/v1/devices/" + fresh, "", 404);
}

TEST_CASE("the page lists every route and every topic and runs no script") {
  site s;
  const auto r = s.send("GET", "/api/docs");
  CHECK(r.status == 200);
  CHECK(r.type.rfind("text/html", 0) == 0);
  CHECK(r.header("Content-Security-Policy").rfind("default-src 'none'", 0) == 0);
  CHECK(r.text.find("<script") == std::string::npos);
  const auto routes = served(s, "/api/openapi.json");
  for (const auto& path : *routes.find("paths")->members())
    CHECK(r.text.find("<code>" + path.name + "</code>") != std::string::npos);
  const auto bus = served(s, "/api/asyncapi.json");
  for (const auto& channel : *bus.find("channels")->members())
    CHECK(r.text.find(text_at(channel.val, "address")) != std::string::npos);
  for (const auto& act : *bus.find("x-acts")->members())
    CHECK(r.text.find("<code>" + act.name + "</code>") != std::string::npos);
}
