#include "bus/mqtt_endpoint_impl.hpp"
#include "messages/domain/roles.hpp"

#include <algorithm>
#include <spdlog/spdlog.h>

namespace outband::bus {

std::optional<failure> mqtt_endpoint::impl::refusal(const message& m) const {
  if (auto ok = check_message(m, options.max_payload); !ok)
    return ok.error();
  if (closed || !up)
    return fail(problem::bus_unavailable, error.empty() ? "not connected" : error);
  const auto size = m.topic.size() + m.payload->size() + m.content_type.size() +
                    m.response_topic.size() + m.correlation.size() + 64;
  if (maximum_packet != 0 && size > maximum_packet)
    return fail(problem::too_large,
                "the broker takes " + std::to_string(maximum_packet) + " octets per packet");
  if (in_window >= window)
    return fail(problem::busy, "the window of the bus is full");
  return std::nullopt;
}

void mqtt_endpoint::impl::publish(message m, completion done) {
  std::lock_guard<std::mutex> lock(mutex);
  if (auto why = refusal(m)) {
    if (done)
      loop->post([done = std::move(done), why = std::move(*why)] { done(why); });
    return;
  }
  ++in_window;
  // Posted under the lock, so that the order of calls is the order on the wire.
  loop->post([self = this, m = std::move(m), done = std::move(done)]() mutable {
    self->hand_over(std::move(m), std::move(done));
  });
}

void mqtt_endpoint::impl::hand_over(message m, completion done) {
  if (pending_subs > 0 || !held.empty()) {
    held.push_back({std::move(m), std::move(done)});
    return;
  }
  tx->publish(m, [self = this, done = std::move(done)](status outcome) {
    self->finish(done, std::move(outcome));
  });
}

void mqtt_endpoint::impl::flush_held() {
  auto waiting = std::move(held);
  held.clear();
  for (auto& h : waiting)
    tx->publish(h.what, [self = this, done = std::move(h.done)](status outcome) {
      self->finish(done, std::move(outcome));
    });
}

void mqtt_endpoint::impl::finish(const completion& done, status outcome) {
  {
    std::lock_guard<std::mutex> lock(mutex);
    --in_window;
    ++(outcome ? counted.published : counted.publish_refused);
    if (in_window == 0)
      drained.notify_all();
  }
  if (done)
    done(std::move(outcome));
}

void mqtt_endpoint::impl::received(message m, const std::vector<std::uint32_t>& ids) {
  std::vector<std::pair<std::uint32_t, std::shared_ptr<subscriber>>> to;
  bool refused = false;
  {
    std::lock_guard<std::mutex> lock(mutex);
    ++counted.received;
    for (const auto& [filter, entry] : filters) {
      const bool mine = ids.empty() ? topic_matches(filter, m.topic)
                                    : std::find(ids.begin(), ids.end(), entry.id) != ids.end();
      if (mine && m.retain && entry.options.refuse_retained)
        refused = true;
      else if (mine)
        for (const auto& s : entry.subscribers)
          to.emplace_back(entry.id, s);
    }
    refused = refused && !m.payload->empty(); // else it is a clearing, perhaps our own
    counted.retained_refused += refused ? 1 : 0;
  }
  if (refused)
    clear(m.topic);
  for (const auto& [id, s] : to) {
    m.subscription_id = id;
    if (s->alive)
      s->on_message(m);
  }
}

void mqtt_endpoint::impl::clear(const std::string& topic) {
  spdlog::warn("bus client={} clears a retained message that was refused on {}", options.client_id,
               topic);
  message empty;
  empty.topic = topic;
  empty.payload = std::make_shared<const std::string>();
  empty.retain = true;
  publish(std::move(empty), [self = this, topic](status outcome) {
    constexpr std::size_t most = 1024;
    std::lock_guard<std::mutex> lock(self->mutex);
    if (!outcome && !self->closed && self->to_clear.size() < most)
      self->to_clear.insert(topic);
  });
}

} // namespace outband::bus
