#include "bus/routed_endpoint.hpp"

#include "bus/in_process.hpp" // response_topic
#include "bus/request_table.hpp"
#include "bus/scheduler.hpp"
#include "messages/domain/roles.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <utility>
#include <vector>

namespace outband::bus {

namespace {

std::uint64_t random_salt() {
  std::random_device source;
  return (static_cast<std::uint64_t>(source()) << 32) | source();
}

} // namespace

/// Tasks hold it by shared_ptr, far's callbacks by weak_ptr. Nothing is posted after `closed`.
struct routed_endpoint::impl : std::enable_shared_from_this<impl> {
  struct entry {
    std::uint32_t id = 0;
    std::string filter;
    std::uint8_t qos = 1;
    handler on_message;
    bool alive = true; ///< guarded by the mutex
    subscription far;  ///< guarded by the mutex
  };
  struct listener {
    std::function<void(bool)> changed;
    bool alive = true; ///< guarded by the mutex
  };
  using entries = std::vector<std::shared_ptr<entry>>;
  struct waiting_message {
    message what;
    completion done;
    std::optional<scheduler::clock::time_point> expires;
  };

  impl(endpoint& f, routed_options o, scheduler& l)
      : far(f), options(std::move(o)), loop(l), salt(random_salt()),
        requests(std::make_shared<request_table>(
            loop, response_topic(options.response_prefix, salt), salt)) {}

  endpoint& far;
  const routed_options options;
  scheduler& loop;
  const std::uint64_t salt;
  const std::shared_ptr<request_table> requests;
  subscription answers;

  mutable std::mutex mutex;
  std::condition_variable space;
  bool closed = false;
  entries filters;
  std::uint32_t next_filter = 0;
  std::size_t in_window = 0, inbound = 0;
  std::uint64_t serial = 0;
  std::map<std::uint64_t, completion> sent; ///< to far, without outcome
  std::deque<waiting_message> waiting;      ///< for their turn to go to far
  std::size_t waiting_octets = 0;
  bool sending = false; ///< one thread at a time hands to far: that keeps the order
  routed_counters counted;

