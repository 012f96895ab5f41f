/// The one handler of requests: REST routes and bus requests come here. Implements control_port.
///
/// Context: any thread; a desk actor keeps who waits. What is accepted is stored first, in one
/// transaction with what announces it; only then is anybody told. See DESK in interfaces.hpp.
#pragma once

#include "actors/gate.hpp"
#include "actors/interfaces.hpp"
#include "actors/services.hpp"
#include "messages/rest/json.hpp"

#include <caf/actor_system.hpp>

#include <deque>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace outband::amt {
struct operation;
}

namespace outband {

/// What the desk asks of the rest of the process.
struct desk_hooks {
  /// Straight to whoever has the link; see control::ask. Changes too: the desk has noted them.
  std::function<void(const device_ref&, amt_operation, const uuid& call, std::chrono::milliseconds,
                     answer<amt_outcome>)>
      ask;
  /// The machine is not managed any more: its registration and secrets go.
  std::function<void(const device_ref&)> forget;
};

/// What the desk actor keeps: whoever waits for the final word on a command.
class desk_state {
public:
  static inline const char* name = "outband.desk";
  static constexpr std::size_t max_waiting = 100'000;
  static constexpr std::size_t max_early = 256;
  static constexpr std::chrono::milliseconds default_deadline{60'000};
  static constexpr std::chrono::milliseconds longest_deadline{300'000};

  void start(desk_actor::pointer self, const services& with, desk_hooks hooks);
  void on(request_submitted submitted);
  void on(const outcome_arrived& arrived);
  void on(const desk_tick& tick);

private:
  using responder = std::shared_ptr<std::function<void(response)>>;
  struct waiter {
    responder tell;
    time_ms until = 0;
  };

  void snapshot(request r, responder tell);
  void patch(request r, responder tell, int attempt);
  void store_patch(request r, responder tell, int attempt, const desired_row& row);
  void command(request r, responder tell, int attempt);
  void store_command(request r, responder tell, int attempt, const desired_row& row);
  // desk_operations.cpp
  void operate(request r, responder tell);
  void boot(request r, const json::value& argument, responder tell);
  void note(request r, const amt::operation& operation, const json::value& argument,
            responder tell);
  void known_before(const request& r, const audit_row& row);
  void perform(const request& r, const amt::operation& operation,
               std::function<void(response)> then);
  void conclude(const audit_entry& entry, response answer);
  void over(const uuid& id, const response& answer);

  void duplicate(const request& r, const responder& tell, const command_row& existing);
  void wait_for(const uuid& id, responder tell, time_ms until);
  void arm();
  void wake(const device_ref& ref);
  std::vector<bus::outgoing> desired_documents(const device_ref& ref, const desired_state& next,
                                               revision rev, const request& r) const;
  command_row row_for(const request& r) const;
  /// Wraps a store's completion so that it continues on this actor.
  template <class T, class F> answer<T> here(F f) {
    return [me = weak_handle<desk_actor>(self_),
            f = std::make_shared<F>(std::move(f))](result<T> r) mutable {
      auto value = std::make_shared<result<T>>(std::move(r));
      me.tell(desk_step{std::make_shared<std::function<void()>>([f, value] { (*f)(*value); })});
    };
  }

  desk_actor::pointer self_ = nullptr;
  const services* with_ = nullptr;
  std::unordered_multimap<uuid, waiter> waiting_;
  /// Operations under way, and who waits for each.
  struct operating {
    std::vector<responder> waiting;
    std::string hash; ///< of what was asked
  };
  std::unordered_map<uuid, operating> operating_;
  desk_hooks hooks_;
  /// Outcomes for nobody yet: a command may be over before the store has told us that it is stored.
  std::deque<response> early_;
  std::uint64_t timer_ = 0;
  bool armed_ = false;
};

class control final : public control_port {
public:
  control(caf::actor_system& system, const services& with);
  ~control() override;
  void start();
  void stop();
  void restart();
  caf::actor_addr address() const;

  void submit(request r, role held, std::function<void(response)> on_response) override;
  void ask(device_ref ref, amt_operation op, std::chrono::milliseconds timeout,
           answer<amt_outcome> cb) override;
  void disconnect(device_ref ref, answer<bool> cb) override;
  void device_added(const device_ref& ref) override;
  void connection_changed(const device_ref& ref) override;
  void remove_device(device_ref ref, answer<nothing> cb) override;
  void deactivate(device_ref ref, std::chrono::milliseconds timeout,
                  answer<amt_outcome> cb) override;
  void tenant_added(const tenant_key& tenant) override;
  void tenant_gone(const tenant_key& tenant) override;
  void removal_changed(const device_ref& ref) override;
  counts count() const override;

  /// Before start(): who is told of connection_changed() and of devices that were removed.
  void on_connection_changed(std::function<void(const device_ref&)> f) {
    connection_changed_ = std::move(f);
  }

private:
  void find_link(const device_ref& ref, std::function<void(result<std::string>)> cb);
  void ask_by(const device_ref& ref, amt_operation op, const uuid& call,
              std::chrono::milliseconds timeout, answer<amt_outcome> cb);
  void ask_at(const std::string& instance, device_ref ref, amt_operation op, const uuid& call,
              std::chrono::milliseconds timeout, answer<amt_outcome> cb);
  desk_hooks hooks();
  void wake_controller(const device_ref& ref, const char* what);

  caf::actor_system& system_;
  const services& with_;
  mutable std::mutex mutex_;
  desk_actor desk_;
  bool stopped_ = false; ///< guarded by mutex_
  std::function<void(const device_ref&)> connection_changed_;
  std::vector<bus::subscription> subscriptions_;
  std::shared_ptr<gate> gate_ = std::make_shared<gate>();
};

} // namespace outband
