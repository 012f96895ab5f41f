#include "gateway/direct/address_policy.hpp"

#include <ifaddrs.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>

namespace outband::direct {

namespace ip = boost::asio::ip;

namespace {

ip::address_v4 v4_at(const ip::address_v6::bytes_type& b, std::size_t at) {
  return ip::address_v4({b[at], b[at + 1], b[at + 2], b[at + 3]});
}

/// The IPv4 address that a packet to this IPv6 address may end up at.
std::optional<ip::address_v4> inner_v4(const ip::address_v6& a) {
  const auto b = a.to_bytes();
  const bool twelve_zeros = std::all_of(b.begin(), b.begin() + 12, [](auto o) { return o == 0; });
  if (a.is_v4_mapped() || (twelve_zeros && !a.is_loopback() && !a.is_unspecified()))
    return v4_at(b, 12);
  if (b[0] == 0x20 && b[1] == 0x02) // 6to4, RFC 3056
    return v4_at(b, 2);
  static constexpr unsigned char nat64[] = {0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0};
  if (std::equal(std::begin(nat64), std::end(nat64), b.begin())) // RFC 6052
    return v4_at(b, 12);
  return {};
}

const char* never(const ip::address_v4& a) {
  const auto n = a.to_ulong();
  if ((n >> 24U) == 0)
    return "is no address of a machine";
  if ((n >> 16U) == 0xA9FE)
    return "is link-local";
  if ((n >> 28U) == 0xE)
    return "is a multicast address";
  if ((n >> 28U) == 0xF)
    return "is reserved or broadcast";
  return nullptr;
}

const char* never(const ip::address_v6& a) {
  if (a.is_unspecified())
    return "is no address of a machine";
  if (a.is_link_local())
    return "is link-local";
  if (a.is_multicast())
    return "is a multicast address";
  return nullptr;
}

} // namespace

std::vector<address> own_addresses() {
  std::vector<address> all;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0)
    return all;
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(list, &freeifaddrs);
  for (const auto* i = list; i != nullptr; i = i->ifa_next) {
    if (i->ifa_addr == nullptr)
      continue;
    if (i->ifa_addr->sa_family == AF_INET) {
      sockaddr_in in{};
      std::memcpy(&in, i->ifa_addr, sizeof in);
      all.emplace_back(ip::address_v4(ntohl(in.sin_addr.s_addr)));
    } else if (i->ifa_addr->sa_family == AF_INET6) {
      sockaddr_in6 in{};
      std::memcpy(&in, i->ifa_addr, sizeof in);
      ip::address_v6::bytes_type octets;
      std::memcpy(octets.data(), &in.sin6_addr, octets.size());
      all.emplace_back(ip::address_v6(octets)); // without its scope, as it is compared
    }
  }
  return all;
}

std::string refused(const address& to, bool allow_own, const std::vector<address>& own) {
  address a = to;
  if (to.is_v6())
    if (const auto inner = inner_v4(to.to_v6()))
      a = *inner;
  if (const auto* why = a.is_v4() ? never(a.to_v4()) : never(a.to_v6()))
    return to.to_string() + " " + why;
  if (!allow_own && (a.is_loopback() || std::find(own.begin(), own.end(), a) != own.end()))
    return to.to_string() + " is this host itself";
  return {};
}

} // namespace outband::direct
