#include "actors/terminator.hpp"

#include "actors/legacy_events.hpp"
#include "actors/link.hpp"
#include "messages/amt/catalogue.hpp"
#include "messages/bus/envelope.hpp"
#include "messages/bus/topics.hpp"
#include "messages/domain/text.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>

namespace outband {

namespace {

/// Constant time in the contents.
bool same(const std::string& a, const std::string& b) {
  return equal(secret_text(a), b);
}

bus::envelope envelope_of(const services& with) {
  bus::envelope e;
  e.id = with.clock.new_id();
  e.time = with.clock.now();
  e.source = with.node;
  e.incarnation = with.incarnation;
  return e;
}

void publish_internal(const services& with, std::string topic, std::string payload,
                      std::string correlation = {}) {
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

} // namespace

// -- terminator ---------------------------------------------------------------------------------

terminator::terminator(caf::actor_system& system, const services& with)
    : system_(system), with_(with) {}

terminator::~terminator() {
  stop();
}

/// Under the lock, so that the actor hears things in the order in which `open_` changed: a tunnel's
/// end must not overtake its adoption by a restarted actor.
template <class Message> void terminator::tell(Message m) {
  std::lock_guard lock(mutex_);
  if (actor_)
    caf::anon_send(actor_, std::move(m));
}

namespace {

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

} // namespace

void terminator::start() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = false;
  }
  if (gate_->closed())
    gate_ = std::make_shared<gate>();
  restart();
  auto work_topic = bus::node_work_topic(with_.node);
  auto ask_topic = bus::node_ask_topic(with_.node);
  bus::subscribe_options options;
  options.retain_handling = 2;
  subscriptions_.push_back(
      with_.internal.subscribe(work_topic, options, [this, open = gate_](const bus::message& m) {
        if (auto inside = open->enter())
          work(m, false);
      }));
  subscriptions_.push_back(
      with_.internal.subscribe(ask_topic, options, [this, open = gate_](const bus::message& m) {
        if (auto inside = open->enter())
          work(m, true);
      }));
}

void terminator::restart() {
  std::lock_guard lock(mutex_);
  if (stopped_)
    return; // it ended while we were stopping
  actor_ = system_.spawn(instance_behavior, &with_);
  for (const auto& [ref, link] : open_)
    caf::anon_send(actor_, link);
}

void terminator::stop() {
  subscriptions_.clear();
  instance_actor last;
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    last = std::exchange(actor_, nullptr);
    open_.clear();
  }
  if (last)
    caf::anon_send_exit(last, caf::exit_reason::user_shutdown);
  gate_->close();
}

caf::actor_addr terminator::address() const {
  std::lock_guard lock(mutex_);
  return actor_ ? caf::actor_cast<caf::actor_addr>(actor_) : caf::actor_addr{};
}

void terminator::work(const bus::message& m, bool live) {
  if (m.retain) {
    ++with_.counters.retained_commands;
    spdlog::warn("refused a retained message on {}: work is never retained", m.topic);
    return;
  }
  auto decoded = bus::decode_work(*m.payload, bus::encoding::msgpack);
  if (!decoded) {
    ++with_.counters.decode_errors;
    spdlog::warn("refused work on {}: {}", m.topic, to_string(decoded.error()));
    return;
  }
  if (const auto* d = std::get_if<disconnect>(&decoded->body); d && disconnected_)
    disconnected_(d->device);
  call_origin origin;
  if (live) {
    if (m.response_topic.empty())
      return;
    origin = {m.response_topic, m.correlation};
  }
  tell(work_arrived{std::move(decoded->body), std::move(origin), decoded->env.ctl});
}

void terminator::reclaim() {
  tell(reclaim_links{});
}

void terminator::admit(cira_login login, answer<admission> cb) {
  auto guid = login.guid;
  with_.store.find_cira_identity(guid, [this, open = gate_, login = std::move(login),
                                        cb = std::move(cb)](result<cira_identity> r) mutable {
    auto inside = open->enter();
    if (!inside)
      return cb(stopping());
    if (!r) {
      if (r.error().what == problem::not_found)
        return cb(
            fail(problem::unauthenticated, "the GUID is not registered; add the device first"));
      return cb(r.error());
    }
    admit_known(std::move(login), std::move(*r), std::move(cb));
  });
}

void terminator::admit_known(cira_login login, cira_identity identity, answer<admission> cb) {
  // Both passwords are asked for at once; whoever is answered last goes on.
  struct pair {
    std::mutex mutex;
    std::optional<result<secret_versions>> mps, amt;
  };
  auto both = std::make_shared<pair>();
  auto ref = identity.ref;
  auto go_on = std::make_shared<std::function<void()>>(
      [this, open = gate_, both, login = std::move(login), identity = std::move(identity),
       cb = std::move(cb)]() mutable {
        auto inside = open->enter();
        if (!inside)
          return cb(stopping());
        if (!*both->mps)
          return cb(both->mps->error());
        if (!*both->amt)
          return cb(both->amt->error());
        check(std::move(login), std::move(identity), **both->mps, std::move(**both->amt),
              std::move(cb));
      });
  auto take = [both, go_on](std::optional<result<secret_versions>> pair::*where) {
    return [both, go_on, where](result<secret_versions> r) {
      {
        std::lock_guard lock(both->mutex);
        (*both).*where = std::move(r);
        if (!both->mps || !both->amt)
          return;
      }
      (*go_on)();
    };
  };
  with_.secrets.get(ref, secret_name::mps_password, take(&pair::mps));
  with_.secrets.get(ref, secret_name::amt_password, take(&pair::amt));
}

