/// Any split of a response stream gives the same responses, up to the end of the connection; a
/// response read is written, chunked and sized, and read again unchanged. First octet: piece size.
#include "messages/http/parser.hpp"
#include "messages/http/writer.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace {

using namespace outband::http;

struct outcome {
  std::vector<response> got;
  bool failed = false;
};

outcome run(std::string_view octets, std::size_t piece) {
  limits l;
  l.body = 4096;
  response_parser p{l};
  outcome o;
  while (!octets.empty() && !o.failed) {
    const auto n = std::min(piece, octets.size());
    p.feed(octets.substr(0, n));
    octets.remove_prefix(n);
    auto item = p.next();
    for (; std::holds_alternative<response>(item); item = p.next())
      o.got.push_back(std::get<response>(std::move(item)));
    o.failed = std::holds_alternative<outband::failure>(item);
  }
  auto last = p.finish();
  if (auto* r = std::get_if<response>(&last))
    o.got.push_back(std::move(*r));
  else
    o.failed = std::holds_alternative<outband::failure>(last);
  return o;
}

bool same(const response& a, const response& b) {
  return a.status == b.status && a.reason == b.reason && a.body == b.body &&
         a.keep_alive == b.keep_alive;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  const std::string_view octets{reinterpret_cast<const char*>(data) + 1, size - 1};
  const auto whole = run(octets, octets.size());
  const auto parts = run(octets, 1 + data[0] % 64);
  if (whole.failed != parts.failed ||
      !std::equal(whole.got.begin(), whole.got.end(), parts.got.begin(), parts.got.end(), same))
    std::abort();
  for (auto r : whole.got) {
    if (r.status == 204 || r.status == 304)
      continue; // they have no body, whatever is written
    r.fields.clear();
    std::string wire;
    if (!write_chunked(r, wire, 1 + data[0]) || !write_sized(r, wire))
      std::abort();
    const auto again = run(wire, wire.size());
    if (again.failed || again.got.size() != 2 || !same(again.got[0], r) || !same(again.got[1], r))
      std::abort();
  }
  return 0;
}
