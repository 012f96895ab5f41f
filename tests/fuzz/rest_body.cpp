// JSON bodies of REST: what is parsed can be written and parsed again to the same text, and the
// validators of devices and hosts get through with whatever it is.
#include "messages/rest/device_body.hpp"
#include "messages/rest/host.hpp"
#include "messages/rest/json.hpp"

#include <cstdlib>

using namespace outband;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  auto v = json::parse(text);
  if (!v)
    return 0;
  auto once = json::dump(*v);
  auto again = json::parse(once);
  if (!again || json::dump(*again) != once)
    std::abort();
  for (bool bulk : {false, true}) {
    auto got = rest::parse_device_bodies(*v, bulk);
    if (const auto* errors = std::get_if<std::vector<rest::field_error>>(&got)) {
      if (errors->empty() || !json::parse(rest::errors_body(*errors)))
        std::abort();
    } else {
      for (const auto& d : std::get<std::vector<rest::device_body>>(got))
        if (d.guid.is_nil() || (d.device_info && d.device_info->size() > rest::max_device_info))
          std::abort();
    }
  }
  if (auto p = rest::parse_host_patch(*v); p && p->name && p->name->empty())
    std::abort();
  return 0;
}
