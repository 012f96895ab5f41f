#include "actors/control.hpp"

#include "actors/audit_log.hpp"
#include "messages/bus/envelope.hpp"
#include "messages/bus/stored.hpp"
#include "messages/bus/topics.hpp"

#include <algorithm>

namespace outband {

namespace {

/// A wish or an action may race with another writer that often before we give up.
constexpr int max_attempts = 5;

response refusal(const uuid& id, failure why) {
  response r;
  r.id = id;
  r.status = why.what == problem::expired           ? request_status::expired
             : why.what == problem::outcome_unknown ? request_status::unknown
                                                    : request_status::rejected;
  if (why.what == problem::outcome_unknown)
    why.detail = "the database broke off before it answered, so this may be stored or not; send it "
                 "again with the same id";
  r.text = why.detail.empty() ? std::string(explain(why.what).what) : why.detail;
  r.why = std::move(why);
  return r;
}

} // namespace

void desk_state::start(desk_actor::pointer self, const services& with, desk_hooks hooks) {
  self_ = self;
  with_ = &with;
  hooks_ = std::move(hooks);
}

void desk_state::on(request_submitted submitted) {
  auto& r = submitted.what;
  const auto now = with_->clock.now();
  auto refuse = [&](failure why) {
    ++with_->counters.requests_refused;
    record_forbidden(with_->audit, r, why);
    (*submitted.on_response)(refusal(r.id, std::move(why)));
  };
  auto needed = role_needed(access_kind::act, act_name(r.body));
  if (!needed || submitted.held < *needed)
    return refuse(fail(problem::forbidden,
                       std::string(act_name(r.body)) + " needs the role " +
                           std::string(to_string(needed.value_or(role::site_admin))),
                       "act"));
  if (!r.deadline)
    r.deadline = now + default_deadline.count();
  if (*r.deadline <= now)
    return refuse(fail(problem::expired, "the deadline is in the past", "deadline"));
  if (*r.deadline > now + longest_deadline.count())
    return refuse(fail(problem::malformed, "at most 300 s from now", "deadline"));
  if (waiting_.size() >= max_waiting)
    return refuse(fail(problem::busy));
  if (r.id.is_nil())
    return refuse(fail(problem::malformed, "must not be nil", "id"));
  auto tell = submitted.on_response;
  if (std::holds_alternative<ask_snapshot>(r.body))
    return snapshot(std::move(r), std::move(tell));
  if (std::holds_alternative<ask_operation>(r.body))
    return operate(std::move(r), std::move(tell));
  if (std::holds_alternative<ask_desired>(r.body))
    return patch(std::move(r), std::move(tell), 0);
  command(std::move(r), std::move(tell), 0);
}

// -- snapshot -----------------------------------------------------------------------------------

void desk_state::snapshot(request r, responder tell) {
  auto ref = r.target;
  with_->store.show_device(ref, here<device_row>([r = std::move(r), tell](result<device_row>& row) {
                             if (!row)
                               return (*tell)(refusal(r.id, row.error()));
                             response out;
                             out.id = r.id;
                             out.status = request_status::done;
                             out.text = "snapshot";
                             out.rev = row->desired_rev;
                             out.snapshot = response::snapshot_body{row->desired, row->desired_rev,
                                                                    row->current, row->current_rev};
                             (*tell)(std::move(out));
                           }));
}

// -- wishes -------------------------------------------------------------------------------------

command_row desk_state::row_for(const request& r) const {
  command_row row;
  row.id = r.id;
  row.ref = r.target;
  row.act = std::string(act_name(r.body));
  row.argument = bus::pack(r.body);
  row.argument_hash = bus::argument_hash(r.body);
  row.by = to_string(r.by);
  row.channel = r.channel + ":" + with_->node; // who waits, and where
  row.deadline = r.deadline.value_or(0);
  row.created = with_->clock.now();
  row.address = r.address;
  row.kept_argument = r.kept_argument;
  return row;
}

std::vector<bus::outgoing> desk_state::desired_documents(const device_ref& ref,
                                                         const desired_state& next, revision rev,
                                                         const request& r) const {
  std::vector<bus::outgoing> out;
  bus::envelope e;
  e.id = with_->clock.new_id();
  e.time = with_->clock.now();
  e.source = with_->node;
  e.rev = rev;
  e.about = ref;
  e.by = to_string(r.by);
  e.correlation = r.id;
  for (auto root : {bus::root::native, bus::root::json}) {
    if (root == bus::root::json && !with_->mirror_json)
      continue;
    auto enc = root == bus::root::native ? bus::encoding::msgpack : bus::encoding::cloudevents;
    out.push_back({bus::desired_topic(ref, root), bus::encode(e, next, enc),
                   std::string(bus::content_type_of(root)), true, std::nullopt});
  }
  return out;
}

void desk_state::patch(request r, responder tell, int attempt) {
  auto ref = r.target;
  with_->store.read_desired(
      ref, here<desired_row>([this, r = std::move(r), tell, attempt](result<desired_row>& row) {
        if (!row) {
          ++with_->counters.requests_refused;
          return (*tell)(refusal(r.id, row.error()));
        }
        store_patch(r, tell, attempt, *row);
      }));
}

void desk_state::store_patch(request r, responder tell, int attempt, const desired_row& row) {
  const auto& asked = std::get<ask_desired>(r.body);
  desired_write w;
  w.ref = r.target;
  w.expected_rev = row.desired_rev;
  w.next = merged(row.desired, asked.patch);
  const auto rev = row.desired_rev + 1;
  response done;
  done.id = r.id;
  done.status = request_status::done;
  done.rev = rev;
  done.text = "Stored as revision " + std::to_string(rev) + ".";
  if (asked.if_rev && *asked.if_rev != row.desired_rev) {
    ++with_->counters.stale_revisions;
    done.status = request_status::rejected;
    done.rev = row.desired_rev;
    done.why = fail(problem::revision_conflict,
                    "the present revision is " + std::to_string(row.desired_rev), "ifRev");
    done.text = done.why->detail;
    ++with_->counters.requests_refused;
    return (*tell)(std::move(done));
  }
  w.publish = desired_documents(r.target, w.next, rev, r);
  w.fence = r.fence;
  w.command = row_for(r);
  w.command.status = request_status::done;
  w.command.outcome = bus::pack(done);
  auto told = audit_documents(with_->clock, with_->node, with_->mirror_json, entry_of(w.command),
                              outcome_of(done));
  w.publish.insert(w.publish.end(), told.begin(), told.end());
  with_->store.write_desired(
      std::move(w),
      here<write_outcome>([this, r = std::move(r), tell, attempt, done](result<write_outcome>& o) {
        if (!o) {
          ++with_->counters.requests_refused;
          return (*tell)(refusal(r.id, o.error()));
        }
        switch (o->what) {
        case write_outcome::kind::written:
          ++with_->counters.requests_accepted;
          wake(r.target);
          return (*tell)(done);
        case write_outcome::kind::duplicate:
          return duplicate(r, tell, o->existing);
        case write_outcome::kind::conflict:
          ++with_->counters.stale_revisions;
          if (attempt + 1 < max_attempts)
            return patch(r, tell, attempt + 1);
          return (*tell)(refusal(r.id, fail(problem::revision_conflict)));
        }
      }));
}

// -- commands -----------------------------------------------------------------------------------

void desk_state::command(request r, responder tell, int attempt) {
  auto ref = r.target;
  with_->store.read_desired(
      ref, here<desired_row>([this, r = std::move(r), tell, attempt](result<desired_row>& row) {
        if (!row) {
          ++with_->counters.requests_refused;
          return (*tell)(refusal(r.id, row.error()));
        }
        store_command(r, tell, attempt, *row);
      }));
}

void desk_state::store_command(request r, responder tell, int attempt, const desired_row& row) {
  command_write w;
  w.fence = r.fence;
  w.command = row_for(r);
  response accepted;
  accepted.id = r.id;
  accepted.status = request_status::accepted;
  accepted.text = "Accepted.";
  accepted.rev = row.desired_rev;
  const auto* action = std::get_if<ask_action>(&r.body);
  const auto level = action ? target_of(action->action) : power_target::keep;
  // Who enforces a level would undo an action towards another one; where nobody asked for a level,
  // an action does not start to enforce one.
  if (level != power_target::keep && row.desired.power.target != power_target::keep) {
    desired_write wish;
    wish.ref = r.target;
    wish.expected_rev = row.desired_rev;
    wish.next = row.desired;
    wish.next.power.target = level;
    wish.publish = desired_documents(r.target, wish.next, row.desired_rev + 1, r);
    accepted.rev = row.desired_rev + 1;
    w.wish = std::move(wish);
  }
  with_->store.write_command(std::move(w),
                             here<write_outcome>([this, r = std::move(r), tell, attempt,
                                                  accepted](result<write_outcome>& o) {
                               if (!o) {
                                 ++with_->counters.requests_refused;
                                 return (*tell)(refusal(r.id, o.error()));
                               }
                               switch (o->what) {
                               case write_outcome::kind::written:
                                 ++with_->counters.requests_accepted;
                                 (*tell)(accepted);
                                 wait_for(r.id, tell, *r.deadline);
                                 return wake(r.target);
                               case write_outcome::kind::duplicate:
                                 return duplicate(r, tell, o->existing);
                               case write_outcome::kind::conflict:
                                 ++with_->counters.stale_revisions;
                                 if (attempt + 1 < max_attempts)
                                   return command(r, tell, attempt + 1);
                                 return (*tell)(refusal(r.id, fail(problem::revision_conflict)));
                               }
                             }));
}

void desk_state::duplicate(const request& r, const responder& tell, const command_row& existing) {
  ++with_->counters.duplicates;
  if (existing.argument_hash != bus::argument_hash(r.body) || existing.ref != r.target) {
    ++with_->counters.requests_refused;
    return (*tell)(refusal(
        r.id, fail(problem::malformed, "this id was used for another request already", "id")));
  }
  if (is_final(existing.status)) {
    auto known = bus::unpack_response(existing.outcome);
    if (known)
      return (*tell)(std::move(*known));
    return (*tell)(refusal(r.id, fail(problem::internal, "the stored outcome cannot be read")));
  }
  response accepted;
  accepted.id = r.id;
  accepted.status = existing.dispatched ? request_status::running : request_status::accepted;
  accepted.text = existing.dispatched ? "Sent to the machine before." : "Accepted before.";
  (*tell)(std::move(accepted));
  wait_for(r.id, tell, *r.deadline);
}

// -- waiting ------------------------------------------------------------------------------------

void desk_state::wake(const device_ref& ref) {
  bus::envelope e;
  e.id = with_->clock.new_id();
  e.time = with_->clock.now();
  e.source = with_->node;
  bus::message m;
  m.topic = bus::controller_wake_topic();
  m.payload = std::make_shared<const std::string>(
      bus::encode(e, bus::wake{ref, "changed"}, bus::encoding::msgpack));
  m.content_type = std::string(bus::content_type_of(bus::root::native));
  with_->internal.publish(std::move(m));
}

void desk_state::wait_for(const uuid& id, responder tell, time_ms until) {
  for (const auto& known : early_)
    if (known.id == id)
      return (*tell)(known);
  // Five seconds for the last word to travel.
  waiting_.emplace(id, waiter{std::move(tell), until + 5000});
  arm();
}

void desk_state::arm() {
  if (armed_ || waiting_.empty())
    return;
  armed_ = true;
  self_->delayed_send(self_, std::chrono::seconds(1), desk_tick{++timer_});
}

void desk_state::on(const desk_tick& tick) {
  if (tick.generation != timer_)
    return;
  armed_ = false;
  const auto now = with_->clock.now();
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    if (at->second.until > now) {
      ++at;
      continue;
    }
    response r;
    r.id = at->first;
    r.status = request_status::unknown;
    r.why = fail(problem::outcome_unknown, "no final word arrived by the deadline; the request is "
                                           "stored and its outcome can be asked for by its id");
    r.text = r.why->detail;
    auto tell = at->second.tell;
    at = waiting_.erase(at);
    (*tell)(std::move(r));
  }
  arm();
}

void desk_state::on(const outcome_arrived& arrived) {
  auto [from, to] = waiting_.equal_range(arrived.answer.id);
  std::vector<responder> tell;
  for (auto at = from; at != to; ++at)
    tell.push_back(at->second.tell);
  const bool last = is_final(arrived.answer.status);
  if (last)
    waiting_.erase(from, to);
  if (tell.empty() && last) {
    early_.push_back(arrived.answer);
    if (early_.size() > max_early)
      early_.pop_front();
  }
  for (const auto& t : tell)
    (*t)(arrived.answer);
}

} // namespace outband
