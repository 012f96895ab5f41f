/// The publisher's state and parts. Internal to bus/: outbox_publisher.cpp has the queue and the
/// store, outbox_recovery.cpp the canary and what follows from it.
///
/// Context: everything but start() and metrics() runs as a task of the scheduler.
#pragma once

#include "bus/canary.hpp"
#include "bus/outbox_publisher.hpp"
#include "bus/outbox_queue.hpp"

#include <algorithm>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace outband::bus {

/// Full jitter: random(0, min(cap, base * 2^failures)).
class backoff {
public:
  backoff(const outbox_options& o, std::mt19937_64& random)
      : base_(o.retry_base), cap_(o.retry_cap), random_(random) {}
  void reset() { failures_ = 0; }
  std::chrono::milliseconds next() {
    auto longest = failures_ < 20 ? std::min(cap_, base_ * (1 << failures_)) : cap_;
    ++failures_;
    return std::chrono::milliseconds(
        std::uniform_int_distribution<std::int64_t>(0, longest.count())(random_));
  }

private:
  std::chrono::milliseconds base_, cap_;
  std::mt19937_64& random_;
  unsigned failures_ = 0;
};

message to_message(outgoing o);

class outbox_publisher::impl : public std::enable_shared_from_this<impl> {
public:
  impl(outbox_source& source, endpoint& bus, outbox_options options,
       std::shared_ptr<scheduler> loop)
      : options_(std::move(options)), source_(source), bus_(bus), loop_(std::move(loop)),
        random_(options_.seed != 0 ? options_.seed : std::random_device{}()),
        send_backoff_(options_, random_), store_backoff_(options_, random_),
        writer_("outbox-" + std::to_string(random_())) {
    if (!options_.now_ms)
      options_.now_ms = [] {
        return std::chrono::duration_cast<std::chrono::milliseconds>(
                   std::chrono::system_clock::now().time_since_epoch())
            .count();
      };
  }

  void start();
  void stop();
  outbox_metrics metrics() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return shown_;
  }

private:
  using serial = outbox_queue::serial;
  using kind = outbox_queue::kind;

  /// A task of the loop that does nothing once this has stopped or is gone.
  template <class F> scheduler::task guarded(F f) {
    return [weak = weak_from_this(), f = std::move(f)]() mutable {
      auto self = weak.lock();
      if (!self || self->stopped_)
        return;
      f(*self);
      self->show();
    };
  }
  template <class F> void post(F f) { loop_->post(guarded(std::move(f))); }
  template <class F> scheduler::timer after(std::chrono::milliseconds d, F f) {
    return loop_->after(d, guarded(std::move(f)));
  }
  void show();

  // The connection and what the broker still has.
  void connection(bool up);
  void probe();
  message note(const canary_note& n, bool retain);
  uuid fresh_id();
  void heard(const message& m);
  void checked();
  void recover(std::int64_t since_ms);

  // The queue.
  void pump();
  void send();
  void completed(serial which, const status& outcome);
  void clean_up();
  void remove_finished();
  void removed(const std::vector<std::uint64_t>& ids, const status& outcome);

  // The store.
  void read();
  void fetched(std::int64_t started_ms, std::size_t limit, result<std::vector<outbox_row>> rows);
  void paged(std::uint64_t recovery, result<std::vector<outgoing>> documents);
  void store_failed(const failure& why);
  void owe_canary();
  void write_canary();

  outbox_options options_;
  outbox_source& source_;
  endpoint& bus_;
  const std::shared_ptr<scheduler> loop_; ///< shared: the source may call back late
  std::mt19937_64 random_;
  backoff send_backoff_, store_backoff_;
  const std::string writer_;
  bool stopped_ = false;
  subscription connection_, canaries_;

  outbox_queue queue_;
  std::set<std::uint64_t> known_;  ///< rows in the queue or being removed
  std::set<std::uint64_t> ghosts_; ///< removed while a fetch was under way that may still show them
  std::vector<std::uint64_t> finished_; ///< to be removed from the store
  bool removing_ = false;
  bool send_paused_ = false, store_paused_ = false;

  bool connected_ = false;
  bool ready_ = false; ///< connected, and the canary was compared
  uuid probe_;         ///< id of the latest
  scheduler::timer probe_timer_{}, net_timer_{}, canary_timer_{};
  std::optional<canary_note> seen_; ///< on this connection

  bool dirty_ = true;    ///< the store may have rows that we do not know
  bool reading_ = false; ///< one read at a time: what is read later is newer and queued later
  bool page_next_ = true;
  bool recovering_ = false;
  std::uint64_t recovery_ = 0;
  std::int64_t recover_since_ms_ = 0;
  std::string recover_after_;

  std::uint64_t generation_ = 0;   ///< the latest that was acknowledged or seen
  std::uint64_t acknowledged_ = 0; ///< generation of our latest acknowledged canary
  serial acknowledged_at_ = 0;     ///< and which it was: what was sent after it may be lost
  serial last_sent_ = 0;           ///< the newest row or document that was sent
  serial canary_at_ = 0;           ///< our newest canary
  bool canary_due_ = false, canary_armed_ = false;
  /// Everything committed before this has been acknowledged; 0: not known yet.
  std::int64_t complete_ms_ = 0;
  struct mark {
    serial end;
    std::int64_t ms;
  };
  std::optional<mark> pending_mark_; ///< becomes complete_ms_ when the queue has got to `end`

  mutable std::mutex mutex_;
  outbox_metrics counted_, shown_;
};

} // namespace outband::bus
