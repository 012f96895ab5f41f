/// One process's actors: spawns the roles, watches over them, restarts what ends by a defect.
///
/// Context: constructed and stopped by main(); the roles' ports may be used between start() and
/// stop(). Owns the actor system: scheduler policy `sharing`, for CAF's default one wakes a hundred
/// times a second for ever.
#pragma once

#include "actors/activation/bootstrap.hpp"
#include "actors/activation/provisioner.hpp"
#include "actors/bus_requests.hpp"
#include "actors/control.hpp"
#include "actors/controller.hpp"
#include "actors/direct_links.hpp"
#include "actors/keeper.hpp"
#include "actors/services.hpp"
#include "actors/terminator.hpp"

#include <memory>
#include <mutex>
#include <optional>

namespace outband {

struct node_roles {
  bool controller = true;
  bool terminator = true;
  bool api = true;
  /// Serves provisioning connections; needs services::provisioning.
  std::optional<activation::provisioner::settings> provisioner{};
  /// What a controller gives new tenants; needs services::provisioning.
  std::optional<activation::home_address> home{};
};

class node {
public:
  /// `outside` is the public bus; `with.internal` connects the roles.
  node(services with, node_roles roles, bus::endpoint& outside, std::size_t actor_threads);
  ~node();

  /// Enrol first (cluster_port). `hooks.gained` and `lost` tell when this node controls, after its
  /// own actors were told and before, respectively; `buried` and `look_around` are not called.
  void start(keeper_hooks hooks);
  /// Gives up the controller's lease: another node may take it while this one still serves.
  void resign();
  /// Ends the actors; nothing of them runs when it returns. Close sockets first.
  void stop();

  /// Other nodes that take tunnels, as far as the broker told.
  std::size_t other_terminators() const;
  terminator_port& terminator();
  control_port& control();
  direct_links& direct();
  /// nullptr: this node does not play that role.
  activation_port* activations();
  const services& shared() const { return with_; }

private:
  void control_begins(controller_epoch epoch);
  void control_ends();
  void tell_tenants(std::vector<bus::bus_instance> all);

  struct impl;
  services with_;
  node_roles roles_;
  bus::endpoint& outside_;
  keeper_hooks hooks_;
  std::mutex shift_; ///< beginning and ending control, and the end of all
  bool stopping_ = false;
  std::shared_ptr<gate> gate_ = std::make_shared<gate>();
  std::unique_ptr<impl> impl_;
};

} // namespace outband
