#include "actors/instance.hpp"

#include "actors/legacy_events.hpp"
#include "actors/link.hpp"
#include "actors/terminator_says.hpp"
#include "messages/amt/catalogue.hpp"
#include "messages/bus/topics.hpp"
#include "messages/domain/text.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace outband {

bus::envelope terminator_envelope(const services& with) {
  bus::envelope e;
  e.id = with.clock.new_id();
  e.time = with.clock.now();
  e.source = with.node;
  e.incarnation = with.incarnation;
  return e;
}

void publish_internal(const services& with, std::string topic, std::string payload,
                      std::string correlation) {
  bus::message m;
  m.topic = std::move(topic);
  m.payload = std::make_shared<const std::string>(std::move(payload));
  m.content_type = std::string(bus::content_type_of(bus::root::native));
  m.correlation = std::move(correlation);
  with.internal.publish(std::move(m), [](status s) {
    if (!s)
      spdlog::warn("internal message not taken: {}", to_string(s.error()));
  });
}

instance_actor::behavior_type
instance_behavior(instance_actor::stateful_pointer<instance_state> self, const services* with) {
  self->state.start(self, *with);
  self->set_down_handler([self](const caf::down_msg& m) { self->state.down(m.source); });
  return {
      [self](const link_opened& m) { self->state.on(m); },
      [self](const link_closed& m) { self->state.on(m); },
      [self](const link_silent& m) { self->state.on(m); },
      [self](const link_alert& m) { self->state.on(m); },
      [self](const call_finished& m) { self->state.on(m); },
      [self](const work_arrived& m) { self->state.on(m); },
      [self](const flush_observations& m) { self->state.on(m); },
      [self](const reclaim_links& m) { self->state.on(m); },
      [self](const links_reclaimed& m) { self->state.on(m); },
  };
}

void instance_state::start(instance_actor::pointer self, const services& with) {
  self_ = self;
  with_ = &with;
}

instance_state::~instance_state() {
  if (with_)
    with_->counters.links -= links_.size();
  for (const auto& [ref, e] : links_)
    caf::anon_send_exit(e.actor, caf::exit_reason::user_shutdown);
}

link_actor instance_state::spawn_link(const device_ref& ref, const entry& e) {
  return self_->spawn<caf::monitored>(link_behavior, with_,
                                      link_state_machine::identity{ref, e.epoch}, e.port,
                                      weak_handle<instance_actor>(self_));
}

void instance_state::down(const caf::actor_addr& who) {
  for (auto& [ref, e] : links_) {
    if (e.actor.address() != who)
      continue;
    ++with_->counters.actor_restarts;
    spdlog::error("device={} link actor ended by a defect; the tunnel gets a new one",
                  to_string(ref));
    e.actor = spawn_link(ref, e);
    return;
  }
}

void instance_state::remember(const evict& e) {
  const auto now = with_->clock.now();
  if (evicted_.size() >= max_evicted)
    for (auto at = evicted_.begin(); at != evicted_.end();)
      at = now - at->second.at > 60'000 ? evicted_.erase(at) : std::next(at);
  if (evicted_.size() >= max_evicted)
    evicted_.clear(); // a handshake does not take that long
  auto& known = evicted_[e.device];
  known = {std::max(known.epoch, e.epoch), now};
}

void instance_state::on(link_opened opened) {
  if (auto early = evicted_.find(opened.ref); early != evicted_.end()) {
    const bool stale = early->second.epoch >= opened.epoch;
    evicted_.erase(early);
    if (stale)
      return opened.link->close(link_end::evicted, "the machine opened a newer tunnel elsewhere");
  }
  auto at = links_.find(opened.ref);
  if (at != links_.end()) {
    if (at->second.epoch > opened.epoch)
      return opened.link->close(link_end::evicted, "a newer tunnel of this machine is open");
    if (at->second.epoch == opened.epoch)
      return;
    at->second.port->close(link_end::evicted, "the machine opened a newer tunnel");
    drop(opened.ref, problem::stale_epoch);
  }
  entry e;
  e.epoch = opened.epoch;
  e.port = opened.link;
  e.peer = opened.peer;
  e.actor = spawn_link(opened.ref, e);
  links_.emplace(opened.ref, std::move(e));
  ++with_->counters.links;
  spdlog::info("device={} link=up epoch={} peer={}", to_string(opened.ref), opened.epoch,
               opened.peer);
  link_up up{with_->node, with_->incarnation, opened.peer, opened.trigger};
  observe({opened.ref, opened.epoch, with_->clock.now(), std::move(up)}, true);
  if (with_->legacy)
    with_->legacy->connected(opened.ref);
}

