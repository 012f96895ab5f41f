/// Who this program is towards which server: what login stored, the environment, the options.
///
/// The file is $XDG_CONFIG_HOME/outband/config.json (or ~/.config/...), mode 0600, written whole or
/// not at all; it holds the token, never a password. A stored token goes only to the server that
/// gave it: another server named by option or environment needs OUTBAND_TOKEN or a login.
/// Context: single thread; load() and save() do file I/O.
#pragma once

#include "tools/cli/commands.hpp"

#include <functional>
#include <optional>
#include <string>

namespace outband::cli {

using get_env = std::function<std::optional<std::string>(const char* name)>;

struct session {
  std::string server; ///< normalised URL
  std::string tenant;
  std::string ca_file;   ///< absolute path; empty: the system's
  std::string broker;    ///< "host:port"; empty: where the server says
  bool insecure = false; ///< chosen at login, and said at every use
  std::string token;
  std::string user; ///< for people
};

/// Empty if neither XDG_CONFIG_HOME nor HOME is set.
std::string config_path(const get_env& env);

/// An empty session if there is no file. Refuses a file that others may read: it holds a token.
result<session> load_session(const std::string& path);
status save_session(const std::string& path, const session& s);

/// Options over environment over file. `server` may end up empty: nobody ever signed in.
result<session> merged_session(const session& stored, const common_options& given,
                               const get_env& env);

} // namespace outband::cli
