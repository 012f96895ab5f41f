#include "actors/device.hpp"

#include "actors/audit_log.hpp"
#include "messages/bus/envelope.hpp"
#include "messages/bus/stored.hpp"
#include "messages/bus/topics.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace outband {

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::seconds event_expiry{86'400};
constexpr std::uint64_t quiet_timer = 0; ///< generation of the passivation tick

bool reply_here(const std::string& channel, std::string& instance) {
  // "rest:n1": who waits for the outcome, and on which node.
  auto colon = channel.find(':');
  if (colon == std::string::npos || colon + 1 == channel.size())
    return false;
  instance = channel.substr(colon + 1);
  return valid_level(instance);
}

} // namespace

void device_state::start(device_actor::pointer self, const services& with, device_ref ref,
                         weak_handle<tenant_actor> parent, std::uint64_t life,
                         controller_epoch fence) {
  self_ = self;
  with_ = &with;
  parent_ = std::move(parent);
  life_ = life;
  fence_ = fence;
  mem_.ref = std::move(ref);
  mem_.times = with.times;
  ++with.counters.device_actors;
  load();
}

device_state::~device_state() {
  if (with_)
    --with_->counters.device_actors;
}

// -- loading ------------------------------------------------------------------------------------

void device_state::load() {
  if (loading_) {
    reload_ = true;
    return;
  }
  loading_ = true;
  loading_to_recover_ = recovering_;
  with_->store.load_device(mem_.ref, [me = weak_handle<device_actor>(self_)](result<device_row> r) {
    me.tell(row_loaded{std::move(r)});
  });
}

void device_state::retry_later(const failure& why) {
  ++with_->counters.store_retries;
  ++store_failures_;
  if (store_failures_ == 1 || store_failures_ % 20 == 0)
    spdlog::warn("device={} store={} attempt={}", to_string(mem_.ref), to_string(why),
                 store_failures_);
  if (retry_armed_)
    return;
  retry_armed_ = true;
  auto wait = std::min<std::chrono::milliseconds>(500ms * (1 << std::min(store_failures_, 6)), 30s);
  self_->delayed_send(self_, wait, try_store_again{});
}

void device_state::on(const try_store_again&) {
  retry_armed_ = false;
  if (!loaded_ || reload_ || recovering_) {
    reload_ = false;
    load();
  }
}

std::vector<open_command> device_state::decoded(const std::vector<command_row>& rows) {
  std::vector<open_command> out;
  for (const auto& row : rows) {
    if (!taken_up_.insert(row.id).second)
      continue;
    auto body = bus::unpack_request_body(row.argument);
    if (body) {
      out.push_back({row, std::move(*body)});
      continue;
    }
    // Written by a newer version, or damaged: say so instead of waiting for ever.
    spdlog::error("device={} command={} cannot be read: {}", to_string(mem_.ref), to_string(row.id),
                  to_string(body.error()));
    response r;
    r.id = row.id;
    r.status = request_status::failed;
    r.why = fail(problem::internal, "the stored command cannot be read by this version");
    r.text = r.why->detail;
    finished({row, std::move(r)});
  }
  return out;
}

void device_state::on(row_loaded loaded) {
  loading_ = false;
  if (!loaded.row) {
    if (loaded.row.error().what == problem::not_found) {
      // Deleted meanwhile: nothing of it may come back.
      self_->quit();
      return;
    }
    reload_ = true;
    return retry_later(loaded.row.error());
  }
  if (!recovering_)
    store_failures_ = 0; // else only a write that succeeds says that all is well
  auto& row = *loaded.row;
  if (loaded_) {
    if (recovering_ && loading_to_recover_)
      recover(row);
    else if (recovering_)
      reload_ = true; // it may have been read before that write
    forget_settled(row.open_commands);
    if (reload_) {
      reload_ = false;
      load(); // what we just got may be older than what we were told of
    }
    happen(link_told{row.link});
    happen(row_stored{row.desired, row.desired_rev, decoded(row.open_commands)});
    return;
  }
  loaded_ = true;
  mem_.desired = row.desired;
  mem_.desired_rev = row.desired_rev;
  mem_.current = row.current;
  mem_.stored_observed = row.current.power.observed;
  current_rev_ = row.current_rev;
  event_seq_ = row.event_seq;
  mem_.commands = decoded(row.open_commands);
  if (mem_.current.link.since == 0) {
    // Just registered: let everybody see that it exists.
    mem_.current.link.since = with_->clock.now();
    next_.any = next_.presence = true;
  }
  // Before anything is decided: a tunnel that came or went unnoticed.
  happen(link_told{row.link});
  happen(awakened{});
  auto waiting = std::move(before_load_);
  before_load_.clear();
  for (const auto& o : waiting)
    happen(o);
  if (reload_) {
    reload_ = false;
    load();
  }
}

