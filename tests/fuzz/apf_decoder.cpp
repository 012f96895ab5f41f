/// Both decoders: any split gives the same messages, and what was decoded is written and decoded
/// again to the same octets. First octet of the input: side, piece size.
#include "messages/apf/decoder.hpp"
#include "messages/apf/encoder.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace {

using namespace outband::apf;

struct outcome {
  std::string again;
  bool failed = false;
  std::size_t pending = 0;
};

decoder make(side reader) {
  decoder d{reader};
  for (int i = 0; i < 32; ++i) {
    d.asked_forward();
    d.asked_cancel();
  }
  return d;
}

outcome run(side reader, std::string_view octets, std::size_t piece) {
  auto d = make(reader);
  outcome o;
  while (!octets.empty() && !o.failed) {
    auto part = octets.substr(0, piece);
    octets.remove_prefix(part.size());
    while (true) {
      const auto got = d.next(part);
      if (const auto* m = std::get_if<message>(&got)) {
        encode(*m, o.again);
        continue;
      }
      o.failed = std::holds_alternative<defect>(got);
      if (o.failed && to_string(std::get<defect>(got)).empty())
        std::abort();
      if (!o.failed && !part.empty())
        std::abort();
      break;
    }
  }
  o.pending = d.pending();
  if (o.pending == 0 && d.memory() != 0)
    std::abort();
  return o;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  const auto reader = (data[0] & 1) != 0 ? side::device : side::server;
  const std::size_t piece = 1 + (data[0] >> 1);
  const std::string_view octets{reinterpret_cast<const char*>(data) + 1, size - 1};
  const auto whole = run(reader, octets, octets.size());
  const auto parts = run(reader, octets, piece);
  if (whole.again != parts.again || whole.failed != parts.failed || whole.pending != parts.pending)
    std::abort();
  const auto second = run(reader, whole.again, whole.again.size());
  if (second.again != whole.again || second.failed || second.pending != 0)
    std::abort();
  return 0;
}
