// What reaches a subscriber, and how soon: the end of a tunnel, a wish come true, events per
// second.
#include "tools/bench/measure.hpp"

#include "messages/bus/envelope.hpp"
#include "messages/bus/topics.hpp"

#include <nlohmann/json.hpp>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <random>
#include <stdexcept>
#include <sys/eventfd.h>
#include <unistd.h>

namespace outband::bench {

namespace {

constexpr std::size_t under_way = 64;
constexpr std::chrono::seconds patience{20};

/// Hears the bus on its thread, tells the loop.
class ear final : public watcher {
public:
  struct heard {
    clock::time_point at;
    bus::message message;
  };

  ear(loop& io, bus::endpoint& on, const std::vector<std::string>& filters)
      : io_(io), fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    io_.add_level(fd_, *this);
    bus::subscribe_options o;
    o.retain_handling = 2;
    for (const auto& filter : filters)
      subscriptions_.push_back(on.subscribe(filter, o, [in = in_, fd = fd_](const bus::message& m) {
        const auto now = clock::now();
        const std::lock_guard lock(in->mutex);
        ++in->count;
        in->last = now;
        if (!in->keep)
          return;
        in->queue.push_back({now, m});
        const std::uint64_t one = 1;
        (void)!write(fd, &one, sizeof one);
      }));
  }
  ~ear() override {
    subscriptions_.clear();
    io_.remove(fd_);
    close(fd_);
  }
  void ready(std::uint32_t) override {
    std::uint64_t n = 0;
    (void)!read(fd_, &n, sizeof n);
  }
  bool take(heard& out) {
    const std::lock_guard lock(in_->mutex);
    if (in_->queue.empty())
      return false;
    out = std::move(in_->queue.front());
    in_->queue.pop_front();
    return true;
  }
  /// The next message that `wanted` likes; false if none comes.
  bool wait(const std::function<bool(const heard&)>& wanted, heard& out) {
    return io_.run_until(
        [&] {
          while (take(out))
            if (wanted(out))
              return true;
          return false;
        },
        patience);
  }
  void drain() {
    for (heard h; take(h);) {
    }
  }
  void count_only() {
    const std::lock_guard lock(in_->mutex);
    in_->keep = false;
    in_->count = 0;
  }
  std::uint64_t count() const {
    const std::lock_guard lock(in_->mutex);
    return in_->count;
  }
  clock::time_point last() const {
    const std::lock_guard lock(in_->mutex);
    return in_->last;
  }

private:
  struct inbox {
    std::mutex mutex;
    std::deque<heard> queue;
    std::uint64_t count = 0;
    clock::time_point last{};
    bool keep = true;
  };
  loop& io_;
  int fd_;
  std::shared_ptr<inbox> in_ = std::make_shared<inbox>();
  std::vector<bus::subscription> subscriptions_;
};

double milliseconds(clock::duration d) {
  return std::chrono::duration<double, std::milli>(d).count();
}

std::string topic_of(std::size_t machine, const std::string& what, const site& at) {
  const device_ref ref{tenant_key{at.tenant()}, guid_of(machine)};
  if (what == "current")
    return bus::current_topic(ref);
  if (what == "presence")
    return bus::presence_topic(ref);
  return bus::event_topic(ref, event_class::link);
}

/// The same topic of every machine.
std::string of_all(std::string topic) {
  const auto guid = to_string(guid_of(0));
  topic.replace(topic.find(guid), guid.size(), "+");
  return topic;
}

samples bare_disconnects(stage& s, std::size_t count) {
  const auto floor = s.start_floor();
  const auto f = s.machines(floor.port, count);
  s.connect(*f, count, under_way);
  floor.process->ask("tell", std::chrono::seconds(5));
  samples out;
  for (std::size_t i = 0; i < count; ++i) {
    const auto cut = clock::now();
    f->at(i).cut();
    if (floor.process->wait_line(patience).empty())
      throw std::runtime_error("the bare loop did not notice the end of a tunnel");
    out.add(milliseconds(clock::now() - cut));
  }
  return out;
}

} // namespace

