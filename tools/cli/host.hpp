/// A host as the CLI shows it, out of the server's EMF host with its own members `power` and
/// `link`.
///
/// A server that sends only EMF's members is understood too; what it does not tell is unknown.
/// Context: pure. Source: gateway's GET /compute/hosts (gateway/rest/host_routes.cpp).
#pragma once

#include "messages/domain/documents.hpp"
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
  std::string hostname;
  std::string power = "unknown"; ///< on, off, sleep, hibernate, unknown: as last observed
  time_ms power_since = 0, observed = 0;
  /// The machine cannot be asked now, so `power` may have changed. False if nobody says.
  bool last_known = false;
  std::string wanted = "keep"; ///< the same words, or keep: nobody asked for anything
  std::string policy;          ///< ordered, immediate
  std::optional<bool> converged;
  std::string difference_code, difference; ///< why wish and reality differ; empty: they do not
  time_ms difference_since = 0;
  std::string status;    ///< EMF's line
  std::string indicator; ///< idle, in-progress, error, unspecified
  time_ms status_since = 0;
  std::string tunnel = "unknown"; ///< up, late, down, unknown
  time_ms tunnel_since = 0;
  std::string tunnel_why; ///< why it went down
  std::string node;       ///< that has, or last had, the tunnel
  std::string amt_version;

  /// nullopt: nobody knows. A tunnel that is late still stands.
  std::optional<bool> connected() const;
};

/// One host object.
result<host> parse_host(const json::value& v);
struct host_page {
  std::vector<host> rows;
  bool more = false;
};
/// {"hosts":[...],"totalElements":n,"hasNext":b}
result<host_page> parse_host_page(const json::value& v);

struct host_filter {
  std::string text; ///< anywhere in id, GUID or a name, in either case; empty: all
  std::optional<bool> connected;
};
bool matches(const host& h, const host_filter& f);

/// Those that the server may have meant when it said that several fit, by name or id.
std::string candidates(const std::vector<host>& all, const std::string& named);

/// Milliseconds UTC of "2026-11-21T09:45:02.123Z"; 0 if it is not of that form.
time_ms parse_utc(std::string_view text);

} // namespace outband::cli
