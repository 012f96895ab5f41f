/// outbandd, put together: what stands on what, in which order it starts and stops.
///
/// Context: main thread; start() blocks until everything listens or says why not.
#pragma once

#include "gateway/config/config.hpp"
#include "gateway/main/site_files.hpp"

#include <memory>

namespace outband {

class program {
public:
  program(config::settings settings, site_files site);
  ~program(); ///< stop()s

  /// Applies migrations, connects, listens. The failure names what could not be done and what to
  /// do about it.
  status start();
  /// Closes what listens, then what decides, then what stores. Tunnels are closed so that machines
  /// call again at once.
  void stop();

private:
  status listen_for_machines();
  status listen_for_people();

  struct parts;
  config::settings settings_;
  site_files site_;
  std::unique_ptr<parts> parts_;
};

} // namespace outband
