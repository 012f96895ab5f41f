#include "messages/pthi/clients.hpp"

#include <algorithm>
#include <array>

namespace outband::pthi {

namespace {

struct row {
  mei_client client;
  std::string_view name;
  std::string_view guid;
};
constexpr std::array<row, 3> table{{
    {mei_client::amthi, "AMTHI", "12f80028-b4b7-4b2d-aca8-46e0ff65814c"},
    {mei_client::watchdog, "watchdog", "05b79a6f-4628-4d7f-899d-a91514cb32ab"},
    {mei_client::lme, "LME", "6733a4db-0476-4e7b-b3af-bcfc29bee7a7"},
}};

const row& find(mei_client c) {
  return table[static_cast<std::size_t>(c)];
}

} // namespace

uuid guid_of(mei_client c) {
  return *parse_uuid(find(c).guid);
}

std::string connect_octets(mei_client c) {
  const auto swapped = swap_smbios(guid_of(c));
  return {swapped.bytes.begin(), swapped.bytes.end()};
}

std::optional<mei_client> client_of(std::string_view octets) {
  for (const auto& r : table)
    if (connect_octets(r.client) == octets)
      return r.client;
  return std::nullopt;
}

std::string_view to_string(mei_client c) {
  return find(c).name;
}

} // namespace outband::pthi
