/// One process's actors: spawns the roles, watches over them, restarts what ends by a defect.
///
/// Context: constructed and stopped by main(); the roles' ports may be used between start() and
/// stop(). Owns the actor system: scheduler policy `sharing`, for CAF's default one wakes a hundred
/// times a second for ever.
#pragma once

#include "actors/bus_requests.hpp"
#include "actors/control.hpp"
#include "actors/controller.hpp"
#include "actors/services.hpp"
#include "actors/terminator.hpp"

#include <memory>

namespace outband {

struct node_roles {
  bool controller = true;
  bool terminator = true;
  bool api = true;
};

class node {
public:
  /// `outside` is the public bus; `with.internal` connects the roles.
  node(services with, node_roles roles, bus::endpoint& outside, std::size_t actor_threads);
  ~node();

  void start();
  /// Ends the actors; nothing of them runs when it returns. Close sockets first.
  void stop();

  terminator_port& terminator();
  control_port& control();
  const services& shared() const { return with_; }

private:
  struct impl;
  services with_;
  node_roles roles_;
  bus::endpoint& outside_;
  std::unique_ptr<impl> impl_;
};

} // namespace outband
