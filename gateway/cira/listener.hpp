/// The CIRA terminator: listens, spreads connections over the I/O threads, and lets machines in.
///
/// Every refusal is one line in the log with peer, reason and what to do; probes that open and
/// close without an octet are none. When the process has no free descriptor, or too many
/// connections are not yet authenticated, accepting pauses and who comes waits in the kernel's
/// backlog (4096). Threads: start, stop and the rest from any thread that is not an I/O thread.
/// io_pool and port must
///   outlive it; links it gave out may outlive it (they answer link_down).
#pragma once

#include "actors/ports/terminator.hpp"
#include "gateway/cira/counters.hpp"
#include "gateway/cira/options.hpp"
#include "gateway/cira/registry.hpp"
#include "gateway/net/tls_context.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace outband::net {
class io_pool;
}

namespace outband::cira {

class listener {
public:
  /// `legacy` is for addresses with listen_address::legacy; without it they are refused at start().
  listener(net::io_pool& pool, terminator_port& port, options opts, net::tls_context modern,
           std::optional<net::tls_context> legacy = {});
  ~listener(); ///< stop()s without patience
  listener(const listener&) = delete;
  listener& operator=(const listener&) = delete;

  /// All addresses or none: the failure names the one that cannot be bound.
  status start();
  /// The ports in the order of options.listen; of use when one was 0.
  std::vector<std::uint16_t> ports() const;

  /// Nobody new comes in; what is open is closed one after the other, spread over `window`, so that
  /// machines reach another node as few at a time as possible. Blocks until all were told, or
  /// `enough` says so. stop() follows.
  void drain(std::chrono::milliseconds window, const std::function<bool()>& enough);
  /// Nobody new comes in; every tunnel ends with link_end::shutdown. Returns when all are gone, or
  /// after `patience` with the rest cut off; true if nothing is left.
  bool stop(std::chrono::milliseconds patience);

  /// For connections from now on: a certificate was renewed.
  void use(net::tls_context modern, std::optional<net::tls_context> legacy = {});

  std::optional<found_tunnel> find(const device_ref& ref) const;

  struct figures {
    std::size_t connections = 0; ///< now, tunnels included
    std::size_t pending = 0;     ///< now, not authenticated
    std::size_t tunnels = 0;     ///< now, usable
    std::size_t late = 0;        ///< now, of these: silent for longer than late_after
    std::uint64_t accepted = 0;  ///< since the start, like the following
    std::uint64_t admitted = 0;
    std::uint64_t fell_late = 0;
    std::array<std::uint64_t, turned_aways> refused{}; ///< by turned_away
    std::array<std::uint64_t, link_ends> ended{};      ///< by link_end
  };
  figures now() const;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace outband::cira
