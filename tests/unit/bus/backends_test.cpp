#include "bus/local_endpoint.hpp"
#include "bus/scripted_endpoint.hpp"
#include "tests/support/process.hpp" // patience

namespace {

using namespace outband;

struct local_backend {
  bus::local_bus bus;

  std::unique_ptr<bus::endpoint> attach() {
    bus::local_options options;
    options.response_prefix = "oob/v1/-/t/answers";
    return bus.attach(options);
  }
  template <class Gate, class F> bool until(Gate& g, F holds) {
    std::unique_lock<std::mutex> lock(g.mutex);
    return g.changed.wait_for(lock, test::patience, holds);
  }
};

struct scripted_backend {
  bus::scripted_bus bus{7};

  std::unique_ptr<bus::endpoint> attach() {
    bus::scripted_options options;
    options.response_prefix = "oob/v1/-/t/answers";
    return bus.attach(options);
  }
  /// Runs what is due, then lets virtual time pass, an hour at most.
  template <class Gate, class F> bool until(Gate& g, F holds) {
    for (int ms = 0; ms < 3'600'000; ms += 10) {
      bus.run();
      {
        std::lock_guard<std::mutex> lock(g.mutex);
        if (holds())
          return true;
      }
      bus.advance(std::chrono::milliseconds(10));
    }
    return false;
  }
};

} // namespace

#define BUS_BACKENDS local_backend, scripted_backend
#include "tests/unit/bus/endpoint_contract.hpp"
