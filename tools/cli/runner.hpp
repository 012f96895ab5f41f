/// One command under way. Internal to run*.cpp: session commands in run_login.cpp, watch in
/// run_watch.cpp, the audit trail in run_audit.cpp, orders and the way to the bus in run_bus.cpp,
/// the rest in run.cpp.
#pragma once

#include "tools/cli/follow.hpp"
#include "tools/cli/outcome.hpp"
#include "tools/cli/render.hpp"
#include "tools/cli/run.hpp"

namespace outband::cli {

class runner {
public:
  runner(world& with, const command_line& line, session as, std::string path)
      : with_(with), line_(line), as_(std::move(as)), path_(std::move(path)) {}

  result<exit_code> operator()(const login_command& c);
  result<exit_code> operator()(const logout_command&);
  result<exit_code> operator()(const list_hosts_command& c);
  result<exit_code> operator()(const get_host_command& c);
  result<exit_code> operator()(const create_hosts_command& c);
  result<exit_code> operator()(const set_host_command& c);
  result<exit_code> operator()(const watch_command& c);
  result<exit_code> operator()(const audit_command& c);
  result<exit_code> operator()(const version_command&);

private:
  bool json() const { return line_.common.format == output::json; }
  status connect();
  result<bus_link> open_bus(tenant_key& tenant);
  /// Until the broker took every subscription; what comes meanwhile goes to `early`.
  status await_bus(follower& news_of, const bus_link& link, std::vector<news>& early);
  result<exit_code> order_and_wait(const set_host_command& c, const host& h, const uuid& request);
  exit_code report(const order_report& r);
  void note(const std::string& text);

  world& with_;
  const command_line& line_;
  session as_;
  const std::string path_;
  std::unique_ptr<https::transport> transport_;
};

} // namespace outband::cli
