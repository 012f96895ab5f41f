#include "bus/outbox_publisher.hpp"

#include "bus/outbox_publisher_impl.hpp"

#include <spdlog/spdlog.h>

namespace outband::bus {

using std::chrono::milliseconds;

namespace {

bool transient(problem p) {
  return p == problem::busy || p == problem::bus_unavailable;
}

} // namespace

message to_message(outgoing o) {
  message m;
  m.topic = std::move(o.topic);
  m.payload = std::make_shared<const std::string>(std::move(o.payload));
  m.content_type = std::move(o.content_type);
  m.retain = o.retain;
  m.expiry = o.expiry;
  return m;
}

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
    loop_->cancel(t);
  connection_.reset();
  canaries_.reset();
}

void outbox_publisher::impl::show() {
  counted_.lag = queue_.unacknowledged();
  counted_.recovering = recovering_;
  counted_.superseded = queue_.superseded();
  std::lock_guard<std::mutex> lock(mutex_);
  shown_ = counted_;
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
    const bool gone = item->superseded || item->refusals >= options_.refusals;
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
        acknowledged_at_ = queue_.begin() - 1; // just popped
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

void outbox_publisher::impl::remove_finished() {
  if (removing_ || store_paused_ || finished_.empty())
    return;
  // Not one by one while more is under way: those in flight say soon that they are finished.
  if (finished_.size() < options_.remove_at_once && queue_.in_flight() > 0)
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
  // There is enough to send: what comes meanwhile is fetched with what comes later.
  if (queue_.size() >= options_.enough + queue_.in_flight())
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
  loop_->cancel(net_timer_);
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
    : own_(std::make_shared<thread_loop>()),
      impl_(std::make_shared<impl>(source, bus, std::move(options), own_)) {
  impl_->start();
}

outbox_publisher::outbox_publisher(outbox_source& source, endpoint& bus, outbox_options options,
                                   scheduler& loop)
    : impl_(std::make_shared<impl>(source, bus, std::move(options),
                                   std::shared_ptr<scheduler>(std::shared_ptr<void>(), &loop))) {
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
