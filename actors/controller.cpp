#include "actors/controller.hpp"

#include "actors/device.hpp"
#include "messages/bus/envelope.hpp"
#include "messages/bus/topics.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace outband {

namespace {

using namespace std::chrono_literals;

/// A device's actor that ends by a defect is started again after these; calm starts from the first.
constexpr std::chrono::milliseconds restart_after[] = {0ms, 1s, 5s, 30s, 5min};
constexpr std::chrono::milliseconds calm = 10min;
/// What could not be read from the store is asked again.
constexpr std::chrono::milliseconds ask_again = 5s;
constexpr std::size_t page = 500; ///< of devices to be taken up

} // namespace

// -- tenant -------------------------------------------------------------------------------------

void tenant_state::start(tenant_actor::pointer self, const services& with, tenant_key key,
                         controller_epoch fence) {
  self_ = self;
  with_ = &with;
  key_ = std::move(key);
  fence_ = fence;
}

tenant_state::~tenant_state() {
  for (const auto& [id, c] : devices_)
    if (c.actor)
      caf::anon_send_exit(c.actor, caf::exit_reason::user_shutdown);
}

tenant_state::child& tenant_state::of(const device_id& id) {
  auto at = devices_.find(id);
  if (at != devices_.end() && at->second.actor)
    return at->second;
  auto& c = devices_[id];
  c.life = next_life_++;
  c.touched = 0;
  c.actor = self_->spawn<caf::monitored>(device_behavior, with_, device_ref{key_, id},
                                         weak_handle<tenant_actor>(self_), c.life, fence_);
  return c;
}

void tenant_state::on(const observation& o) {
  auto& c = of(o.device.device);
  ++c.touched;
  self_->send(c.actor, o);
}

void tenant_state::on(const about_device& about) {
  auto& c = of(about.device);
  ++c.touched;
  self_->send(c.actor, row_changed{});
}

void tenant_state::on(const passivate& quiet) {
  auto at = devices_.find(quiet.device);
  if (at == devices_.end() || at->second.life != quiet.spawned)
    return;
  if (at->second.touched != quiet.heard)
    return; // something is on its way to it; it will ask again
  // What comes later goes to a new life.
  self_->send(at->second.actor, leave{});
  devices_.erase(at);
}

void tenant_state::on(const forget_device& gone) {
  auto at = devices_.find(gone.device);
  if (at == devices_.end())
    return;
  self_->send(at->second.actor, leave{});
  devices_.erase(at);
}

void tenant_state::down(const caf::actor_addr& who, bool by_a_defect) {
  for (auto at = devices_.begin(); at != devices_.end(); ++at) {
    if (at->second.actor.address() != who)
      continue;
    if (!by_a_defect) {
      devices_.erase(at);
      return;
    }
    ++with_->counters.actor_restarts;
    spdlog::error("device={}/{} actor ended by a defect; starting over from the stored state", key_,
                  to_string(at->first));
    auto& c = at->second;
    c.actor = nullptr;
    // A defect that comes back at once must not spin, nor leave an open command waiting for ever.
    const auto now = with_->clock.now();
    if (now - c.crashed_at >= calm.count())
      c.crashes = 0;
    c.crashed_at = now;
    auto n = std::min(static_cast<std::size_t>(c.crashes++), std::size(restart_after) - 1);
    self_->delayed_send(self_, restart_after[n], about_device{at->first});
    return;
  }
}

namespace {

tenant_actor::behavior_type tenant_behavior(tenant_actor::stateful_pointer<tenant_state> self,
                                            const services* with, tenant_key key,
                                            controller_epoch fence) {
  self->state.start(self, *with, std::move(key), fence);
  self->set_down_handler([self](const caf::down_msg& m) {
    self->state.down(m.source, m.reason != caf::exit_reason::normal &&
                                   m.reason != caf::exit_reason::user_shutdown && m.reason);
  });
  return {
      [self](const observation& m) { self->state.on(m); },
      [self](const about_device& m) { self->state.on(m); },
      [self](const passivate& m) { self->state.on(m); },
      [self](const forget_device& m) { self->state.on(m); },
  };
}

} // namespace

// -- controller ---------------------------------------------------------------------------------

