/// Small repairs of a machine that is ours: its clock, address and name.
///
/// Source: RPS src/stateMachines/timeMachine.ts and maintenance/. Context: pure, see
/// wsman/talk.hpp; times are handed in.
#pragma once

#include "messages/wsman/talk.hpp"

#include <cstdint>
#include <string>

namespace outband::amt {

struct clock_reading {
  std::uint32_t before = 0; ///< what the firmware believed, s since 1970
};
/// Sets the firmware's clock to `now`, s since 1970. Certificates are judged by it.
result<clock_reading> sync_time(wsman::talk& t, std::uint32_t now);

/// Of the host's wired interface; all but the address may be empty.
struct host_address {
  std::string address, netmask, gateway, primary_dns, secondary_dns;
};
/// What a synchronisation came to; the words are RPS's.
enum class synchronised : std::uint8_t { done, was_so };
/// problem::not_found: the machine has no wired port.
result<synchronised> sync_ip(wsman::talk& t, const host_address& host);
result<synchronised> sync_hostname(wsman::talk& t, const std::string& name);

} // namespace outband::amt
