#include "actors/keeper.hpp"

#include "messages/bus/envelope.hpp"
#include "messages/bus/topics.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace outband {

void keeper_state::start(keeper_actor::pointer self, const services& with, bool candidate,
                         keeper_hooks hooks) {
  self_ = self;
  with_ = &with;
  candidate_ = candidate;
  hooks_ = std::move(hooks);
  beat();
}

void keeper_state::next_beat(std::chrono::milliseconds after) {
  self_->delayed_send(self_, after, beat_now{++beat_timer_});
}

void keeper_state::on(const beat_now& tick) {
  if (tick.generation == beat_timer_)
    beat();
}

void keeper_state::beat(controller_epoch usurp) {
  if (ended_)
    return;
  if (beating_) {
    usurp_next_ = std::max(usurp_next_, usurp);
    return;
  }
  beating_ = true;
  ++beat_timer_; // whatever was armed is replaced by what the answer arms
  heartbeat h;
  h.self = {with_->node, with_->incarnation};
  h.candidate = candidate_;
  h.held = held_ != 0 ? held_ : giving_up_;
  h.lease = with_->cluster_timing.lease;
  h.silent_after = with_->cluster_timing.silent_after;
  h.usurp = usurp;
  with_->cluster.beat(std::move(h), [me = weak_handle<keeper_actor>(self_)](auto r) {
    me.tell(beat_answered{std::move(r)});
  });
}

