/// Keeps this process's place among the others: says that it lives, takes and renews the
/// controller's lease if it may, buries nodes that are dead.
///
/// The database decides (actors/ports/cluster.hpp); the broker's wills only make it faster. Nothing
/// here depends on the wall clock. See KEEPER in interfaces.hpp and "Several nodes" in
/// ARCHITECTURE.md.
#pragma once

#include "actors/gate.hpp"
#include "actors/interfaces.hpp"
#include "actors/services.hpp"
#include "messages/bus/platform.hpp"

#include <caf/actor_system.hpp>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace outband {

/// What the rest of the node does about it. Called on an actor thread, one after the other; must
/// not block for long.
struct keeper_hooks {
  std::function<void(controller_epoch)> gained = [](controller_epoch) {
  };
  std::function<void()> lost = [] {
  };
  /// The controller may have missed something; after that time.
  std::function<void(std::chrono::milliseconds)> look_around = [](std::chrono::milliseconds) {
  };
  /// Of the terminators that are known, each time one comes or goes while this node controls.
  std::function<void(std::vector<bus::bus_instance>)> terminators = [](const auto&) {
  };
  /// Our links were declared unknown although we live.
  std::function<void()> buried = [] {
  };
  /// Another process runs under our name: this one must end.
  std::function<void()> superseded = [] {
  };
};

class keeper_state {
public:
  static inline const char* name = "outband.keeper";

  void start(keeper_actor::pointer self, const services& with, bool candidate, keeper_hooks hooks);
  void on(const beat_now& tick);
  void on(const beat_answered& answered);
  void on(const lease_ran_out& over);
  void on(const controller_heard& heard);
  void on(const node_heard& heard);
  void on(const controller_missed& missed);
  void on(const node_missed& missed);
  void on(const node_buried& done);
  void on(const step_down& now);

private:
  void beat(controller_epoch usurp = 0);
  void next_beat(std::chrono::milliseconds after);
  void gain(controller_epoch epoch);
  void lose(const char* why);
  void bury(const instance_ref& who);
  void tell_terminators();

  keeper_actor::pointer self_ = nullptr;
  const services* with_ = nullptr;
  keeper_hooks hooks_;
  bool candidate_ = false;
  bool beating_ = false; ///< a beat is at the store
  bool ended_ = false;   ///< superseded
  controller_epoch usurp_next_ = 0;
  controller_epoch held_ = 0;
  controller_epoch giving_up_ = 0;
  controller_epoch holder_epoch_ = 0; ///< as far as we heard
  controller_epoch gone_ = 0;         ///< its death was heard, its return was not
  std::uint64_t beat_timer_ = 0, lease_timer_ = 0;
  int failures_ = 0;
  std::map<std::string, bus::bus_instance> terminators_; ///< by name; the dead are kept
  std::map<std::string, uuid> missing_; ///< nodes whose death was heard, their return was not
};

/// The role as the node sees it.
class keeper {
public:
  keeper(caf::actor_system& system, const services& with, bus::endpoint& outside);
  ~keeper();
  /// After enrol(). `candidate`: this node plays the controller's role.
  void start(bool candidate, keeper_hooks hooks);
  /// Gives the lease up, if we have it, and does not take it again.
  void resign();
  void stop();
  /// The actor ended by a defect: whatever it held is given up first.
  void restart();
  caf::actor_addr address() const;
  /// Other nodes that take machines' tunnels, as the broker last told.
  std::size_t other_terminators() const;

private:
  template <class Message> void tell(Message m);
  void listen();
  void note(const bus::node_presence& p);

  caf::actor_system& system_;
  const services& with_;
  bus::endpoint& outside_;
  mutable std::mutex mutex_;
  keeper_actor actor_;
  bool candidate_ = false;
  keeper_hooks hooks_;
  std::set<std::string> terminators_; ///< guarded by mutex_; not this node
  std::vector<bus::subscription> subscriptions_;
  std::shared_ptr<gate> gate_ = std::make_shared<gate>();
};

} // namespace outband
