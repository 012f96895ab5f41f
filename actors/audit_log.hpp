/// The audit trail as this node writes it: rows in the store, events on the bus.
///
/// Context: any thread. Limits: `singly` rows per source and minute, `together` per minute for all
/// sources, `max_sources` of them; what is beyond shares one row per minute.
#pragma once

#include "actors/ports/audit.hpp"
#include "actors/ports/clock.hpp"
#include "actors/ports/store.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

namespace outband::bus {
struct parsed_topic;
}

namespace outband {

/// What the trail says of a command; the store fills in the same.
audit_entry entry_of(const command_row& c);

/// The events that tell an act's outcome: of its device, else of its tenant; none for the site's.
std::vector<bus::outgoing> audit_documents(clock_port& clock, const std::string& node,
                                           bool mirror_json, const audit_entry& e,
                                           const audit_outcome& o);

/// A request that came over the bus and that its sender may not make; REST records its own.
void record_forbidden(audit_port* to, const request& r, const failure& why);
/// One that wants its answer on a topic which is not its sender's.
void record_misdirected(audit_port* to, const bus::parsed_topic& of);

class audit_log final : public audit_port {
public:
  struct options {
    std::string node;
    bool mirror_json = true;
    /// Runs something after a while, on any thread; empty: never.
    std::function<void(std::chrono::milliseconds, std::function<void()>)> later{};
  };
  static constexpr int singly = 10, together = 300;
  static constexpr std::size_t max_sources = 10'000, max_told = 50;
  static constexpr time_ms window = 60'000;

  audit_log(store_port& store, clock_port& clock, options o);
  ~audit_log() override;

  void record(std::vector<audit_entry> what, const audit_outcome& outcome) override;
  void record_limited(const std::string& source, audit_entry what, audit_outcome outcome) override;

private:
  struct flood {
    time_ms since = 0;
    int written = 0;
    std::uint64_t held = 0; ///< not written singly
    audit_record like;      ///< what those have in common
  };
  struct state;
  std::shared_ptr<state> state_;
};

} // namespace outband
