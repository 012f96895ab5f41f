/// What the commands print: tables for people, JSON for programs (its form is in README.md).
/// Context: pure but for the local time zone in tables.
#pragma once

#include "messages/bus/envelope.hpp"
#include "tools/cli/host.hpp"
#include "tools/cli/wait.hpp"

#include <string>
#include <vector>

namespace outband::cli {

std::string hosts_table(const std::vector<host>& all);
std::string hosts_json(const std::vector<host>& all);
std::string host_table(const host& h);
std::string host_json(const host& h);

struct order_report {
  host about;
  std::string asked;  ///< "off", "reset"
  std::string policy; ///< "ordered"
  uuid request;
  revision rev = 0; ///< 0: not known or none
  bool waited = false;
  verdict ended{}; ///< without waiting: "stored"
};
std::string order_json(const order_report& r);

/// One line each, without a line break. `name` is the host's.
std::string watch_line(const std::string& name, const bus::decoded<current_state>& c);
std::string watch_line(const std::string& name, const bus::decoded<presence>& p);
std::string watch_line(const std::string& name, const bus::decoded<event>& e);
std::string watch_json(const device_id& guid, const std::string& name,
                       const bus::decoded<current_state>& c);
std::string watch_json(const device_id& guid, const std::string& name,
                       const bus::decoded<presence>& p);
std::string watch_json(const device_id& guid, const std::string& name,
                       const bus::decoded<event>& e);

} // namespace outband::cli