void controller_state::start(controller_actor::pointer self, const services& with,
                             controller_epoch epoch) {
  self_ = self;
  with_ = &with;
  epoch_ = epoch;
  self->send(self, resync{});
  // Links that turned unknown just before have their grace first.
  self->send(self, resync{with.cluster_timing.links_grace + 100ms});
}

controller_state::~controller_state() {
  for (const auto& [key, t] : tenants_)
    if (t)
      caf::anon_send_exit(t, caf::exit_reason::user_shutdown);
}

tenant_actor& controller_state::of(const tenant_key& key) {
  auto& t = tenants_[key];
  if (!t)
    t = self_->spawn<caf::monitored>(tenant_behavior, with_, key, epoch_);
  return t;
}

void controller_state::down(const caf::actor_addr& who) {
  for (auto& [key, actor] : tenants_)
    if (actor && actor.address() == who) {
      ++with_->counters.actor_restarts;
      spdlog::error("tenant={} actor ended; its devices start over from the stored state", key);
      actor = nullptr;
      self_->delayed_send(self_, ask_again, resync{});
    }
}

void controller_state::on(const observed& seen) {
  for (const auto& o : seen.items)
    if (!std::holds_alternative<link_down>(o.body) || gone_.count(o.device.tenant) == 0)
      self_->send(of(o.device.tenant), o);
}

void controller_state::on(const device_changed& changed) {
  gone_.erase(changed.ref.tenant); // it is back, under its old name
  self_->send(of(changed.ref.tenant), about_device{changed.ref.device});
}

void controller_state::on(const device_gone& gone) {
  if (gone.ref.device.is_nil())
    return forget(gone.ref.tenant);
  self_->send(of(gone.ref.tenant), forget_device{gone.ref.device});
}

void controller_state::forget(const tenant_key& tenant) {
  gone_.insert(tenant);
  auto at = tenants_.find(tenant);
  if (at == tenants_.end())
    return;
  const auto last = std::move(at->second);
  tenants_.erase(at); // first: it has not ended by a defect
  if (last)
    caf::anon_send_exit(last, caf::exit_reason::user_shutdown);
}

void controller_state::on(const resync& asked) {
  if (asked.after.count() > 0)
    return self_->delayed_send(self_, asked.after, resync{});
  ++with_->counters.resyncs;
  begin(false);
  begin(true);
}

void controller_state::begin(bool links) {
  auto& s = links ? links_ : unsettled_;
  if (s.running) {
    s.again = true;
    return;
  }
  s.running = true;
  self_->send(self_, sweep_page{links, {}});
}

void controller_state::on(const sweep_page& from) {
  auto cb = [me = weak_handle<controller_actor>(self_), from](auto r) {
    me.tell(sweep_read{from, std::move(r)});
  };
  if (from.links)
    with_->cluster.out_of_step(from.after, page, with_->cluster_timing.links_grace, std::move(cb));
  else
    with_->store.unsettled(from.after, page, std::move(cb));
}

void controller_state::on(const sweep_read& read) {
  if (!read.page) {
    ++with_->counters.store_retries;
    spdlog::error("devices to take up not read: {}", to_string(read.page.error()));
    self_->delayed_send(self_, ask_again, read.asked);
    return;
  }
  with_->counters.resynced_devices += read.page->size();
  for (const auto& ref : *read.page)
    on(device_changed{ref});
  // In portions, lest a fail-over of a large site becomes a burst.
  if (read.page->size() == page) {
    self_->delayed_send(self_, 200ms, sweep_page{read.asked.links, to_string(read.page->back())});
    return;
  }
  auto& s = read.asked.links ? links_ : unsettled_;
  s.running = false;
  if (std::exchange(s.again, false))
    begin(read.asked.links);
}

namespace {

controller_actor::behavior_type
controller_behavior(controller_actor::stateful_pointer<controller_state> self, const services* with,
                    controller_epoch epoch) {
  self->state.start(self, *with, epoch);
  self->set_down_handler([self](const caf::down_msg& m) { self->state.down(m.source); });
  return {
      [self](const observed& m) { self->state.on(m); },
      [self](const device_changed& m) { self->state.on(m); },
      [self](const device_gone& m) { self->state.on(m); },
      [self](const resync& m) { self->state.on(m); },
      [self](const sweep_page& m) { self->state.on(m); },
      [self](const sweep_read& m) { self->state.on(m); },
  };
}

} // namespace

