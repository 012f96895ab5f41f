/// Any split of a request stream gives the same requests; a request read is written and read again
/// unchanged. First octet of the input: piece size.
#include "messages/http/parser.hpp"
#include "messages/http/writer.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace {

using namespace outband::http;

struct outcome {
  std::vector<request> got;
  bool failed = false;
};

outcome run(std::string_view octets, std::size_t piece) {
  limits l;
  l.body = 4096;
  request_parser p{l};
  outcome o;
  while (!octets.empty() && !o.failed) {
    const auto n = std::min(piece, octets.size());
    p.feed(octets.substr(0, n));
    octets.remove_prefix(n);
    auto item = p.next();
    for (; std::holds_alternative<request>(item); item = p.next())
      o.got.push_back(std::get<request>(std::move(item)));
    o.failed = std::holds_alternative<outband::failure>(item);
  }
  return o;
}

bool same(const request& a, const request& b) {
  return a.method == b.method && a.target == b.target && a.body == b.body;
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
    r.fields.clear(); // its framing is ours now
    std::string wire;
    if (!write(r, wire))
      std::abort();
    const auto again = run(wire, wire.size());
    if (again.failed || again.got.size() != 1 || !same(again.got[0], r))
      std::abort();
  }
  return 0;
}