// -- deciding -----------------------------------------------------------------------------------

void device_state::on(const observation& o) {
  ++heard_;
  if (loaded_)
    return happen(o);
  if (before_load_.size() >= max_waiting_events)
    before_load_.pop_front(); // a newer one says what is
  before_load_.push_back(o);
}

void device_state::on(const row_changed&) {
  ++heard_;
  load();
}

void device_state::on(const device_tick& tick) {
  if (tick.generation == quiet_timer) {
    quiet_armed_ = false;
    return quiet_check();
  }
  if (tick.generation != timer_ || !loaded_)
    return;
  if (auto held = take_back_call())
    return not_sent(*held);
  happen(timer_fired{});
}

std::optional<send_call> device_state::take_back_call() {
  for (auto* calls : {&next_.calls, &in_flight_.calls})
    for (auto at = calls->begin(); at != calls->end(); ++at)
      if (mem_.run && mem_.run->call == at->call.id) {
        auto held = std::move(*at);
        calls->erase(at);
        return held;
      }
  return std::nullopt;
}

void device_state::not_sent(const send_call& c) {
  happen(observation{
      mem_.ref, c.call.epoch, with_->clock.now(),
      amt_answer{c.call.id, mem_.ref, c.call.epoch,
                 fail(problem::expired, "It could not be recorded in time; nothing was sent.")}});
}

void device_state::happen(const device_event& what) {
  busy_until_ = with_->clock.now();
  const auto* seen = std::get_if<observation>(&what);
  const auto* told = std::get_if<link_told>(&what);
  if ((seen && std::holds_alternative<link_up>(seen->body)) ||
      (told && told->fact.epoch > mem_.current.link.epoch))
    mem_.look_turn = with_->looks->reserve(busy_until_);
  auto effects = decide(mem_, what, with_->clock.now(), [this] { return with_->clock.new_id(); });
  for (auto& e : effects)
    apply(std::move(e));
  if (std::exchange(wants_turn_, false))
    return happen(turn_given{with_->fact_looks->reserve(busy_until_)});
  write_if_needed();
  quiet_check();
}

void device_state::apply(device_effect effect) {
  struct visitor {
    device_state& me;
    void operator()(send_call& c) const {
      if (!c.after_marking)
        return me.send(c);
      for (auto& open : me.mem_.commands)
        if (open.row.id == *c.after_marking) {
          open.row.dispatched = true;
          me.next_.commands.push_back(open.row);
        }
      me.next_.any = me.next_.durable = true;
      me.next_.calls.push_back(std::move(c));
    }
    void operator()(const arm_timer& t) const {
      ++me.timer_;
      me.self_->delayed_send(me.self_, std::max(t.after, std::chrono::milliseconds(1)),
                             device_tick{me.timer_});
    }
    void operator()(emit_event& e) const {
      if (e.what.type == "link.duplicate_guid")
        ++me.with_->counters.duplicate_guids;
      // While the store is away the newest tell most.
      if (me.next_.events.size() >= max_waiting_events)
        me.next_.events.erase(me.next_.events.begin());
      me.next_.events.push_back(std::move(e.what));
      me.next_.any = true;
    }
    void operator()(finish_command& f) const { me.finished(f); }
    void operator()(const write_current& w) const {
      me.next_.any = true;
      me.next_.presence = me.next_.presence || w.presence_too;
    }
    void operator()(const drop_stale&) const { ++me.with_->counters.stale_epoch; }
    void operator()(keep_fact& k) const {
      auto& all = me.next_.facts;
      all.erase(std::remove_if(all.begin(), all.end(),
                               [&](const auto& f) { return f.kind == k.what.kind; }),
                all.end());
      all.push_back(std::move(k.what));
      me.next_.any = true;
    }
    void operator()(const want_turn&) const { me.wants_turn_ = true; }
  };
  std::visit(visitor{*this}, effect);
}

void device_state::finished(const finish_command& done) {
  auto row = done.row;
  row.status = done.answer.status;
  row.outcome = bus::pack(done.answer);
  next_.commands.push_back(row);
  next_.events.push_back(event_of(entry_of(row), outcome_of(done.answer)));
  next_.answers.emplace_back(std::move(row), done.answer);
  next_.any = next_.durable = true;
}

