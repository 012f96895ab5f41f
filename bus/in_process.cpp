#include "bus/in_process.hpp"

#include "messages/domain/roles.hpp"

#include <algorithm>
#include <cstdio>

namespace outband::bus {

using std::chrono::milliseconds;

in_process_bus::in_process_bus(scheduler& loop, std::uint64_t seed, bool ordered_by_time)
    : loop_(loop), ordered_by_time_(ordered_by_time), random_(seed) {}

in_process_bus::client_id in_process_bus::attach(std::size_t window, std::size_t max_payload) {
  std::lock_guard<std::mutex> lock(mutex_);
  auto id = ++serial_;
  auto& c = clients_[id];
  c.window = window;
  c.max_payload = max_payload;
  return id;
}

void in_process_bus::detach(client_id who) {
  set_connected(who, false);
  std::lock_guard<std::mutex> lock(mutex_);
  for (auto it = filters_.begin(); it != filters_.end();) {
    const bool mine = (*it)->owner == who;
    (*it)->alive = (*it)->alive && !mine;
    it = mine ? filters_.erase(it) : std::next(it);
  }
  if (auto it = clients_.find(who); it != clients_.end()) {
    for (auto& l : it->second.listeners)
      l->alive = false;
    clients_.erase(it);
  }
}

bool in_process_bus::draw(double probability) {
  // Nothing is drawn when the fault is off: a plan without it gives the same run as before.
  return probability > 0 && std::uniform_real_distribution<double>(0, 1)(random_) < probability;
}

milliseconds in_process_bus::draw_delay() {
  if (faults_.max_delay.count() == 0)
    return milliseconds(0);
  return milliseconds(
      std::uniform_int_distribution<std::int64_t>(0, faults_.max_delay.count())(random_));
}

void in_process_bus::schedule(client& c, bool may_overtake, scheduler::task t) {
  if (!ordered_by_time_) {
    loop_.post(std::move(t));
    return;
  }
  auto now = loop_.now();
  auto due = now + draw_delay();
  if (!may_overtake) {
    due = std::max(due, c.last_due);
    c.last_due = due;
  }
  loop_.after(due - now, std::move(t));
}

void in_process_bus::publish(client_id who, message m, endpoint::completion done) {
  std::lock_guard<std::mutex> lock(mutex_);
  auto refuse = [&](failure why) {
    if (done)
      loop_.post([done = std::move(done), why = std::move(why)] { done(why); });
  };
  auto it = clients_.find(who);
  if (it == clients_.end() || !it->second.up)
    return refuse(fail(problem::bus_unavailable, "not connected"));
  auto& c = it->second;
  if (auto ok = check_message(m, c.max_payload); !ok)
    return refuse(ok.error());
  if (c.unfinished.size() >= c.window)
    return refuse(fail(problem::busy, "the window of the bus is full"));
  auto serial = ++serial_;
  c.unfinished.emplace(serial, std::move(done));
  const bool lost = draw(faults_.lose_publish);
  if (!lost)
    route(m);
  status outcome = success();
  if (lost || draw(faults_.lose_ack))
    outcome = fail(problem::bus_unavailable, "the acknowledgement was lost");
  schedule(c, false, [weak = weak_from_this(), who, serial, outcome = std::move(outcome)] {
    if (auto self = weak.lock())
      self->finish(who, serial, outcome);
  });
}

void in_process_bus::finish(client_id who, std::uint64_t serial, status outcome) {
  endpoint::completion done;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    auto c = clients_.find(who);
    if (c == clients_.end())
      return;
    auto it = c->second.unfinished.find(serial);
    if (it == c->second.unfinished.end())
      return; // failed when the connection was cut
    done = std::move(it->second);
    c->second.unfinished.erase(it);
  }
  if (done)
    done(std::move(outcome));
}

void in_process_bus::keep(const message& m) {
  if (m.payload->empty()) {
    retained_.erase(m.topic);
    return;
  }
  stored s{m, std::nullopt};
  if (m.expiry)
    s.expires = loop_.now() + *m.expiry;
  retained_[m.topic] = std::move(s);
}

