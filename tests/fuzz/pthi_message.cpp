/// What may come over MEI, from either side: whatever was read is written and read again to the
/// same octets. First octet of the input: which reader, for answers also the command asked.
#include "messages/pthi/codec.hpp"
#include "messages/pthi/watchdog.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iterator>

namespace {

using namespace outband::pthi;

constexpr command commands[] = {command::unprovision,
                                command::get_provisioning_state,
                                command::get_code_versions,
                                command::enumerate_hash_handles,
                                command::get_hash_entry,
                                command::get_pki_suffix,
                                command::get_remote_access_status,
                                command::get_lan_settings,
                                command::get_uuid,
                                command::stop_configuration,
                                command::get_local_account,
                                command::get_control_mode,
                                command::start_host_based};

void require(bool holds) {
  if (!holds)
    std::abort();
}

void as_request(std::string_view octets) {
  const auto read = decode_request(octets);
  if (!read) {
    require(!to_string(read.error()).empty());
    return;
  }
  require(peek_command(octets) == static_cast<std::uint32_t>(command_of(*read)));
  const auto again = encode(*read);
  const auto second = decode_request(again);
  require(second.ok() && encode(*second) == again);
}

void as_response(command asked, std::string_view octets) {
  const auto read = decode_response(asked, octets);
  if (!read)
    return;
  const auto again = encode(*read);
  require(again.size() <= max_message);
  const auto second = decode_response(asked, again);
  require(second.ok() && encode(*second) == again);
}

void as_watchdog(std::string_view octets) {
  if (const auto read = decode_watchdog_request(octets))
    require(decode_watchdog_request(encode(*read)).ok());
  if (const auto read = decode_change_enabled(octets))
    require(encode(*decode_change_enabled(encode(*read))) == encode(*read));
  if (const auto read = decode_operational_state_answer(octets))
    require(*decode_operational_state_answer(encode_operational_state_answer(*read)) == *read);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  const std::string_view octets{reinterpret_cast<const char*>(data) + 1, size - 1};
  const std::size_t reader = data[0];
  if (reader < std::size(commands))
    as_response(commands[reader], octets);
  else if (reader % 2 == 0)
    as_request(octets);
  else
    as_watchdog(octets);
  return 0;
}
