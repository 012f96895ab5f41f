/// Inside of `database`: the thread, the pipelines, and who is told of new outbox rows.
/// Internal to this folder.
#pragma once

#include "actors/store/database.hpp"
#include "actors/store/pipeline.hpp"

#include <boost/asio/executor_work_guard.hpp>

#include <array>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace outband::store {

/// durable: commits synchronously. relaxed: what machines do, which may be thousands at once.
/// As many as lane_count. asked: reads that a person or the lease waits for, which must not queue
/// behind those.
enum class lane : std::uint8_t { durable, relaxed, asked };

class connections {
public:
  explicit connections(pg_options options);
  ~connections();

  /// Any thread; the callback runs on the database's thread, never inside this call. A deadlock or
  /// serialization failure (rolled back by the server) is tried once more.
  void submit(lane where, std::vector<step> steps, bool writes, reply_callback done);
  void submit(lane where, const statement& what, params with, bool writes, reply_callback done) {
    submit(where, {step{&what, std::move(with)}}, writes, std::move(done));
  }
  /// Runs on the database's thread.
  void post(std::function<void()> what);

  /// Outbox rows may have been added.
  void wake();
  void on_added(std::function<void()> wake);

  bool wait_connected(std::chrono::milliseconds deadline);
  /// What our own notifications carry, so that we ignore them: "n1/5f3a...".
  const std::string& token() const { return token_; }
  const database_counters& counters() const { return counters_; }
  const pg_options& options() const { return options_; }

private:
  void send(lane where, steps_ptr steps, bool writes, bool last_try, reply_callback done);
  pipeline& one_for(lane where, bool writes);
  using clock = std::chrono::steady_clock;
  void settle(lane where, clock::time_point since, reply r, const reply_callback& done);
  pipeline_options options_for(lane where);
  void ready(lane where);
  void prune_later();
  void prune();

  pg_options options_;
  std::string token_;
  database_counters counters_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::array<bool, lane_count> up_{};
  std::function<void()> wake_;
  bool closing_ = false; ///< on the thread only
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_{
      io_.get_executor()};
  boost::asio::steady_timer prune_timer_{io_};
  std::array<std::shared_ptr<pipeline>, lane_count> lanes_;
  std::thread thread_;
};

/// Turns a reply into a result: `read` gets the rows of all steps and returns a result<T>.
template <class T, class F> reply_callback answer_with(std::function<void(result<T>)> cb, F read) {
  return [cb = std::move(cb), read = std::move(read)](reply r) {
    if (auto* e = std::get_if<reply_error>(&r))
      return cb(e->what);
    cb(read(std::get<std::vector<rows>>(r)));
  };
}

} // namespace outband::store
