/// A whole site for tests: broker, database, one server with all roles, simulated machines. One per
/// test binary; what it can do is in stage.hpp and people.hpp.
#pragma once

#include "tests/e2e/stage.hpp"

namespace outband::e2e {

class site final : public stage {
public:
  static site& get(); ///< started at the first call
  ~site();

  std::string server_log() const { return server_->log(); }
  /// Ends it with that signal, starts it again and waits until it is ready.
  void restart_server(int signal);
  e2e::server& server() { return *server_; }
  std::uint16_t cira_port() const { return cira_port_; }

private:
  site(std::uint16_t cira_port, std::uint16_t https_port);
  void start_server();

  std::uint16_t cira_port_;
  std::unique_ptr<e2e::server> server_;
};

} // namespace outband::e2e
