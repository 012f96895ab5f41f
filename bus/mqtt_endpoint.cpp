#include "bus/mqtt_endpoint.hpp"

#include "bus/in_process.hpp" // response_topic
#include "bus/mqtt_endpoint_impl.hpp"

#include <algorithm>
#include <random>
#include <spdlog/spdlog.h>

namespace outband::bus {

credential_source fixed_credentials(std::string username, std::string password) {
  return [who = credentials{std::move(username), std::move(password)}](
             const std::function<void(result<credentials>)>& answer) {
    answer(who);
  };
}

mqtt_endpoint::impl::impl(mqtt_options o)
    : options(std::move(o)), salt(std::random_device{}() | std::uint64_t{1} << 40),
      window(options.window) {
  salt ^= static_cast<std::uint64_t>(std::random_device{}()) << 32;
  requests =
      std::make_shared<request_table>(*loop, response_topic(options.response_prefix, salt), salt);
}

void mqtt_endpoint::impl::start() {
  auto weak = weak_from_this();
  for (bool publishes : {false, true}) {
    link_events events;
    events.up = [weak, publishes](const link_limits& l) {
      if (auto self = weak.lock())
        self->link_up(publishes, l);
    };
    events.down = [weak, publishes](const std::string& why) {
      if (auto self = weak.lock())
        self->link_down(publishes, why);
    };
    events.failed = [weak, publishes](const std::string& why) {
      if (auto self = weak.lock())
        self->note_failure(publishes, why);
    };
    events.reason = [weak](int code) {
      if (auto self = weak.lock())
        self->note_reason(code);
    };
    events.received = [weak](message m, const std::vector<std::uint32_t>& ids) {
      if (auto self = weak.lock())
        self->received(std::move(m), ids);
    };
    (publishes ? tx : rx) = std::make_shared<mqtt_link>(loop, options, publishes, events);
  }
  inbound = rx->inbound();
  if (auto topic = response_topic(options.response_prefix, salt); !topic.empty()) {
    subscribe_options live;
    live.retain_handling = 2;
    answers =
        subscribe(topic, live, [table = requests](const message& m) { table->on_message(m); });
  }
  loop->post([weak] {
    // Both at once: Paho's shared receiving thread makes serial connects slow.
    if (auto self = weak.lock()) {
      self->rx->start();
      self->tx->start();
    }
  });
}

void mqtt_endpoint::impl::link_up(bool publishes, const link_limits& limits) {
  std::vector<std::pair<std::string, std::uint32_t>> present;
  {
    std::lock_guard<std::mutex> lock(mutex);
    ++counted.connects;
    if (publishes) {
      window = std::min(options.window, limits.receive_maximum);
      maximum_packet = limits.maximum_packet;
    } else {
      for (const auto& [filter, entry] : filters)
        present.emplace_back(filter, entry.id);
    }
  }
  if (!publishes) {
    sent.clear();
    pending_subs = 0;
    rx_ready = present.empty();
    for (const auto& [filter, id] : present)
      send_subscribe(filter, id, false);
  }
  evaluate();
}

void mqtt_endpoint::impl::link_down(bool publishes, const std::string& why) {
  {
    std::lock_guard<std::mutex> lock(mutex);
    ++counted.connections_lost;
    error = why;
  }
  spdlog::warn("bus client={} connection={} lost: {}", options.client_id, publishes ? "tx" : "rx",
               why);
  if (!publishes) {
    rx_ready = false;
    pending_subs = 0;
  }
  flush_held();
  evaluate();
}

void mqtt_endpoint::impl::note_failure(bool publishes, const std::string& why) {
  bool news = false;
  {
    std::lock_guard<std::mutex> lock(mutex);
    ++counted.connects_failed;
    news = error != why;
    error = why;
  }
  if (news) // once per reason, not once per attempt
    spdlog::warn("bus client={} connection={} cannot connect to {}:{}: {}", options.client_id,
                 publishes ? "tx" : "rx", options.host, options.port, why);
}

void mqtt_endpoint::impl::note_reason(int code) {
  std::lock_guard<std::mutex> lock(mutex);
  ++counted.by_reason[code];
  counted.takeovers += code == 0x8e ? 1 : 0; // MQTT 5 section 3.14.2.1: session taken over
}

/// Tells the listeners when "both are up and subscribed" has changed.
void mqtt_endpoint::impl::evaluate() {
  const bool now_up = rx->is_up() && tx->is_up() && rx_ready;
  std::vector<std::shared_ptr<listener>> told;
  std::set<std::string> planted;
  {
    std::lock_guard<std::mutex> lock(mutex);
    if (up == now_up || closed)
      return;
    up = now_up;
    if (up) {
      error.clear();
      planted.swap(to_clear);
    }
    told.assign(listeners.begin(), listeners.end());
  }
  spdlog::info("bus client={} {}", options.client_id, now_up ? "connected" : "disconnected");
  for (const auto& topic : planted)
    clear(topic);
  for (const auto& l : told)
    if (l->alive)
      l->changed(now_up);
}

void mqtt_endpoint::impl::send_subscribe(const std::string& filter, std::uint32_t id, bool again) {
  if (!rx->is_up() || (sent.count(id) != 0 && !again))
    return;
  subscribe_options how;
  {
    std::lock_guard<std::mutex> lock(mutex);
    auto it = filters.find(filter);
    if (it == filters.end() || it->second.id != id)
      return; // ended meanwhile
    how = it->second.options;
  }
  sent.insert(id);
  ++pending_subs;
  rx->subscribe(id, filter, how, [self = this, filter](status outcome) {
    if (!self->rx->is_up())
      return; // the next connection subscribes again
    if (!outcome) {
      spdlog::error("bus client={} subscription to {} refused: {}", self->options.client_id, filter,
                    to_string(outcome.error()));
      std::lock_guard<std::mutex> lock(self->mutex);
      ++self->counted.subscribe_refused;
    }
    if (self->pending_subs == 0 || --self->pending_subs > 0)
      return;
    self->rx_ready = true;
    self->flush_held();
    self->evaluate();
  });
}

subscription mqtt_endpoint::impl::subscribe(std::string filter, subscribe_options how,
                                            handler on_message) {
  if (!valid_filter(filter)) {
    spdlog::error("bus client={} '{}' is not a topic filter", options.client_id, filter);
    return nullptr;
  }
  auto who = std::make_shared<subscriber>();
  who->on_message = std::move(on_message);
  std::lock_guard<std::mutex> lock(mutex);
  auto [it, fresh] = filters.try_emplace(filter);
  auto& entry = it->second;
  if (fresh) {
    entry.id = ++next_id;
    entry.options = how;
  }
  entry.subscribers.push_back(who);
  // A further subscriber to the same filter asks for the retained messages again.
  loop->post([self = this, filter, id = entry.id, again = !fresh] {
    self->send_subscribe(filter, id, again);
  });
  return {who.get(), [weak = weak_from_this(), filter, who](void*) {
            who->alive = false;
            if (auto self = weak.lock())
              self->unsubscribe(filter, who);
          }};
}

void mqtt_endpoint::impl::unsubscribe(const std::string& filter,
                                      const std::shared_ptr<subscriber>& who) {
  std::lock_guard<std::mutex> lock(mutex);
  auto it = filters.find(filter);
  if (it == filters.end())
    return;
  auto& all = it->second.subscribers;
  all.erase(std::remove(all.begin(), all.end(), who), all.end());
  if (!all.empty())
    return;
  loop->post([self = this, filter, id = it->second.id] {
    if (self->sent.erase(id) != 0 && self->rx->is_up())
      self->rx->unsubscribe(filter);
  });
  filters.erase(it);
}

void mqtt_endpoint::impl::close() {
  answers.reset();
  {
    std::unique_lock<std::mutex> lock(mutex);
    closed = true;
    drained.wait_for(lock, options.closing_grace, [this] { return in_window == 0; });
  }
  loop->post([this] {
    requests->fail_all(fail(problem::bus_unavailable, "the endpoint was closed"));
    rx->close();
    tx->close();
    flush_held(); // tx is closed: they fail
  });
  loop->settle();
  rx->disconnect();
  tx->disconnect();
  loop->stop();
  rx.reset();
  tx.reset();
}

mqtt_endpoint::mqtt_endpoint(mqtt_options options)
    : impl_(std::make_shared<impl>(std::move(options))) {
  impl_->start();
}

mqtt_endpoint::~mqtt_endpoint() {
  impl_->close();
}

void mqtt_endpoint::publish(message m, completion done) {
  impl_->publish(std::move(m), std::move(done));
}

subscription mqtt_endpoint::subscribe(std::string filter, subscribe_options options,
                                      handler on_message) {
  return impl_->subscribe(std::move(filter), options, std::move(on_message));
}

void mqtt_endpoint::request(message m, std::chrono::milliseconds deadline,
                            std::function<bool(result<message>)> on_response) {
  impl_->requests->start(std::move(m), deadline, std::move(on_response),
                         [self = impl_.get()](message out, completion done) {
                           self->publish(std::move(out), std::move(done));
                         });
}

bool mqtt_endpoint::connected() const {
  std::lock_guard<std::mutex> lock(impl_->mutex);
  return impl_->up;
}

subscription mqtt_endpoint::on_connection(std::function<void(bool)> changed) {
  auto l = std::make_shared<impl::listener>();
  l->changed = std::move(changed);
  impl_->loop->post([self = impl_.get(), l] {
    // Registered by the loop itself, so that no change falls between the first call and the rest.
    bool now_up = false;
    {
      std::lock_guard<std::mutex> lock(self->mutex);
      self->listeners.push_back(l);
      now_up = self->up;
    }
    if (l->alive)
      l->changed(now_up);
  });
  return {l.get(), [weak = std::weak_ptr<impl>(impl_), l](void*) {
            l->alive = false;
            if (auto self = weak.lock()) {
              std::lock_guard<std::mutex> lock(self->mutex);
              self->listeners.remove(l);
            }
          }};
}

mqtt_counters mqtt_endpoint::counters() const {
  std::lock_guard<std::mutex> lock(impl_->mutex);
  auto out = impl_->counted;
  out.inbound_overflows = impl_->inbound->overflows;
  out.inbound_dropped = impl_->inbound->dropped;
  out.inbound_waiting = impl_->inbound->messages;
  return out;
}

std::string mqtt_endpoint::last_error() const {
  std::lock_guard<std::mutex> lock(impl_->mutex);
  return impl_->error;
}

} // namespace outband::bus
