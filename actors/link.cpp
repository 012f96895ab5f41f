#include "actors/link.hpp"

#include "messages/amt/catalogue.hpp"

#include <algorithm>

namespace outband {

namespace {

const amt::operation* named(const amt_operation& op) {
  const auto* p = std::get_if<amt::perform>(&op);
  return p == nullptr ? nullptr : amt::find_operation(p->name);
}

bool changes(const amt_operation& op) {
  const auto* known = named(op);
  return is_change(op) || (known != nullptr && known->effect == wsman::effect::change);
}

} // namespace

void link_state_machine::start(link_actor::pointer self, const services& with, identity who,
                               std::shared_ptr<amt_link_port> port,
                               weak_handle<instance_actor> owner) {
  self_ = self;
  with_ = &with;
  who_ = std::move(who);
  port_ = std::move(port);
  owner_ = std::move(owner);
}

link_state_machine::~link_state_machine() {
  if (with_)
    with_->counters.queued_calls -= waiting_.size() + (current_ ? 1 : 0);
}

void link_state_machine::answer(const amt_call& call, const call_origin& origin,
                                result<amt_outcome> outcome) {
  if (!outcome)
    ++with_->counters.amt_failures;
  with_->counters.amt[call.operation.index()].ended(outcome);
  say(call, origin, std::move(outcome));
}

void link_state_machine::say(const amt_call& call, const call_origin& origin,
                             result<amt_outcome> outcome) {
  amt_answer a;
  a.id = call.id;
  a.device = who_.ref;
  a.epoch = who_.epoch;
  a.outcome = std::move(outcome);
  const auto* known = named(call.operation);
  owner_->tell(call_finished{std::move(a), origin,
                             known == nullptr ? std::string{} : std::string(known->name)});
}

void link_state_machine::remember(const amt_call& call, const result<amt_outcome>& outcome) {
  if (!changes(call.operation))
    return;
  amt_answer a;
  a.id = call.id;
  a.device = who_.ref;
  a.epoch = who_.epoch;
  a.outcome = outcome;
  done_.push_back(std::move(a));
  if (done_.size() > remembered)
    done_.pop_front();
}

/// Never to be carried out: a change that was refused stays refused when it is delivered again.
void link_state_machine::refuse(const amt_call& call, const call_origin& origin, failure why) {
  result<amt_outcome> outcome(std::move(why));
  remember(call, outcome);
  answer(call, origin, std::move(outcome));
}

void link_state_machine::on(link_call c) {
  for (const auto& known : done_)
    if (known.id == c.call.id) {
      ++with_->counters.duplicates;
      return say(c.call, c.origin, known.outcome);
    }
  const bool repeated = (current_ && current_->what.call.id == c.call.id) ||
                        std::any_of(waiting_.begin(), waiting_.end(),
                                    [&](const auto& w) { return w.call.id == c.call.id; });
  if (repeated) {
    ++with_->counters.duplicates;
    return; // its one answer is on its way
  }
  if (c.call.epoch != 0 && c.call.epoch != who_.epoch)
    return refuse(c.call, c.origin, fail(problem::stale_epoch));
  if (c.call.deadline <= with_->clock.now())
    return refuse(c.call, c.origin, fail(problem::expired));
  if (waiting_.size() >= max_waiting)
    return refuse(c.call, c.origin,
                  fail(problem::busy, "64 calls are waiting for this machine already"));
  ++with_->counters.queued_calls;
  waiting_.push_back(std::move(c));
  if (!current_)
    begin_next();
  arm();
}

void link_state_machine::begin_next() {
  const auto now = with_->clock.now();
  while (!waiting_.empty() && waiting_.front().call.deadline <= now)
    expire(waiting_.begin());
  if (waiting_.empty())
    return;
  auto next = std::move(waiting_.front());
  waiting_.pop_front();
  ++with_->counters.amt_calls;
  auto operation = next.call.operation;
  if (auto* p = std::get_if<amt::perform>(&operation); p != nullptr && p->sealed) {
    auto argument = with_->secrets.open(who_.ref, p->argument);
    if (!argument) {
      refuse(next.call, next.origin, argument.error());
      --with_->counters.queued_calls;
      return begin_next();
    }
    p->argument = argument->reveal();
    p->sealed = false;
  }
  current_.emplace(running{std::move(next), amt::operation_run(operation, next_message_id_), now});
  next_message_id_ = (next_message_id_ + amt::operation_run::max_messages) & 0x7fffffffU;
  post();
}

void link_state_machine::post() {
  if (current_->run.finished())
    return finish_current(current_->run.outcome());
  auto left = std::chrono::milliseconds(current_->what.call.deadline - with_->clock.now());
  if (left.count() <= 0) // the next step does not leave
    return finish_current(fail(problem::device_timeout));
  auto soap = current_->run.next_request();
  if (!soap)
    return finish_current(current_->run.outcome());
  ++exchange_;
  port_->post(std::move(*soap), left,
              [me = weak_handle<link_actor>(self_), n = exchange_](result<soap_answer> a) {
                me.tell(soap_arrived{n, std::move(a)});
              });
}

void link_state_machine::on(soap_arrived arrived) {
  if (!current_ || arrived.exchange != exchange_)
    return; // given up already
  if (!arrived.answer) {
    auto why = arrived.answer.error();
    // A request that was written and not answered may have been carried out, if it was a change.
    const bool maybe = why.what == problem::outcome_unknown || why.what == problem::device_timeout;
    if (maybe && !current_->run.change_sent())
      why =
          fail(why.what == problem::outcome_unknown ? problem::link_down : problem::device_timeout,
               why.detail);
    else if (maybe)
      why = fail(problem::outcome_unknown, why.detail);
    return finish_current(std::move(why));
  }
  current_->run.feed(arrived.answer->status, arrived.answer->body);
  post();
}

void link_state_machine::finish_current(result<amt_outcome> outcome) {
  auto over = std::move(*current_);
  current_.reset();
  --with_->counters.queued_calls;
  with_->counters.amt[over.what.call.operation.index()].took.add(
      std::chrono::milliseconds(with_->clock.now() - over.since));
  remember(over.what.call, outcome);
  answer(over.what.call, over.what.origin, std::move(outcome));
  begin_next();
}

time_ms link_state_machine::next_deadline() const {
  time_ms soonest = 0;
  auto consider = [&](time_ms t) {
    if (soonest == 0 || t < soonest)
      soonest = t;
  };
  // The call in flight is bounded by the port; a second more, in case the port is at fault.
  if (current_)
    consider(current_->what.call.deadline + 1000);
  for (const auto& w : waiting_)
    consider(w.call.deadline);
  return soonest;
}

void link_state_machine::arm() {
  auto soonest = next_deadline();
  if (soonest == 0 || (armed_for_ != 0 && armed_for_ <= soonest))
    return;
  armed_for_ = soonest;
  ++timer_;
  auto after = std::chrono::milliseconds(std::max<time_ms>(soonest - with_->clock.now(), 1));
  self_->delayed_send(self_, after, link_tick{timer_});
}

std::deque<link_call>::iterator link_state_machine::expire(std::deque<link_call>::iterator at) {
  auto late = std::move(*at);
  at = waiting_.erase(at);
  --with_->counters.queued_calls;
  refuse(late.call, late.origin,
         fail(problem::expired, "it waited behind other calls until its deadline"));
  return at;
}

void link_state_machine::on(const link_tick& tick) {
  if (tick.generation != timer_)
    return;
  armed_for_ = 0;
  const auto now = with_->clock.now();
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    if (at->call.deadline > now) {
      ++at;
      continue;
    }
    at = expire(at);
  }
  if (current_ && current_->what.call.deadline + 1000 <= now) {
    ++exchange_; // whatever still comes is too late
    finish_current(
        fail(current_->run.change_sent() ? problem::outcome_unknown : problem::device_timeout));
  }
  arm();
}

void link_state_machine::on(const link_stop& stop) {
  if (current_) {
    const bool sent = current_->run.change_sent();
    auto over = std::move(*current_);
    current_.reset();
    --with_->counters.queued_calls;
    answer(over.what.call, over.what.origin, fail(sent ? problem::outcome_unknown : stop.why));
  }
  for (auto& w : waiting_)
    answer(w.call, w.origin, fail(stop.why));
  with_->counters.queued_calls -= waiting_.size();
  waiting_.clear();
  self_->quit();
}

link_actor::behavior_type link_behavior(link_actor::stateful_pointer<link_state_machine> self,
                                        const services* with, link_state_machine::identity who,
                                        std::shared_ptr<amt_link_port> port,
                                        weak_handle<instance_actor> owner) {
  self->state.start(self, *with, std::move(who), std::move(port), std::move(owner));
  return {
      [self](const link_call& c) { self->state.on(c); },
      [self](const soap_arrived& a) { self->state.on(a); },
      [self](const link_tick& t) { self->state.on(t); },
      [self](const link_stop& s) { self->state.on(s); },
  };
}

} // namespace outband
