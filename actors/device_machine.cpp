#include "actors/device_machine.hpp"

#include <algorithm>
#include <limits>

namespace outband {

namespace {

using namespace std::chrono_literals;

/// Waits before the wish is tried again after a failure.
constexpr std::chrono::milliseconds retry_after[] = {5s, 15s, 60s, 5min, 30min};

constexpr std::size_t max_conditions = 8;

struct decision {
  device_memory& mem;
  time_ms now;
  const std::function<uuid()>& fresh_id;
  std::vector<device_effect> out;
  bool changed = false;
  bool presence_changed = false;

  // -- small words ------------------------------------------------------------------------------

  power_level level() const { return level_of(mem.current.power.state); }
  bool link_usable() const {
    return mem.current.link.state == link_state::up || mem.current.link.state == link_state::late;
  }

  void say(event_class cls, std::string type, std::string text, std::string from = {},
           std::string to = {}, std::string by = {}, std::optional<uuid> command = {}) {
    event e;
    e.cls = cls;
    e.type = std::move(type);
    e.text = std::move(text);
    e.from = std::move(from);
    e.to = std::move(to);
    e.by = std::move(by);
    e.command = command;
    out.emplace_back(emit_event{std::move(e)});
  }

  void set_condition(std::string_view type, bool ok, std::string code, std::string reason) {
    auto& all = mem.current.conditions;
    auto at = std::find_if(all.begin(), all.end(), [&](auto& c) { return c.type == type; });
    if (at == all.end()) {
      if (ok || all.size() >= max_conditions)
        return; // absent means fine
      all.push_back({std::string(type), ok, std::move(code), std::move(reason), now});
      changed = true;
      return;
    }
    if (at->ok == ok && at->code == code && at->reason == reason)
      return;
    if (ok) {
      all.erase(at);
    } else {
      if (at->ok != ok || at->code != code)
        at->since = now;
      at->ok = ok;
      at->code = std::move(code);
      at->reason = std::move(reason);
    }
    changed = true;
  }

  open_command* command_of(const uuid& id) {
    auto at = std::find_if(mem.commands.begin(), mem.commands.end(),
                           [&](auto& c) { return c.row.id == id; });
    return at == mem.commands.end() ? nullptr : &*at;
  }

  void finish(uuid id, request_status status, std::string text, std::optional<failure> why = {},
              std::optional<std::uint32_t> return_value = {}) {
    auto* known = command_of(id);
    if (!known)
      return;
    response r;
    r.id = id;
    r.status = status;
    r.text = text;
    r.why = std::move(why);
    r.return_value = return_value;
    say(event_class::command, "command." + std::string(to_string(status)), std::move(text), {}, {},
        known->row.by, id);
    out.emplace_back(finish_command{known->row, std::move(r)});
    mem.commands.erase(mem.commands.begin() + (known - mem.commands.data()));
    changed = true;
  }

  // -- calls and timers -------------------------------------------------------------------------

  void call(amt_operation op, std::optional<uuid> after_marking = {}) {
    send_call s;
    s.call.id = fresh_id();
    s.call.device = mem.ref;
    s.call.epoch = mem.current.link.epoch;
    s.call.deadline =
        now + (is_change(op) ? mem.times.change_deadline : mem.times.read_deadline).count();
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

  void arm(std::chrono::milliseconds after) { out.emplace_back(arm_timer{after}); }

  // -- the run ----------------------------------------------------------------------------------

  std::string wanted_text() const {
    const auto& run = *mem.run;
    if (const auto* once = std::get_if<ask_once>(&run.goal))
      return std::string(to_string(once->what));
    if (const auto* action = std::get_if<ask_action>(&run.goal))
      return describe(action->action);
    return std::string(to_string(run.target));
  }

  void begin(power_run run) {
    mem.run = std::move(run);
    mem.run->phase = run_phase::reading;
    call(amt::read_power{});
  }

  /// The run is over and has done, or found, what was wanted.
  void reached(std::string text) {
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

  void gave_up(failure why, std::optional<std::uint32_t> return_value = {}) {
    auto run = *mem.run;
    mem.run.reset();
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
        auto n = std::min<std::size_t>(static_cast<std::size_t>(mem.failures),
                                       std::size(retry_after) - 1);
        ++mem.failures;
        mem.not_before = now + retry_after[n].count();
      }
    }
    next();
  }

