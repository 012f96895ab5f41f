/// What outbandd can be told: one table of keys, each from the YAML file or from the environment.
///
///   auto got = config::load({yaml_text, "outband.yaml", config::process_environment()});
///   if (!got) die(got.error().detail);      // every mistake at once, one a line
///   listen(got->text("cira.bind"), got->integer("cira.port"));
///
/// `cira.port` is `cira: {port: ...}` in the file and OUTBAND_CIRA_PORT in the environment, which
/// wins. An unknown key is an error that names the nearest known one. Context: pure but for
/// process_environment() and read_file(); start-up thread.
#pragma once

#include "messages/domain/result.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace outband::config {

enum class kind : std::uint8_t {
  text,
  flag,     ///< true, false (also yes, no, on, off)
  integer,  ///< within [min, max]
  duration, ///< "500ms", "30s", "15m", "24h", "7d", within [min, max] milliseconds
  list,     ///< a YAML sequence; in the environment comma separated
};
std::string_view to_string(kind k);

struct key_info {
  std::string_view name; ///< "cira.port"
  kind what;
  std::string_view fallback; ///< default, written as in the environment
  std::string_view help;
  std::int64_t min = 0, max = 0;              ///< for integer and duration
  std::vector<std::string_view> allowed = {}; ///< for text and list; empty: anything
  bool secret = false;                        ///< never printed
};
/// In the order in which they are printed.
const std::vector<key_info>& keys();
/// "cira.port" -> "OUTBAND_CIRA_PORT"
std::string env_name(std::string_view key);

using environment = std::vector<std::pair<std::string, std::string>>;

struct sources {
  std::string yaml;      ///< the file's contents; may be empty
  std::string file_name; ///< for messages
  environment env;
};

class settings {
public:
  // Asking for a key that is not in the table, or with another type, is a defect and aborts.
  const std::string& text(std::string_view key) const;
  bool flag(std::string_view key) const;
  std::int64_t integer(std::string_view key) const;
  std::chrono::milliseconds duration(std::string_view key) const;
  const std::vector<std::string>& list(std::string_view key) const;

  /// Not the default.
  bool given(std::string_view key) const;
  /// "default", "outband.yaml line 12", "environment OUTBAND_CIRA_PORT"
  const std::string& origin(std::string_view key) const;
  /// For --print-config: valid YAML, secrets masked, each line with where its value came from.
  std::string print() const;

private:
  friend result<settings> load(const sources& from);
  struct value {
    const key_info* info = nullptr;
    std::string text;
    std::int64_t number = 0; ///< integer, flag, or milliseconds
    std::vector<std::string> items;
    std::string origin = "default";
  };
  const value& at(std::string_view key, kind k) const;
  std::map<std::string, value, std::less<>> values_;
};

/// All mistakes together in `detail`, one a line.
result<settings> load(const sources& from);

environment process_environment();
result<std::string> read_file(const std::string& path);

} // namespace outband::config
