#include "messages/amt/catalogue.hpp"

#include "messages/domain/documents.hpp"

#include <algorithm>
#include <iterator>

namespace outband::amt {

const std::vector<operation>& operations() {
  static const std::vector<operation> all = [] {
    using table = std::vector<operation> (*)();
    static constexpr table tables[] = {
        power_operations,   boot_operations,     feature_operations,   consent_operations,
        display_operations, alarm_operations,    lifecycle_operations, inventory_operations,
        log_operations,     network_operations,  wifi_operations,      certificate_operations,
        tls_operations,     explorer_operations, event_operations};
    std::vector<operation> out;
    for (auto make : tables) {
      auto some = make();
      std::move(some.begin(), some.end(), std::back_inserter(out));
    }
    return out;
  }();
  return all;
}

namespace {

void drop_headers(json::value& v) {
  if (auto* members = v.members()) {
    members->erase(std::remove_if(members->begin(), members->end(),
                                  [](const auto& m) { return m.name == "Header"; }),
                   members->end());
    for (auto& m : *members)
      drop_headers(m.val);
  } else if (auto* items = v.items()) {
    for (auto& i : *items)
      drop_headers(i);
  }
}

} // namespace

std::string without_headers(const std::string& json) {
  auto v = json::parse(json);
  if (!v)
    return json;
  drop_headers(*v);
  return json::dump(*v);
}

std::vector<std::string> fact_kinds() {
  std::vector<std::string> out;
  for (const auto& o : operations())
    if (!o.fact.empty() && valid_fact_kind(o.fact) &&
        std::find(out.begin(), out.end(), o.fact) == out.end())
      out.emplace_back(o.fact);
  return out;
}

std::optional<std::uint32_t> return_value_in(const std::string& json) {
  auto v = json::parse(json);
  if (!v)
    return std::nullopt;
  const json::value* at = &*v;
  for (int depth = 0; depth < 3; ++depth) {
    if (const auto* value = at->find("ReturnValue"))
      return value->integer() != nullptr && *value->integer() >= 0 &&
                     *value->integer() <= 0xFFFFFFFF
                 ? std::optional(static_cast<std::uint32_t>(*value->integer()))
                 : std::nullopt;
    const auto* inner = at->find("Body");
    if (inner == nullptr && at->members() != nullptr && at->members()->size() == 1)
      inner = &at->members()->front().val;
    if (inner == nullptr)
      return std::nullopt;
    at = inner;
  }
  return std::nullopt;
}

std::vector<rest::field_error> mistakes(const operation& o, const json::value& argument,
                                        time_ms now) {
  auto out = o.check == nullptr ? std::vector<rest::field_error>{} : o.check(argument);
  if (!out.empty() || o.expires == nullptr)
    return out;
  const auto end = o.expires(argument);
  if (!end || end->at >= now)
    return out;
  const auto* v = argument.find(end->member);
  out.push_back({v != nullptr ? std::optional(*v) : std::nullopt, std::string(end->member), "body",
                 "must not have expired"});
  return out;
}

const operation* find_operation(std::string_view name) {
  const auto& all = operations();
  auto at = std::find_if(all.begin(), all.end(), [&](const auto& o) { return o.name == name; });
  return at == all.end() ? nullptr : &*at;
}

} // namespace outband::amt
