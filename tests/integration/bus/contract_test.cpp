#include "tests/integration/bus/broker.hpp"

#include <stdexcept>

namespace {

using namespace outband;

struct mosquitto_backend {
  int serial = 0;

  std::unique_ptr<bus::endpoint> attach() {
    auto& broker = test::shared_broker();
    auto options = broker.machine("-/inst/n1", "inst-n1-" + std::to_string(++serial));
    options.response_prefix = "oob/v1/-/inst/n1/node/reply";
    auto e = std::make_unique<bus::mqtt_endpoint>(options);
    if (!test::wait_connected(*e))
      throw std::runtime_error("not connected: " + e->last_error() + "\n" + broker.process().log());
    return e;
  }
  template <class Gate, class F> bool until(Gate& g, F holds) {
    std::unique_lock<std::mutex> lock(g.mutex);
    return g.changed.wait_for(lock, test::patience, holds);
  }
};

} // namespace

#define BUS_BACKENDS mosquitto_backend
#include "tests/unit/bus/endpoint_contract.hpp"
