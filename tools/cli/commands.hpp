/// The command line as values. CLI11 stays in commands.cpp.
/// Context: pure.
#pragma once

#include "messages/domain/power.hpp"
#include "tools/cli/host.hpp"

#include <chrono>
#include <string>
#include <variant>
#include <vector>

namespace outband::cli {

enum class output : std::uint8_t { table, json };

/// Given on the command line; empty or false: not given (environment and file follow).
struct common_options {
  output format = output::table;
  std::string server, tenant, ca_file, broker;
  bool insecure = false;
};

struct login_command {
  std::string user; ///< empty: ask
  bool password_stdin = false;
};
struct logout_command {};
struct list_hosts_command {
  host_filter filter;
};
struct get_host_command {
  std::string host;
};
/// Registers machines: the JSON of POST /api/v1/devices, one object or an array.
struct create_hosts_command {
  std::string file; ///< "-": standard input
};
struct set_host_command {
  std::string host;
  /// on, off, sleep, hibernate: a level that is kept; or reset, cycle: once.
  std::variant<power_target, power_once> power;
  power_policy policy = power_policy::ordered;
  bool wait = false;
  std::chrono::milliseconds timeout{120'000};
};
struct watch_command {
  std::string host; ///< empty: all of the tenant
  bool events_only = false;
};
/// Who asked what, and what came of it.
struct audit_command {
  std::string host, by, act, status; ///< empty: any
  std::string since, until;          ///< RFC 3339, or "24h" before now; empty: no bound
  std::size_t top = 50;              ///< newest ones
  bool all = false;                  ///< export: every row as a line of JSON
};
struct version_command {};

using command = std::variant<login_command, logout_command, list_hosts_command, get_host_command,
                             create_hosts_command, set_host_command, watch_command, audit_command,
                             version_command>;

struct command_line {
  common_options common;
  command what;
};

/// Help was asked for (code 0), or the line is wrong (code 2, `text` says why).
struct parse_end {
  int code = 0;
  std::string text;
};

/// `args` without the program's name.
std::variant<command_line, parse_end> parse_command_line(std::vector<std::string> args);

/// "120s", "500ms", "2m", "1h"; a bare number is seconds. malformed says what it must be.
result<std::chrono::milliseconds> parse_duration(const std::string& text);

/// "off", "reset": the word of the command line for it.
std::string_view power_word(const std::variant<power_target, power_once>& p);

} // namespace outband::cli
