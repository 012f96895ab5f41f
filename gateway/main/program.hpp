/// outbandd, put together: what stands on what, in which order it starts and stops.
///
/// Context: main thread; start() blocks until everything listens or says why not.
#pragma once

#include "gateway/config/config.hpp"
#include "gateway/main/site_files.hpp"

#include <chrono>
#include <functional>
#include <memory>

namespace outband {

class program {
public:
  program(config::settings settings, site_files site);
  ~program(); ///< stop()s

  /// Waits that long between attempts; false: give up, the process is to end.
  using patience = std::function<bool(std::chrono::milliseconds)>;
  /// Applies migrations, connects, listens. A database that is away is waited for; any other
  /// failure names what could not be done and what to do about it.
  status start(const patience& wait);
  /// Closes what listens, then what decides, then what stores. Tunnels are closed so that machines
  /// call again at once.
  void stop();

private:
  status reach_database(const patience& wait);
  status enrol(const patience& wait);
  void retire();
  void hand_over();
  status listen_for_machines();
  status connect_to_machines();
  status make_api(bool with_page);
  result<std::string> broker_ca() const; ///< PEM
  status listen_for_people(bool with_api);

  struct parts;
  config::settings settings_;
  site_files site_;
  std::unique_ptr<parts> parts_;
};

} // namespace outband
