/// What the MessagePack decoder accepts is within the limits, is written and read back the same,
/// and can be written as JSON that our own decoder accepts.
#include "messages/bus/json.hpp"
#include "messages/bus/msgpack.hpp"

#include <cstdlib>

namespace {

using namespace outband::bus;

const tree_limits limits;

void check_bounds(const value& v, int depth) {
  if (const auto* a = v.get<value::array>()) {
    if (a->size() > limits.array || depth >= limits.depth)
      std::abort();
    for (const auto& e : *a)
      check_bounds(e, depth + 1);
  } else if (const auto* m = v.get<value::map>()) {
    if (m->size() > limits.map || depth >= limits.depth)
      std::abort();
    for (const auto& e : *m) {
      if (!valid_text(e.key) || find(*m, e.key) != &e.content)
        std::abort();
      check_bounds(e.content, depth + 1);
    }
  } else if (const auto* s = v.get<std::string>()) {
    if (s->size() > limits.text || !valid_text(*s) || clean_text(*s, s->size()) != *s)
      std::abort();
  } else if (const auto* o = v.get<octet_string>()) {
    if (o->bytes.size() > limits.octets)
      std::abort();
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view in(reinterpret_cast<const char*>(data), size);
  const auto got = from_msgpack(in);
  if (!got) {
    if (got.error().detail.empty())
      std::abort();
    return 0;
  }
  check_bounds(*got, 0);
  const auto octets = to_msgpack(*got);
  // Ours is the shortest form, save that a float of 4 octets becomes one of 8.
  if (octets.size() > 2 * size)
    std::abort();
  const auto again = from_msgpack(octets);
  if (!again || *again != *got)
    std::abort();
  // Base64 may push octets above the limit of text; everything else must be readable.
  tree_limits wide;
  wide.text = 3 * limits.octets;
  if (!from_json(to_json(*got), wide))
    std::abort();
  return 0;
}
