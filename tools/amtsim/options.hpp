/// The command line of outband-amtsim.
#pragma once

#include "tools/amtsim/identities.hpp"
#include "tools/amtsim/profile.hpp"

#include <boost/asio/ip/address.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace outband::amtsim {

/// Exit codes; also told by --help.
enum exit_code : int {
  exit_clean = 0,
  exit_usage = 2,   ///< the command line is wrong
  exit_server = 3,  ///< root certificate unreadable, or the server's name cannot be resolved
  exit_control = 4, ///< the control interface or a LAN port cannot be opened
  exit_file = 5,    ///< a file cannot be read or written
};

struct options {
  std::string server_host; ///< empty: none, the machines are reached on the LAN only
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
  boost::asio::ip::address lan_address;
  std::optional<std::uint16_t> lan_port;     ///< machine i listens on this plus i; 0: any
  std::optional<std::uint16_t> lan_tls_port; ///< the same with TLS
  bool lan_own_address = false;              ///< machine i listens on lan_address plus i instead
  std::string mei_dir;                       ///< machine GUID has its MEI at <dir>/<GUID>.mei
  std::optional<std::uint16_t> lms_port;     ///< host i has its LMS on this plus i; 0: any
  std::optional<std::uint16_t> lms_tls_port; ///< the same in front of AMT's TLS port
  std::string on_die_file;                   ///< written at the start; empty: none
  std::size_t threads = 1;
  double connect_rate = 200; ///< machines per second; 0: all at once
  bool quiet = false;
  bool print_events = false;
  bool connects = true; ///< false: waits for controllers' "connect"
};

/// The options, or the exit code after help or an error was printed.
std::variant<options, int> parse_options(int argc, char** argv);

} // namespace outband::amtsim
