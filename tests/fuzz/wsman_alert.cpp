// What a machine delivers as an event: any octets give bounded JSON or a reason, never a crash.
#include "messages/amt/alert.hpp"
#include "messages/rest/json.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view soap(reinterpret_cast<const char*>(data), size);
  const auto told = outband::amt::read_alert(soap);
  if (!told) {
    if (told.error().detail.empty())
      std::abort();
    return 0;
  }
  if (told->size() > 12'000)
    std::abort();
  const auto read = outband::json::parse(*told);
  if (!read || read->find("text") == nullptr || read->find("severity") == nullptr)
    std::abort();
  return 0;
}
