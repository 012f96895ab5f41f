/// A provisioning connection (rpc's WebSocket) as the activation actor sees it. Implemented by
/// gateway/activation; a fake in tests.
///
/// The machine is reached through its own host: what is written goes to the firmware's local port,
/// either in clear (16992) or, where the firmware insists or the profile wants it, inside a TLS
/// session whose client is this server (16993).
/// Threads: called from the actor pool, never blocks; completions run on the connection's I/O
/// thread, exactly once, and must hand over. When the connection ends, every open call ends with
/// problem::link_down (or outcome_unknown if the request had been handed to the client), and then
/// activation_port::closed() is called once. If only the firmware's local connection ends, that is
/// device_timeout, or outcome_unknown: it may be there again in a moment.
#pragma once

#include "actors/ports/amt_link.hpp"
#include "messages/domain/activation.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace outband {

/// How the certificate that the firmware shows in its TLS session is judged.
enum class firmware_trust : std::uint8_t {
  on_die,    ///< the chain ends at Intel's OnDie root
  pinned,    ///< signed by, or equal to, `pin`
  self_made, ///< anything: only between client control mode and our own certificate
};
struct firmware_pin {
  firmware_trust how = firmware_trust::on_die;
  std::string ca_pem;      ///< of `pinned`
  std::string leaf_sha256; ///< of `pinned`: hex; empty: signed by `ca_pem` is enough
};

class activation_wire {
public:
  virtual ~activation_wire() = default;
  /// With which account and over which local port the next post() goes. Forgets nonces of another
  /// account. Only while no post is open.
  virtual void sign_in(std::string user, secret_text password) = 0;
  /// As amt_link_port::post: one HTTP exchange with the firmware, digest done.
  virtual void post(std::string envelope, std::chrono::milliseconds timeout,
                    std::function<void(result<soap_answer>)> cb) = 0;
  /// The client is to go over to the TLS port: `delay` seconds (the firmware restarts its ports),
  /// then the TLS session begins. Ends with its acknowledgement.
  virtual void switch_port(std::chrono::seconds delay, std::function<void(status)> cb) = 0;
  /// From now on what is posted goes inside a TLS session to the firmware, begun anew.
  virtual void use_tls(firmware_pin pin, std::function<void(status)> cb) = 0;
  /// A label for the person at the machine; dropped if the client does not understand it.
  virtual void progress(std::string label) = 0;
  /// The last word. The client leaves by itself; the connection is closed some seconds later.
  virtual void finish(provisioning_report report) = 0;
  /// Refuses without any more words to the machine.
  virtual void refuse(std::string text) = 0;
};

/// Who decides about provisioning connections: the provisioner role.
class activation_port {
public:
  virtual ~activation_port() = default;
  struct connection {
    std::uint64_t id = 0;
    std::string token; ///< from the URL; empty: the bare path
    std::string peer;  ///< address
    std::shared_ptr<activation_wire> wire;
  };
  /// The first frame came and is well formed.
  virtual void opened(connection who, provisioning_wish wish) = 0;
  virtual void closed(std::uint64_t id) = 0;
};

} // namespace outband
