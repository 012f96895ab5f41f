/// The machines of this site that are connected to: which of them this process holds, what it takes
/// to connect, and who has to hear that a registration changed.
///
/// A machine is claimed by its row in the database (actors/ports/direct.hpp). Claims are looked for
/// at the start, when the broker is back, and when another terminator has gone; a registration that
/// changed is told to every terminator (as `disconnect`, which also ends the link there is), and
/// the first to ask gets it. Nothing is asked because time passed, but what was in vain.
/// Threads: any. The dialer is called with a lock held: it must hand over and return.
#pragma once

#include "actors/gate.hpp"
#include "actors/ports/direct.hpp"
#include "actors/services.hpp"
#include "actors/terminator.hpp"

#include <caf/actor_system.hpp>

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace outband {

/// Look for machines that nobody holds.
struct sweep_direct {};
using direct_actor = caf::typed_actor<caf::reacts_to<sweep_direct>>;

class direct_links final : public direct_port {
public:
  /// `outside` tells which terminators live.
  direct_links(caf::actor_system& system, const services& with, terminator& links,
               bus::endpoint& outside);
  ~direct_links() override;

  void start();
  void stop();
  /// From now on this process holds machines.
  void attach(direct_dialer& dialer);
  /// The dialer is not called any more. What was held is free when the node retires.
  void detach();

  /// What is stored of it changed, or it was removed: for every terminator. Nil: all of a tenant
  /// that was removed.
  void changed(const device_ref& ref);
  /// The same for this one.
  void look_at(const device_ref& ref);

  void prepare(device_ref ref, answer<direct_target> cb) override;
  void admit(const direct_target& who, std::string peer, answer<admission> cb) override;
  void pin(device_ref ref, std::string sha256, answer<bool> cb) override;
  void trouble(const device_ref& ref, direct_trouble what, std::string text) override;

private:
  void hear(const bus::message& m);
  void sweep();
  void next_page();
  void claimed(result<std::vector<device_ref>> page);
  void sweep_later(std::chrono::milliseconds after);
  instance_ref self() const { return {with_.node, with_.incarnation}; }

  caf::actor_system& system_;
  const services& with_;
  terminator& links_;
  bus::endpoint& outside_;
  mutable std::mutex mutex_;
  // Guarded by mutex_:
  direct_dialer* dialer_ = nullptr;
  bool sweeping_ = false, again_ = false;
  std::set<std::string> others_; ///< terminators that live, without this one
  direct_actor timer_;

  std::vector<bus::subscription> subscriptions_;
  std::shared_ptr<gate> gate_ = std::make_shared<gate>();
};

} // namespace outband

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::sweep_direct)
