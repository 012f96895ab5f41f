/// The command line of outband-amtsim.
#pragma once

#include "tools/amtsim/identities.hpp"
#include "tools/amtsim/profile.hpp"

#include <cstddef>
#include <string>
#include <variant>

namespace outband::amtsim {

/// Exit codes; also told by --help.
enum exit_code : int {
  exit_clean = 0,
  exit_usage = 2,   ///< the command line is wrong
  exit_server = 3,  ///< root certificate unreadable, or the server's name cannot be resolved
  exit_control = 4, ///< the control interface cannot be opened
  exit_file = 5,    ///< a file cannot be read or written
};

struct options {
  std::string server_host;
  std::string server_port;
  std::string root_ca;
  std::string common_name;
  int tls = 12;
  identity_rules machines;
  settings shared;
  bool starts_on = true;
  std::string devices_file; ///< empty: none
  std::string state_file;   ///< empty: none
  std::string control;      ///< "127.0.0.1:9000", "unix:/run/sim.sock"; empty: none
  std::size_t threads = 1;
  double connect_rate = 200; ///< machines per second; 0: all at once
  bool quiet = false;
  bool print_events = false;
  bool connects = true; ///< false: waits for controllers' "connect"
};

/// The options, or the exit code after help or an error was printed.
std::variant<options, int> parse_options(int argc, char** argv);

} // namespace outband::amtsim
