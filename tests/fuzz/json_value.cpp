/// What the JSON decoder accepts is written as JSON that it reads back the same, save that integers
/// beyond 2^53 have become text; and survives MessagePack unchanged.
#include "messages/bus/json.hpp"
#include "messages/bus/msgpack.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace outband::bus;
  const std::string_view in(reinterpret_cast<const char*>(data), size);
  const auto got = from_json(in);
  if (!got) {
    if (got.error().detail.empty())
      std::abort();
    return 0;
  }
  const auto text = to_json(*got);
  const auto again = from_json(text);
  if (!again || to_json(*again) != text)
    std::abort();
  const auto packed = from_msgpack(to_msgpack(*got));
  if (!packed || *packed != *got)
    std::abort();
  return 0;
}
