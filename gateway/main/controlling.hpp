/// What a node does only while it holds the controller's lease: publishing the outbox over the one
/// connection whose client id all controllers share, so that the broker closes the loser's.
///
/// Threads: begin() and end() return at once, from any thread; the work is done on a thread of its
/// own, in order. What is handed in must outlive it.
#pragma once

#include "actors/ports/clock.hpp"
#include "actors/ports/cluster.hpp"
#include "bus/mqtt_endpoint.hpp"
#include "bus/outbox_publisher.hpp"
#include "gateway/main/announcer.hpp"

#include <memory>
#include <optional>

namespace outband {

class controlling {
public:
  /// The client id and the will are set here. The lease is confirmed before every connection, lest
  /// a loser that slept closes the winner's.
  controlling(bus::mqtt_options connection, bus::outbox_source& source, announcement who,
              clock_port& clock, cluster_port& cluster);
  /// end(), and waits.
  ~controlling();

  void begin(controller_epoch epoch);
  /// `goodbye`: nobody has taken the lease yet, so say that it is free.
  void end(bool goodbye);

  struct figures {
    controller_epoch epoch = 0; ///< 0: not controlling
    bus::outbox_metrics outbox;
    bus::mqtt_counters mqtt;
  };
  figures now() const;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace outband