  void publish(message m, completion done);
  void publish_near(message m, entries to, completion done);
  void publish_far(std::unique_lock<std::mutex> lock, message m, completion done);
  void send_waiting(std::unique_lock<std::mutex> lock);
  void finish(std::uint64_t which, status outcome);
  subscription subscribe(std::string filter, subscribe_options how, handler on_message);
  void from_far(const std::shared_ptr<entry>& to, message m);
  void deliver(entry& to, message& m);
  void close();
};

void routed_endpoint::impl::publish(message m, completion done) {
  auto refuse = [&](failure why) {
    if (done)
      loop.post([done = std::move(done), why = std::move(why)] { done(why); });
  };
  if (auto ok = check_message(m, default_max_payload); !ok)
    return refuse(ok.error());
  std::unique_lock<std::mutex> lock(mutex);
  if (closed)
    return refuse(fail(problem::bus_unavailable, "the endpoint was closed"));
  entries to;
  if (!m.retain)
    std::copy_if(filters.begin(), filters.end(), std::back_inserter(to),
                 [&](const auto& e) { return topic_matches(e->filter, m.topic); });
  if (to.empty())
    return publish_far(std::move(lock), std::move(m), std::move(done));
  if (in_window >= options.window)
    return refuse(fail(problem::busy, "the window of the bus is full"));
  ++in_window;
  ++counted.near;
  publish_near(std::move(m), std::move(to), std::move(done));
}

void routed_endpoint::impl::publish_near(message m, entries to, completion done) {
  std::optional<scheduler::clock::time_point> expires;
  if (m.expiry)
    expires = loop.now() + *m.expiry;
  loop.post([self = shared_from_this(), m = std::move(m), to = std::move(to),
             done = std::move(done), expires]() mutable {
    const auto now = self->loop.now();
    if (expires && *expires > now)
      m.expiry = std::chrono::ceil<std::chrono::seconds>(*expires - now);
    if (!expires || *expires > now)
      for (const auto& e : to) {
        message copy = m; // shares the payload
        copy.qos = std::min(m.qos, e->qos);
        self->deliver(*e, copy);
      }
    {
      std::lock_guard<std::mutex> lock(self->mutex);
      --self->in_window;
    }
    if (done)
      done(success());
  });
}

void routed_endpoint::impl::publish_far(std::unique_lock<std::mutex> lock, message m,
                                        completion done) {
  const auto octets = m.payload->size();
  if (waiting.size() >= options.far_waiting ||
      (!waiting.empty() && waiting_octets + octets > options.far_waiting_octets)) {
    if (done)
      loop.post(
          [done = std::move(done)] { done(fail(problem::busy, "too much waits for the broker")); });
    return;
  }
  waiting_message w{std::move(m), std::move(done), {}};
  if (w.what.expiry)
    w.expires = loop.now() + *w.what.expiry;
  counted.far_waited += sending || sent.size() >= options.far_window ? 1 : 0;
  waiting_octets += octets;
  waiting.push_back(std::move(w));
  send_waiting(std::move(lock));
}

void routed_endpoint::impl::send_waiting(std::unique_lock<std::mutex> lock) {
  if (std::exchange(sending, true))
    return; // that thread goes on with ours
  while (!closed && !waiting.empty() && sent.size() < options.far_window) {
    auto next = std::move(waiting.front());
    waiting.pop_front();
    waiting_octets -= next.what.payload->size();
    if (next.expires) {
      const auto now = loop.now();
      if (*next.expires <= now) { // as the broker would have it
        if (next.done)
          loop.post([done = std::move(next.done)] { done(success()); });
        continue;
      }
      next.what.expiry = std::chrono::ceil<std::chrono::seconds>(*next.expires - now);
    }
    const auto which = ++serial;
    sent.emplace(which, std::move(next.done));
    ++counted.far;
    lock.unlock(); // far has its own, and may answer at once
    far.publish(std::move(next.what), [weak = weak_from_this(), which](status outcome) {
      if (auto self = weak.lock())
        self->finish(which, std::move(outcome));
    });
    lock.lock();
  }
  sending = false;
}

void routed_endpoint::impl::finish(std::uint64_t which, status outcome) {
  std::unique_lock<std::mutex> lock(mutex);
  auto it = sent.find(which);
  if (it == sent.end())
    return; // ended when we were closed
  counted.far_failed += outcome ? 0 : 1;
  if (it->second)
    loop.post([done = std::move(it->second), outcome = std::move(outcome)] { done(outcome); });
  sent.erase(it);
  send_waiting(std::move(lock));
}

subscription routed_endpoint::impl::subscribe(std::string filter, subscribe_options how,
                                              handler on_message) {
  auto e = std::make_shared<entry>();
  e->filter = filter;
  e->qos = how.qos;
  e->on_message = std::move(on_message);
  {
    std::lock_guard<std::mutex> lock(mutex);
    e->id = ++next_filter;
    // First here: what this thread publishes next stays in the process.
    filters.push_back(e);
  }
  auto there =
      far.subscribe(std::move(filter), how,
                    [weak = weak_from_this(), to = std::weak_ptr<entry>(e)](const message& m) {
                      auto self = weak.lock();
                      auto mine = to.lock();
                      if (self && mine)
                        self->from_far(mine, m);
                    });
  std::lock_guard<std::mutex> lock(mutex);
  if (!there) { // not a filter; far has said so
    filters.erase(std::remove(filters.begin(), filters.end(), e), filters.end());
    return nullptr;
  }
  e->far = std::move(there);
  return {e.get(), [weak = weak_from_this(), e](void*) {
            subscription ended; // without our lock: far has its own
            if (auto self = weak.lock()) {
              std::lock_guard<std::mutex> held(self->mutex);
              e->alive = false;
              ended = std::move(e->far);
              auto& all = self->filters;
              all.erase(std::remove(all.begin(), all.end(), e), all.end());
            }
          }};
}

void routed_endpoint::impl::from_far(const std::shared_ptr<entry>& to, message m) {
  std::unique_lock<std::mutex> lock(mutex);
  space.wait(lock, [this] { return closed || inbound < options.inbound; });
  if (closed)
    return;
  ++inbound;
  ++counted.received;
  loop.post([self = shared_from_this(), to, m = std::move(m)]() mutable {
    {
      std::lock_guard<std::mutex> held(self->mutex);
      --self->inbound;
    }
    self->space.notify_one();
    self->deliver(*to, m);
  });
}

void routed_endpoint::impl::deliver(entry& to, message& m) {
  {
    std::lock_guard<std::mutex> lock(mutex);
    if (closed || !to.alive)
      return;
  }
  m.subscription_id = to.id;
  to.on_message(m);
}

void routed_endpoint::impl::close() {
  entries ended;
  std::vector<subscription> there;
  std::map<std::uint64_t, completion> open;
  std::deque<waiting_message> unsent;
  {
    std::lock_guard<std::mutex> lock(mutex);
    closed = true;
    ended.swap(filters);
    for (const auto& e : ended) {
      e->alive = false;
      there.push_back(std::move(e->far));
    }
    open.swap(sent);
    unsent.swap(waiting);
  }
  space.notify_all();
  there.clear();
  answers.reset();
  loop.post([table = requests, open = std::move(open), unsent = std::move(unsent)] {
    const auto why = fail(problem::bus_unavailable, "the endpoint was closed");
    table->fail_all(why);
    for (const auto& [which, done] : open)
      if (done)
        done(why);
    for (const auto& w : unsent)
      if (w.done)
        w.done(why);
  });
  loop.settle();
}

routed_endpoint::routed_endpoint(endpoint& far, routed_options options)
    : own_(std::make_shared<thread_loop>()),
      impl_(std::make_shared<impl>(far, std::move(options), *own_)) {
  start();
}

routed_endpoint::routed_endpoint(endpoint& far, routed_options options, scheduler& loop)
    : impl_(std::make_shared<impl>(far, std::move(options), loop)) {
  start();
}

void routed_endpoint::start() {
  auto topic = response_topic(impl_->options.response_prefix, impl_->salt);
  if (topic.empty())
    return;
  subscribe_options live;
  live.retain_handling = 2;
  impl_->answers = impl_->subscribe(
      topic, live, [table = impl_->requests](const message& m) { table->on_message(m); });
}

routed_endpoint::~routed_endpoint() {
  impl_->close();
  if (own_)
    own_->stop();
}

void routed_endpoint::publish(message m, completion done) {
  impl_->publish(std::move(m), std::move(done));
}

subscription routed_endpoint::subscribe(std::string filter, subscribe_options options,
                                        handler on_message) {
  return impl_->subscribe(std::move(filter), options, std::move(on_message));
}

void routed_endpoint::request(message m, std::chrono::milliseconds deadline,
                              std::function<bool(result<message>)> on_response) {
  impl_->requests->start(std::move(m), deadline, std::move(on_response),
                         [self = impl_.get()](message out, completion done) {
                           self->publish(std::move(out), std::move(done));
                         });
}

bool routed_endpoint::connected() const {
  return impl_->far.connected();
}

subscription routed_endpoint::on_connection(std::function<void(bool)> changed) {
  auto l = std::make_shared<impl::listener>();
  l->changed = std::move(changed);
  auto there = impl_->far.on_connection([weak = std::weak_ptr<impl>(impl_), l](bool up) {
    auto self = weak.lock();
    if (!self)
      return;
    std::lock_guard<std::mutex> lock(self->mutex);
    if (self->closed)
      return;
    self->loop.post([self, l, up] {
      {
        std::lock_guard<std::mutex> held(self->mutex);
        if (self->closed || !l->alive)
          return;
      }
      l->changed(up);
    });
  });
  return {l.get(), [weak = std::weak_ptr<impl>(impl_), l, there](void*) mutable {
            there.reset();
            if (auto self = weak.lock()) {
              std::lock_guard<std::mutex> lock(self->mutex);
              l->alive = false;
            }
          }};
}

routed_counters routed_endpoint::counters() const {
  std::lock_guard<std::mutex> lock(impl_->mutex);
  return impl_->counted;
}

} // namespace outband::bus
