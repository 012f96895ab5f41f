#include "bus/outbox_publisher_impl.hpp"
#include "messages/bus/encoding.hpp"
#include "messages/bus/topics.hpp"

#include <array>
#include <spdlog/spdlog.h>

namespace outband::bus {

void outbox_publisher::impl::connection(bool up) {
  if (up == connected_)
    return;
  connected_ = up;
  ready_ = false;
  loop_->cancel(probe_timer_);
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
  loop_->cancel(probe_timer_);
  ready_ = true;
  dirty_ = true;
  send_paused_ = false;
  send_backoff_.reset();
  const bool intact = seen_ && seen_->writer == writer_ && seen_->generation == acknowledged_ &&
                      last_sent_ <= acknowledged_at_ && !canary_due_ && !recovering_;
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

} // namespace outband::bus
