/// What the CIRA terminator's sockets tell the actors, and ask of them. Implemented in
/// actors/terminator.cpp, called by gateway/cira on its I/O threads.
#pragma once

#include "actors/ports/amt_link.hpp"
#include "actors/ports/secrets.hpp"

#include <functional>
#include <memory>

namespace outband {

/// What a device says of itself before it is believed.
struct cira_login {
  device_id guid;
  std::string username;
  secret_text password;
  std::string peer; ///< "192.0.2.7:16994"
  int trigger = 0;  ///< from PROTOCOLVERSION
};

/// The tunnel is believed: it has the newest epoch, and these are the firmware's credentials.
struct admission {
  device_ref ref;
  link_epoch epoch = 0;
  std::string amt_username;
  secret_text amt_password;
};

/// Threads: called from I/O threads, never blocks; completions run on any thread, exactly once.
class terminator_port {
public:
  virtual ~terminator_port() = default;
  /// Compares credentials in constant time and takes the link epoch; only then may the device be
  /// told that it is in. `unauthenticated` for an unknown GUID, a wrong user or password alike
  /// (`detail` says which, for our log only); store_unavailable closes the socket without a word
  /// about the password.
  virtual void admit(cira_login login, answer<admission> cb) = 0;
  /// The handshake is complete: from now on `link` may be used. The port keeps it until down().
  virtual void up(const admission& who, std::string peer, int trigger,
                  std::shared_ptr<amt_link_port> link) = 0;
  /// The tunnel has ended; must follow every successful admit(), also without up().
  virtual void down(const device_ref& ref, link_epoch epoch, link_end why, std::string text) = 0;
  /// 45 s without a sign of life, or the first sign after that.
  virtual void late(const device_ref& ref, link_epoch epoch, bool late) = 0;
  /// The firmware said something by itself; `json` as messages/amt/alert.hpp makes it.
  virtual void alert(const device_ref& ref, link_epoch epoch, std::string json) = 0;
};

} // namespace outband
