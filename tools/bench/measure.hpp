/// The measurements. Each alternates between the server and the bare loop where that has the same,
/// so that what else happens on the machine meets both.
///
/// Context: the main thread.
#pragma once

#include "tools/bench/fleet.hpp"
#include "tools/bench/process.hpp"
#include "tools/bench/report.hpp"
#include "tools/bench/site.hpp"

#include <memory>
#include <regex>
#include <string>

namespace outband::bench {

struct sizes {
  std::size_t connects = 2000; ///< per round
  std::size_t rounds = 3;
  std::vector<std::size_t> idle{1000, 5000};
  std::chrono::seconds idle_time{60};
  std::chrono::seconds settle{120}; ///< at most, until the server has nothing left to do
  std::size_t storm = 2000;
  std::size_t rest_devices = 500;
  std::vector<std::size_t> rest_at_a_time{1, 16, 64, 512};
  std::vector<std::size_t> reads_at_a_time{16, 64};
  std::chrono::seconds rest_time{10};
  std::size_t single_events = 100;
  std::chrono::seconds flap_time{15};
  std::chrono::milliseconds keep_alive{30'000}; ///< as our server asks of firmware
  int minutes = 0;                              ///< of the long REST run; 0: none
  /// Each of them: this part ours, this part the echo, so many times.
  std::chrono::milliseconds long_ours{10'000}, long_echo{2'000};
  int long_turns = 5;

  static sizes quick();
};

class stage {
public:
  stage(site& at, report& to, sizes how, std::string floor_program, std::string floor_threads);

  site& at;
  report& to;
  const sizes how;
  loop io;
  soap_answers soap;

  /// A bare loop of its own for each use: its memory and tunnels begin at nothing.
  struct floor {
    std::unique_ptr<child> process;
    std::uint16_t port = 0;
  };
  floor start_floor();
  /// A plain TLS echo in that process, for the headers that `at.rest()` sends.
  rest_target echo_of(const floor& f);
  std::unique_ptr<fleet> machines(std::uint16_t port, std::size_t count, int tls = 12);
  /// Registers what is missing of the first `count`.
  void need_machines(std::size_t count);
  /// Waits until the server has nothing to do; false if it still has when patience ends.
  bool settle();
  /// Connects all of them or throws.
  fleet::outcome connect(fleet& f, std::size_t count, std::size_t at_a_time);

private:
  std::string floor_program_, floor_threads_;
  std::size_t registered_ = 0;
};

void measure_connects(stage& s);
void measure_idle(stage& s);
void measure_storm(stage& s);
void measure_rest(stage& s);
void measure_reads(stage& s);
void measure_rest_long(stage& s);
void measure_disconnect(stage& s);
void measure_desired(stage& s);
void measure_events(stage& s);

} // namespace outband::bench