void in_process_bus::route(const message& m) {
  if (m.retain)
    keep(m);
  for (const auto& f : filters_) {
    auto c = clients_.find(f->owner);
    if (c == clients_.end() || !c->second.up || !topic_matches(f->filter, m.topic))
      continue;
    message copy = m; // shares the payload
    copy.retain = m.retain && f->options.retain_as_published;
    send(c->second, f, std::move(copy));
  }
}

void in_process_bus::send(client& c, const std::shared_ptr<filter_entry>& to, message m) {
  m.subscription_id = to->id;
  m.qos = std::min(m.qos, to->options.qos);
  std::optional<time_point> expires;
  if (m.expiry)
    expires = loop_.now() + *m.expiry;
  if (draw(faults_.lose_delivery))
    return;
  for (int copies = draw(faults_.duplicate) ? 2 : 1; copies > 0; --copies)
    schedule(c, draw(faults_.reorder),
             [weak = weak_from_this(), to, connection = c.connection, m, expires] {
               if (auto self = weak.lock())
                 self->deliver(to, connection, m, expires);
             });
}

void in_process_bus::deliver(const std::shared_ptr<filter_entry>& to, std::uint64_t connection,
                             message m, std::optional<time_point> expires) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    auto c = clients_.find(to->owner);
    if (!to->alive || c == clients_.end() || c->second.connection != connection)
      return;
    if (expires) {
      auto left = *expires - loop_.now();
      if (left <= scheduler::clock::duration::zero())
        return;
      m.expiry = std::chrono::ceil<std::chrono::seconds>(left);
    }
  }
  if (m.retain && to->options.refuse_retained)
    return refuse(to->owner, m);
  to->on_message(m);
}

void in_process_bus::refuse(client_id who, const message& m) {
  if (m.payload->empty())
    return; // a clearing, perhaps our own
  message empty;
  empty.topic = m.topic;
  empty.payload = std::make_shared<const std::string>();
  empty.retain = true;
  publish(who, std::move(empty), {});
}

void in_process_bus::replay(client& c, const std::shared_ptr<filter_entry>& to) {
  auto now = loop_.now();
  for (auto it = retained_.begin(); it != retained_.end();) {
    auto& s = it->second;
    if (s.expires && *s.expires <= now) {
      it = retained_.erase(it);
      continue;
    }
    if (topic_matches(to->filter, it->first)) {
      message copy = s.what;
      if (s.expires)
        copy.expiry = std::chrono::ceil<std::chrono::seconds>(*s.expires - now);
      send(c, to, std::move(copy));
    }
    ++it;
  }
}

subscription in_process_bus::subscribe(client_id who, std::string filter, subscribe_options options,
                                       endpoint::handler on_message) {
  std::lock_guard<std::mutex> lock(mutex_);
  auto c = clients_.find(who);
  if (c == clients_.end() || !valid_filter(filter))
    return nullptr;
  auto entry = std::make_shared<filter_entry>();
  entry->id = ++next_filter_;
  entry->owner = who;
  entry->filter = std::move(filter);
  entry->options = options;
  entry->on_message = std::move(on_message);
  filters_.push_back(entry);
  if (c->second.up && options.retain_handling == 0)
    replay(c->second, entry);
  return {entry.get(), [weak = weak_from_this(), entry](void*) {
            if (auto self = weak.lock()) {
              std::lock_guard<std::mutex> held(self->mutex_);
              entry->alive = false;
              self->filters_.remove(entry);
            }
          }};
}

bool in_process_bus::connected(client_id who) const {
  std::lock_guard<std::mutex> lock(mutex_);
  auto it = clients_.find(who);
  return it != clients_.end() && it->second.up;
}

void in_process_bus::tell(client& c) {
  for (const auto& l : c.listeners)
    schedule(c, false, [weak = weak_from_this(), l, up = c.up] {
      auto self = weak.lock();
      if (!self)
        return;
      {
        std::lock_guard<std::mutex> lock(self->mutex_);
        if (!l->alive)
          return;
      }
      l->changed(up);
    });
}

