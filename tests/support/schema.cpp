#include "tests/support/schema.hpp"

#include <algorithm>

namespace outband::test {

namespace {

using found = std::vector<std::string>;

const json::array& items_of(const json::value* v) {
  static const json::array none;
  return v != nullptr && v->items() != nullptr ? *v->items() : none;
}

bool is_type(const json::value& v, const std::string& type) {
  return (type == "null" && v.is_null()) || (type == "boolean" && v.boolean() != nullptr) ||
         (type == "integer" && v.integer() != nullptr) ||
         (type == "number" && (v.integer() != nullptr || v.real() != nullptr)) ||
         (type == "string" && v.text() != nullptr) || (type == "array" && v.items() != nullptr) ||
         (type == "object" && v.members() != nullptr);
}

bool fits_type(const json::value& type, const json::value& v) {
  if (type.text() != nullptr)
    return is_type(v, *type.text());
  return std::any_of(items_of(&type).begin(), items_of(&type).end(),
                     [&](const auto& t) { return t.text() != nullptr && is_type(v, *t.text()); });
}

void append(found& to, found more) {
  to.insert(to.end(), more.begin(), more.end());
}

found members_differ(const json::value& document, const json::value& schema,
                     const json::value& instance, const std::string& at) {
  found out;
  for (const auto& r : items_of(schema.find("required")))
    if (instance.find(*r.text()) == nullptr)
      out.push_back(at + ": " + *r.text() + " is missing");
  const auto* properties = schema.find("properties");
  const auto* others = schema.find("additionalProperties");
  for (const auto& m : *instance.members()) {
    const auto* known = properties != nullptr ? properties->find(m.name) : nullptr;
    if (known != nullptr)
      append(out, schema_differences(document, *known, m.val, at + "." + m.name));
    else if (others != nullptr && others->members() != nullptr)
      append(out, schema_differences(document, *others, m.val, at + "." + m.name));
    else if ((others != nullptr && others->boolean() != nullptr && !*others->boolean()) ||
             (others == nullptr && properties != nullptr))
      out.push_back(at + ": " + m.name + " is not in the schema");
  }
  return out;
}

} // namespace

const json::value* referred(const json::value& document, const std::string& reference) {
  if (reference.rfind("#/", 0) != 0)
    return nullptr;
  const json::value* at = &document;
  for (std::size_t from = 2; at != nullptr && from <= reference.size();) {
    const auto slash = std::min(reference.find('/', from), reference.size());
    at = at->find(reference.substr(from, slash - from));
    from = slash + 1;
  }
  return at;
}

found schema_differences(const json::value& document, const json::value& schema,
                         const json::value& instance, const std::string& at) {
  if (const auto* ref = schema.find("$ref")) {
    const auto* target = referred(document, *ref->text());
    if (target == nullptr)
      return {at + ": " + *ref->text() + " leads nowhere"};
    return schema_differences(document, *target, instance, at);
  }
  found out;
  if (const auto* type = schema.find("type"); type != nullptr && !fits_type(*type, instance))
    return {at + ": is " + std::string(json::type_name(instance)) + ", not " + json::dump(*type)};
  if (const auto* values = schema.find("enum"))
    if (std::none_of(items_of(values).begin(), items_of(values).end(),
                     [&](const auto& v) { return json::dump(v) == json::dump(instance); }))
      out.push_back(at + ": " + json::dump(instance) + " is not one of " + json::dump(*values));
  for (const char* choice : {"anyOf", "oneOf"}) {
    const auto* ways = schema.find(choice);
    if (ways == nullptr)
      continue;
    found nearest;
    std::size_t fits = 0;
    for (const auto& way : items_of(ways)) {
      auto differs = schema_differences(document, way, instance, at);
      fits += differs.empty() ? 1U : 0U;
      if (nearest.empty() || differs.size() < nearest.size())
        nearest = differs;
    }
    if (fits == 0)
      append(out, nearest);
    if (fits > 1 && std::string(choice) == "oneOf")
      out.push_back(at + ": fits more than one of oneOf");
  }
  if (instance.members() != nullptr)
    append(out, members_differ(document, schema, instance, at));
  if (const auto* each = schema.find("items"); each != nullptr && instance.items() != nullptr)
    for (std::size_t i = 0; i < instance.items()->size(); ++i)
      append(out, schema_differences(document, *each, (*instance.items())[i],
                                     at + "[" + std::to_string(i) + "]"));
  return out;
}

found schema_mistakes(const json::value& document, const json::value& schema,
                      const std::string& at) {
  if (schema.members() == nullptr)
    return {at + ": a schema is an object"};
  found out;
  for (const auto& m : *schema.members()) {
    const auto inner = at + "." + m.name;
    if (m.name == "$ref") {
      if (m.val.text() == nullptr || referred(document, *m.val.text()) == nullptr)
        out.push_back(inner + ": leads nowhere: " + json::dump(m.val));
    } else if (m.name == "properties") {
      for (const auto& p : *m.val.members())
        append(out, schema_mistakes(document, p.val, inner + "." + p.name));
    } else if (m.name == "items") {
      append(out, schema_mistakes(document, m.val, inner));
    } else if (m.name == "anyOf" || m.name == "oneOf") {
      for (const auto& way : items_of(&m.val))
        append(out, schema_mistakes(document, way, inner));
    } else if (m.name == "additionalProperties") {
      if (m.val.boolean() == nullptr)
        append(out, schema_mistakes(document, m.val, inner));
    } else if (m.name != "type" && m.name != "required" && m.name != "enum" && m.name != "format" &&
               m.name != "description") {
      out.push_back(inner + ": is no keyword that is checked");
    }
  }
  return out;
}

} // namespace outband::test
