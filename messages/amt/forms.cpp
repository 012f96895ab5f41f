#include "messages/amt/forms.hpp"

#include <algorithm>
#include <charconv>

namespace outband::amt {

bool is_falsy(const json::value* v) {
  if (v == nullptr || v->is_null())
    return true;
  if (const auto* b = v->boolean())
    return !*b;
  if (const auto* n = v->integer())
    return *n == 0;
  const auto* s = v->text();
  return s != nullptr && s->empty();
}

bool is_ipv4(std::string_view text) {
  for (int parts = 1;; ++parts) {
    const auto dot = text.find('.');
    const auto part = text.substr(0, dot);
    if (part.empty() || part.size() > 3 || (part.size() > 1 && part.front() == '0'))
      return false;
    unsigned value = 0;
    const auto* end = part.data() + part.size();
    const auto [at, error] = std::from_chars(part.data(), end, value);
    if (error != std::errc{} || at != end || value > 255)
      return false;
    if (dot == std::string_view::npos)
      return parts == 4;
    text.remove_prefix(dot + 1);
  }
}

bool is_alphanumeric(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  });
}

} // namespace outband::amt
