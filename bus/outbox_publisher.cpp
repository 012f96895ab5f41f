#include "bus/outbox_publisher.hpp"

#include "bus/canary.hpp"
#include "bus/outbox_queue.hpp"
#include "messages/bus/encoding.hpp"
#include "messages/bus/topics.hpp"

#include <algorithm>
#include <mutex>
#include <random>
#include <set>
#include <spdlog/spdlog.h>

namespace outband::bus {

using std::chrono::milliseconds;

namespace {

bool transient(problem p) {
  return p == problem::busy || p == problem::bus_unavailable;
}

message to_message(outgoing o) {
  message m;
  m.topic = std::move(o.topic);
  m.payload = std::make_shared<const std::string>(std::move(o.payload));
  m.content_type = std::move(o.content_type);
  m.retain = o.retain;
  m.expiry = o.expiry;
  return m;
}

/// Full jitter: random(0, min(cap, base * 2^failures)).
class backoff {
public:
  backoff(const outbox_options& o, std::mt19937_64& random)
      : base_(o.retry_base), cap_(o.retry_cap), random_(random) {}
  void reset() { failures_ = 0; }
  milliseconds next() {
    auto longest = failures_ < 20 ? std::min(cap_, base_ * (1 << failures_)) : cap_;
    ++failures_;
    return milliseconds(std::uniform_int_distribution<std::int64_t>(0, longest.count())(random_));
  }

private:
  milliseconds base_, cap_;
  std::mt19937_64& random_;
  unsigned failures_ = 0;
};

} // namespace

class outbox_publisher::impl : public std::enable_shared_from_this<impl> {
public:
  impl(outbox_source& source, endpoint& bus, outbox_options options, scheduler& loop)
      : options_(std::move(options)), source_(source), bus_(bus), loop_(loop),
        random_(options_.seed != 0 ? options_.seed : std::random_device{}()),
        send_backoff_(options_, random_), store_backoff_(options_, random_),
        writer_("outbox-" + std::to_string(random_())) {
    if (!options_.now_ms)
      options_.now_ms = [] {
        return std::chrono::duration_cast<milliseconds>(
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
  template <class F> void post(F f) { loop_.post(guarded(std::move(f))); }
  template <class F> scheduler::timer after(milliseconds d, F f) {
    return loop_.after(d, guarded(std::move(f)));
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
  scheduler& loop_;
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

void outbox_publisher::impl::start() {
  auto weak = weak_from_this();
  source_.on_added([weak] {
    if (auto self = weak.lock())
      self->post([](impl& me) {
        me.dirty_ = true;
        me.pump();
      });
  });
  connection_ = bus_.on_connection([weak](bool up) {
    if (auto self = weak.lock())
      self->post([up](impl& me) { me.connection(up); });
  });
}

void outbox_publisher::impl::stop() {
  stopped_ = true;
  for (const auto& t : {probe_timer_, net_timer_, canary_timer_})
    loop_.cancel(t);
  connection_.reset();
  canaries_.reset();
}

void outbox_publisher::impl::show() {
  counted_.lag = queue_.unacknowledged();
  counted_.recovering = recovering_;
  std::lock_guard<std::mutex> lock(mutex_);
  shown_ = counted_;
}

void outbox_publisher::impl::connection(bool up) {
  if (up == connected_)
    return;
  connected_ = up;
  ready_ = false;
  loop_.cancel(probe_timer_);
  canaries_.reset();
  if (!up)
    return;
  // Subscribed anew, so that this broker shows what it has now.
  seen_.reset();
  canaries_ = bus_.subscribe(canary_topic(), {}, [weak = weak_from_this()](const message& m) {
    if (auto self = weak.lock())
      self->post([m](impl& me) { me.heard(m); });
  });
  probe();
}

message outbox_publisher::impl::note(const canary_note& n, bool retain) {
  message m;
  m.topic = canary_topic();
  m.payload = std::make_shared<const std::string>(encode_note(n, options_.now_ms()));
  m.content_type = msgpack_content_type;
  m.retain = retain;
  return m;
}

uuid outbox_publisher::impl::fresh_id() {
  std::array<std::uint8_t, 10> octets{};
  for (auto& o : octets)
    o = static_cast<std::uint8_t>(random_());
  return make_uuid_v7(options_.now_ms(), octets);
}

/// The retained canary, if there is one, comes before this comes back.
void outbox_publisher::impl::probe() {
  probe_ = fresh_id();
  auto m = note({0, 0, writer_, probe_}, false);
  m.expiry = std::chrono::seconds(30);
  bus_.publish(std::move(m));
  probe_timer_ = after(options_.probe_timeout, [](impl& me) {
    if (me.connected_ && !me.ready_)
      me.probe();
  });
}

void outbox_publisher::impl::heard(const message& m) {
  auto n = decode_note(*m.payload);
  if (!n) {
    // Not ours, so it proves nothing: as if it were missing.
    if (!m.payload->empty())
      spdlog::warn("outbox: {} holds something else: {}", m.topic, to_string(n.error()));
    return;
  }
  if (n->generation != 0) {
    generation_ = std::max(generation_, n->generation);
    seen_ = std::move(*n);
  } else if (connected_ && !ready_ && n->id == probe_) {
    checked();
  }
}

void outbox_publisher::impl::checked() {
  loop_.cancel(probe_timer_);
  ready_ = true;
  dirty_ = true;
  send_paused_ = false;
  send_backoff_.reset();
  const bool intact = seen_ && seen_->writer == writer_ && seen_->generation == acknowledged_ &&
                      last_sent_ <= canary_at_ && !canary_due_ && !recovering_;
  if (!intact)
    recover(seen_ ? std::max<std::int64_t>(0, seen_->complete_ms - options_.canary_margin.count())
                  : 0);
  pump();
}

void outbox_publisher::impl::recover(std::int64_t since_ms) {
  // An interrupted recovery starts again: no canary says how far the broker got.
  if (recovering_)
    since_ms = std::min(since_ms, recover_since_ms_);
  spdlog::info("outbox: publishing again what changed since {} ms{}", since_ms,
               seen_ ? "" : " (the broker knows nothing)");
  recovering_ = true;
  ++recovery_;
  recover_since_ms_ = since_ms;
  recover_after_.clear();
  page_next_ = true;
  ++counted_.recoveries;
}

void outbox_publisher::impl::pump() {
  clean_up();
  write_canary();
  send();
  read();
  remove_finished();
}

void outbox_publisher::impl::send() {
  serial which = 0;
  while (ready_ && !send_paused_ && queue_.in_flight() < options_.window) {
    const auto* item = queue_.take(which);
    if (!item)
      return;
    if (item->what != kind::canary) {
      last_sent_ = std::max(last_sent_, which);
      if (!canary_armed_) {
        canary_armed_ = true;
        canary_timer_ = after(options_.canary_interval, [](impl& me) {
          me.canary_armed_ = false;
          if (me.last_sent_ > me.canary_at_)
            me.owe_canary();
          me.pump();
        });
      }
    }
    bus_.publish(item->body, [weak = weak_from_this(), which](const status& outcome) {
      if (auto self = weak.lock())
        self->post([which, outcome](impl& me) { me.completed(which, outcome); });
    });
  }
}

void outbox_publisher::impl::completed(serial which, const status& outcome) {
  if (outcome) {
    queue_.acknowledged(which);
    send_backoff_.reset();
  } else if (transient(outcome.error().what)) {
    queue_.failed(which);
  } else if (queue_.refused(which, options_.refusals)) {
    ++counted_.refused;
    spdlog::error("outbox: given up after {} tries, the broker refuses it: {}", options_.refusals,
                  to_string(outcome.error()));
  }
  if (queue_.failing() && queue_.in_flight() == 0) {
    counted_.resent += queue_.go_back();
    send_paused_ = true;
    after(send_backoff_.next(), [](impl& me) {
      me.send_paused_ = false;
      me.pump();
    });
  }
  pump();
}

void outbox_publisher::impl::clean_up() {
  while (auto item = queue_.pop_finished()) {
    const bool gone = item->refusals >= options_.refusals;
    switch (item->what) {
    case kind::row:
      finished_.push_back(item->id);
      counted_.published += gone ? 0 : 1;
      break;
    case kind::document:
      counted_.republished += gone ? 0 : 1;
      break;
    case kind::canary:
      if (!gone) {
        acknowledged_ = item->id;
        ++counted_.canaries;
      }
      break;
    }
  }
  if (pending_mark_ && queue_.begin() >= pending_mark_->end) {
    complete_ms_ = pending_mark_->ms;
    pending_mark_.reset();
  }
}

/// With a fetch of its own, so that it vouches for the present and not for the last activity.
void outbox_publisher::impl::owe_canary() {
  canary_due_ = true;
  complete_ms_ = 0;
  pending_mark_.reset();
  dirty_ = true;
}

/// Only when something was published since the last one, so that an idle system stays idle.
void outbox_publisher::impl::write_canary() {
  if (!ready_ || !canary_due_ || recovering_ || complete_ms_ == 0)
    return;
  canary_due_ = false;
  outbox_queue::item item;
  item.what = kind::canary;
  item.id = ++generation_;
  item.body = note({item.id, complete_ms_, writer_, fresh_id()}, true);
  canary_at_ = queue_.append(std::move(item));
}

void outbox_publisher::impl::remove_finished() {
  if (removing_ || store_paused_ || finished_.empty())
    return;
  removing_ = true;
  auto ids = std::move(finished_);
  finished_.clear();
  source_.remove(ids, [weak = weak_from_this(), ids](const status& outcome) {
    if (auto self = weak.lock())
      self->post([ids, outcome](impl& me) { me.removed(ids, outcome); });
  });
}

void outbox_publisher::impl::removed(const std::vector<std::uint64_t>& ids, const status& outcome) {
  removing_ = false;
  if (!outcome) {
    finished_.insert(finished_.begin(), ids.begin(), ids.end());
    store_failed(outcome.error());
    return;
  }
  store_backoff_.reset();
  for (auto id : ids) {
    known_.erase(id);
    if (reading_)
      ghosts_.insert(id);
  }
  pump();
}

void outbox_publisher::impl::read() {
  if (!ready_ || reading_ || store_paused_ || queue_.size() + options_.batch > options_.capacity)
    return;
  auto weak = weak_from_this();
  // Pages and rows take turns: a recovery must not hold up what happens now.
  if (recovering_ && (page_next_ || !dirty_)) {
    reading_ = true;
    page_next_ = false;
    source_.retained(recover_since_ms_, recover_after_, options_.batch,
                     [weak, recovery = recovery_](result<std::vector<outgoing>> documents) {
                       if (auto self = weak.lock())
                         self->post([recovery, documents = std::move(documents)](impl& me) mutable {
                           me.paged(recovery, std::move(documents));
                         });
                     });
    return;
  }
  if (!dirty_)
    return;
  reading_ = true;
  dirty_ = false;
  page_next_ = true;
  loop_.cancel(net_timer_);
  net_timer_ = after(options_.safety_net, [](impl& me) {
    me.dirty_ = true;
    me.pump();
  });
  const auto limit = known_.size() + options_.batch;
  source_.fetch(limit,
                [weak, limit, started = options_.now_ms()](result<std::vector<outbox_row>> rows) {
                  if (auto self = weak.lock())
                    self->post([limit, started, rows = std::move(rows)](impl& me) mutable {
                      me.fetched(started, limit, std::move(rows));
                    });
                });
}

void outbox_publisher::impl::fetched(std::int64_t started_ms, std::size_t limit,
                                     result<std::vector<outbox_row>> rows) {
  reading_ = false;
  auto ghosts = std::move(ghosts_);
  ghosts_.clear();
  if (!rows) {
    dirty_ = true;
    store_failed(rows.error());
    return;
  }
  store_backoff_.reset();
  for (auto& row : *rows) {
    if (ghosts.count(row.id) != 0 || !known_.insert(row.id).second)
      continue;
    outbox_queue::item item;
    item.id = row.id;
    item.body = to_message(std::move(row.message));
    queue_.append(std::move(item));
  }
  if (rows->size() >= limit)
    dirty_ = true;
  else
    pending_mark_ = mark{queue_.end(), started_ms};
  pump();
}

void outbox_publisher::impl::paged(std::uint64_t recovery,
                                   result<std::vector<outgoing>> documents) {
  reading_ = false;
  ghosts_.clear();
  if (recovery != recovery_)
    return pump(); // a newer recovery has begun
  if (!documents) {
    page_next_ = true;
    store_failed(documents.error());
    return;
  }
  store_backoff_.reset();
  const bool last = documents->size() < options_.batch;
  if (!last)
    recover_after_ = documents->back().topic;
  for (auto& d : *documents) {
    outbox_queue::item item;
    item.what = kind::document;
    item.body = to_message(std::move(d));
    item.body.retain = true;
    queue_.append(std::move(item));
  }
  if (last) {
    recovering_ = false;
    owe_canary(); // a broker that has all this must say so, even if it was nothing
  }
  pump();
}

void outbox_publisher::impl::store_failed(const failure& why) {
  ++counted_.store_failures;
  auto delay = store_backoff_.next();
  spdlog::warn("outbox: the store failed, next try in {} ms: {}", delay.count(), to_string(why));
  store_paused_ = true;
  after(delay, [](impl& me) {
    me.store_paused_ = false;
    me.pump();
  });
  pump();
}

outbox_publisher::outbox_publisher(outbox_source& source, endpoint& bus, outbox_options options)
    : own_(std::make_unique<thread_loop>()),
      impl_(std::make_shared<impl>(source, bus, std::move(options), *own_)) {
  impl_->start();
}

outbox_publisher::outbox_publisher(outbox_source& source, endpoint& bus, outbox_options options,
                                   scheduler& loop)
    : impl_(std::make_shared<impl>(source, bus, std::move(options), loop)) {
  impl_->start();
}

outbox_publisher::~outbox_publisher() {
  if (own_) {
    own_->post([me = impl_] { me->stop(); });
    own_->settle();
    own_->stop();
  } else {
    impl_->stop();
  }
}

outbox_metrics outbox_publisher::metrics() const {
  return impl_->metrics();
}

} // namespace outband::bus
