// A machine on the test bench: fixed identity, exact times.
#pragma once

#include "tools/amtsim/device_model.hpp"

namespace outband::amtsim::test {

inline identity who() {
  return {*parse_uuid("12345678-9abc-def0-1234-56789abcdef0"),
          "edge-0001",
          "Digest:A3829B3827DE4D33D4449B366831FD01",
          "admin",
          "P@ssw0rd",
          "cira1",
          "secret"};
}

/// power 100 ms, OS shutdown 4 s, off for 1 s within a cycle.
inline const settings& exact() {
  static const settings s = [] {
    settings out;
    out.kind = *find_firmware("amt16");
    out.times.power = sim_time{100};
    out.times.off_before_on = sim_time{1000};
    out.times.os_shutdown = sim_time{4000};
    return out;
  }();
  return s;
}

struct bench_machine {
  explicit bench_machine(const settings& s = exact()) : model(who(), &s, 7) {}
  device_model model;
  fault_set faults;
  sim_time now{1000};

  std::uint32_t ask(std::uint32_t state) { return model.request_power(state, faults, now); }
  std::vector<power_change> after(long ms) {
    now += sim_time{ms};
    return model.advance(now);
  }
};

} // namespace outband::amtsim::test
