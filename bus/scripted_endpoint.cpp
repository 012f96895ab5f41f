#include "bus/scripted_endpoint.hpp"

namespace outband::bus {

scripted_endpoint::scripted_endpoint(std::shared_ptr<in_process_bus> bus, scripted_options options,
                                     std::uint64_t salt)
    : in_process_endpoint(std::move(bus), std::move(options.response_prefix), salt,
                          options.window) {}

void scripted_endpoint::set_connected(bool up) {
  bus_->set_connected(self_, up);
}

scripted_bus::scripted_bus(std::uint64_t seed, fault_plan faults)
    : bus_(std::make_shared<in_process_bus>(loop_, seed, true)) {
  bus_->set_faults(faults);
}

std::unique_ptr<scripted_endpoint> scripted_bus::attach(scripted_options options) {
  return std::make_unique<scripted_endpoint>(bus_, std::move(options), ++salt_);
}

} // namespace outband::bus
