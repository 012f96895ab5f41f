#include "bus/local_endpoint.hpp"

#include "bus/in_process.hpp"

#include <atomic>

namespace outband::bus {

struct local_bus::core {
  thread_loop loop;
  std::shared_ptr<in_process_bus> bus = std::make_shared<in_process_bus>(loop, 0, false);
  std::atomic<std::uint64_t> salt{0};

  // Tasks use the bus: they end before it goes.
  ~core() { loop.stop(); }
};

local_bus::local_bus() : core_(std::make_shared<core>()) {}

local_bus::~local_bus() = default;

std::unique_ptr<endpoint> local_bus::attach(local_options options) {
  // The endpoint's pointer to the bus keeps the whole core, its thread included.
  std::shared_ptr<in_process_bus> bus(core_, core_->bus.get());
  return std::make_unique<in_process_endpoint>(std::move(bus), std::move(options.response_prefix),
                                               ++core_->salt, options.window);
}

} // namespace outband::bus
