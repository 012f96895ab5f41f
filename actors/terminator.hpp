/// The terminator role of this process: admits tunnels, keeps them, routes work to their actors.
///
/// Implements terminator_port for gateway/cira. Holds every open link, so that a restarted instance
/// actor gets them again. Threads: any; nothing blocks.
#pragma once

#include "actors/gate.hpp"
#include "actors/interfaces.hpp"
#include "actors/ports/terminator.hpp"
#include "actors/services.hpp"

#include <caf/actor_system.hpp>

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace outband {

class terminator final : public terminator_port {
public:
  terminator(caf::actor_system& system, const services& with);
  ~terminator() override;

  /// Spawns the instance actor (again) and subscribes to `node/work` and `node/ask`.
  void start();
  /// Drops the actor and the subscriptions; links are the sockets' affair.
  void stop();
  /// The actor ended by a defect: a new one adopts the open links.
  void restart();
  /// Our links were declared unknown while we live: those that nobody took since are ours again.
  void reclaim();

  void admit(cira_login login, answer<admission> cb) override;
  void up(const admission& who, std::string peer, int trigger,
          std::shared_ptr<amt_link_port> link) override;
  void down(const device_ref& ref, link_epoch epoch, link_end why, std::string text) override;
  void late(const device_ref& ref, link_epoch epoch, bool late) override;
  void alert(const device_ref& ref, link_epoch epoch, std::string json) override;

  /// A machine that was connected to and is the right one: takes its epoch, as admit() does.
  void admit_direct(const device_ref& ref, std::string amt_username, secret_text amt_password,
                    std::string peer, answer<admission> cb);
  /// A machine that is connected to is not let in, or (`code` empty) nothing stands in the way.
  void trouble(const device_ref& ref, std::string code, std::string text);
  /// Before start(): told of each machine that an operator disconnects, also of one without a link.
  void on_disconnect(std::function<void(const device_ref&)> f) { disconnected_ = std::move(f); }

  caf::actor_addr address() const;

private:
  void admit_known(cira_login login, cira_identity identity, answer<admission> cb);
  void check(cira_login login, cira_identity identity, const secret_versions& mps,
             secret_versions amt, answer<admission> cb);
  void take_epoch(cira_identity identity, std::string peer, secret_text amt_password,
                  answer<admission> cb);
  template <class Message> void tell(Message m);
  void work(const bus::message& m, bool live);

  caf::actor_system& system_;
  const services& with_;
  mutable std::mutex mutex_;
  instance_actor actor_;
  std::unordered_map<device_ref, link_opened> open_;
  bool stopped_ = false; ///< guarded by mutex_
  std::function<void(const device_ref&)> disconnected_;
  std::vector<bus::subscription> subscriptions_;
  std::shared_ptr<gate> gate_ = std::make_shared<gate>();
};

} // namespace outband