subscription in_process_bus::on_connection(client_id who, std::function<void(bool)> changed) {
  std::lock_guard<std::mutex> lock(mutex_);
  auto c = clients_.find(who);
  if (c == clients_.end())
    return nullptr;
  auto l = std::make_shared<listener>();
  l->changed = std::move(changed);
  auto others = std::move(c->second.listeners);
  c->second.listeners = {l};
  tell(c->second);
  c->second.listeners.splice(c->second.listeners.begin(), others);
  return {l.get(), [weak = weak_from_this(), who, l](void*) {
            auto self = weak.lock();
            if (!self)
              return;
            std::lock_guard<std::mutex> held(self->mutex_);
            l->alive = false;
            if (auto it = self->clients_.find(who); it != self->clients_.end())
              it->second.listeners.remove(l);
          }};
}

void in_process_bus::set_connected(client_id who, bool up) {
  std::lock_guard<std::mutex> lock(mutex_);
  auto it = clients_.find(who);
  if (it == clients_.end() || it->second.up == up)
    return;
  auto& c = it->second;
  c.up = up;
  ++c.connection;
  if (!up) {
    for (auto& [serial, done] : c.unfinished)
      if (done)
        schedule(c, false, [done = std::move(done)] {
          done(fail(problem::bus_unavailable, "the connection was lost"));
        });
    c.unfinished.clear();
  } else {
    for (const auto& f : filters_)
      if (f->owner == who && f->options.retain_handling == 0)
        replay(c, f);
  }
  tell(c);
}

void in_process_bus::set_faults(const fault_plan& plan) {
  std::lock_guard<std::mutex> lock(mutex_);
  faults_ = plan;
}

in_process_bus::retained_map in_process_bus::retained() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return retained_;
}

void in_process_bus::set_retained(retained_map content) {
  std::lock_guard<std::mutex> lock(mutex_);
  retained_ = std::move(content);
}

std::string response_topic(const std::string& prefix, std::uint64_t salt) {
  if (prefix.empty())
    return {};
  char level[24];
  std::snprintf(level, sizeof level, "/c%016llx", static_cast<unsigned long long>(salt));
  return prefix + level;
}

in_process_endpoint::in_process_endpoint(std::shared_ptr<in_process_bus> bus,
                                         std::string response_prefix, std::uint64_t salt,
                                         std::size_t window, std::size_t max_payload)
    : bus_(std::move(bus)), self_(bus_->attach(window, max_payload)) {
  auto topic = response_topic(response_prefix, salt);
  requests_ = std::make_shared<request_table>(bus_->loop(), topic, salt);
  if (!topic.empty()) {
    subscribe_options live;
    live.retain_handling = 2;
    answers_ = bus_->subscribe(self_, topic, live,
                               [table = requests_](const message& m) { table->on_message(m); });
  }
}

in_process_endpoint::~in_process_endpoint() {
  bus_->detach(self_);
  bus_->loop().post([table = requests_] {
    table->fail_all(fail(problem::bus_unavailable, "the endpoint was closed"));
  });
  bus_->loop().settle();
}

void in_process_endpoint::publish(message m, completion done) {
  bus_->publish(self_, std::move(m), std::move(done));
}

subscription in_process_endpoint::subscribe(std::string filter, subscribe_options options,
                                            handler on_message) {
  return bus_->subscribe(self_, std::move(filter), options, std::move(on_message));
}

void in_process_endpoint::request(message m, std::chrono::milliseconds deadline,
                                  std::function<bool(result<message>)> on_response) {
  requests_->start(std::move(m), deadline, std::move(on_response),
                   [this](message out, completion done) {
                     bus_->publish(self_, std::move(out), std::move(done));
                   });
}

bool in_process_endpoint::connected() const {
  return bus_->connected(self_);
}

subscription in_process_endpoint::on_connection(std::function<void(bool)> changed) {
  return bus_->on_connection(self_, std::move(changed));
}

} // namespace outband::bus
