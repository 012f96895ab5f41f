/// The link actor: one per tunnel (or direct connection). See LINK in interfaces.hpp.
///
/// Context: actor pool; the port it is given lives on an I/O thread. Limits: `max_waiting` calls
/// queued, one in flight; the results of the last `remembered` changes are kept, so that a repeated
/// id is answered and not carried out again.
#pragma once

#include "actors/interfaces.hpp"
#include "actors/services.hpp"

#include "messages/amt/operation_run.hpp"

#include <deque>
#include <memory>
#include <optional>

namespace outband {

class link_state_machine {
public:
  static inline const char* name = "outband.link";
  static constexpr std::size_t max_waiting = 64;
  static constexpr std::size_t remembered = 32;

  struct identity {
    device_ref ref;
    link_epoch epoch = 0;
  };

  void start(link_actor::pointer self, const services& with, identity who,
             std::shared_ptr<amt_link_port> port, weak_handle<instance_actor> owner);
  ~link_state_machine();

  void on(link_call call);
  void on(soap_arrived arrived);
  void on(const link_tick& tick);
  void on(const link_stop& stop);

private:
  void begin_next();
  void post();
  void finish_current(result<amt_outcome> outcome);
  void refuse(const amt_call& call, const call_origin& origin, failure why);
  void remember(const amt_call& call, const result<amt_outcome>& outcome);
  void answer(const amt_call& call, const call_origin& origin, result<amt_outcome> outcome);
  void say(const amt_call& call, const call_origin& origin, result<amt_outcome> outcome);
  std::deque<link_call>::iterator expire(std::deque<link_call>::iterator at);
  void arm();
  time_ms next_deadline() const;

  link_actor::pointer self_ = nullptr;
  const services* with_ = nullptr;
  identity who_;
  std::shared_ptr<amt_link_port> port_;
  std::optional<weak_handle<instance_actor>> owner_;
  std::deque<link_call> waiting_;
  struct running {
    link_call what;
    amt::operation_run run;
    time_ms since = 0;
  };
  std::optional<running> current_;
  std::uint64_t exchange_ = 0;
  std::uint64_t timer_ = 0;
  time_ms armed_for_ = 0;
  std::uint32_t next_message_id_ = 0;
  std::deque<amt_answer> done_; ///< of changes only, refused ones too
};

link_actor::behavior_type link_behavior(link_actor::stateful_pointer<link_state_machine> self,
                                        const services* with, link_state_machine::identity who,
                                        std::shared_ptr<amt_link_port> port,
                                        weak_handle<instance_actor> owner);

} // namespace outband