void instance_state::drop(const device_ref& ref, problem why) {
  auto at = links_.find(ref);
  if (at == links_.end())
    return;
  self_->send(at->second.actor, link_stop{why});
  links_.erase(at);
  --with_->counters.links;
}

void instance_state::on(link_closed closed) {
  auto at = links_.find(closed.ref);
  if (at != links_.end() && at->second.epoch == closed.epoch)
    drop(closed.ref, problem::link_down);
  spdlog::info("device={} link=down epoch={} why={} {}", to_string(closed.ref), closed.epoch,
               to_string(closed.why), closed.text);
  observe({closed.ref, closed.epoch, with_->clock.now(), link_down{closed.why, closed.text}}, true);
}

void instance_state::on(const link_silent& silent) {
  auto at = links_.find(silent.ref);
  if (at == links_.end() || at->second.epoch != silent.epoch)
    return;
  observe({silent.ref, silent.epoch, with_->clock.now(), link_late{silent.late}}, true);
}

void instance_state::on(link_alert alert) {
  auto at = links_.find(alert.ref);
  if (at == links_.end() || at->second.epoch != alert.epoch)
    return;
  observe({alert.ref, alert.epoch, with_->clock.now(), alert_seen{std::move(alert.json)}}, true);
}

void instance_state::on(call_finished finished) {
  const auto& a = finished.answer;
  auto at = links_.find(a.device);
  auto* link = at != links_.end() && at->second.epoch == a.epoch ? &at->second : nullptr;
  if (finished.origin.reply_topic.empty() && !finished.origin.look) {
    observe({a.device, a.epoch, with_->clock.now(), a}, true);
    // A read's answer is learned by who asked; a change (a boot order) is looked after here.
    const auto* operation = amt::find_operation(finished.performed);
    if (operation == nullptr || operation->effect == wsman::effect::none)
      return;
  } else if (!finished.origin.look)
    publish_internal(*with_, finished.origin.reply_topic,
                     bus::encode(terminator_envelope(*with_), a, bus::encoding::msgpack),
                     finished.origin.correlation);
  if (!a.outcome || link == nullptr)
    return;
  if (!finished.performed.empty())
    return learn(finished, *link);
  const auto* reading = std::get_if<amt::power_reading>(&*a.outcome);
  if (!reading)
    return;
  // What somebody asked for in passing is news only if it is new.
  const auto now = with_->clock.now();
  if (reading->state == at->second.last_told && now - at->second.last_told_at < 10'000)
    return;
  at->second.last_told = reading->state;
  at->second.last_told_at = now;
  observe({a.device, a.epoch, now, power_seen{*reading}}, false);
}

void instance_state::learn(const call_finished& finished, entry& e) {
  const auto& a = finished.answer;
  const auto* told = std::get_if<amt::document>(&*a.outcome);
  const auto* operation = amt::find_operation(finished.performed);
  if (told == nullptr || operation == nullptr)
    return;
  if (!operation->look_after.empty())
    look_again(a, operation->look_after, e);
  if (operation->fact.empty())
    return;
  const std::string kind(operation->fact);
  auto json = amt::without_headers(told->json);
  auto fingerprint = text_fingerprint(json);
  auto known = e.told.find(kind);
  if (known != e.told.end() && known->second == fingerprint)
    return;
  e.told[kind] = std::move(fingerprint);
  observe({a.device, a.epoch, with_->clock.now(), fact_seen{{kind, std::move(json)}}}, true);
}

void instance_state::look_again(const amt_answer& after, std::string_view operation, entry& e) {
  const auto* look = amt::find_operation(operation);
  if (look == nullptr)
    return;
  amt_call call;
  call.id = with_->clock.new_id();
  call.device = after.device;
  call.epoch = after.epoch;
  call.operation = amt::perform{std::string(look->name), {}};
  call.deadline = with_->clock.now() + look->deadline.count();
  call_origin origin;
  origin.look = true;
  self_->send(e.actor, link_call{std::move(call), std::move(origin)});
}

void instance_state::on(work_arrived work) {
  if (work.controller != 0 && work.controller < newest_controller_) {
    ++with_->counters.stale_controller;
    spdlog::warn("refused work of controller epoch {}, {} is known", work.controller,
                 newest_controller_);
    return; // its deadline ends it; whoever said it decides nothing any more
  }
  newest_controller_ = std::max(newest_controller_, work.controller);
  struct visitor {
    instance_state& me;
    call_origin& origin;
    void operator()(amt_call& call) const {
      auto at = me.links_.find(call.device);
      if (at != me.links_.end())
        return me.self_->send(at->second.actor, link_call{std::move(call), std::move(origin)});
      amt_answer a;
      a.id = call.id;
      a.device = call.device;
      a.epoch = call.epoch;
      a.outcome = fail(problem::link_down);
      me.on(call_finished{std::move(a), std::move(origin)});
    }
    void operator()(const evict& e) const {
      auto at = me.links_.find(e.device);
      if (at != me.links_.end() && at->second.epoch == e.epoch)
        at->second.port->close(link_end::evicted, "the machine opened a newer tunnel elsewhere");
      else if (at == me.links_.end() || at->second.epoch < e.epoch)
        me.remember(e);
    }
    void operator()(const disconnect& d) const {
      if (d.device.device.is_nil()) { // all of a tenant that was removed
        for (const auto& [ref, l] : me.links_)
          if (ref.tenant == d.device.tenant)
            l.port->close(link_end::requested, "the tenant was removed");
        return;
      }
      auto at = me.links_.find(d.device);
      if (at != me.links_.end())
        at->second.port->close(link_end::requested, "an operator closed the tunnel");
    }
  };
  std::visit(visitor{*this, work.origin}, work.body);
}

constexpr std::size_t reclaim_page = 5'000;

void instance_state::on(const reclaim_links&) {
  std::vector<std::pair<device_ref, link_epoch>> links;
  for (const auto& [ref, e] : links_) {
    links.emplace_back(ref, e.epoch);
    if (links.size() == reclaim_page)
      ask_which(std::exchange(links, {}));
  }
  if (!links.empty())
    ask_which(std::move(links));
}

void instance_state::ask_which(std::vector<std::pair<device_ref, link_epoch>> links) {
  with_->cluster.reclaim({with_->node, with_->incarnation}, links,
                         [me = weak_handle<instance_actor>(self_), links](auto r) {
                           me.tell(links_reclaimed{links, std::move(r)});
                         });
}

void instance_state::on(const links_reclaimed& done) {
  if (!done.answer) {
    ++with_->counters.store_retries;
    spdlog::warn("links not claimed again: {}", to_string(done.answer.error()));
    self_->delayed_send(self_, std::chrono::seconds(5), reclaim_links{});
    return;
  }
  const std::unordered_map<device_ref, link_epoch> stale(done.answer->stale.begin(),
                                                         done.answer->stale.end());
  for (const auto& [ref, epoch] : done.asked) {
    auto at = links_.find(ref);
    if (at == links_.end() || at->second.epoch != epoch)
      continue;
    if (stale.count(ref) != 0) {
      at->second.port->close(link_end::evicted, "the machine opened a newer tunnel elsewhere");
      continue;
    }
    // Whoever heard that it is unknown shall hear that it is not.
    observe({ref, epoch, with_->clock.now(),
             link_up{with_->node, with_->incarnation, at->second.peer, 0}},
            false);
  }
}

void instance_state::observe(observation o, bool at_once) {
  ++with_->counters.observations;
  // A batch fits one message with every short text at its limit; a fact is a message of its own.
  const bool long_one = std::holds_alternative<fact_seen>(o.body) ||
                        std::holds_alternative<alert_seen>(o.body) ||
                        std::holds_alternative<amt_answer>(o.body);
  if (long_one)
    on(flush_observations{});
  batch_.push_back(std::move(o));
  if (at_once || long_one || batch_.size() >= 64)
    return on(flush_observations{});
  if (!flush_armed_) {
    flush_armed_ = true;
    self_->delayed_send(self_, with_->batch_observations, flush_observations{});
  }
}

void instance_state::on(const flush_observations&) {
  flush_armed_ = false;
  if (batch_.empty())
    return;
  auto e = terminator_envelope(*with_);
  e.seq = ++with_->counters.observation_messages; // goes on if this actor starts anew
  publish_internal(*with_, bus::node_observations_topic(with_->node),
                   bus::encode(e, batch_, bus::encoding::msgpack));
  batch_.clear();
}

} // namespace outband
