/// Who is alive and who controls: what the nodes of a site agree on through the database.
/// Implemented by actors/store over libpq; a fake in tests.
///
/// All times are compared on the database's clock, so that a node's own may be wrong. Threads and
/// completions as for store_port. Source of the rules: ARCHITECTURE.md, "Several nodes".
#pragma once

#include "actors/ports/store.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace outband {

/// Epoch of the controller's lease; rises with every holder. 0: no lease, and where a write carries
/// it, no fence.
using controller_epoch = std::uint64_t;

struct instance_ref {
  std::string instance;
  uuid incarnation;
};

struct heartbeat {
  instance_ref self;
  bool candidate = false;    ///< plays the controller role: renew the lease, or take it if free
  controller_epoch held = 0; ///< what it believes to hold; not a candidate: what it gives up
  std::chrono::milliseconds lease{15'000};        ///< for how long it is taken or renewed
  std::chrono::milliseconds silent_after{20'000}; ///< another instance without a beat is dead
  /// Take the lease although it has not run out, if its epoch is still that one: its holder has
  /// given it up or has left the broker. 0: only a free one.
  controller_epoch usurp = 0;
};
struct heartbeat_answer {
  /// Another process runs under our name with a newer incarnation: this one must end.
  bool superseded = false;
  /// Our links were declared unknown since the last beat: reclaim them.
  bool buried = false;
  controller_epoch held = 0; ///< the lease we have now; 0: none
  std::string holder;        ///< instance that has it; empty: nobody
  controller_epoch holder_epoch = 0;
  /// Only for the holder: instances to be buried.
  std::vector<instance_ref> silent;
};

struct reclaim_answer {
  std::vector<std::pair<device_ref, link_epoch>> stale; ///< not ours any more: close them
};

class cluster_port {
public:
  virtual ~cluster_port() = default;

  /// A new life of this instance. Links of its former incarnations become `unknown`.
  virtual void enrol(instance_ref self, answer<nothing> cb) = 0;
  /// One statement, every few seconds, however many devices there are.
  virtual void beat(heartbeat h, answer<heartbeat_answer> cb) = 0;
  /// Orderly end: the lease is free at once, the instance is forgotten, links that are still said
  /// to be up become `unknown`.
  virtual void retire(instance_ref self, answer<nothing> cb) = 0;

  /// Is the lease still held with that epoch? Asked before a connection that would close the
  /// winner's.
  virtual void confirm(instance_ref self, controller_epoch held, answer<bool> cb) = 0;

  /// The holder's: links of that incarnation become `unknown`; how many. stale_controller when
  /// `fence` is not the lease's epoch any more.
  virtual void bury(controller_epoch fence, instance_ref dead, answer<std::size_t> cb) = 0;
  /// A terminator that was buried alive: links that nobody took since are `up` again. At most
  /// 10,000 per call; says which are not.
  virtual void reclaim(instance_ref self, std::vector<std::pair<device_ref, link_epoch>> links,
                       answer<reclaim_answer> cb) = 0;
  /// Devices whose link is not what was last told of it (save_current), ordered, page by page as
  /// `unsettled`. A link that turned `unknown` less than `grace` ago is not named yet: machines
  /// come back.
  virtual void out_of_step(std::string after, std::size_t limit, std::chrono::milliseconds grace,
                           answer<std::vector<device_ref>> cb) = 0;
};

} // namespace outband
