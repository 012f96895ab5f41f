/// How often somebody who has no token for a machine may be wrong about its AMT password.
///
/// A wrong password does not use a token up, for people mistype; so the machine counts them.
/// Whoever has a token for this very machine is not compared and not counted: guesses shut nobody
/// out who may. Context: any thread. Kept by each process for itself, and lost with it.
#pragma once

#include "messages/domain/ids.hpp"

#include <map>
#include <mutex>
#include <string>

namespace outband::activation {

class password_guesses {
public:
  static constexpr int most = 5; ///< within `window`, counted from the first
  static constexpr time_ms window = 3'600'000;
  static constexpr std::size_t max_machines = 10'000; ///< then the oldest is forgotten

  /// Before it is compared, so that many at once are no more than so many one by one. False: it is
  /// not to be compared.
  bool may_compare(const device_ref& machine, time_ms now);
  /// Whoever knows it has not guessed.
  void was_right(const device_ref& machine);

private:
  struct count {
    int guesses = 0;
    time_ms since = 0;
  };
  void make_room(time_ms now);

  std::mutex mutex_;
  std::map<std::string, count> counts_;
};

} // namespace outband::activation
