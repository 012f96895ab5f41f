/// A TCP relay on a loopback port that spoils what passes through it: delays, throttles, stops
/// reading one side (half-open), or cuts. Never changes or reorders octets.
///
/// Threads: one of its own; every member may be called from any thread and takes effect before it
/// returns, for connections there are and for those that come.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace outband::test {

class relay {
public:
  enum class direction : std::uint8_t { to_server, to_client };

  /// Passes on to this port on 127.0.0.1.
  explicit relay(std::uint16_t server_port);
  ~relay();
  relay(const relay&) = delete;
  relay& operator=(const relay&) = delete;

  std::uint16_t port() const;

  /// Stops reading what goes that way: it stays in the sender's kernel, as with a peer that hangs.
  void hold(direction d, bool held = true);
  /// What goes that way arrives that much later, in order.
  void delay(direction d, std::chrono::milliseconds by);
  /// Octets per second that way; 0: no limit.
  void throttle(direction d, std::size_t octets_per_second);
  /// Resets every connection (RST) on both sides; what was under way is lost.
  void cut();
  /// New connections are reset at once.
  void refuse(bool refused = true);

  std::size_t connections() const;       ///< open now
  std::size_t accepted() const;          ///< since the start
  std::size_t passed(direction d) const; ///< octets
  /// Waits until so many octets have passed; false when they have not for a long time.
  bool wait_passed(direction d, std::size_t octets) const;
  bool wait_accepted(std::size_t count) const;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace outband::test
