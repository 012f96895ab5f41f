/// The simulated machines of a test, and the truth about them.
///
/// Context: the simulator ends with the thread that started it; asking it is possible from any.
#pragma once

#include "tests/support/process.hpp"

#include <nlohmann/json_fwd.hpp>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace outband::e2e {

using json = nlohmann::json;

struct machine {
  std::string guid, hostname;
};

struct machine_options {
  /// Of a terminator, or of a balancer before several; 0: they never call home.
  std::uint16_t server_port = 0;
  std::string root_ca;
  std::string devices_file; ///< is written: what POST /api/v1/devices wants
  std::size_t count = 24;
  /// Times of the simulator, and what else a test wants.
  std::vector<std::string> more = {"--power-ms",       "200",    "--off-ms",       "300",
                                   "--os-shutdown-ms", "800",    "--link-drop-ms", "50:150",
                                   "--reconnect-ms",   "50:100", "--connect-rate", "0"};
};

class machines {
public:
  /// Started, and waiting to be told to connect.
  explicit machines(const machine_options& o);
  ~machines();

  const std::vector<machine>& all() const { return all_; }
  /// What POST /api/v1/devices wants.
  const std::string& devices() const { return devices_; }
  /// One that no other test has had.
  const machine& fresh();

  /// The simulator's control interface; throws when it complains.
  json sim(const json& command) const;
  json truth(const std::string& guid) const;
  /// CIM code, as the machine really is.
  int power(const std::string& guid) const;
  /// Power requests that were carried out, per CIM code.
  std::map<int, int> carried_out(const std::string& guid) const;
  std::size_t connected() const; ///< machines that believe to have a tunnel
  void fault(const std::string& guid, const std::string& kind, int count = 1, int ms = 0) const;
  void connect(const std::string& guid = "*") const;
  void disconnect(const std::string& guid = "*") const;

private:
  std::uint16_t control_port_;
  std::unique_ptr<test::process> simulator_;
  std::string devices_;
  std::vector<machine> all_;
  std::size_t next_ = 0;
};

} // namespace outband::e2e