  /// Before the first action: allowed? needed? which action?
  void plan() {
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

  /// As wanted at the moment, but a former action may still have effect: look again, a bounded
  /// number of times.
  void wait_for_rest() {
    progress("Waiting for the effect of the action before.");
    mem.run.reset();
    mem.not_before = std::min<time_ms>(mem.moving_until, now + mem.times.max_look.count());
    next();
  }

  /// Nobody follows the run any more; what it sent may still have effect.
  void abandon() {
    const auto& run = *mem.run;
    if (run.phase == run_phase::watching || run.phase == run_phase::watching_force)
      mem.moving_until = std::max(mem.moving_until, run.phase_until);
    mem.run.reset();
  }

  void send_first() {
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
    call(amt::request_power{run.plan.first}, run.command);
  }

  void send_forced(const std::string& because) {
    auto& run = *mem.run;
    auto action = *run.plan.forced;
    run.phase = run_phase::forcing;
    run.looks = 0;
    say(event_class::power, "power.forcing", because + " Sending " + describe(action) + ".", {}, {},
        {}, run.command);
    progress(because + " Sending " + describe(action) + ".");
    call(amt::request_power{action});
  }

  void progress(std::string text) {
    if (mem.run->target != power_target::keep)
      set_condition("power", false, "in-progress", std::move(text));
  }

  void watch(run_phase phase, std::chrono::milliseconds limit) {
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

  void look_later() {
    auto& run = *mem.run;
    std::chrono::milliseconds wait = mem.times.first_look * (1LL << std::min(run.looks, 10));
    wait = std::min(wait, mem.times.max_look);
    auto left = std::chrono::milliseconds(std::max<time_ms>(run.phase_until - now, 0));
    ++run.looks;
    arm(std::min(wait, left));
  }

  /// Nobody wants any more what this run is after.
  bool overtaken() const {
    const auto& run = *mem.run;
    return (!run.command || run.settled) && run.target != power_target::keep &&
           mem.desired.power.target != power_target::keep && mem.desired.power.target != run.target;
  }

  /// A cycle shows: the machine is not on for a moment, or the tunnel breaks. A reset may not.
  bool must_leave() const {
    const auto a = last_sent();
    return a == power_action::cycle_soft || a == power_action::cycle_hard ||
           a == power_action::cycle_soft_graceful || a == power_action::cycle_hard_graceful;
  }

  /// A fresh reading arrived while watching, or the watch's time is over.
  void judge(bool time_over) {
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
      return gave_up(fail(problem::outcome_unknown,
                          "The firmware accepted the " + describe(last_sent()) +
                              ", but would not tell the machine's state afterwards."));
    gave_up(fail(problem::device_refused, "The firmware accepted the " + describe(last_sent()) +
                                              ", but the machine is still " +
                                              std::string(to_string(level())) + "."));
  }

  power_action last_sent() const {
    const auto& run = *mem.run;
    const bool forced = run.phase == run_phase::forcing || run.phase == run_phase::watching_force;
    return forced && run.plan.forced ? *run.plan.forced : run.plan.first;
  }

  void acknowledged(std::uint32_t rv) {
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

  /// Does the operating system carry it out, at its own pace?
  static bool by_the_os(power_action a) {
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

  // -- what to do next --------------------------------------------------------------------------

  void settle_wish() {
    if (mem.desired_rev == 0 || mem.current.desired_rev == mem.desired_rev)
      return;
    // Only what was seen over a living link counts as satisfied.
    if (mem.desired.power.target != power_target::keep &&
        (!link_usable() || !satisfies(level(), mem.desired.power.target) || !mem.seen ||
         now < mem.moving_until || now - mem.current.power.observed > mem.times.believed.count()))
      return;
    mem.current.desired_rev = mem.desired_rev;
    set_condition("power", true, {}, {});
    changed = true;
    if (mem.desired.power.target != power_target::keep)
      say(event_class::power, "power.reached",
          "The machine is " + std::string(to_string(level())) + ", as wanted.", {},
          std::string(to_string(level())));
  }

  /// A refused transition becomes possible again when the state changes.
  void state_changed() {
    if (mem.not_before == std::numeric_limits<time_ms>::max())
      mem.not_before = 0;
  }

  void next() {
    if (mem.run)
      return;
    while (!mem.run && !mem.commands.empty()) {
      const auto first = mem.commands.front();
      if (first.row.dispatched) {
        // Sent by a former life of this actor: never again.
        finish(first.row.id, request_status::unknown,
               "The server stopped after sending this and before the answer.",
               fail(problem::outcome_unknown));
        continue;
      }
      if (first.row.deadline != 0 && first.row.deadline <= now) {
        finish(first.row.id, request_status::expired,
               "The deadline passed before it could be sent.", fail(problem::expired));
        continue;
      }
      if (!link_usable()) {
        finish(first.row.id, request_status::failed, "The machine has no tunnel; nothing was sent.",
               fail(problem::link_down));
        continue;
      }
      begin_command(first);
    }
    if (!mem.run)
      begin_wish();
  }

  void begin_command(const open_command& c);
  void begin_wish() {
    const auto target = mem.desired.power.target;
    settle_wish();
    if (target == power_target::keep) {
      set_condition("power", true, {}, {});
      return;
    }
    const bool settled = mem.current.desired_rev == mem.desired_rev && satisfies(level(), target) &&
                         now >= mem.moving_until;
    if (settled)
      return set_condition("power", true, {}, {});
    if (!link_usable())
      return set_condition("power", false, "waiting",
                           "Waiting for the machine's tunnel; the wish is kept.");
    if (now < mem.not_before) {
      if (mem.not_before != std::numeric_limits<time_ms>::max())
        arm(std::chrono::milliseconds(mem.not_before - now));
      return;
    }
    power_run run;
    run.goal = ask_desired{};
    run.target = target;
    run.policy = mem.desired.power.policy;
    run.rev = mem.desired_rev;
    begin(std::move(run));
  }

  // -- observations -----------------------------------------------------------------------------

  void read(const amt::power_reading& r) {
    auto& p = mem.current.power;
    const auto before = level();
    mem.seen = true;
    if (mem.run)
      mem.run->seen = true;
    if (p.state != r.state) {
      p.state = r.state;
      p.since = now;
      changed = true;
      if (before != level()) {
        say(event_class::power, "power.changed",
            "The machine is " + std::string(to_string(level())) +
                (before == power_level::unknown
                     ? "."
                     : ", it was " + std::string(to_string(before)) + "."),
            std::string(to_string(before)), std::string(to_string(level())));
        state_changed();
      }
    }
    if (p.os_power_saving != r.os_power_saving) {
      p.os_power_saving = r.os_power_saving;
      changed = true;
    }
    p.observed = now;
    if (now - mem.stored_observed >= mem.times.freshness.count())
      changed = true;
    if (mem.run && mem.run->target == power_target::keep && level() != power_level::on)
      mem.run->left = true;
  }

  bool is_ours(const observation& o) {
    if (o.epoch >= mem.current.link.epoch)
      return true;
    out.emplace_back(drop_stale{});
    return false;
  }

  void on(const awakened&) { next(); }

  void on(const row_stored& s) {
    bool new_command = false;
    for (const auto& command : s.commands) {
      if (command_of(command.row.id) || is_final(command.row.status))
        continue;
      mem.commands.push_back(command);
      new_command = true;
    }
    bool new_wish = false;
    if (s.rev > mem.desired_rev) {
      new_wish = s.desired.power.target != mem.desired.power.target ||
                 s.desired.power.policy != mem.desired.power.policy;
      mem.desired = s.desired;
      mem.desired_rev = s.rev;
      mem.failures = 0;
      mem.not_before = 0;
      changed = true;
    }
    if (mem.run && (new_command || new_wish) && may_be_dropped(*mem.run))
      abandon();
    next();
  }

  /// Nothing of the run is under way at the firmware that somebody waits for: plan anew.
  static bool may_be_dropped(const power_run& run) {
    if (run.command && !run.settled)
      return false;
    return run.phase == run_phase::reading || run.phase == run_phase::versions ||
           run.phase == run_phase::capabilities || run.phase == run_phase::watching ||
           run.phase == run_phase::watching_force;
  }

  void on(const timer_fired&) {
    if (!mem.run)
      return next();
    auto& run = *mem.run;
    if (run.phase == run_phase::watching || run.phase == run_phase::watching_force) {
      const bool over = now >= run.phase_until;
      if (!run.call.is_nil()) { // a look that got no answer in time
        run.call = uuid{};
        return judge(over);
      }
      if (link_usable() && !run.last_look) {
        run.last_look = over;
        return call(amt::read_power{});
      }
      return judge(over); // without a link: link_up will look at once
    }
    // The link owes us an answer and will not give it any more.
    answered(fail(is_sent(run.phase) ? problem::outcome_unknown : problem::device_timeout));
  }

  static bool is_sent(run_phase p) { return p == run_phase::sending || p == run_phase::forcing; }

  void on(const observation& o) {
    // What became of our own call is worth hearing even over a link that is gone.
    const auto* a = std::get_if<amt_answer>(&o.body);
    if (a && mem.run && mem.run->call == a->id)
      return on_answer(*a, o.epoch == mem.current.link.epoch);
    if (!is_ours(o))
      return;
    struct visitor {
      decision& d;
      const observation& o;
      void operator()(const link_up& up) const { d.link_came(o, up); }
      void operator()(const link_down& down) const { d.link_went(o, down); }
      void operator()(const link_late& late) const { d.link_lags(late); }
      void operator()(const power_seen& seen) const {
        d.read(seen.reading);
        d.seen_by_chance();
      }
      void operator()(const amt_answer& late) const { d.on_answer(late, true); }
    };
    std::visit(visitor{*this, o}, o.body);
  }

  void seen_by_chance() {
    if (!mem.run)
      return next();
    if (mem.run->call.is_nil() &&
        (mem.run->phase == run_phase::watching || mem.run->phase == run_phase::watching_force))
      judge(now >= mem.run->phase_until);
  }

  void link_came(const observation& o, const link_up& up) {
    auto& l = mem.current.link;
    const bool again = l.state == link_state::up && l.epoch == o.epoch;
    if (again)
      return;
    const auto before = l.state;
    l.state = link_state::up;
    l.epoch = o.epoch;
    l.instance = up.instance;
    l.peer = up.peer;
    l.why.clear();
    l.since = now;
    changed = presence_changed = true;
    mem.can.reset(); // firmware may have been updated meanwhile
    mem.versions_asked = false;
    mem.seen = false;
    say(event_class::link, "link.up", "The machine called home from " + up.peer + ".",
        std::string(to_string(before)), "up");
    if (mem.run) {
      auto& run = *mem.run;
      if (run.phase == run_phase::watching || run.phase == run_phase::watching_force) {
        run.left = true;
        run.seen = false;
        run.call = uuid{};
        return call(amt::read_power{});
      }
      // A call of the former link will be answered with link_down or outcome_unknown.
      if (is_sent(run.phase))
        return;
      if (run.command) { // nothing was sent yet: start over on the new link
        run.phase = run_phase::reading;
        return call(amt::read_power{});
      }
      mem.run.reset(); // the look below replaces it
    }
    mem.not_before = 0;
    mem.failures = 0;
    // A machine that just came may be in any state: look once.
    power_run look;
    look.goal = ask_desired{};
    look.target = mem.desired.power.target;
    look.policy = mem.desired.power.policy;
    look.rev = mem.desired_rev;
    if (mem.commands.empty())
      begin(std::move(look));
    else
      next();
  }

  void link_went(const observation& o, const link_down& down) {
    auto& l = mem.current.link;
    if (l.state == link_state::down && l.epoch == o.epoch)
      return;
    const auto before = l.state;
    l.epoch = o.epoch;
    l.state = link_state::down;
    l.why = std::string(to_string(down.why));
    l.since = now;
    changed = presence_changed = true;
    say(event_class::link, "link.down",
        down.text.empty() ? "The machine's tunnel ended." : down.text,
        std::string(to_string(before)), "down");
    if (!mem.run)
      return next();
    auto& run = *mem.run;
    if (run.phase == run_phase::watching || run.phase == run_phase::watching_force) {
      run.left = true;
      if (!run.call.is_nil()) {
        run.call = uuid{};
        look_later();
      }
      return;
    }
    if (!is_sent(run.phase))
      return answered(
          fail(problem::link_down, "The machine's tunnel ended before anything was sent."));
    // In flight: the link answers what is known of it (outcome_unknown if it had been written).
  }

  void link_lags(const link_late& late) {
    auto& l = mem.current.link;
    auto next_state = late.late ? link_state::late : link_state::up;
    if (l.state == next_state || l.state == link_state::down)
      return;
    say(event_class::link, late.late ? "link.late" : "link.up",
        late.late ? "The machine has been silent for 45 s." : "The machine speaks again.",
        std::string(to_string(l.state)), std::string(to_string(next_state)));
    l.state = next_state;
    l.since = now;
    changed = presence_changed = true;
  }

  void on_answer(const amt_answer& a, bool newest_link) {
    if (a.outcome && newest_link) {
      if (const auto* r = std::get_if<amt::power_reading>(&*a.outcome))
        read(*r);
      if (const auto* c = std::get_if<power_capabilities>(&*a.outcome))
        mem.can = *c;
      if (const auto* v = std::get_if<amt::versions>(&*a.outcome))
        learn(*v);
    }
    if (!mem.run || mem.run->call != a.id)
      return; // late: what could be learned from it has been
    mem.run->call = uuid{};
    if (!a.outcome)
      return answered(a.outcome.error());
    set_condition("credentials", true, {}, {});
    if (const auto* ack = std::get_if<amt::power_ack>(&*a.outcome)) {
      if (is_sent(mem.run->phase))
        acknowledged(ack->return_value);
      return;
    }
    switch (mem.run->phase) {
    case run_phase::reading:
      if (!mem.versions_asked && !mem.run->command) {
        mem.versions_asked = true;
        mem.run->phase = run_phase::versions;
        return call(amt::read_versions{});
      }
      return after_reading();
    case run_phase::versions:
      return after_reading();
    case run_phase::capabilities:
      return send_first();
    case run_phase::watching:
    case run_phase::watching_force:
      return judge(now >= mem.run->phase_until);
    case run_phase::sending:
    case run_phase::forcing:
      return;
    }
  }

  void after_reading() {
    if (mem.run->command || mem.run->target != power_target::keep)
      return plan();
    mem.run.reset(); // a look without a wish ends here
    settle_wish();
    next();
  }

  void learn(const amt::versions& v) {
    auto& known = mem.current.amt;
    if (known.version == v.amt && known.provisioning_mode == v.provisioning_mode)
      return;
    say(event_class::amt, "amt.version", "The firmware is AMT " + v.amt + ".", known.version,
        v.amt);
    known.version = v.amt;
    known.provisioning_mode = v.provisioning_mode;
    changed = true;
  }

  /// The call in flight failed.
  void answered(failure why) {
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
};

void decision::begin_command(const open_command& c) {
  power_run run;
  run.command = c.row.id;
  run.goal = c.body;
  if (const auto* once = std::get_if<ask_once>(&c.body)) {
    run.policy = once->policy;
  } else if (const auto* action = std::get_if<ask_action>(&c.body)) {
    run.policy = power_policy::immediate;
    run.target = target_of(action->action);
    run.rev = mem.desired_rev;
  } else {
    return finish(c.row.id, request_status::failed, "This act is not carried out by a machine.",
                  fail(problem::internal));
  }
  begin(std::move(run));
}

} // namespace

std::vector<device_effect> decide(device_memory& mem, const device_event& what, time_ms now,
                                  const std::function<uuid()>& fresh_id) {
  decision d{mem, now, fresh_id, {}, false, false};
  std::visit([&](const auto& e) { d.on(e); }, what);
  if (d.changed || d.presence_changed) {
    mem.stored_observed = mem.current.power.observed;
    d.out.emplace_back(write_current{d.presence_changed});
  }
  return std::move(d.out);
}

bool quiet(const device_memory& mem, time_ms now) {
  return !mem.run && mem.commands.empty() &&
         (mem.not_before <= now || mem.not_before == std::numeric_limits<time_ms>::max() ||
          !(mem.current.link.state == link_state::up ||
            mem.current.link.state == link_state::late));
}

} // namespace outband
