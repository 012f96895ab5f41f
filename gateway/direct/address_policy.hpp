/// Where we never connect to, whatever a registration says: it comes from a tenant, and our network
/// is not theirs.
/// Context: any thread; own_addresses() asks the kernel.
#pragma once

#include <boost/asio/ip/address.hpp>

#include <string>
#include <vector>

namespace outband::direct {

using address = boost::asio::ip::address;

/// Of this host's interfaces, with loopback.
std::vector<address> own_addresses();

/// Empty: fine. Else the reason, e.g. "127.0.0.1 is this host itself". Loopback, link-local,
/// multicast, broadcast, the unspecified address and `own` are refused, also in their
/// IPv4-in-IPv6 forms (mapped, compatible, 6to4, NAT64). `allow_own` permits loopback and `own`.
std::string refused(const address& to, bool allow_own, const std::vector<address>& own);

} // namespace outband::direct
