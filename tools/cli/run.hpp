/// Carries out one command line; all of the outside world comes in through `world`.
/// Context: blocks until the command is over.
#pragma once

#include "tools/cli/bus_link.hpp"
#include "tools/cli/session.hpp"

#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

namespace outband::cli {

struct world {
  std::ostream& out; ///< results
  std::ostream& err; ///< progress and errors
  get_env env;
  /// A line from the person; `hidden`: without echo. Fails without a terminal.
  std::function<result<std::string>(const std::string& prompt, bool hidden)> ask;
  /// A line from standard input.
  std::function<result<std::string>()> read_line;
  /// A whole file; "-" is standard input.
  std::function<result<std::string>(const std::string& name)> read_file;
  std::function<result<std::unique_ptr<https::transport>>(const https::options&)> connect;
  bus_opener open_bus;
  std::function<time_ms()> now;
  std::function<uuid()> new_id;
  /// How long a connection to the broker may take.
  std::chrono::milliseconds bus_patience{15'000};
};

/// The exit code.
int run(const std::vector<std::string>& args, world& with);

} // namespace outband::cli
