/// A document as a tree, between octets (msgpack.hpp, json.hpp) and structs (describe.hpp).
///
/// Context: pure. MessagePack has no type for a moment and none for a UUID, JSON has fewer still:
/// decoders yield what the octets say (integer, text, octets) and the reader of a field interprets.
#pragma once

#include "messages/domain/ids.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace outband::bus {

/// What both decoders refuse to exceed.
struct tree_limits {
  std::size_t array = 1024;
  std::size_t map = 256;
  std::size_t text = 4096;    ///< octets of UTF-8
  std::size_t octets = 32768; ///< MessagePack bin
  int depth = 16;             ///< containers within containers
};

/// MessagePack bin; in JSON, base64url without padding.
struct octet_string {
  std::string bytes;
  friend bool operator==(const octet_string& a, const octet_string& b) {
    return a.bytes == b.bytes;
  }
};
/// Milliseconds UTC; in JSON, RFC 3339 with milliseconds and 'Z'.
struct moment {
  time_ms at = 0;
  friend bool operator==(const moment& a, const moment& b) { return a.at == b.at; }
};

struct member;

struct value {
  using array = std::vector<value>;
  using map = std::vector<member>; ///< in writing order; decoders refuse duplicate keys
  using variant = std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double,
                               std::string, octet_string, uuid, moment, array, map>;
  /// Decoders use int64_t for negative integers only.
  variant data;

  value() = default;
  template <class T, class = std::enable_if_t<!std::is_same_v<std::decay_t<T>, value>>>
  value(T&& v) : data(std::in_place_type<std::decay_t<T>>, std::forward<T>(v)) {}

  template <class T> const T* get() const { return std::get_if<T>(&data); }
  template <class T> T* get() { return std::get_if<T>(&data); }
};

struct member {
  std::string key;
  value content;
};

bool operator==(const value& a, const value& b);
inline bool operator!=(const value& a, const value& b) {
  return !(a == b);
}
bool operator==(const member& a, const member& b);

const value* find(const value::map& m, std::string_view key);
/// "a number", "text", "a list": for messages to people.
std::string_view type_name(const value& v);

/// Well-formed UTF-8 without NUL, the only text that both encodings and the database can carry.
bool valid_text(std::string_view octets);
/// Cuts at `limit` octets without breaking a character; what is not valid becomes '?'.
std::string clean_text(std::string_view octets, std::size_t limit);

} // namespace outband::bus
