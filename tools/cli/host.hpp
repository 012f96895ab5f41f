/// A host as the CLI shows it, out of two answers: EMF's host (power) and MPS's device (tunnel).
///
/// Context: pure. Sources: gateway's GET /compute/hosts and GET /api/v1/devices.
#pragma once

#include "messages/domain/ids.hpp"
#include "messages/domain/result.hpp"
#include "messages/rest/json.hpp"

#include <optional>
#include <string>
#include <vector>

namespace outband::cli {

struct host {
  std::string id; ///< "host-1a2b3c4d"
  device_id guid;
  std::string name;
  std::string power = "unknown"; ///< on, off, sleep, hibernate, unknown: as last observed
  std::string wanted = "keep";   ///< the same words, or keep: nobody asked for anything
  std::string policy;            ///< ordered, immediate
  std::string status;            ///< one line of the server's words
  std::string indicator;         ///< idle, in-progress, error, unspecified
  time_ms since = 0;             ///< of `status`
  // From the device:
  std::optional<bool> connected; ///< nullopt: the server did not say
  std::string node;              ///< that has the tunnel
  std::vector<std::string> tags;
  time_ms last_connected = 0, last_disconnected = 0;
};

/// One host object.
result<host> parse_host(const json::value& v);
struct host_page {
  std::vector<host> rows;
  bool more = false;
};
/// {"hosts":[...],"totalElements":n,"hasNext":b}
result<host_page> parse_host_page(const json::value& v);

struct device {
  device_id guid;
  std::optional<bool> connected;
  std::string node;
  std::vector<std::string> tags;
  time_ms last_connected = 0, last_disconnected = 0;
};
result<device> parse_device(const json::value& v);
/// {"data":[...],"totalCount":n}
result<std::vector<device>> parse_devices(const json::value& v);

void add_devices(std::vector<host>& to, const std::vector<device>& from);

struct host_filter {
  std::string text; ///< anywhere in id, GUID, name or a tag, in either case; empty: all
  std::optional<bool> connected;
};
bool matches(const host& h, const host_filter& f);

/// By name: exactly one, or why not. Names of others are listed when several have it.
result<host> by_name(const std::vector<host>& all, const std::string& name);

/// Milliseconds UTC of "2026-11-21T09:45:02.123Z"; 0 if it is not of that form.
time_ms parse_utc(std::string_view text);

} // namespace outband::cli
