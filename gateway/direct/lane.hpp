/// What the machines of one I/O thread share, and what all threads share. Private to
/// gateway/direct.
#pragma once

#include "actors/ports/direct.hpp"
#include "gateway/cira/registry.hpp"
#include "gateway/direct/client_tls.hpp"
#include "gateway/direct/dialer.hpp"
#include "gateway/direct/options.hpp"
#include "gateway/direct/turns.hpp"
#include "gateway/direct/wire.hpp"

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>

namespace outband::direct {

class machine;

/// Shared by all machines.
struct hub {
  hub(options o, terminator_port& l, direct_port& p, client_tls m, client_tls old)
      : opts(std::move(o)), links(l), port(p), modern(std::move(m)), legacy(std::move(old)),
        attempts(opts.max_connecting) {}

  const options opts;
  terminator_port& links;
  direct_port& port;
  const client_tls modern, legacy;
  turns attempts;
  cira::registry open;

  std::atomic<std::uint64_t> tried{0}, admitted{0}, fell_late{0};
  std::array<std::atomic<std::uint64_t>, figures::troubles> refused{};
  std::array<std::atomic<std::uint64_t>, figures::link_ends> ended{};
  std::atomic<std::size_t> late_now{0};

  // Guarded by mutex:
  mutable std::mutex mutex;
  std::condition_variable changed;
  bool closing = false;
  std::unordered_map<device_ref, std::shared_ptr<machine>> machines;
};

struct lane {
  lane(boost::asio::io_context& c, std::shared_ptr<hub> h)
      : context(c), timers(net::timers::of(c)), shared(std::move(h)),
        buffer(std::make_unique<read_buffer>()) {}

  boost::asio::io_context& context;
  net::timers& timers;
  const std::shared_ptr<hub> shared;
  const std::unique_ptr<read_buffer> buffer;
};

} // namespace outband::direct
