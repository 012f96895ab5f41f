/// Writes APF messages; every function appends to `out`.
///
/// Strings and data are written as given: who calls keeps them within the peer's limits
/// (2048 octets for a string; 4096 octets of channel data suit every known device).
/// Context: pure, any thread.
#pragma once

#include "messages/apf/messages.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace outband::apf {

void encode(const message& m, std::string& out);
std::string encode(const message& m);

/// For the hot path: no message object in between.
void encode_data(std::uint32_t recipient, std::string_view data, std::string& out);
void encode_adjust(std::uint32_t recipient, std::uint32_t add, std::string& out);
void encode_close(std::uint32_t recipient, std::string& out);

/// The nine octets in front of channel data, for a gathering write.
constexpr std::size_t data_header_size = 9;
void encode_data_header(std::uint32_t recipient, std::uint32_t size, std::string& out);

} // namespace outband::apf
