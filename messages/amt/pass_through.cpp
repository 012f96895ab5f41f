#include "messages/amt/pass_through.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

namespace outband::amt {

namespace {

/// As xml2js' parseNumbers does it with isNaN and parseInt/parseFloat: decimal numbers, no blanks.
json::value number_or_text(std::string_view text) {
  const auto* end = text.data() + text.size();
  std::int64_t whole = 0;
  auto [at, error] = std::from_chars(text.data(), end, whole);
  if (error == std::errc{} && at == end)
    return whole;
  double real = 0;
  auto [stop, wrong] = std::from_chars(text.data(), end, real, std::chars_format::fixed);
  if (wrong == std::errc{} && stop == end && std::isfinite(real))
    return real;
  return text;
}

/// In any case, as xml2js' parseBooleans: a Boolean of the firmware's software is "False".
bool is_word(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(), [](char c, char l) {
    return (c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) == l;
  });
}

json::value scalar(const wsman::node& element) {
  const auto text = element.value();
  if (is_word(text, "true") || is_word(text, "false"))
    return is_word(text, "true");
  const bool name = element.name == "ElementName" || element.name == "InstanceID";
  if (name && !text.empty() && text.front() == '0')
    return text;
  return number_or_text(text);
}

/// Captured instances need five levels; our own JSON documents may have 16, the body's included.
constexpr int max_levels = 9;

json::value as_json(const wsman::node& element, int levels) {
  if (element.children.empty() || levels <= 0)
    return scalar(element);
  json::object out;
  std::map<std::string_view, std::size_t> at; // where a name is in `out`
  std::map<std::string_view, bool> repeated;
  for (const auto& c : element.children) {
    auto known = at.find(c.name);
    if (known == at.end()) {
      at.emplace(c.name, out.size());
      out.push_back({c.name, as_json(c, levels - 2)}); // it may become an array, too
      continue;
    }
    auto& slot = out[known->second].val;
    if (!repeated[c.name]) {
      json::array both;
      both.push_back(std::move(slot));
      slot = std::move(both);
      repeated[c.name] = true;
    }
    slot.items()->push_back(as_json(c, levels - 2));
  }
  return out;
}

} // namespace

json::value as_json(const wsman::node& element) {
  return as_json(element, max_levels);
}

json::value header_as_json(const wsman::response& answer, relates_to how) {
  json::object out;
  auto add = [&](const char* name, std::string_view text) {
    if (!text.empty())
      out.push_back({name, number_or_text(text)});
  };
  add("To", wsman::ns::anonymous);
  if (how == relates_to::number)
    add("RelatesTo", answer.relates_to);
  else if (!answer.relates_to.empty())
    out.push_back({"RelatesTo", answer.relates_to});
  add("Action", answer.action);
  add("MessageID", answer.message_id);
  add("ResourceURI", answer.resource_uri);
  return out;
}

} // namespace outband::amt
