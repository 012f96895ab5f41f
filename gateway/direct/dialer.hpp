/// Keeps a connection to every machine that the actors name (actors/ports/direct.hpp), spread over
/// the I/O threads; a connected one is a link like any other.
///
/// Threads: any that is not an I/O thread for stop(); the rest any. io_pool and the ports must
///   outlive it; links it gave out may outlive it (they answer link_down).
/// Limits: options.max_devices; what is named beyond it is not taken.
#pragma once

#include "actors/ports/direct.hpp"
#include "gateway/cira/registry.hpp"
#include "gateway/direct/options.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

namespace outband::net {
class io_pool;
}

namespace outband::direct {

struct figures {
  static constexpr std::size_t troubles = 6, link_ends = 6;
  std::size_t devices = 0;   ///< now
  std::size_t connected = 0; ///< now, of these
  std::size_t late = 0;      ///< now, of these: silent for longer than late_after
  std::uint64_t tried = 0;   ///< attempts since the start, like the following
  std::uint64_t admitted = 0;
  std::uint64_t fell_late = 0;
  std::array<std::uint64_t, troubles> refused{}; ///< by direct_trouble
  std::array<std::uint64_t, link_ends> ended{};  ///< by link_end
};

class dialer final : public direct_dialer {
public:
  static result<std::unique_ptr<dialer>> make(net::io_pool& pool, terminator_port& links,
                                              direct_port& port, options o);
  ~dialer() override; ///< stop()s without patience
  dialer(const dialer&) = delete;
  dialer& operator=(const dialer&) = delete;

  void look_at(const device_ref& ref) override;
  std::size_t room() const override;

  /// Nobody new; every link ends with link_end::shutdown. True if all are gone in time.
  bool stop(std::chrono::milliseconds patience);

  /// How the relay finds a machine's carrier; the same as cira::listener's.
  std::optional<cira::found_tunnel> find(const device_ref& ref) const;
  figures now() const;

private:
  struct impl;
  explicit dialer(std::unique_ptr<impl> i);
  std::unique_ptr<impl> impl_;
};

} // namespace outband::direct