void device_state::send(const send_call& c) {
  bus::envelope e;
  e.id = with_->clock.new_id();
  e.time = with_->clock.now();
  e.source = with_->node;
  e.epoch = c.call.epoch;
  e.ctl = fence_;
  bus::message m;
  m.topic = bus::node_work_topic(c.instance);
  m.payload = std::make_shared<const std::string>(
      bus::encode(e, work_body{c.call}, bus::encoding::msgpack));
  m.content_type = std::string(bus::content_type_of(bus::root::native));
  m.expiry = std::chrono::seconds(60);
  // A lost message is a call without an answer: the machine's timer notices.
  with_->internal.publish(std::move(m));
}

// -- writing ------------------------------------------------------------------------------------

std::vector<bus::outgoing>
device_state::documents(const batch& of, std::map<std::string, std::uint64_t>& seq) const {
  std::vector<bus::outgoing> out;
  bus::envelope e;
  e.time = with_->clock.now();
  e.source = with_->node;
  e.rev = current_rev_ + 1;
  e.about = mem_.ref;
  e.epoch = mem_.current.link.epoch;
  auto both = [&](auto topic_for, const auto& body, bool retain,
                  std::optional<std::chrono::seconds> expiry) {
    e.id = with_->clock.new_id();
    for (auto r : {bus::root::native, bus::root::json}) {
      if (r == bus::root::json && !with_->mirror_json)
        continue;
      auto enc = r == bus::root::native ? bus::encoding::msgpack : bus::encoding::cloudevents;
      out.push_back({topic_for(r), bus::encode(e, body, enc), std::string(bus::content_type_of(r)),
                     retain, expiry});
    }
  };
  if (of.presence) {
    const auto& l = mem_.current.link;
    presence p{l.state, l.instance, l.epoch, l.why, l.since};
    both([&](bus::root r) { return bus::presence_topic(mem_.ref, r); }, p, true, std::nullopt);
  }
  both([&](bus::root r) { return bus::current_topic(mem_.ref, r); }, mem_.current, true,
       std::nullopt);
  for (const auto& f : of.facts)
    both([&](bus::root r) { return bus::fact_topic(mem_.ref, f.kind, r); }, f, true, std::nullopt);
  for (const auto& ev : of.events) {
    e.seq = ev.cls == event_class::audit ? 0 : ++seq[std::string(to_string(ev.cls))];
    e.correlation = ev.command.value_or(uuid{});
    both([&](bus::root r) { return bus::event_topic(mem_.ref, ev.cls, r); }, ev, false,
         event_expiry);
  }
  return out;
}

void device_state::write_if_needed() {
  if (!next_.any || writing_ || !loaded_)
    return;
  in_flight_ = std::move(next_);
  next_ = {};
  in_flight_seq_ = event_seq_;
  writing_ = true;
  current_write w;
  w.ref = mem_.ref;
  w.expected_rev = current_rev_;
  w.next = mem_.current;
  w.publish = documents(in_flight_, in_flight_seq_);
  w.event_seq = in_flight_seq_;
  w.commands = in_flight_.commands;
  w.durable = in_flight_.durable;
  w.fence = fence_;
  with_->store.save_current(std::move(w),
                            [me = weak_handle<device_actor>(self_)](result<current_written> r) {
                              me.tell(row_written{std::move(r)});
                            });
}

void device_state::on(const row_written& written) {
  if (written.outcome && !written.outcome->conflict) {
    store_failures_ = 0;
    conflicts_ = 0;
    stored();
    return quiet_check();
  }
  if (!written.outcome && written.outcome.error().what == problem::stale_controller) {
    // Another node decides for this machine now. What was not stored was not done either.
    ++with_->counters.stale_controller;
    return self_->quit();
  }
  // Not stored, or not known to be, or somebody else wrote: the row tells.
  uncertain_ =
      uncertain_ || (!written.outcome && written.outcome.error().what == problem::outcome_unknown);
  recovering_ = true;
  if (written.outcome)
    ++with_->counters.stale_revisions;
  if (written.outcome && ++conflicts_ <= max_conflicts)
    return load();
  reload_ = true;
  if (written.outcome)
    return retry_later(fail(problem::revision_conflict, "somebody else keeps writing this row"));
  if (written.outcome.error().what == problem::not_found)
    return self_->quit(); // deleted meanwhile
  retry_later(written.outcome.error());
}

