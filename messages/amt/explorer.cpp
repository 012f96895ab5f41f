#include "messages/amt/explorer.hpp"

#include "messages/amt/argument.hpp"
#include "messages/amt/catalogue.hpp"
#include "messages/amt/pass_through.hpp"

#include <algorithm>
#include <utility>

namespace outband::amt {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t max_class_name = 64;
constexpr std::size_t max_selectors = 4;
constexpr std::size_t max_selector_text = 256;

bool letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// Names of Console's that are no class names without their underscore.
constexpr std::pair<std::string_view, std::string_view> console_names[] = {
    {"AMT8021xCredentialContext", "AMT_8021XCredentialContext"},
    {"AMT8021xProfile", "AMT_8021XProfile"},
    {"IPS8021xCredentialContext", "IPS_8021xCredentialContext"},
    {"IPSKVMRedirectionSettings", "IPS_KVMRedirectionSettingData"},
};

void write(std::string& out, const wsman::node& n, const std::string& parent_ns,
           const std::string& indent) {
  out += indent + "<" + n.name;
  if (n.ns != parent_ns)
    out += " xmlns=\"" + wsman::escaped(n.ns) + "\"";
  for (const auto& a : n.attributes)
    out += " " + a.name + "=\"" + wsman::escaped(a.value) + "\"";
  if (n.children.empty() && n.value().empty()) {
    out += "/>\n";
    return;
  }
  out += ">" + wsman::escaped(n.value());
  if (!n.children.empty()) {
    out += "\n";
    for (const auto& c : n.children)
      write(out, c, n.ns, indent + "  ");
    out += indent;
  }
  out += "</" + n.name + ">\n";
}

/// {"class": ..., "selectors": {"InstanceID": "..."}}
std::vector<rest::field_error> check(const json::value& argument) {
  argument_reader in(argument);
  if (explored_class(text_at(argument, "class")).empty())
    in.wrong("class", "must be a class name that begins with AMT_, CIM_ or IPS_");
  const auto* selectors = argument.find("selectors");
  if (selectors == nullptr || selectors->is_null())
    return std::move(in).errors();
  const auto* members = selectors->members();
  const bool good = members != nullptr && members->size() <= max_selectors &&
                    std::all_of(members->begin(), members->end(), [](const auto& m) {
                      return m.val.text() != nullptr && m.val.text()->size() <= max_selector_text &&
                             !m.name.empty() && m.name.size() <= max_class_name &&
                             std::all_of(m.name.begin(), m.name.end(), letter_or_digit);
                    });
  if (!good)
    in.wrong("selectors", "must be an object of at most 4 property names and texts");
  return std::move(in).errors();
}

result<json::value> get(wsman::talk& t, const json::value& argument) {
  const auto cls = explored_class(text_at(argument, "class"));
  std::vector<wsman::selector> at;
  if (const auto* selectors = argument.find("selectors"))
    if (const auto* members = selectors->members())
      for (const auto& m : *members)
        at.push_back({m.name, *m.val.text()});
  auto told = explore(t, cls, at);
  if (!told)
    return told.error();
  json::array instances;
  std::string xml;
  for (const auto* n : told->instances) {
    instances.push_back(json::object{{n->name, as_json(*n)}});
    xml += as_xml(*n);
  }
  // "xmlOutput" is Console's.
  return json::value(json::object{{"class", cls},
                                  {"asked", told->by_get ? "Get" : "Enumerate and Pull"},
                                  {"instances", std::move(instances)},
                                  {"xmlOutput", std::move(xml)}});
}

} // namespace

std::string explored_class(std::string_view name) {
  for (const auto& [console, cls] : console_names)
    if (name == console)
      return std::string(cls);
  const auto family = name.substr(0, 3);
  if (name.size() < 5 || name.size() > max_class_name ||
      (family != "AMT" && family != "CIM" && family != "IPS"))
    return {};
  auto rest = name.substr(3);
  if (rest.front() == '_')
    rest.remove_prefix(1);
  const bool plain =
      std::all_of(rest.begin(), rest.end(), [](char c) { return letter_or_digit(c) || c == '_'; });
  return rest.empty() || !plain ? std::string{} : std::string(family) + "_" + std::string(rest);
}

result<explored> explore(wsman::talk& t, std::string_view cls,
                         const std::vector<wsman::selector>& at) {
  explored out;
  if (at.empty()) {
    if (auto items = t.list(cls)) {
      for (const auto& item : **items)
        out.instances.push_back(&item);
      if (!out.instances.empty())
        return out;
    }
  }
  out.by_get = true;
  auto instance = t.get(cls, at);
  if (instance) {
    out.instances.push_back(*instance);
    return out;
  }
  if (!t.is_absent())
    return instance.error();
  return fail(problem::not_found,
              at.empty() ? "this firmware has no instance of " + std::string(cls)
                         : "this firmware has no such instance of " + std::string(cls),
              "class");
}

std::string as_xml(const wsman::node& element) {
  std::string out;
  write(out, element, {}, {});
  return out;
}

std::vector<operation> explorer_operations() {
  return {{"explorer.get", wsman::effect::none, get, check, 15s}};
}

} // namespace outband::amt
