/// What this process counts about REST, and Prometheus's text of it.
/// Context: any thread.
#pragma once

#include "actors/ports/control.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace outband::rest {

class metrics {
public:
  metrics();
  ~metrics();
  /// `rule`: the route as in the role table, "none" if no route matched.
  void answered(std::string_view rule, int status, double seconds);
  /// Prometheus text format 0.0.4.
  std::string text(const control_port::counts& now, time_ms started, time_ms at);

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace outband::rest
