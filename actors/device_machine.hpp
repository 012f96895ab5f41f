/// What a device's actor decides: (memory, event, now) -> (memory, effects). Pure; no CAF, no
/// store, no clock but the one handed in. The actor in device.cpp carries the effects out.
///
/// A *run* is one attempt to change the machine's power: read the state, check that the transition
/// is allowed, send the first action, look whether it had effect, under ORDERED force it after a
/// timer. Only one run at a time. A run serves either the wish (a level: on, off, sleep, hibernate)
/// or a command (once: reset, cycle; or one CIM action as MPS offers it). Levels may be tried again
/// after the state was read; commands are sent at most once.
///
/// Nothing here polls: while a run watches, it looks a bounded number of times; otherwise only an
/// event makes it look.
#pragma once

#include "actors/ports/store.hpp"
#include "messages/domain/documents.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace outband {

/// Times of the power policy; configuration `power.*`.
struct power_times {
  std::chrono::milliseconds graceful{30'000}; ///< for the operating system to obey
  std::chrono::milliseconds forced{20'000};   ///< for the hardware to obey
  std::chrono::milliseconds first_look{50};   ///< then doubling up to `max_look`
  std::chrono::milliseconds max_look{5'000};
  std::chrono::milliseconds read_deadline{10'000};
  std::chrono::milliseconds change_deadline{30'000};
  /// A wish that an older reading seems to satisfy is looked at.
  std::chrono::milliseconds believed{10'000};
  /// Away no longer than that, the firmware is the one it was.
  std::chrono::milliseconds same_firmware{30'000};
  std::chrono::milliseconds freshness{60'000}; ///< an unchanged reading is stored this seldom
  /// More than `flaps` arrivals within this time, from more than one host: one GUID, two machines.
  std::chrono::milliseconds flap_window{60'000};
  std::size_t flaps = 5;
  bool read_facts = true;  ///< of machines that arrive or boot; what is asked for is learned anyway
  bool want_alerts = true; ///< with the facts: that the firmware tells its events
  std::chrono::milliseconds facts_after{10'000}; ///< so long calm before they are read
};

enum class run_phase : std::uint8_t {
  reading,       ///< before anything is sent
  versions,      ///< once per link: which firmware is this?
  capabilities,  ///< which actions does this firmware know?
  sending,       ///< the first action is on its way
  watching,      ///< did it have effect?
  forcing,       ///< the forced action is on its way
  watching_force ///< did that have effect?
};

struct power_run {
  std::optional<uuid> command; ///< to be answered; none for the wish
  request_body goal;           ///< ask_desired for the wish, ask_once or ask_action otherwise
  power_target target = power_target::keep; ///< the level to be reached; keep for once
  revision rev = 0;                         ///< of the wish this run serves
  power_policy policy = power_policy::ordered;
  power_plan plan{power_action::on, std::nullopt};
  run_phase phase = run_phase::reading;
  uuid call;              ///< the call in flight; nil if none
  bool settled = false;   ///< the command has had its final answer; the run only watches
  bool seen = false;      ///< the machine was read since the action was accepted
  bool left = false;      ///< the link broke or the machine was seen not on since the action
  bool last_look = false; ///< the watch's time is over; one more reading decides
  int looks = 0;
  time_ms phase_until = 0; ///< when watching ends
};

/// A command with its argument decoded.
struct open_command {
  command_row row;
  request_body body;
};

/// An operation asked for facts that failed over the present link, and may be asked again.
struct failed_look {
  std::string operation;
  int failures = 0; ///< in a row
  time_ms at = 0;   ///< when it is asked again; 0: it is due or in flight, or was given up
};

/// Everything the device actor knows: the stored row, plus what awaits its write.
struct device_memory {
  device_ref ref;
  desired_state desired;
  revision desired_rev = 0;
  current_state current;
  std::vector<open_command> commands; ///< not final, oldest first
  std::optional<power_run> run;
  std::optional<power_capabilities> can;
  bool versions_asked = false; ///< over the present link
  /// In this life, over the present link. What an earlier one saw may have changed unseen.
  bool seen = false;
  /// An action that nobody follows any more may still change the machine until then; what is read
  /// before proves nothing.
  time_ms moving_until = 0;
  /// When and from where it called home lately; several hosts in short order: several machines.
  std::vector<std::pair<time_ms, std::string>> arrivals;
  /// When many machines call at once, the look at each has its turn; 0: none is due.
  time_ms look_at = 0;
  std::chrono::milliseconds look_turn{0}; ///< how long the next arrival has to wait for its look
  time_ms conflict_until = 0;             ///< until then nothing is sent, for nobody knows to whom
  std::vector<std::string> fact_looks;    ///< operations to be asked for what they tell
  time_ms facts_at = 0;                   ///< not before
  bool fact_turn = false;                 ///< it is our turn
  uuid fact_call;                         ///< in flight; nil if none
  std::string fact_name;                  ///< its operation
  time_ms fact_until = 0;                 ///< then it is lost
  std::vector<failed_look> failed_looks;
  int failures = 0;            ///< of the wish, in a row
  time_ms not_before = 0;      ///< back-off: no new run for the wish until then
  time_ms stored_observed = 0; ///< power.observed as last written
  power_times times;
};

// -- events -----------------------------------------------------------------------------------

/// The row was read again after somebody stored a wish or a command. Both at once, because an
/// action towards a level stores its wish in the same transaction and must be sent first.
struct row_stored {
  desired_state desired;
  revision rev = 0;
  std::vector<open_command> commands; ///< known ones are ignored
};
/// What the link table says, read with the row: heals what an observation did not bring.
struct link_told {
  link_fact fact;
};
/// The timer armed last has run off.
struct timer_fired {};
/// The actor was just spawned from the stored row: commands marked dispatched have an unknown end.
struct awakened {};
/// To want_turn: after that wait.
struct turn_given {
  std::chrono::milliseconds wait{0};
};
using device_event =
    std::variant<awakened, row_stored, link_told, observation, timer_fired, turn_given>;

// -- effects ----------------------------------------------------------------------------------

/// Hand a call to the terminator that has the link.
struct send_call {
  amt_call call;
  std::string instance;
  /// The command that must be marked dispatched, durably, before the call leaves.
  std::optional<uuid> after_marking;
};
struct arm_timer {
  std::chrono::milliseconds after; ///< replaces the former timer; zero or less: at once
};
struct emit_event {
  event what;
};
/// The command has its final answer.
struct finish_command {
  command_row row;
  response answer;
};
/// current (and perhaps presence) changed and must be written and published.
struct write_current {
  bool presence_too = false;
};
/// Said about a link that is not the newest; count it.
struct drop_stale {};
/// A document to be kept and published; its mark is in `current`.
struct keep_fact {
  fact what;
};
/// Facts are read of a few machines at a time: when is it ours? Answered with turn_given.
struct want_turn {};
using device_effect = std::variant<send_call, arm_timer, emit_event, finish_command, write_current,
                                   drop_stale, keep_fact, want_turn>;

/// `fresh_id` yields ids for calls.
std::vector<device_effect> decide(device_memory& mem, const device_event& what, time_ms now,
                                  const std::function<uuid()>& fresh_id);

/// Nothing pending: no run, no open command, no back-off to wait for.
bool quiet(const device_memory& mem, time_ms now);

} // namespace outband
