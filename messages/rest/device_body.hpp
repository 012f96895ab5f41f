/// What clients send to POST and PATCH /api/v1/devices, checked member by member as MPS does.
///
/// Source: MPS src/routes/devices/deviceValidator.ts and create.ts. Unknown members are accepted,
/// as MPS does (its clients send some); known ones of a wrong type are refused, all at once.
/// Passwords are write-only: they leave here as values and never go back into JSON.
/// Context: pure, any thread.
#pragma once

#include "messages/domain/direct.hpp"
#include "messages/domain/ids.hpp"
#include "messages/rest/json.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace outband::rest {

struct field_error {
  std::optional<json::value> value; ///< as sent; absent if there was none, or if it is a secret
  std::string path;                 ///< "guid", "[3].guid"
  std::string location;             ///< "body", "query", "params"
  std::string why;                  ///< what it must be, in plain words
  std::string msg{};                ///< MPS's words where it has some; else "Invalid value"
};
/// {"errors":[{"type":"field","value":...,"msg":"Invalid value","path":...,"location":...}]}
std::string errors_body(const std::vector<field_error>& errors);

struct device_body {
  device_id guid;
  std::optional<std::string> tenant_id; ///< "" is the caller's default
  std::optional<std::string> hostname;
  std::optional<std::optional<std::string>> friendly_name, dns_suffix; ///< inner nullopt: null
  std::optional<std::vector<std::string>> tags;
  std::optional<std::string> mps_username, mps_password, amt_username, amt_password, mebx_password;
  std::optional<std::string> device_info;                     ///< an object as text; "" for null
  std::optional<std::optional<direct_connection>> connection; ///< inner nullopt: CIRA
};

using device_bodies = std::variant<std::vector<device_body>, std::vector<field_error>>;

inline constexpr std::size_t max_bulk = 10'000;       ///< objects in one POST
inline constexpr std::size_t max_device_info = 16384; ///< octets

/// One object, or, if `bulk`, an array of them. A GUID may occur only once.
/// The machine's account also by Console's names `username` and `password`, with `mebxpassword`:
/// rpc v3 registers so what it is about to activate with a profile that it fetched, and nobody else
/// knows these passwords then. They count where ours are not given and they are not empty.
device_bodies parse_device_bodies(const json::value& body, bool bulk);

} // namespace outband::rest
