/// Machines that are connected to instead of waited for: what is stored of them, what
/// gateway/direct asks of the actors, and what they tell it.
///
/// A direct machine is held by one terminator of the site: whoever has its row in the database,
/// until that terminator is dead or has left. Its link is an ordinary one: terminator_port's
/// up, down and late, an epoch that the newest takes.
/// Threads: any; nothing blocks; completions come exactly once, on any thread.
#pragma once

#include "actors/ports/cluster.hpp"
#include "actors/ports/secrets.hpp"
#include "actors/ports/terminator.hpp"
#include "messages/domain/direct.hpp"

#include <optional>
#include <string>
#include <vector>

namespace outband {

struct direct_row {
  direct_connection how;
  std::string amt_username;
};

/// Implemented by actors/store over libpq. `self` must be enrolled (cluster_port).
class direct_rows {
public:
  virtual ~direct_rows() = default;
  /// nullopt: it calls home. Keeps who holds it. not_found for an unknown device.
  virtual void set(device_ref ref, std::optional<direct_connection> how, answer<nothing> cb) = 0;
  /// Takes up to `limit` machines that nobody holds, or whose holder has died: buried, gone, or
  /// without a beat for `silent_after` on the database's clock.
  virtual void claim(instance_ref self, std::chrono::milliseconds silent_after, std::size_t limit,
                     answer<std::vector<device_ref>> cb) = 0;
  /// The row, if `self` holds it or, as in claim(), can take it. not_found: the device is not
  /// direct (any more), or does not exist; cancelled: another one holds it.
  virtual void hold(instance_ref self, device_ref ref, std::chrono::milliseconds silent_after,
                    answer<direct_row> cb) = 0;
  /// Pins the first certificate; only while none is pinned. false: one is, or the row is gone.
  virtual void pin(device_ref ref, std::string sha256, answer<bool> cb) = 0;
};

/// What it takes to connect.
struct direct_target {
  device_ref ref;
  direct_connection how;
  std::string amt_username;
  secret_text amt_password;
};

/// Why a machine that could be reached is not let in; an operator has to do something about it.
enum class direct_trouble : std::uint8_t {
  none,
  credentials,  ///< the firmware refused user name or password, or no password is stored
  wrong_device, ///< another machine answers at that address
  certificate,  ///< it shows another certificate than the pinned one
  not_allowed,  ///< the address is one that we do not connect to
  protocol,     ///< no TLS, or no AMT
};
/// "credentials", "wrong-device", ...
std::string_view to_string(direct_trouble t);

/// Asked by gateway/direct.
class direct_port {
public:
  virtual ~direct_port() = default;
  /// Before each attempt: what is stored now. not_found, cancelled: let go of it (see direct_rows).
  virtual void prepare(device_ref ref, answer<direct_target> cb) = 0;
  /// The machine is the right one: takes the link epoch. down() of terminator_port must follow.
  virtual void admit(const direct_target& who, std::string peer, answer<admission> cb) = 0;
  /// The first certificate of a machine without a pin; false: another one was pinned meanwhile.
  virtual void pin(device_ref ref, std::string sha256, answer<bool> cb) = 0;
  /// What stands in the way, after each attempt in which it did; `none`: nothing any more.
  virtual void trouble(const device_ref& ref, direct_trouble what, std::string text) = 0;
};

/// Implemented by gateway/direct.
class direct_dialer {
public:
  virtual ~direct_dialer() = default;
  /// New, or what is stored of it changed: connect now; if it is connected, connect again.
  virtual void look_at(const device_ref& ref) = 0;
  /// So many more machines may be held.
  virtual std::size_t room() const = 0;
};

} // namespace outband
