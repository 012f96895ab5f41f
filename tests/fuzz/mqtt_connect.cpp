// The first MQTT packet of a browser: never read beyond its end, the same however it is split.
#include "messages/mqtt/connect_packet.hpp"

#include <cstdlib>

using namespace outband;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of exact size, so that the sanitizer sees a read beyond it.
  const std::string text(reinterpret_cast<const char*>(data), size);
  auto got = mqtt::parse_connect(text);
  if (!got || !*got)
    return 0;
  const auto& c = **got;
  if (c.size > size || c.size > mqtt::max_connect ||
      c.client_id.size() + c.username.size() + c.password.size() > c.size)
    std::abort();
  auto exact = mqtt::parse_connect(text.substr(0, c.size));
  auto cut = mqtt::parse_connect(text.substr(0, c.size - 1));
  if (!exact || !*exact || (*exact)->username != c.username || !cut || *cut)
    std::abort();
  return 0;
}
