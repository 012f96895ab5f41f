#include "bus/local_endpoint.hpp"
#include "bus/routed_endpoint.hpp"
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

bus::routed_options routed() {
  bus::routed_options o;
  o.response_prefix = "oob/v1/-/t/answers";
  o.window = 10'000;
  return o;
}

/// Each endpoint is a process of its own; between them is a local bus, or a scripted one.
struct routed_local_backend : local_backend {
  std::vector<std::unique_ptr<bus::endpoint>> far;

  std::unique_ptr<bus::endpoint> attach() {
    far.push_back(bus.attach());
    return std::make_unique<bus::routed_endpoint>(*far.back(), routed());
  }
};

struct routed_scripted_backend : scripted_backend {
  std::vector<std::unique_ptr<bus::endpoint>> far;

  std::unique_ptr<bus::endpoint> attach() {
    far.push_back(bus.attach());
    return std::make_unique<bus::routed_endpoint>(*far.back(), routed(), bus.loop());
  }
};

} // namespace

#define BUS_BACKENDS local_backend, scripted_backend, routed_local_backend, routed_scripted_backend
#include "tests/unit/bus/endpoint_contract.hpp"