void keeper_state::on(const beat_answered& answered) {
  beating_ = false;
  if (ended_)
    return;
  if (!answered.answer) {
    ++with_->counters.store_retries;
    if (++failures_ == 1)
      spdlog::warn("no beat: {}", to_string(answered.answer.error()));
    return next_beat(std::min(with_->cluster_timing.beat, std::chrono::milliseconds(1'000)));
  }
  if (failures_ > 1)
    spdlog::info("beating again after {} failures", failures_);
  failures_ = 0;
  const auto& a = *answered.answer;
  if (a.superseded) {
    ended_ = true;
    lose("another process runs under this node's name");
    return hooks_.superseded();
  }
  holder_epoch_ = a.holder_epoch;
  giving_up_ = 0;
  if (!candidate_ && a.held != 0) { // a beat that was under way renewed what we gave up
    giving_up_ = a.held;
    return beat();
  }
  if (a.held != held_) {
    if (held_ != 0)
      lose("another node took it");
    if (a.held != 0)
      gain(a.held);
  }
  if (held_ != 0)
    self_->delayed_send(self_, with_->cluster_timing.lease, lease_ran_out{++lease_timer_});
  if (a.buried) {
    ++with_->counters.reclaims;
    spdlog::warn("this node was taken for dead; claiming its links again");
    hooks_.buried();
  }
  for (const auto& who : a.silent)
    bury(who);
  if (auto usurp = std::exchange(usurp_next_, 0); usurp != 0 && held_ == 0)
    return beat(usurp);
  next_beat(with_->cluster_timing.beat);
}

void keeper_state::gain(controller_epoch epoch) {
  held_ = epoch;
  ++with_->counters.takeovers;
  with_->counters.lease_epoch = epoch;
  spdlog::info("controlling with epoch {}", epoch);
  hooks_.gained(epoch);
  tell_terminators();
}

void keeper_state::lose(const char* why) {
  if (held_ == 0)
    return;
  spdlog::warn("not controlling any more (epoch {}): {}", held_, why);
  held_ = 0;
  with_->counters.lease_epoch = 0;
  missing_.clear();
  hooks_.lost();
}

void keeper_state::on(const lease_ran_out& over) {
  // The database did not answer in time: somebody else may have the lease by now.
  if (over.generation == lease_timer_)
    lose("the lease could not be renewed");
}

void keeper_state::on(const controller_heard& heard) {
  if (heard.epoch < holder_epoch_)
    return; // an older one's will
  if (heard.up) {
    gone_ = 0;
    holder_epoch_ = heard.epoch;
    return;
  }
  if (!candidate_ || held_ != 0 || heard.instance == with_->node)
    return;
  gone_ = heard.epoch;
  self_->delayed_send(self_, with_->cluster_timing.will_grace, controller_missed{heard.epoch});
}

void keeper_state::on(const controller_missed& missed) {
  // Whether it is dead or has only lost the broker: it can neither hear nor say anything.
  if (candidate_ && held_ == 0 && gone_ == missed.epoch)
    beat(missed.epoch);
}

void keeper_state::tell_terminators() {
  std::vector<bus::bus_instance> all;
  for (const auto& t : terminators_)
    if (all.size() < bus::max_bus_instances)
      all.push_back(t.second);
  hooks_.terminators(std::move(all));
}

void keeper_state::on(const node_heard& heard) {
  if (heard.up && heard.terminator) {
    auto& known = terminators_[heard.who.instance];
    const bool news = !known.up || known.incarnation != heard.who.incarnation;
    known = {heard.who.instance, heard.who.incarnation, true};
    if (news && held_ != 0)
      tell_terminators();
  }
  if (held_ == 0)
    return;
  if (heard.up) {
    missing_.erase(heard.who.instance);
    // It may have been away; what it said meanwhile is lost.
    hooks_.look_around(std::chrono::milliseconds(0));
    // A new life: links of the former one are unknown now, machines have their time to come back.
    return hooks_.look_around(with_->cluster_timing.links_grace);
  }
  if (heard.who.instance == with_->node)
    return;
  missing_[heard.who.instance] = heard.who.incarnation;
  self_->delayed_send(self_, with_->cluster_timing.will_grace, node_missed{heard.who});
}

void keeper_state::on(const node_missed& missed) {
  auto at = missing_.find(missed.who.instance);
  if (at == missing_.end() || at->second != missed.who.incarnation)
    return;
  missing_.erase(at);
  bury(missed.who);
}

void keeper_state::bury(const instance_ref& who) {
  if (held_ == 0)
    return;
  with_->cluster.bury(held_, who, [me = weak_handle<keeper_actor>(self_), who](auto r) {
    me.tell(node_buried{who, std::move(r)});
  });
}

void keeper_state::on(const node_buried& done) {
  if (!done.links) {
    // The next beat names it again.
    spdlog::warn("node {} not buried: {}", done.who.instance, to_string(done.links.error()));
    return;
  }
  ++with_->counters.burials;
  auto known = terminators_.find(done.who.instance);
  if (known != terminators_.end() && known->second.incarnation == done.who.incarnation) {
    known->second.up = false;
    tell_terminators();
  }
  spdlog::warn("node {} is gone; {} links are unknown until their machines call again",
               done.who.instance, *done.links);
  if (*done.links > 0)
    hooks_.look_around(with_->cluster_timing.links_grace + std::chrono::milliseconds(100));
}

void keeper_state::on(const step_down&) {
  candidate_ = false;
  giving_up_ = held_;
  lose("it was given up");
  // The beat says so to the database; a standby hears it from there or from the broker.
  beat();
}

namespace {

keeper_actor::behavior_type keeper_behavior(keeper_actor::stateful_pointer<keeper_state> self,
                                            const services* with, bool candidate,
                                            keeper_hooks hooks) {
  self->state.start(self, *with, candidate, std::move(hooks));
  return {
      [self](const beat_now& m) { self->state.on(m); },
      [self](const beat_answered& m) { self->state.on(m); },
      [self](const lease_ran_out& m) { self->state.on(m); },
      [self](const controller_heard& m) { self->state.on(m); },
      [self](const node_heard& m) { self->state.on(m); },
      [self](const controller_missed& m) { self->state.on(m); },
      [self](const node_missed& m) { self->state.on(m); },
      [self](const node_buried& m) { self->state.on(m); },
      [self](const step_down& m) { self->state.on(m); },
  };
}

} // namespace

// -- the role -----------------------------------------------------------------------------------

keeper::keeper(caf::actor_system& system, const services& with, bus::endpoint& outside)
    : system_(system), with_(with), outside_(outside) {}

keeper::~keeper() {
  stop();
}

template <class Message> void keeper::tell(Message m) {
  keeper_actor to;
  {
    std::lock_guard lock(mutex_);
    to = actor_;
  }
  if (to)
    caf::anon_send(to, std::move(m));
}

void keeper::start(bool candidate, keeper_hooks hooks) {
  if (gate_->closed())
    gate_ = std::make_shared<gate>();
  {
    std::lock_guard lock(mutex_);
    candidate_ = candidate;
    hooks_ = std::move(hooks);
    actor_ = system_.spawn(keeper_behavior, &with_, candidate_, hooks_);
  }
  listen();
}

/// Births and deaths as the broker tells them. Retained, so that who comes later hears them too.
void keeper::listen() {
  subscriptions_.push_back(outside_.subscribe(
      bus::controller_presence_topic(), {}, [this, open = gate_](const bus::message& m) {
        auto inside = open->enter();
        if (!inside || m.payload->empty())
          return;
        auto decoded = bus::decode_controller_presence(*m.payload, bus::encoding::msgpack);
        if (!decoded) {
          ++with_.counters.decode_errors;
          return;
        }
        tell(controller_heard{decoded->body.epoch, decoded->body.instance, decoded->body.up});
      }));
  subscriptions_.push_back(outside_.subscribe(
      bus::node_presence_filter(), {}, [this, open = gate_](const bus::message& m) {
        auto inside = open->enter();
        if (!inside || m.payload->empty())
          return;
        auto decoded = bus::decode_node_presence(*m.payload, bus::encoding::msgpack);
        if (!decoded) {
          ++with_.counters.decode_errors;
          return;
        }
        note(decoded->body);
        const auto& b = decoded->body;
        const bool takes = std::find(b.roles.begin(), b.roles.end(), "terminator") != b.roles.end();
        tell(node_heard{{b.instance, b.incarnation}, b.up, takes});
      }));
}

void keeper::note(const bus::node_presence& p) {
  if (p.instance == with_.node)
    return;
  const bool takes = p.up && !p.draining &&
                     std::find(p.roles.begin(), p.roles.end(), "terminator") != p.roles.end();
  std::lock_guard lock(mutex_);
  if (takes)
    terminators_.insert(p.instance);
  else
    terminators_.erase(p.instance);
}

std::size_t keeper::other_terminators() const {
  std::lock_guard lock(mutex_);
  return terminators_.size();
}

void keeper::resign() {
  tell(step_down{});
}

void keeper::restart() {
  hooks_.lost();
  with_.counters.lease_epoch = 0;
  std::lock_guard lock(mutex_);
  if (actor_)
    actor_ = system_.spawn(keeper_behavior, &with_, candidate_, hooks_);
}

caf::actor_addr keeper::address() const {
  std::lock_guard lock(mutex_);
  return actor_ ? caf::actor_cast<caf::actor_addr>(actor_) : caf::actor_addr{};
}

void keeper::stop() {
  subscriptions_.clear();
  keeper_actor last;
  {
    std::lock_guard lock(mutex_);
    last = std::exchange(actor_, nullptr);
  }
  if (last)
    caf::anon_send_exit(last, caf::exit_reason::user_shutdown);
  gate_->close();
}

} // namespace outband
