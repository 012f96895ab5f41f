/// Identities: GUIDs, tenants, devices, revisions, epochs.
/// Context: pure, any thread. Text forms are lower case.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace outband {

/// 16 octets in textual order (the first octet is the first two hex digits).
struct uuid {
  std::array<std::uint8_t, 16> bytes{};

  friend bool operator==(const uuid& a, const uuid& b) { return a.bytes == b.bytes; }
  friend bool operator!=(const uuid& a, const uuid& b) { return !(a == b); }
  friend bool operator<(const uuid& a, const uuid& b) { return a.bytes < b.bytes; }
  bool is_nil() const;
};
/// "12345678-9abc-def0-1234-56789abcdef0"
std::string to_string(const uuid& id);
/// Accepts 8-4-4-4-12 hex digits of either case, nothing else.
std::optional<uuid> parse_uuid(std::string_view text);
/// SMBIOS/Windows order (first three groups little-endian), as APF and WS-MAN carry it. An
/// involution.
uuid swap_smbios(const uuid& id);
/// RFC 9562 version 7 from milliseconds UTC and 10 random octets.
uuid make_uuid_v7(std::int64_t unix_ms, const std::array<std::uint8_t, 10>& random);

/// An AMT system GUID, the same in text as MPS and rpc show it.
using device_id = uuid;
/// Immutable slug `[a-z0-9-]`, 1 to 20 characters, not starting or ending with '-'.
using tenant_key = std::string;
bool valid_tenant_key(std::string_view key);
/// One level of a topic: `[a-z0-9-]{1,64}`.
bool valid_level(std::string_view level);

struct device_ref {
  tenant_key tenant;
  device_id device;

  friend bool operator==(const device_ref& a, const device_ref& b) {
    return a.device == b.device && a.tenant == b.tenant;
  }
  friend bool operator!=(const device_ref& a, const device_ref& b) { return !(a == b); }
};
/// "acme/12345678-..."
std::string to_string(const device_ref& ref);

/// From the database; strictly increasing per (device, document). 0: never written.
using revision = std::uint64_t;
/// Ownership of a CIRA link; a new one for each authenticated tunnel. 0: never had one.
using link_epoch = std::uint64_t;
/// Milliseconds since 1970 UTC. 0: unknown. Never used to order messages.
using time_ms = std::int64_t;

/// Who asked: taken from the ticket or the topic, never from a payload.
struct principal {
  enum class kind : std::uint8_t { person, external, agent, node };
  kind what = kind::person;
  tenant_key tenant; ///< "-" for the platform itself
  std::string name;
};
/// "op/alice", "ext/ha", "dev/<guid>", "inst/n1"
std::string to_string(const principal& p);

} // namespace outband

template <> struct std::hash<outband::uuid> {
  std::size_t operator()(const outband::uuid& id) const noexcept;
};
template <> struct std::hash<outband::device_ref> {
  std::size_t operator()(const outband::device_ref& ref) const noexcept;
};