void terminator::check(cira_login login, cira_identity identity, const secret_versions& mps,
                       secret_versions amt, answer<admission> cb) {
  const bool user_ok = same(identity.mps_username, login.username);
  const bool active_ok = mps.active && equal(*mps.active, login.password.reveal());
  const bool pending_ok = mps.pending && equal(*mps.pending, login.password.reveal());
  if (!user_ok)
    return cb(fail(problem::unauthenticated, "wrong MPS user name"));
  if (!active_ok && !pending_ok)
    return cb(fail(problem::unauthenticated, mps.active || mps.pending
                                                 ? "wrong MPS password"
                                                 : "no MPS password is stored for it"));
  if (!active_ok) {
    // The machine uses the new password: now it is known to have it.
    with_.secrets.promote(identity.ref, secret_name::mps_password, [](result<nothing> p) {
      if (!p)
        spdlog::warn("pending MPS password not promoted: {}", to_string(p.error()));
    });
  }
  take_epoch(std::move(identity), std::move(login.peer), amt.active.value_or(secret_text{}),
             std::move(cb));
}

void terminator::admit_direct(const device_ref& ref, std::string amt_username,
                              secret_text amt_password, std::string peer, answer<admission> cb) {
  auto inside = gate_->enter();
  if (!inside)
    return cb(stopping());
  take_epoch({ref, {}, std::move(amt_username)}, std::move(peer), std::move(amt_password),
             std::move(cb));
}

void terminator::take_epoch(cira_identity identity, std::string peer, secret_text amt_password,
                            answer<admission> cb) {
  epoch_request req{identity.ref, with_.node, with_.incarnation, std::move(peer)};
  with_.store.take_epoch(req, [this, open = gate_, identity = std::move(identity),
                               password = std::move(amt_password),
                               cb = std::move(cb)](result<epoch_grant> granted) mutable {
    auto still = open->enter();
    if (!still)
      return cb(stopping()); // the epoch is nobody's; the next start settles it
    if (!granted)
      return cb(granted.error());
    if (!granted->previous_instance.empty()) {
      evict e{identity.ref, granted->previous_epoch};
      publish_internal(with_, bus::node_work_topic(granted->previous_instance),
                       bus::encode(envelope_of(with_), work_body{e}, bus::encoding::msgpack));
    }
    admission a;
    a.ref = identity.ref;
    a.epoch = granted->epoch;
    a.amt_username = identity.amt_username.empty() ? "admin" : identity.amt_username;
    a.amt_password = std::move(password);
    cb(std::move(a));
  });
}

void terminator::trouble(const device_ref& ref, std::string code, std::string text) {
  const observation o{ref, 0, with_.clock.now(),
                      connection_trouble{std::move(code), std::move(text)}};
  publish_internal(
      with_, bus::node_observations_topic(with_.node),
      bus::encode(envelope_of(with_), std::vector<observation>{o}, bus::encoding::msgpack));
}

void terminator::up(const admission& who, std::string peer, int trigger,
                    std::shared_ptr<amt_link_port> link) {
  link_opened opened{who.ref, who.epoch, std::move(peer), trigger, std::move(link)};
  {
    std::lock_guard lock(mutex_);
    if (stopped_)
      return;
    auto& known = open_[who.ref];
    if (known.epoch < who.epoch)
      known = opened;
    with_.directory.put(who.ref, {with_.node, who.epoch});
    if (actor_)
      caf::anon_send(actor_, std::move(opened));
  }
}

void terminator::down(const device_ref& ref, link_epoch epoch, link_end why, std::string text) {
  {
    std::lock_guard lock(mutex_);
    auto at = open_.find(ref);
    if (at != open_.end() && at->second.epoch == epoch)
      open_.erase(at);
    with_.directory.remove(ref, epoch);
    if (actor_)
      caf::anon_send(actor_, link_closed{ref, epoch, why, std::move(text)});
  }
  // Conditional on the epoch: a late word about an old socket changes nothing.
  with_.store.link_down(ref, epoch, why, [ref](result<bool> r) {
    if (!r)
      spdlog::warn("device={} link end not stored: {}", to_string(ref), to_string(r.error()));
  });
}

void terminator::late(const device_ref& ref, link_epoch epoch, bool is_late) {
  tell(link_silent{ref, epoch, is_late});
}

void terminator::alert(const device_ref& ref, link_epoch epoch, std::string json) {
  tell(link_alert{ref, epoch, std::move(json)});
}

// -- instance -----------------------------------------------------------------------------------

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
                     bus::encode(envelope_of(*with_), a, bus::encoding::msgpack),
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
  publish_internal(*with_, bus::node_observations_topic(with_->node),
                   bus::encode(envelope_of(*with_), batch_, bus::encoding::msgpack));
  batch_.clear();
}

} // namespace outband
