#include "messages/bus/json_text.hpp"

#include "messages/rest/json.hpp"

namespace outband::bus {

namespace {

value tree_of(const json::value& v) {
  if (const auto* b = v.boolean())
    return *b;
  if (const auto* i = v.integer()) {
    if (*i >= 0) // as the decoders have it
      return static_cast<std::uint64_t>(*i);
    return *i;
  }
  if (const auto* d = v.real())
    return *d;
  if (const auto* s = v.text())
    return clean_text(*s, s->size());
  if (const auto* items = v.items()) {
    value::array out;
    for (const auto& i : *items)
      out.push_back(tree_of(i));
    return out;
  }
  if (const auto* members = v.members()) {
    value::map out;
    for (const auto& m : *members)
      out.push_back({clean_text(m.name, m.name.size()), tree_of(m.val)});
    return out;
  }
  return value(std::monostate{});
}

struct writer_of_json {
  bool good = true;

  json::value operator()(std::monostate) { return nullptr; }
  json::value operator()(bool b) { return b; }
  json::value operator()(std::int64_t i) { return i; }
  json::value operator()(std::uint64_t i) {
    if (i > static_cast<std::uint64_t>(INT64_MAX)) {
      good = false;
      return nullptr;
    }
    return static_cast<std::int64_t>(i);
  }
  json::value operator()(double d) { return d; }
  json::value operator()(const std::string& s) { return s; }
  json::value operator()(const octet_string&) { return refuse(); }
  json::value operator()(const uuid&) { return refuse(); }
  json::value operator()(const moment&) { return refuse(); }
  json::value operator()(const value::array& a) {
    json::array out;
    for (const auto& e : a)
      out.push_back(of(e));
    return out;
  }
  json::value operator()(const value::map& m) {
    json::object out;
    for (const auto& e : m)
      out.push_back({e.key, of(e.content)});
    return out;
  }
  json::value of(const value& v) { return std::visit(*this, v.data); }

private:
  json::value refuse() {
    good = false;
    return nullptr;
  }
};

} // namespace

result<value> tree_of_json(std::string_view text) {
  auto parsed = json::parse(text);
  if (!parsed)
    return parsed.error();
  return tree_of(*parsed);
}

result<std::string> json_of_tree(const value& tree) {
  writer_of_json w;
  auto v = w.of(tree);
  if (!w.good)
    return fail(problem::malformed, "must be what JSON can say");
  return json::dump(v);
}

} // namespace outband::bus
