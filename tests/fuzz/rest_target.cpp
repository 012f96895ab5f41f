// A request target: what is accepted is bounded, decoded UTF-8 without control characters.
#include "messages/rest/json.hpp"
#include "messages/rest/target.hpp"

#include <cstdlib>

using namespace outband;

namespace {
void check(const std::string& s) {
  if (!rest::valid_utf8(s))
    std::abort();
  for (char c : s)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
      std::abort();
}
} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  auto t = rest::parse_target(text);
  if (!t)
    return 0;
  if (t->segments.size() > rest::max_segments || t->query.size() > rest::max_parameters ||
      text.size() > rest::max_target)
    std::abort();
  for (const auto& s : t->segments)
    check(s);
  for (const auto& [name, value] : t->query) {
    check(name);
    check(value);
    if (t->parameter(name) == nullptr || *t->parameter(name) != value)
      std::abort();
  }
  return 0;
}
