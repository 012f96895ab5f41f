// What a device answers: any octets give an envelope or a reason, never a crash, and the tree that
// comes out keeps within its bounds.
#include "messages/wsman/envelope.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace {

std::size_t count(const outband::wsman::node& n, std::size_t depth) {
  if (depth > outband::wsman::max_depth || n.ns.size() > outband::wsman::max_namespace)
    std::abort();
  std::size_t all = 1;
  for (const auto& c : n.children)
    all += count(c, depth + 1);
  return all;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  auto read = outband::wsman::parse_response(text);
  if (read.ok() ? count(read->body, 1) > outband::wsman::max_elements : read.error().detail.empty())
    std::abort();
  return 0;
}