// -- the role -----------------------------------------------------------------------------------

controller::controller(caf::actor_system& system, const services& with)
    : system_(system), with_(with) {}

controller::~controller() {
  stop();
}

template <class Message> void controller::tell(Message m) {
  controller_actor to;
  {
    std::lock_guard lock(mutex_);
    to = actor_;
  }
  if (to)
    caf::anon_send(to, std::move(m));
}

void controller::start(controller_epoch epoch) {
  {
    std::lock_guard lock(mutex_);
    stopped_ = false;
    epoch_ = epoch;
    heard_.clear();
  }
  if (gate_->closed())
    gate_ = std::make_shared<gate>();
  restart();
  bus::subscribe_options options;
  options.retain_handling = 2;
  subscriptions_.push_back(with_.internal.subscribe(
      bus::node_observations_filter(), options, [this, open = gate_](const bus::message& m) {
        auto inside = open->enter();
        if (!inside)
          return;
        if (m.retain) {
          ++with_.counters.retained_commands;
          return;
        }
        auto decoded = bus::decode_observations(*m.payload, bus::encoding::msgpack);
        if (!decoded) {
          ++with_.counters.decode_errors;
          spdlog::warn("observations on {} dropped: {}", m.topic, to_string(decoded.error()));
          return;
        }
        const auto from = bus::parse_topic(m.topic);
        if (!from || !is_new(from->instance, decoded->env.incarnation, decoded->env.seq))
          return;
        tell(observed{std::move(decoded->body)});
      }));
  subscriptions_.push_back(with_.internal.subscribe(
      bus::controller_wake_topic(), options, [this, open = gate_](const bus::message& m) {
        auto inside = open->enter();
        if (!inside)
          return;
        auto decoded = bus::decode_wake(*m.payload, bus::encoding::msgpack);
        if (!decoded) {
          ++with_.counters.decode_errors;
          return;
        }
        const bool gone = decoded->body.what == "deleted" || decoded->body.what == "tenant-gone";
        if (decoded->body.device.device.is_nil() && !gone)
          return; // of a tenant: activation/bootstrap and removals hear it
        if (gone)
          tell(device_gone{decoded->body.device});
        else
          tell(device_changed{decoded->body.device});
      }));
}

/// A terminator numbers what it says, and says it in order. What the broker delivers again changes
/// nothing; after a gap we look at what we may have missed.
bool controller::is_new(const std::string& instance, const uuid& incarnation,
                        std::uint64_t number) {
  if (number == 0)
    return true; // said beside the order: that a machine cannot be connected to
  bool gap = false;
  {
    std::lock_guard lock(mutex_);
    if (heard_.size() >= max_terminators && heard_.count(instance) == 0)
      heard_.clear();
    auto& h = heard_[instance];
    if (h.last == 0 || h.incarnation != incarnation) {
      h = {incarnation, number, number};
      return true;
    }
    if (number < h.first) { // overtaken by a shorter way while we took over
      h.first = number;
      return true;
    }
    if (number <= h.last) {
      ++with_.counters.observations_again;
      return false;
    }
    gap = number != h.last + 1;
    h.last = number;
  }
  if (gap) {
    ++with_.counters.observation_gaps;
    tell(resync{});
  }
  return true;
}

void controller::restart() {
  std::lock_guard lock(mutex_);
  if (stopped_)
    return; // it ended while we were stopping
  actor_ = system_.spawn(controller_behavior, &with_, epoch_);
}

void controller::stop() {
  subscriptions_.clear();
  controller_actor last;
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    last = std::exchange(actor_, nullptr);
  }
  if (last)
    caf::anon_send_exit(last, caf::exit_reason::user_shutdown);
  gate_->close();
}

void controller::look_around(std::chrono::milliseconds after) {
  tell(resync{after});
}

caf::actor_addr controller::address() const {
  std::lock_guard lock(mutex_);
  return actor_ ? caf::actor_cast<caf::actor_addr>(actor_) : caf::actor_addr{};
}

} // namespace outband
