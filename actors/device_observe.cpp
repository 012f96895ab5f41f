/// What comes in: the events of a device, what they say of its link, power and firmware, and which
/// step of the run they lead to.
#include "actors/device_decision.hpp"

#include "messages/amt/catalogue.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace outband::detail {

void decision::read(const amt::power_reading& r) {
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
              (before == power_level::unknown ? "."
                                              : ", it was " + std::string(to_string(before)) + "."),
          std::string(to_string(before)), std::string(to_string(level())));
      state_changed();
      if (level() == power_level::on && before != power_level::unknown)
        facts_after_boot();
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

bool decision::is_ours(const observation& o) {
  if (o.epoch >= mem.current.link.epoch)
    return true;
  out.emplace_back(drop_stale{});
  return false;
}

void decision::on(const awakened&) {
  next();
}

void decision::on(const row_stored& s) {
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

bool decision::may_be_dropped(const power_run& run) {
  if (run.command && !run.settled)
    return false;
  return run.phase == run_phase::reading || run.phase == run_phase::versions ||
         run.phase == run_phase::capabilities || run.phase == run_phase::watching ||
         run.phase == run_phase::watching_force;
}

void decision::on(const timer_fired&) {
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

void decision::on(const observation& o) {
  // What became of our own call is worth hearing even over a link that is gone.
  const auto* a = std::get_if<amt_answer>(&o.body);
  if (a && mem.run && mem.run->call == a->id)
    return on_answer(*a, o.epoch == mem.current.link.epoch);
  if (const auto* trouble = std::get_if<connection_trouble>(&o.body))
    return connecting(*trouble); // it is about having no link
  if (!is_ours(o))
    return;
  if (a && !mem.fact_call.is_nil() && mem.fact_call == a->id)
    return fact_answered(*a);
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
    void operator()(const fact_seen& seen) const { d.learn(seen.what); }
    void operator()(const alert_seen& seen) const { d.alerted(seen); }
    void operator()(const connection_trouble&) const {}
  };
  std::visit(visitor{*this, o}, o.body);
}

void decision::seen_by_chance() {
  if (!mem.run)
    return next();
  if (mem.run->call.is_nil() &&
      (mem.run->phase == run_phase::watching || mem.run->phase == run_phase::watching_force))
    judge(now >= mem.run->phase_until);
}

void decision::link_came(const observation& o, const link_up& up) {
  auto& l = mem.current.link;
  const bool again = l.state == link_state::up && l.epoch == o.epoch;
  if (again)
    return;
  const auto before = l.state;
  const auto known = l.epoch;
  const auto since = l.since;
  l.state = link_state::up;
  l.epoch = o.epoch;
  l.instance = up.instance;
  l.peer = up.peer;
  l.why.clear();
  l.since = now;
  changed = presence_changed = true;
  mem.can.reset(); // firmware may have been updated meanwhile
  mem.versions_asked = !mem.current.amt.version.empty() &&
                       (before == link_state::up || now - since < mem.times.same_firmware.count());
  mem.seen = false;
  facts_on_arrival(!mem.versions_asked, up.trigger != 0);
  say(event_class::link, "link.up", "The machine called home from " + up.peer + ".",
      std::string(to_string(before)), "up");
  set_condition("connection", true, {}, {});
  if (o.epoch != known)
    arrived_from(up.peer);
  if (mem.run) {
    auto& run = *mem.run;
    if (run.phase == run_phase::watching || run.phase == run_phase::watching_force) {
      run.left = true;
      run.seen = false;
      run.call = uuid{};
      if (now < mem.conflict_until)
        return look_later();
      return call(amt::read_power{});
    }
    // A call of the former link will be answered with link_down or outcome_unknown.
    if (is_sent(run.phase))
      return;
    if (now < mem.conflict_until) { // nobody knows whom it would reach
      mem.run.reset();
      return next();
    }
    if (run.command) { // nothing was sent yet: start over on the new link
      run.phase = run_phase::reading;
      return call(amt::read_power{});
    }
    mem.run.reset(); // the look below replaces it
  }
  mem.not_before = 0;
  mem.failures = 0;
  // A machine that just came may be in any state: look once, when it is its turn.
  mem.look_at = now + mem.look_turn.count();
  if (mem.look_turn.count() == 0 && mem.commands.empty() && now >= mem.conflict_until)
    look();
  else
    next();
}

void decision::arrived_from(const std::string& peer) {
  auto& all = mem.arrivals;
  all.erase(
      std::remove_if(all.begin(), all.end(),
                     [&](const auto& a) { return now - a.first > mem.times.flap_window.count(); }),
      all.end());
  // The port is another one each time.
  all.emplace_back(now, peer.substr(0, peer.rfind(':')));
  if (all.size() > 2 * mem.times.flaps + 2)
    all.erase(all.begin());
  const bool several = std::any_of(all.begin(), all.end(),
                                   [&](const auto& a) { return a.second != all.back().second; });
  if (all.size() <= mem.times.flaps || !several)
    return;
  if (mem.conflict_until == 0)
    say(event_class::link, "link.duplicate_guid",
        "Machines at different addresses call home with this GUID and take the tunnel from each "
        "other.");
  mem.conflict_until = now + mem.times.flap_window.count();
  set_condition("link", false, std::string(explain(problem::duplicate_guid).code),
                "Several machines call home with this GUID; nothing is sent to any of them.");
}

void decision::link_went(const observation& o, const link_down& down) {
  link_gone(o.epoch, link_state::down, std::string(to_string(down.why)), "link.down",
            down.text.empty() ? "The machine's tunnel ended." : down.text);
}

void decision::on(const link_told& told) {
  const auto& f = told.fact;
  const auto& l = mem.current.link;
  if (f.epoch < l.epoch || f.epoch == 0)
    return;
  const bool newer = f.epoch > l.epoch;
  // The row may have been read before an end that was told already: within one epoch, down is
  // final.
  if (!newer && l.state == link_state::down)
    return;
  switch (f.state) {
  case link_state::up:
  case link_state::late:
    if (!newer && link_usable())
      return;
    return link_came({mem.ref, f.epoch, now, {}}, {f.instance, f.incarnation, f.peer, 0});
  case link_state::unknown:
    if (newer || l.state != link_state::unknown)
      link_gone(f.epoch, link_state::unknown, "terminator", "link.unknown",
                "The node that had the machine's tunnel is gone and the machine has not called "
                "another one yet.");
    return;
  case link_state::down:
    return link_gone(f.epoch, link_state::down, f.why, "link.down", "The machine's tunnel ended.");
  }
}

void decision::link_gone(link_epoch epoch, link_state state, std::string why, std::string type,
                         std::string text) {
  auto& l = mem.current.link;
  if (l.state == state && l.epoch == epoch)
    return;
  const auto before = l.state;
  l.epoch = epoch;
  l.state = state;
  mem.look_at = 0;
  l.why = std::move(why);
  l.since = now;
  changed = presence_changed = true;
  say(event_class::link, std::move(type), std::move(text), std::string(to_string(before)),
      std::string(to_string(state)));
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
  // In flight: the link answers what is known of it (outcome_unknown if it had been written). A
  // terminator that died answers nothing: the call's deadline ends it.
}

void decision::link_lags(const link_late& late) {
  auto& l = mem.current.link;
  auto next_state = late.late ? link_state::late : link_state::up;
  if (l.state == next_state || l.state == link_state::down || l.state == link_state::unknown)
    return;
  say(event_class::link, late.late ? "link.late" : "link.up",
      late.late ? "The machine has been silent for 45 s." : "The machine speaks again.",
      std::string(to_string(l.state)), std::string(to_string(next_state)));
  l.state = next_state;
  l.since = now;
  changed = presence_changed = true;
}

void decision::connecting(const connection_trouble& trouble) {
  const bool fine = trouble.code.empty();
  const auto& all = mem.current.conditions;
  const bool known = std::any_of(all.begin(), all.end(), [&](const condition& c) {
    return c.type == "connection" && c.code == trouble.code;
  });
  set_condition("connection", fine, trouble.code, trouble.text);
  if (!fine && !known)
    say(event_class::link, "link.refused", trouble.text, {}, trouble.code);
}

void decision::on_answer(const amt_answer& a, bool newest_link) {
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
  if (const auto* boot = std::get_if<amt::document>(&*a.outcome)) {
    if (is_sent(mem.run->phase))
      acknowledged(amt::return_value_in(boot->json).value_or(1));
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

void decision::after_reading() {
  if (mem.run->command || mem.run->target != power_target::keep)
    return plan();
  mem.run.reset(); // a look without a wish ends here
  settle_wish();
  next();
}

void decision::learn(const amt::versions& v) {
  auto& known = mem.current.amt;
  if (known.version == v.amt && known.provisioning_mode == v.provisioning_mode)
    return;
  say(event_class::amt, "amt.version", "The firmware is AMT " + v.amt + ".", known.version, v.amt);
  known.version = v.amt;
  known.provisioning_mode = v.provisioning_mode;
  changed = true;
}

} // namespace outband::detail
