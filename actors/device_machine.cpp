#include "actors/device_machine.hpp"

#include "actors/device_decision.hpp"

#include <algorithm>
#include <limits>
#include <utility>
#include <variant>

namespace outband {

namespace detail {

namespace {

constexpr std::size_t max_conditions = 8;

} // namespace

void decision::say(event_class cls, std::string type, std::string text, std::string from,
                   std::string to, std::string by, std::optional<uuid> command) {
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

void decision::set_condition(std::string_view type, bool ok, std::string code, std::string reason) {
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

open_command* decision::command_of(const uuid& id) {
  auto at = std::find_if(mem.commands.begin(), mem.commands.end(),
                         [&](auto& c) { return c.row.id == id; });
  return at == mem.commands.end() ? nullptr : &*at;
}

void decision::finish(uuid id, request_status status, std::string text, std::optional<failure> why,
                      std::optional<std::uint32_t> return_value) {
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

void decision::settle_wish() {
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

void decision::state_changed() {
  if (mem.not_before == std::numeric_limits<time_ms>::max())
    mem.not_before = 0;
}

void decision::next() {
  if (mem.run)
    return;
  bool must_look = false;
  while (!mem.run && !mem.commands.empty()) {
    const auto first = mem.commands.front();
    if (first.row.dispatched) {
      must_look = true;
      // Sent by a former life of this actor: never again.
      finish(first.row.id, request_status::unknown,
             "The server stopped after sending this and before the answer.",
             fail(problem::outcome_unknown));
      continue;
    }
    if (first.row.deadline != 0 && first.row.deadline <= now) {
      finish(first.row.id, request_status::expired, "The deadline passed before it could be sent.",
             fail(problem::expired));
      continue;
    }
    if (!link_usable()) {
      finish(first.row.id, request_status::failed, "The machine has no tunnel; nothing was sent.",
             fail(problem::link_down));
      continue;
    }
    if (now < mem.conflict_until) {
      finish(first.row.id, request_status::failed,
             "Several machines call home with this GUID; nothing was sent.",
             fail(problem::duplicate_guid));
      continue;
    }
    begin_command(first);
  }
  if (!mem.run && must_look && link_usable() && now >= mem.conflict_until)
    return look();
  if (!mem.run)
    begin_wish();
  if (mem.run || !link_usable() || now < mem.conflict_until)
    return;
  if (mem.look_at != 0) {
    if (now >= mem.look_at)
      return look();
    return arm(std::chrono::milliseconds(mem.look_at - now));
  }
  const bool backing_off =
      mem.not_before > now && mem.not_before != std::numeric_limits<time_ms>::max();
  if (!backing_off)
    look_for_facts();
}

void decision::look() {
  power_run run;
  run.goal = ask_desired{};
  run.target = mem.desired.power.target;
  run.policy = mem.desired.power.policy;
  run.rev = mem.desired_rev;
  begin(std::move(run));
}

void decision::begin_wish() {
  const auto target = mem.desired.power.target;
  if (now < mem.conflict_until)
    return arm(std::chrono::milliseconds(mem.conflict_until - now));
  mem.conflict_until = 0;
  set_condition("link", true, {}, {});
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

} // namespace detail

std::vector<device_effect> decide(device_memory& mem, const device_event& what, time_ms now,
                                  const std::function<uuid()>& fresh_id) {
  detail::decision d{mem, now, fresh_id, {}, false, false};
  std::visit([&](const auto& e) { d.on(e); }, what);
  if (d.changed || d.presence_changed) {
    mem.stored_observed = mem.current.power.observed;
    d.out.emplace_back(write_current{d.presence_changed});
  }
  return std::move(d.out);
}

bool quiet(const device_memory& mem, time_ms now) {
  const bool usable =
      mem.current.link.state == link_state::up || mem.current.link.state == link_state::late;
  return !mem.run && mem.commands.empty() && mem.conflict_until == 0 && mem.look_at == 0 &&
         (!usable || (mem.fact_looks.empty() && mem.fact_call.is_nil() &&
                      std::none_of(mem.failed_looks.begin(), mem.failed_looks.end(),
                                   [](const auto& l) { return l.at != 0; }))) &&
         (mem.not_before <= now || mem.not_before == std::numeric_limits<time_ms>::max() ||
          !usable);
}

} // namespace outband