void device_state::recover(const device_row& row) {
  recovering_ = false;
  if (uncertain_ && row.current_rev == current_rev_ + 1)
    return stored(); // ours: only the answer was lost
  uncertain_ = false;
  if (row.current_rev != current_rev_)
    spdlog::warn("device={} revision={} was written by somebody else; writing on top of it",
                 to_string(mem_.ref), row.current_rev);
  current_rev_ = row.current_rev;
  event_seq_ = row.event_seq;
  // Put what was not stored back in front of what came since.
  auto front = [](auto& again, auto& since) {
    again.insert(again.end(), std::make_move_iterator(since.begin()),
                 std::make_move_iterator(since.end()));
    since = std::move(again);
  };
  front(in_flight_.events, next_.events);
  for (auto& f : next_.facts) // the newer of a kind counts
    in_flight_.facts.erase(std::remove_if(in_flight_.facts.begin(), in_flight_.facts.end(),
                                          [&](const auto& old) { return old.kind == f.kind; }),
                           in_flight_.facts.end());
  front(in_flight_.facts, next_.facts);
  front(in_flight_.commands, next_.commands);
  front(in_flight_.calls, next_.calls);
  front(in_flight_.answers, next_.answers);
  next_.any = true;
  next_.presence = next_.presence || in_flight_.presence;
  next_.durable = next_.durable || in_flight_.durable;
  in_flight_ = {};
  writing_ = false;
}

/// What the row does not list any more is final and will not come back.
void device_state::forget_settled(const std::vector<command_row>& open) {
  std::unordered_set<uuid> still;
  for (const auto& row : open)
    if (taken_up_.count(row.id) != 0)
      still.insert(row.id);
  taken_up_ = std::move(still);
}

void device_state::stored() {
  uncertain_ = false;
  ++current_rev_;
  event_seq_ = std::move(in_flight_seq_);
  auto done = std::move(in_flight_);
  in_flight_ = {};
  writing_ = false;
  // Nobody waits any more for a call that was given up meanwhile: it must not be carried out.
  std::vector<send_call> late;
  for (auto& c : done.calls) {
    if (!mem_.run || mem_.run->call != c.call.id)
      continue;
    if (c.call.deadline <= with_->clock.now()) {
      late.push_back(std::move(c));
      continue;
    }
    send(c);
    if (!c.after_marking)
      continue;
    for (const auto& open : mem_.commands)
      if (open.row.id == *c.after_marking) {
        response running;
        running.id = open.row.id;
        running.status = request_status::running;
        running.text = "Sent to the machine.";
        tell(open.row, running);
      }
  }
  for (const auto& [row, answer] : done.answers)
    tell(row, answer);
  write_if_needed();
  for (const auto& c : late)
    not_sent(c);
}

/// Who waits for it, if that is known: the node that took the request.
void device_state::tell(const command_row& row, const response& answer) {
  std::string instance;
  if (!reply_here(row.channel, instance))
    return;
  bus::envelope e;
  e.id = with_->clock.new_id();
  e.time = with_->clock.now();
  e.source = with_->node;
  e.correlation = answer.id;
  e.about = mem_.ref;
  bus::message m;
  m.topic = bus::node_reply_topic(instance);
  m.payload = std::make_shared<const std::string>(bus::encode(e, answer, bus::encoding::msgpack));
  m.content_type = std::string(bus::content_type_of(bus::root::native));
  with_->internal.publish(std::move(m));
}

// -- leaving ------------------------------------------------------------------------------------

void device_state::quiet_check() {
  const auto now = with_->clock.now();
  if (quiet_armed_)
    return;
  const bool busy = !loaded_ || loading_ || writing_ || next_.any || !quiet(mem_, now);
  const auto idle = std::chrono::milliseconds(now - busy_until_);
  if (!busy && idle >= with_->passivate_after)
    return parent_->tell(passivate{mem_.ref.device, life_, heard_});
  quiet_armed_ = true;
  auto wait = busy ? with_->passivate_after : with_->passivate_after - idle;
  self_->delayed_send(self_, std::max(wait, std::chrono::milliseconds(1)),
                      device_tick{quiet_timer});
}

void device_state::on(const leave&) {
  self_->quit();
}

device_actor::behavior_type device_behavior(device_actor::stateful_pointer<device_state> self,
                                            const services* with, device_ref ref,
                                            weak_handle<tenant_actor> parent, std::uint64_t life,
                                            controller_epoch fence) {
  self->state.start(self, *with, std::move(ref), std::move(parent), life, fence);
  return {
      [self](const observation& m) { self->state.on(m); },
      [self](const row_changed& m) { self->state.on(m); },
      [self](const row_loaded& m) { self->state.on(m); },
      [self](const row_written& m) { self->state.on(m); },
      [self](const device_tick& m) { self->state.on(m); },
      [self](const try_store_again& m) { self->state.on(m); },
      [self](const leave& m) { self->state.on(m); },
  };
}

} // namespace outband
