/// The device actor: loads its row, feeds device_machine.hpp, carries the effects out.
///
/// Context: actor pool, controller role. One write to the store is in flight at a time; what is
/// decided meanwhile goes into the next one. A call of a command leaves only after the command was
/// durably marked as dispatched, so that it is never sent twice. While the store is away the actor
/// keeps observing; nothing that needs a mark is sent.
#pragma once

#include "actors/interfaces.hpp"
#include "actors/services.hpp"

#include <deque>
#include <map>
#include <optional>
#include <unordered_set>

namespace outband {

class device_state {
public:
  static inline const char* name = "outband.device";
  /// While the row is not loaded, or the store is away.
  static constexpr std::size_t max_waiting_events = 256;
  /// Conflicting writes in a row that are repeated at once.
  static constexpr int max_conflicts = 3;

  void start(device_actor::pointer self, const services& with, device_ref ref,
             weak_handle<tenant_actor> parent, std::uint64_t life, controller_epoch fence);
  ~device_state();

  void on(const observation& o);
  void on(const row_changed& changed);
  void on(row_loaded loaded);
  void on(const row_written& written);
  void on(const device_tick& tick);
  void on(const try_store_again& again);
  void on(const leave& gone);

private:
  /// What one transaction stores and, once stored, sets free.
  struct batch {
    bool any = false;
    bool presence = false;
    bool durable = false; ///< a command is in it: synchronous commit
    std::vector<event> events;
    std::vector<fact> facts; ///< the newest of each kind
    std::vector<command_row> commands;
    std::vector<send_call> calls;                          ///< leave when stored
    std::vector<std::pair<command_row, response>> answers; ///< told when stored
  };

  void load();
  void retry_later(const failure& why);
  void happen(const device_event& what);
  void apply(device_effect effect);
  void write_if_needed();
  void send(const send_call& call);
  void finished(const finish_command& done);
  std::vector<bus::outgoing> documents(const batch& of,
                                       std::map<std::string, std::uint64_t>& seq) const;
  void stored();
  void tell(const command_row& row, const response& answer);
  /// A call that still waits for its command's mark: taken back, so that it never leaves.
  std::optional<send_call> take_back_call();
  void not_sent(const send_call& call);
  void forget_settled(const std::vector<command_row>& open);
  void recover(const device_row& row);
  void quiet_check();
  std::vector<open_command> decoded(const std::vector<command_row>& rows);

  device_actor::pointer self_ = nullptr;
  const services* with_ = nullptr;
  std::optional<weak_handle<tenant_actor>> parent_;
  std::uint64_t life_ = 0;
  controller_epoch fence_ = 0; ///< what this life writes under
  std::uint64_t heard_ = 0;    ///< messages of the tenant

  device_memory mem_;
  bool loaded_ = false;
  bool loading_ = false;
  bool reload_ = false; ///< the row changed while it was being loaded
  /// The load under way began after the write had failed, so its row tells what became of that.
  bool loading_to_recover_ = false;
  std::deque<observation> before_load_;

  revision current_rev_ = 0; ///< as stored
  std::map<std::string, std::uint64_t> event_seq_;
  batch next_;
  batch in_flight_;
  std::map<std::string, std::uint64_t> in_flight_seq_;
  bool writing_ = false;
  bool recovering_ = false; ///< a write failed or conflicted: the row tells what became of it
  bool uncertain_ = false;  ///< the batch in flight may have been stored without our knowing
  /// Commands this life has taken up. A row read before our own write was stored may still show
  /// one as open; taking it up again would send it twice.
  std::unordered_set<uuid> taken_up_;

  bool wants_turn_ = false;
  int conflicts_ = 0;
  std::uint64_t timer_ = 0;
  int store_failures_ = 0;
  bool retry_armed_ = false;
  time_ms busy_until_ = 0; ///< last time anything happened
  bool quiet_armed_ = false;
};

device_actor::behavior_type device_behavior(device_actor::stateful_pointer<device_state> self,
                                            const services* with, device_ref ref,
                                            weak_handle<tenant_actor> parent, std::uint64_t life,
                                            controller_epoch fence);

} // namespace outband
