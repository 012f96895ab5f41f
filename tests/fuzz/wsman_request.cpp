// What a client asks a (simulated) device: what was read is written into an answer and a fault, and
// both must be read back whatever the request contained.
#include "messages/wsman/answers.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace outband::wsman;
  auto read = parse_request({reinterpret_cast<const char*>(data), size});
  if (!read) {
    if (read.error().detail.empty())
      std::abort();
    return 0;
  }
  const answer_header header{read->action, read->message_id, read->resource_uri, size};
  instance echo{"CIM_Chip", {}};
  for (const auto& s : read->selectors)
    echo.fields.push_back({"Selector", endpoint{s.resource_uri, {s}}});
  for (const auto& c : read->body.children)
    echo.fields.push_back({"Text", c.text});
  auto answer = parse_response(write_instance(header, echo));
  auto refusal = parse_response(write_fault(header, fault_kind::access_denied));
  if (!answer || !refusal || !refusal->refused || answer->refused)
    std::abort();
  return 0;
}
