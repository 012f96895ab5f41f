/// A TCP load balancer on a loopback port, as one stands before the terminators of a site: each
/// connection goes to the first target that takes it, and stays there.
///
/// Threads: one of its own; every member may be called from any thread and takes effect before it
/// returns. Limits: 64 KiB wait per direction and connection, 1 MiB while held; whoever sends more
/// is not read from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace outband::test {

class balancer {
public:
  /// Ports on 127.0.0.1. `source`: the address that the targets see, within 127.0.0.0/8.
  explicit balancer(std::vector<std::uint16_t> targets, const std::string& source = "127.0.0.1");
  ~balancer();
  balancer(const balancer&) = delete;
  balancer& operator=(const balancer&) = delete;

  std::uint16_t port() const;

  /// New connections try this one first, then the others in their order.
  void prefer(std::uint16_t target);
  /// New connections go to all targets in turn.
  void spread();
  /// Open connections of a target.
  std::size_t open(std::uint16_t target) const;
  /// Ends them with RST on both sides.
  void cut(std::uint16_t target);
  /// From now on what clients of a target send, and that they are gone, is kept here: to the target
  /// they look alive and silent. What it says still reaches them.
  void hold(std::uint16_t target);
  /// Passes on what was kept: octets that come late.
  void release(std::uint16_t target);
  /// Octets kept for a target.
  std::size_t kept(std::uint16_t target) const;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace outband::test
