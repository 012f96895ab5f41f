/// APF messages in hex: fed to, or compared with the output of, MPS's own APFProcessor, captured,
/// or computed from the layout in go-wsman-messages pkg/apf/types.go.
///
/// GUID 12345678-9abc-def0-1234-56789abcdef0, user admin, password P@ssw0rd, host name amtdev.
#pragma once

#include "messages/apf/messages.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace outband::apf::test {

enum class asked { nothing, forward, cancel };

struct vector {
  std::string_view name;
  std::string_view hex;
  type first;
  asked before = asked::nothing; ///< what the device has asked, if the message answers it
};

inline std::string unhex(std::string_view hex) {
  const auto digit = [](char c) {
    return c <= '9' ? c - '0' : c - 'a' + 10;
  };
  std::string octets;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    octets += static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1]));
  return octets;
}

inline std::string hex(std::string_view octets) {
  std::string text;
  for (const char octet : octets) {
    text += "0123456789abcdef"[static_cast<unsigned char>(octet) >> 4];
    text += "0123456789abcdef"[static_cast<unsigned char>(octet) & 15];
  }
  return text;
}

inline const std::vector<vector> from_device{
    {"version",
     "c000000001000000000000000478563412bc9af0de123456789abcdef0"
     "0000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000",
     type::protocol_version},
    {"ask auth", "05000000126175746840616d742e696e74656c2e636f6d", type::service_request},
    {"password",
     "320000000561646d696e000000127066776440616d742e696e74656c2e636f6d"
     "0000000870617373776f726400000000085040737377307264",
     type::userauth_request},
    {"no password",
     "320000000561646d696e000000127066776440616d742e696e74656c2e636f6d000000046e6f6e65",
     type::userauth_request},
    {"ask pfwd", "05000000127066776440616d742e696e74656c2e636f6d", type::service_request},
    {"forward 16992", "500000000d74637069702d666f7277617264010000000000004260",
     type::global_request},
    {"forward 623", "500000000d74637069702d666f72776172640100000006616d746465760000026f",
     type::global_request},
    {"forward 16994", "500000000d74637069702d666f72776172640100000006616d7464657600004262",
     type::global_request},
    {"forward 5900", "500000000d74637069702d666f72776172640100000006616d746465760000170c",
     type::global_request},
    {"cancel 16992", "500000001463616e63656c2d74637069702d666f7277617264010000000000004260",
     type::global_request},
    {"udp",
     "50000000197564702d73656e642d746f40616d742e696e74656c2e636f6d000000000b3139322e3136382e31"
     "2e39000042600000000831302e302e302e320000026f00000003010203",
     type::global_request},
    {"open by the device",
     "5a0000000f666f727761726465642d74637069700000000000008000ffffffff000000000000000000000000"
     "00000000",
     type::channel_open},
    {"confirm", "5b000000040000000100001000ffffffff", type::channel_open_confirmation},
    {"open failure 2", "5c00000004000000020000000000000000", type::channel_open_failure},
    {"adjust 4096", "5d0000000400001000", type::channel_window_adjust},
    {"data HTTP/1.1", "5e0000000400000008485454502f312e31", type::channel_data},
    {"close 4", "6100000004", type::channel_close},
    {"keep-alive 255", "d0000000ff", type::keepalive_request},
    {"keep-alive reply 1", "d100000001", type::keepalive_reply},
    {"options reply 30/0", "d30000001e00000000", type::keepalive_options_reply},
    {"options reply 30/10", "d30000001e0000000a", type::keepalive_options_reply},
    {"keep-alive 0x42", "d000000042", type::keepalive_request},
    {"disconnect 11", "010000000b0000", type::disconnect},
};

inline const std::vector<vector> from_server{
    {"accept auth", "06000000126175746840616d742e696e74656c2e636f6d", type::service_accept},
    {"accept pfwd", "06000000127066776440616d742e696e74656c2e636f6d", type::service_accept},
    {"authenticated", "34", type::userauth_success},
    {"not authenticated", "330000000870617373776f726400", type::userauth_failure},
    {"forwarded 16992", "5100004260", type::request_success, asked::forward},
    {"cancelled", "51", type::request_success, asked::cancel},
    {"request failed", "52", type::request_failure},
    {"options 30/0", "d20000001e00000000", type::keepalive_options_request},
    {"options 30/90", "d20000001e0000005a", type::keepalive_options_request},
    {"keep-alive reply 255", "d1000000ff", type::keepalive_reply},
    {"keep-alive 1", "d000000001", type::keepalive_request},
    {"open as MPS",
     "5a0000000f666f727761726465642d74637069700000000400014000ffffffff000000000000426000000007"
     "312e322e332e3400000400",
     type::channel_open},
    {"open ::1",
     "5a0000000f666f727761726465642d74637069700000000500008000ffffffff000000033a3a310000426200"
     "000007312e322e332e3400000401",
     type::channel_open},
    {"open as Console",
     "5a0000000f666f727761726465642d74637069700000000100001000ffffffff000000033a3a310000426000"
     "0000033a3a310000007b",
     type::channel_open},
    {"confirm 1/4/4096", "5b000000010000000400001000ffffffff", type::channel_open_confirmation},
    {"open failure 3", "5c00000001000000030000000000000000", type::channel_open_failure},
    {"adjust 40961", "5d000000010000a001", type::channel_window_adjust},
    {"data StartKVM", "5e0000000100000008100100004b564d52", type::channel_data},
    {"data ab", "5e0000000100000001ab", type::channel_data},
    {"close 1", "6100000001", type::channel_close},
    {"disconnect 11", "010000000b0000", type::disconnect},
};

/// What MPS writes instead of "not authenticated": one octet more.
constexpr std::string_view mps_userauth_failure = "330000000870617373776f72640000";

} // namespace outband::apf::test
