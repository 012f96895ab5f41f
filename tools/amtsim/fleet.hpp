/// All machines of one process, spread over threads.
///
/// Context: construct, start, stop and call on the main thread; callbacks come on the main
/// io_context. A machine stays on its thread for life.
#pragma once

#include "tools/amtsim/machine.hpp"
#include "tools/amtsim/options.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace outband::amtsim {

class fleet final : private surroundings {
public:
  using event_handler = std::function<void(const machine_event&)>;

  /// `server` with port 0: none. Throws std::runtime_error with a sentence for the operator.
  fleet(boost::asio::io_context& main, const options& how, std::vector<identity> who,
        const boost::asio::ip::tcp::endpoint& server);
  ~fleet();

  void on_event(event_handler h) { handler_ = std::move(h); }
  /// Before start(): a machine that is not ours is ignored.
  void restore(const device_id& guid, power_state power, std::uint64_t boots, const flash& kept);
  void start();
  /// Ends all tunnels and all threads; afterwards reports_now() may be called.
  void stop();

  std::size_t size() const { return by_guid_.size(); }
  bool knows(const device_id& guid) const { return by_guid_.count(guid) != 0; }
  /// Runs on the machine's thread, then `done` with what it returned (empty: all is well). With
  /// nullptr: for every machine; `done` gets the first complaint.
  using task = std::function<std::string(machine&)>;
  void run(const device_id* guid, task what, std::function<void(std::string)> done);
  void reports(const device_id* guid, std::function<void(std::vector<machine_report>)> done);
  std::vector<machine_report> reports_now() const;
  /// True once after something worth a state file changed.
  bool take_changed() { return changed_.exchange(false); }

private:
  struct shard {
    boost::asio::io_context io{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard{
        io.get_executor()};
    std::vector<std::unique_ptr<machine>> machines;
    std::thread thread;
  };

  void happened(const machine_event& e) override;
  void changed() override { changed_ = true; }

  void listen(machine& m, std::size_t index);
  void boot_host(machine& m, std::size_t index);

  boost::asio::io_context& main_;
  const options& how_;
  known_server server_;
  std::vector<std::unique_ptr<shard>> shards_;
  std::unordered_map<device_id, machine*> by_guid_;
  std::vector<machine*> in_order_;
  event_handler handler_;
  std::atomic<bool> changed_{false};
  bool running_ = false;
};

} // namespace outband::amtsim