void measure_disconnect(stage& s) {
  const auto n = s.how.single_events;
  s.need_machines(n);
  auto bare = bare_disconnects(s, n);
  const auto line = s.at.connect_bus("bench-disconnect");
  ear hears(s.io, *line,
            {of_all(topic_of(0, "event", s.at)), of_all(topic_of(0, "presence", s.at))});
  const auto f = s.machines(s.at.cira_port(), n);
  s.connect(*f, n, under_way);
  s.settle();
  samples event, presence;
  for (std::size_t i = 0; i < n; ++i) {
    hears.drain();
    const auto e = topic_of(i, "event", s.at), p = topic_of(i, "presence", s.at);
    const auto cut = clock::now();
    f->at(i).cut();
    bool seen_event = false, seen_presence = false;
    ear::heard h;
    while (!(seen_event && seen_presence)) {
      if (!hears.wait([&](const auto& x) { return x.message.topic == e || x.message.topic == p; },
                      h))
        throw std::runtime_error("nobody was told that a tunnel ended");
      auto& seen = h.message.topic == e ? seen_event : seen_presence;
      (h.message.topic == e ? event : presence).add(milliseconds(h.at - cut));
      seen = true;
    }
    s.io.run_for(std::chrono::milliseconds(20));
  }
  figure f50{"disconnect to event", "one tunnel, p50",   "ms", event.median(), bare.median(),
             "within 10 ms of FIN", event.median() <= 10};
  f50.more = {{"presence_p50", presence.median()}, {"count", static_cast<double>(n)}};
  s.to.add(f50);
  figure f99{"disconnect to event",     "one tunnel, p99",   "ms",
             event.quantile(0.99),      bare.quantile(0.99), "within 10 ms of FIN",
             event.quantile(0.99) <= 10};
  f99.more = {{"presence_p99", presence.quantile(0.99)}, {"max", event.quantile(1)}};
  s.to.add(f99);
}

// -- a wish -----------------------------------------------------------------------------------

namespace {

uuid fresh_id() {
  static std::mt19937_64 generator{std::random_device{}()};
  std::array<std::uint8_t, 10> r{};
  for (auto& octet : r)
    octet = static_cast<std::uint8_t>(generator());
  return make_uuid_v7(std::chrono::duration_cast<std::chrono::milliseconds>(
                          std::chrono::system_clock::now().time_since_epoch())
                          .count(),
                      r);
}

bus::message wish(const site& at, std::size_t machine, power_target target) {
  request r;
  r.id = fresh_id();
  r.target = {tenant_key{at.tenant()}, guid_of(machine)};
  r.body = ask_desired{{target, power_policy::immediate}, {}};
  bus::envelope e;
  e.id = r.id;
  bus::message m;
  m.topic = bus::request_topic(
      r.target.tenant, {principal::kind::person, r.target.tenant, at.user()}, r.target.device);
  m.payload = std::make_shared<const std::string>(bus::encode(e, r, bus::encoding::msgpack));
  m.content_type = std::string(bus::content_type_of(bus::root::native));
  return m;
}

/// Asks and waits until `current` says that it is so. Both times from the asking on.
bool one_wish(stage& s, bus::endpoint& line, ear& hears, std::size_t machine, power_target target,
              double& stored_ms, double& reached_ms) {
  struct answered {
    std::mutex mutex;
    std::optional<response> said;
    clock::time_point at;
    bool failed = false;
  };
  auto a = std::make_shared<answered>();
  hears.drain();
  const auto asked = clock::now();
  line.request(wish(s.at, machine, target), patience, [a](result<bus::message> m) {
    const std::lock_guard lock(a->mutex);
    a->at = clock::now();
    if (m)
      if (auto d = bus::decode_response(*m->payload, bus::encoding::msgpack))
        a->said = d->body;
    a->failed = !a->said || (a->said->status != request_status::done && is_final(a->said->status));
    return true;
  });
  const auto topic = topic_of(machine, "current", s.at);
  revision reached = 0;
  ear::heard h;
  clock::time_point when{};
  const bool done = s.io.run_until(
      [&] {
        while (hears.take(h))
          if (h.message.topic == topic)
            if (const auto d = bus::decode_current(*h.message.payload, bus::encoding::msgpack);
                d && d->body.desired_rev > reached) {
              reached = d->body.desired_rev;
              when = h.at;
            }
        const std::lock_guard lock(a->mutex);
        return a->failed || (a->said && reached >= a->said->rev);
      },
      patience);
  const std::lock_guard lock(a->mutex);
  if (!done || a->failed)
    return false;
  stored_ms = milliseconds(a->at - asked);
  reached_ms = milliseconds(when - asked);
  return true;
}

} // namespace

