/// The provisioner role of this process: an activation actor for each provisioning connection.
///
/// Implements activation_port for gateway/activation. Threads: any; nothing blocks.
#pragma once

#include "actors/activation/site.hpp"
#include "actors/gate.hpp"
#include "actors/interfaces.hpp"

#include <caf/actor_system.hpp>

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

namespace outband::activation {

/// One thread for what takes long and must not keep decisions waiting. Jobs in order.
class workshop {
public:
  workshop();
  ~workshop(); ///< what has not begun is dropped
  void run(std::function<void()> job);

private:
  void work();
  std::mutex mutex_;
  std::condition_variable more_;
  std::deque<std::function<void()>> jobs_;
  bool stopping_ = false;
  std::thread thread_;
};

class provisioner final : public activation_port {
public:
  /// What the process's configuration says; the rest of `site` is made here.
  struct settings {
    std::string ca_certificate;
    secret_text ca_key;
    bool bare = false;
    /// So many at a time; who comes while they are at work waits for a turn, before anything is
    /// said to his machine: five hundred at once would keep each other's firmware waiting.
    std::size_t at_once = 64;
    std::chrono::milliseconds call_timeout{12'000};
    std::chrono::milliseconds settle{3'000};
    attempt_times attempts{};
  };
  provisioner(caf::actor_system& system, const services& with, provisioning_port& rows,
              control_port& control, settings s);
  ~provisioner() override;
  void start();
  void stop();

  void opened(connection who, provisioning_wish wish) override;
  void closed(std::uint64_t id) override;

private:
  caf::actor_system& system_;
  workshop workshop_;
  site site_;
  std::size_t at_once_;
  std::mutex mutex_;
  provisioner_actor actor_;
  bool stopped_ = false; ///< guarded by mutex_
};

} // namespace outband::activation
