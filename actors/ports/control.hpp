/// What REST routes and bus requests ask of the actors. One implementation (actors/control.cpp)
/// serves both, so that a channel cannot do what another may not.
#pragma once

#include "actors/ports/store.hpp"
#include "messages/domain/roles.hpp"

#include <functional>

namespace outband {

/// Threads: called from any thread, never blocks; callbacks run on any thread and must hand over.
class control_port {
public:
  virtual ~control_port() = default;

  /// Checks the act against the role table, validates, stores, answers. `on_response` is called
  /// with `accepted` once the request is stored and again with the final status, or once with a
  /// final status. For `snapshot`, once. Never after the request's deadline plus five seconds.
  virtual void submit(request r, role held, std::function<void(response)> on_response) = 0;

  /// A live read, straight to whoever has the link. link_down if nobody has. Only reads.
  virtual void ask(device_ref ref, amt_operation op, std::chrono::milliseconds timeout,
                   answer<amt_outcome> cb) = 0;

  /// Ends the device's tunnel; it will reconnect by itself. false: there was none.
  virtual void disconnect(device_ref ref, answer<bool> cb) = 0;

  /// The registration changed: forget what is cached, publish what must be (tombstones on delete).
  virtual void device_added(const device_ref& ref) = 0;
  /// How it is connected to, or our password for it, changed.
  virtual void connection_changed(const device_ref&) {}
  virtual void remove_device(device_ref ref, answer<nothing> cb) = 0;
  /// Tells the machine's firmware to end its management. What came of it is the caller's to note:
  /// no request, no row in the trail, and the registration stays.
  virtual void deactivate(device_ref ref, std::chrono::milliseconds timeout,
                          answer<amt_outcome> cb) = 0;
  /// A tenant was made: it gets what a tenant has from its first moment.
  virtual void tenant_added(const tenant_key&) {}
  /// A tenant was removed with all that it had: whoever serves something of it lets go.
  virtual void tenant_gone(const tenant_key&) {}
  /// A machine is to go, or is not any more; nil: all of a tenant.
  virtual void removal_changed(const device_ref&) {}

  /// Now, as far as this process knows, without asking anybody: for /metrics and the log.
  struct counts {
    std::size_t links = 0, device_actors = 0, queued_calls = 0;
  };
  virtual counts count() const = 0;
};

} // namespace outband