void measure_desired(stage& s) {
  const auto n = s.how.single_events;
  s.need_machines(n);
  const auto line = s.at.connect_bus("bench-desired");
  ear hears(s.io, *line, {of_all(topic_of(0, "current", s.at))});
  const auto f = s.machines(s.at.cira_port(), n);
  s.connect(*f, n, under_way);
  s.settle();
  samples stored, reached;
  std::size_t failed = 0;
  const auto requests = f->around().requests;
  for (const auto target : {power_target::off, power_target::on})
    for (std::size_t i = 0; i < n; ++i) {
      double stored_ms = 0, reached_ms = 0;
      if (one_wish(s, *line, hears, i, target, stored_ms, reached_ms)) {
        stored.add(stored_ms);
        reached.add(reached_ms);
      } else {
        ++failed;
      }
    }
  const auto exchanges =
      static_cast<double>(f->around().requests - requests) / static_cast<double>(2 * n);
  figure asked{"desired to response", "p50", "ms", stored.median()};
  asked.more = {{"p99", stored.quantile(0.99)}, {"failed", static_cast<double>(failed)}};
  s.to.add(asked);
  figure f50{"desired to current", "p50", "ms", reached.median()};
  f50.more = {{"wsman_exchanges_each", exchanges}};
  f50.note = "immediate policy; the firmware obeys at once";
  s.to.add(f50);
  s.to.add({"desired to current", "p99", "ms", reached.quantile(0.99)});
}

// -- events per second ------------------------------------------------------------------------

void measure_events(stage& s) {
  const auto n = s.how.rest_devices;
  s.need_machines(n);
  const auto line = s.at.connect_bus("bench-events");
  auto filter = of_all(topic_of(0, "event", s.at));
  filter.replace(filter.rfind('/') + 1, std::string::npos, "+");
  ear hears(s.io, *line, {filter});
  const auto f = s.machines(s.at.cira_port(), n);
  s.connect(*f, n, under_way);
  s.settle();
  hears.count_only();
  auto before = s.at.metrics();
  const auto run = [&](const char* what, const char* note, const std::function<void()>& begin,
                       const std::function<void()>& stop) {
    hears.count_only();
    before = s.at.metrics();
    const auto cpu = cpu_seconds(s.at.server()), database = cpu_seconds(s.at.database(), true);
    const auto began = clock::now();
    begin();
    s.io.run_for(s.how.flap_time);
    stop();
    const auto stopped = clock::now();
    s.settle();
    const auto heard = static_cast<double>(hears.count());
    auto after = s.at.metrics();
    const auto whole =
        std::chrono::duration<double>(std::max(hears.last(), stopped) - began).count();
    figure e{"bus events end to end", what, "1/s", heard / whole};
    e.more = {{"events", heard},
              {"lag_at_the_end_ms", std::max(0.0, milliseconds(hears.last() - stopped))},
              {"publications", site::published(after) - site::published(before)},
              {"server_cores", (cpu_seconds(s.at.server()) - cpu) / whole},
              {"database_cores", (cpu_seconds(s.at.database(), true) - database) / whole}};
    e.note = note;
    s.to.add(e);
  };
  run(
      "tunnels come and go", "one event for each end and each beginning",
      [&] { f->begin_flapping(under_way); }, [&] { f->end_flapping(); });
  // A machine whose power is another each time it is asked: one event per reading.
  rest_load load(s.io, s.at.rest(), under_way);
  if (!load.connect(std::chrono::seconds(30)))
    throw std::runtime_error("not all HTTPS connections were accepted");
  run(
      "power changes with each look", "64 REST requests at a time",
      [&] {
        f->around().flicker = true;
        load.begin([n](std::uint64_t k) {
          return "/api/v1/amt/power/state/" + to_string(guid_of(k % n));
        });
      },
      [&] {
        f->around().flicker = false;
        load.end();
      });
}

} // namespace outband::bench
