/// The run: one attempt to change the machine's power, from the first reading to its outcome.
#include "actors/device_decision.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>
#include <variant>

namespace outband::detail {

namespace {

using namespace std::chrono_literals;

/// Waits before the wish is tried again after a failure.
constexpr std::chrono::milliseconds retry_after[] = {5s, 15s, 60s, 5min, 30min};

} // namespace

void decision::call(amt_operation op, std::optional<uuid> after_marking) {
  send_call s;
  s.call.id = fresh_id();
  s.call.device = mem.ref;
  s.call.epoch = mem.current.link.epoch;
  s.call.deadline =
      now + (is_change(op) || after_marking ? mem.times.change_deadline : mem.times.read_deadline)
                .count();
  // Who asked has been told by then that nothing came of it: it must not happen afterwards.
  if (after_marking)
    if (auto* c = command_of(*after_marking); c && c->row.deadline != 0)
      s.call.deadline = std::min(s.call.deadline, c->row.deadline);
  s.call.operation = std::move(op);
  s.instance = mem.current.link.instance;
  s.after_marking = after_marking;
  mem.run->call = s.call.id;
  // The link answers at the latest at the deadline; if even that is lost, we go on.
  arm(std::chrono::milliseconds(s.call.deadline - now + 5000));
  out.emplace_back(std::move(s));
}

void decision::begin(power_run run) {
  mem.look_at = 0; // every run begins with a reading
  mem.run = std::move(run);
  mem.run->phase = run_phase::reading;
  call(amt::read_power{});
}

void decision::reached(std::string text) {
  auto run = *mem.run;
  mem.run.reset();
  mem.failures = 0;
  mem.not_before = 0;
  set_condition("power", true, {}, {});
  if (run.command && !run.settled)
    finish(*run.command, request_status::done, std::move(text), {}, 0U);
  settle_wish();
  next();
}

void decision::gave_up(failure why, std::optional<std::uint32_t> return_value) {
  auto run = *mem.run;
  mem.run.reset();
  // Whatever kept it from being sent: after its deadline, that is what its sender asked to be told.
  const bool unsent = run.phase == run_phase::reading || run.phase == run_phase::capabilities;
  if (run.command && unsent)
    if (const auto* c = command_of(*run.command);
        c && c->row.deadline != 0 && c->row.deadline <= now)
      why = fail(problem::expired, "The deadline passed before it could be sent.");
  auto text = why.detail.empty() ? std::string(explain(why.what).what) : why.detail;
  if (run.command && !run.settled) {
    auto status = why.what == problem::outcome_unknown ? request_status::unknown
                  : why.what == problem::expired       ? request_status::expired
                                                       : request_status::failed;
    finish(*run.command, status, text, why, return_value);
  }
  if (run.target != power_target::keep && mem.desired.power.target == run.target) {
    const bool refused = why.what == problem::transition_refused;
    set_condition("power", false, std::string(explain(why.what).code), text);
    if (!run.command)
      say(event_class::power, refused ? "power.refused" : "power.failed", text);
    // What the present state forbids is tried again when the state changes, not by the clock.
    if (refused) {
      mem.not_before = std::numeric_limits<time_ms>::max();
    } else {
      auto n =
          std::min<std::size_t>(static_cast<std::size_t>(mem.failures), std::size(retry_after) - 1);
      ++mem.failures;
      mem.not_before = now + retry_after[n].count();
    }
  }
  next();
}

void decision::plan() {
  auto& run = *mem.run;
  status allowed = success();
  if (const auto* once = std::get_if<ask_once>(&run.goal))
    allowed = check_transition(level(), once->what);
  else if (const auto* action = std::get_if<ask_action>(&run.goal))
    allowed = check_transition(level(), action->action);
  else
    allowed = check_transition(level(), run.target);
  if (!allowed)
    return gave_up(allowed.error());
  if (std::holds_alternative<ask_desired>(run.goal) && satisfies(level(), run.target) &&
      now < mem.moving_until)
    return wait_for_rest();
  // An explicit action is sent even if the machine is there already, as MPS does.
  if (std::holds_alternative<ask_desired>(run.goal) && satisfies(level(), run.target))
    return reached("The machine is " + std::string(to_string(level())) + " already.");
  const bool needs_to_know = run.policy == power_policy::ordered &&
                             !std::holds_alternative<ask_action>(run.goal) &&
                             run.target != power_target::on;
  if (needs_to_know && !mem.can) {
    run.phase = run_phase::capabilities;
    return call(amt::read_capabilities{});
  }
  send_first();
}

void decision::wait_for_rest() {
  progress("Waiting for the effect of the action before.");
  mem.run.reset();
  mem.not_before = std::min<time_ms>(mem.moving_until, now + mem.times.max_look.count());
  next();
}

void decision::abandon() {
  const auto& run = *mem.run;
  if (run.phase == run_phase::watching || run.phase == run_phase::watching_force)
    mem.moving_until = std::max(mem.moving_until, run.phase_until);
  mem.run.reset();
}

void decision::send_first() {
  auto& run = *mem.run;
  if (run.command)
    if (auto* c = command_of(*run.command); c && c->row.deadline != 0 && c->row.deadline <= now)
      return gave_up(fail(problem::expired, "The deadline passed before it could be sent."));
  mem.moving_until = 0; // the new action has the last word
  auto can = mem.can.value_or(power_capabilities{});
  if (const auto* once = std::get_if<ask_once>(&run.goal))
    run.plan = plan_for(once->what, run.policy, can);
  else if (const auto* action = std::get_if<ask_action>(&run.goal))
    run.plan = {action->action, std::nullopt};
  else
    run.plan = plan_for(run.target, run.policy, can);
  run.phase = run_phase::sending;
  progress("Asking the firmware for " + describe(run.plan.first) + ".");
  const auto* action = std::get_if<ask_action>(&run.goal);
  if (action != nullptr && !action->boot.empty())
    return call(amt::perform{"boot.set", action->boot, true}, run.command);
  call(amt::request_power{run.plan.first}, run.command);
}

void decision::send_forced(const std::string& because) {
  auto& run = *mem.run;
  auto action = *run.plan.forced;
  run.phase = run_phase::forcing;
  run.looks = 0;
  say(event_class::power, "power.forcing", because + " Sending " + describe(action) + ".", {}, {},
      {}, run.command);
  progress(because + " Sending " + describe(action) + ".");
  call(amt::request_power{action});
}

void decision::progress(std::string text) {
  if (mem.run->target != power_target::keep)
    set_condition("power", false, "in-progress", std::move(text));
}

void decision::watch(run_phase phase, std::chrono::milliseconds limit) {
  auto& run = *mem.run;
  run.phase = phase;
  run.call = uuid{};
  run.looks = 0;
  run.seen = false;
  run.left = !link_usable();
  run.last_look = false;
  run.phase_until = now + limit.count();
  look_later();
}

void decision::look_later() {
  auto& run = *mem.run;
  std::chrono::milliseconds wait = mem.times.first_look * (1LL << std::min(run.looks, 10));
  wait = std::min(wait, mem.times.max_look);
  auto left = std::chrono::milliseconds(std::max<time_ms>(run.phase_until - now, 0));
  ++run.looks;
  arm(std::min(wait, left));
}

bool decision::overtaken() const {
  const auto& run = *mem.run;
  return (!run.command || run.settled) && run.target != power_target::keep &&
         mem.desired.power.target != power_target::keep && mem.desired.power.target != run.target;
}

bool decision::must_leave() const {
  const auto a = last_sent();
  return a == power_action::cycle_soft || a == power_action::cycle_hard ||
         a == power_action::cycle_soft_graceful || a == power_action::cycle_hard_graceful;
}

void decision::judge(bool time_over) {
  auto& run = *mem.run;
  if (overtaken()) {
    abandon();
    return next();
  }
  // Only what was seen since counts: a look that failed proves nothing.
  if (link_usable() && run.seen) {
    const auto is = std::string(to_string(level()));
    if (run.target != power_target::keep && satisfies(level(), run.target))
      return reached("The machine is " + is + ".");
    if (run.target == power_target::keep && level() == power_level::on &&
        (time_over || run.left || !must_leave()))
      return reached("The firmware carried out the " + describe(last_sent()) +
                     "; the machine is on.");
  }
  if (!time_over)
    return look_later();
  // What happens once is not repeated by force: the machine was seen to leave, or was not seen.
  if (run.phase == run_phase::watching && run.plan.forced && link_usable() &&
      run.target != power_target::keep) {
    auto seconds = std::chrono::duration_cast<std::chrono::seconds>(mem.times.graceful).count();
    return send_forced("The operating system did not obey the " + describe(run.plan.first) +
                       " within " + std::to_string(seconds) + " s.");
  }
  if (!link_usable())
    return gave_up(fail(problem::outcome_unknown,
                        "The firmware accepted the " + describe(last_sent()) +
                            ", but the machine's tunnel has not come back to tell the outcome."));
  if (!run.seen)
    return gave_up(
        fail(problem::outcome_unknown, "The firmware accepted the " + describe(last_sent()) +
                                           ", but would not tell the machine's state afterwards."));
  gave_up(fail(problem::device_refused, "The firmware accepted the " + describe(last_sent()) +
                                            ", but the machine is still " +
                                            std::string(to_string(level())) + "."));
}

power_action decision::last_sent() const {
  const auto& run = *mem.run;
  const bool forced = run.phase == run_phase::forcing || run.phase == run_phase::watching_force;
  return forced && run.plan.forced ? *run.plan.forced : run.plan.first;
}

void decision::acknowledged(std::uint32_t rv) {
  auto& run = *mem.run;
  const bool first = run.phase == run_phase::sending;
  if (rv != 0) {
    if (first && run.plan.forced)
      return send_forced("The firmware answered " + std::string(pt_status_name(rv)) + " to " +
                         describe(run.plan.first) + ".");
    return gave_up(fail(problem::device_refused,
                        "The firmware answered " + std::string(pt_status_name(rv)) + " (" +
                            std::to_string(rv) + ") to " + describe(last_sent()) + "."),
                   rv);
  }
  // An action of MPS's interface is answered as MPS does: with what the firmware said. The run
  // goes on, so that the current state becomes what was observed.
  if (run.command && !run.settled && std::holds_alternative<ask_action>(run.goal)) {
    run.settled = true;
    finish(*run.command, request_status::done,
           "The firmware accepted the " + describe(run.plan.first) + ".", {}, rv);
  }
  watch(first ? run_phase::watching : run_phase::watching_force,
        by_the_os(last_sent()) ? mem.times.graceful : mem.times.forced);
  if (overtaken()) {
    abandon();
    next();
  }
}

bool decision::by_the_os(power_action a) {
  switch (a) {
  case power_action::on:
  case power_action::cycle_soft:
  case power_action::off_hard:
  case power_action::off_soft:
  case power_action::cycle_hard:
  case power_action::reset:
  case power_action::nmi:
    return false;
  case power_action::sleep_light:
  case power_action::sleep_deep:
  case power_action::hibernate:
  case power_action::off_soft_graceful:
  case power_action::off_hard_graceful:
  case power_action::reset_graceful:
  case power_action::cycle_soft_graceful:
  case power_action::cycle_hard_graceful:
    return true;
  }
  return false;
}

void decision::answered(failure why) {
  auto& run = *mem.run;
  run.call = uuid{};
  if (why.what == problem::device_auth)
    set_condition("credentials", false, std::string(explain(why.what).code),
                  std::string(explain(why.what).what));
  switch (run.phase) {
  case run_phase::watching:
  case run_phase::watching_force:
    // Looking failed; the machine may be between two states. Go on until the time is over.
    return judge(now >= run.phase_until);
  case run_phase::capabilities:
    // Unknown capabilities get the benefit of the doubt, unless the link is gone.
    if (why.what != problem::link_down && why.what != problem::stale_epoch)
      return send_first();
    break;
  case run_phase::sending:
  case run_phase::forcing:
    // It may have been carried out although no answer came: a cycle takes the link with it.
    if (why.what == problem::outcome_unknown || why.what == problem::device_timeout) {
      if (run.command && !run.settled) {
        auto id = *run.command;
        run.settled = true;
        finish(id, request_status::unknown,
               "The link broke after " + describe(last_sent()) +
                   " was sent and before the firmware answered.",
               fail(problem::outcome_unknown));
      }
      return watch(run.phase == run_phase::sending ? run_phase::watching
                                                   : run_phase::watching_force,
                   mem.times.graceful);
    }
    break;
  case run_phase::versions:
    // Good to know, but nothing hangs on it.
    if (why.what != problem::link_down && why.what != problem::stale_epoch)
      return after_reading();
    break;
  case run_phase::reading:
    break;
  }
  const bool link_lost = why.what == problem::link_down || why.what == problem::stale_epoch;
  const bool only_a_look = run.target == power_target::keep;
  if (!run.command && (only_a_look || (link_lost && !is_sent(run.phase)))) {
    mem.run.reset(); // no failure of the machine's: the next event, or the next link, looks again
    return next();
  }
  gave_up(std::move(why));
}

} // namespace outband::detail
