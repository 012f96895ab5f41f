/// A bus for tests: no threads, virtual time, and faults drawn from a seed.
///
/// Nothing happens until run(), step() or advance(). The same seed and the same calls give the same
/// run; print the seed when a test fails.
#pragma once

#include "bus/in_process.hpp"

#include <memory>
#include <string>

namespace outband::bus {

struct scripted_options {
  std::string response_prefix; ///< empty: makes no requests
  std::size_t window = 100;
};

class scripted_endpoint final : public in_process_endpoint {
public:
  scripted_endpoint(std::shared_ptr<in_process_bus> bus, scripted_options options,
                    std::uint64_t salt);
  /// Loses the connection or gets it back.
  void set_connected(bool up);
};

class scripted_bus {
public:
  explicit scripted_bus(std::uint64_t seed = 1, fault_plan faults = {});

  std::unique_ptr<scripted_endpoint> attach(scripted_options options = {});
  virtual_loop& loop() { return loop_; }

  /// One task that is due; false when nothing is.
  bool step() { return loop_.step(); }
  /// All that is due now.
  std::size_t run() { return loop_.run(); }
  void advance(scheduler::clock::duration span) { loop_.advance(span); }

  void set_faults(const fault_plan& plan) { bus_->set_faults(plan); }
  /// The broker's store, to look at, to lose ({}) or to roll back.
  in_process_bus::retained_map retained() const { return bus_->retained(); }
  void set_retained(in_process_bus::retained_map content) {
    bus_->set_retained(std::move(content));
  }

private:
  virtual_loop loop_;
  std::shared_ptr<in_process_bus> bus_;
  std::uint64_t salt_ = 0;
};

} // namespace outband::bus
