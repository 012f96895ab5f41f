/// Internal to the device's machine (device_machine.hpp): one decision in the making, the members
/// defined by concern in device_machine.cpp (words, commands, wish), device_run.cpp (the run) and
/// device_observe.cpp (what came in).
#pragma once

#include "actors/device_machine.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace outband::detail {

/// Lives for one event; `out` collects the effects in the order they are to be carried out.
struct decision {
  device_memory& mem;
  time_ms now;
  const std::function<uuid()>& fresh_id;
  std::vector<device_effect> out;
  bool changed = false;
  bool presence_changed = false;

  // -- small words ------------------------------------------------------------------------------

  power_level level() const { return level_of(mem.current.power.state); }
  bool link_usable() const {
    return mem.current.link.state == link_state::up || mem.current.link.state == link_state::late;
  }
  void say(event_class cls, std::string type, std::string text, std::string from = {},
           std::string to = {}, std::string by = {}, std::optional<uuid> command = {});
  void set_condition(std::string_view type, bool ok, std::string code, std::string reason);
  open_command* command_of(const uuid& id);
  void finish(uuid id, request_status status, std::string text, std::optional<failure> why = {},
              std::optional<std::uint32_t> return_value = {});

  // -- calls and timers -------------------------------------------------------------------------

  void call(amt_operation op, std::optional<uuid> after_marking = {});
  void arm(std::chrono::milliseconds after) { out.emplace_back(arm_timer{after}); }

  // -- the run ----------------------------------------------------------------------------------

  void begin(power_run run);
  /// The run is over and has done, or found, what was wanted.
  void reached(std::string text);
  void gave_up(failure why, std::optional<std::uint32_t> return_value = {});
  /// Before the first action: allowed? needed? which action?
  void plan();
  /// As wanted at the moment, but a former action may still have effect: look again, a bounded
  /// number of times.
  void wait_for_rest();
  /// Nobody follows the run any more; what it sent may still have effect.
  void abandon();
  void send_first();
  void send_forced(const std::string& because);
  void progress(std::string text);
  void watch(run_phase phase, std::chrono::milliseconds limit);
  void look_later();
  /// Nobody wants any more what this run is after.
  bool overtaken() const;
  /// A cycle shows: the machine is not on for a moment, or the tunnel breaks. A reset may not.
  bool must_leave() const;
  /// A fresh reading arrived while watching, or the watch's time is over.
  void judge(bool time_over);
  power_action last_sent() const;
  void acknowledged(std::uint32_t rv);
  /// The call in flight failed.
  void answered(failure why);
  /// Does the operating system carry it out, at its own pace?
  static bool by_the_os(power_action a);

  // -- what to do next --------------------------------------------------------------------------

  void settle_wish();
  /// A refused transition becomes possible again when the state changes.
  void state_changed();
  void next();
  void begin_command(const open_command& c);
  void begin_wish();
  /// Reads the state without a goal beyond the wish that there is.
  void look();

  // -- observations -----------------------------------------------------------------------------

  void read(const amt::power_reading& r);
  bool is_ours(const observation& o);
  void on(const awakened&);
  void on(const row_stored& s);
  /// Nothing of the run is under way at the firmware that somebody waits for: plan anew.
  static bool may_be_dropped(const power_run& run);
  void on(const link_told& told);
  void on(const timer_fired&);
  static bool is_sent(run_phase p) { return p == run_phase::sending || p == run_phase::forcing; }
  void on(const observation& o);
  void seen_by_chance();
  void link_came(const observation& o, const link_up& up);
  void link_went(const observation& o, const link_down& down);
  void link_lags(const link_late& late);
  void connecting(const connection_trouble& trouble);
  /// `state`: down, or unknown when it is its terminator that is gone.
  void link_gone(link_epoch epoch, link_state state, std::string why, std::string type,
                 std::string text);
  /// Counts arrivals; two machines with one GUID take the link from each other for ever.
  void arrived_from(const std::string& peer);
  void on_answer(const amt_answer& a, bool newest_link);
  void after_reading();
  void learn(const amt::versions& v);

  // -- facts ------------------------------------------------------------------------------------

  current_state::fact_mark* mark(const std::string& kind);
  /// False: it is as it was.
  bool remember(const std::string& kind, std::string fingerprint);
  void learn(const fact& f);
  /// Tells the records that were not there when it was read last.
  void learn_log(std::string_view operation, const std::string& json);
  void want_fact(std::string_view operation);
  /// `by_tunnel`: the machine called us, so it can deliver events.
  void facts_on_arrival(bool another_firmware, bool by_tunnel);
  void facts_after_boot();
  void look_for_facts();
  void look_failed(problem why);
  void forget_failure(std::string_view operation);
  time_ms failed_looks_due();
  void on(const turn_given& turn);
  void fact_answered(const amt_answer& a);
  void alerted(const alert_seen& a);
};

} // namespace outband::detail
