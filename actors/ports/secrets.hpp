/// Passwords of machines. Implemented by actors/secrets; never in a table in clear, never in a log,
/// never on the bus.
///
/// Threads as for store_port. A new value is *pending* until a login with it was verified; the
/// former one is kept until then.
#pragma once

#include "actors/ports/store.hpp"
#include "messages/domain/secret_text.hpp"

#include <string>

namespace outband {

enum class secret_name : std::uint8_t { amt_password, mps_password, mebx_password };
std::string_view to_string(secret_name n);

struct secret_versions {
  std::optional<secret_text> active;
  std::optional<secret_text> pending; ///< stored before the device was told
};

class secrets_port {
public:
  virtual ~secrets_port() = default;
  virtual void get(device_ref ref, secret_name name, answer<secret_versions> cb) = 0;
  /// Replaces the active value at once: for a machine that was activated elsewhere.
  virtual void put_active(device_ref ref, secret_name name, secret_text value,
                          answer<nothing> cb) = 0;
  virtual void put_pending(device_ref ref, secret_name name, secret_text value,
                           answer<nothing> cb) = 0;
  /// Pending becomes active, the former active is dropped. not_found if none is pending.
  virtual void promote(device_ref ref, secret_name name, answer<nothing> cb) = 0;
  virtual void discard_pending(device_ref ref, secret_name name, answer<nothing> cb) = 0;

  /// A text about this device for the way between our nodes, and for rows that wait: base64url that
  /// only a node of this site can open. At once, on the caller's thread; at most 24 KiB.
  virtual result<std::string> seal(const device_ref& ref, std::string_view text) = 0;
  virtual result<secret_text> open(const device_ref& ref, std::string_view sealed) = 0;

  /// The same for what belongs to no machine, bound to tenant and label ("domain/d1/pfx"): stored
  /// beside the object that it belongs to. At most 96 KiB.
  virtual result<std::string> seal_named(const tenant_key& tenant, std::string_view label,
                                         std::string_view text) = 0;
  virtual result<secret_text> open_named(const tenant_key& tenant, std::string_view label,
                                         std::string_view sealed) = 0;
};

} // namespace outband
