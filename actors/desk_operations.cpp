/// Operations of the catalogue at the desk: checked, noted in the audit trail if they change
/// anything, handed straight to who has the link, answered with what the firmware told.
///
/// Unlike commands they are not kept for later: whoever asks waits, and a machine that cannot be
/// reached now is a refusal. The audit row is written before and makes a resent id harmless.
#include "actors/audit_log.hpp"
#include "actors/control.hpp"

#include "messages/amt/boot.hpp"
#include "messages/amt/catalogue.hpp"
#include "messages/bus/stored.hpp"
#include "messages/rest/audit.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace outband {

namespace {

constexpr std::string_view prefix = "amt.";

response base(const uuid& id, request_status s) {
  response r;
  r.id = id;
  r.status = s;
  return r;
}

response failed_with(const uuid& id, failure why) {
  auto r = base(id, request_status::failed);
  switch (why.what) {
  case problem::outcome_unknown:
    r.status = request_status::unknown;
    break;
  case problem::expired:
    r.status = request_status::expired;
    break;
  case problem::malformed:
  case problem::forbidden:
  case problem::not_found:
  case problem::unsupported:
  case problem::link_down:
  case problem::busy:
  case problem::store_unavailable:
    r.status = request_status::rejected;
    break;
  default:
    break;
  }
  r.text = why.detail.empty() ? std::string(explain(why.what).what) : why.detail;
  r.why = std::move(why);
  return r;
}

/// The firmware's words as the last word on a request. A ReturnValue other than 0 is its refusal.
response told(const uuid& id, const result<amt_outcome>& outcome) {
  if (!outcome)
    return failed_with(id, outcome.error());
  const auto* document = std::get_if<amt::document>(&*outcome);
  if (document == nullptr)
    return failed_with(id, fail(problem::internal, "an operation told something else"));
  auto r = base(id, request_status::done);
  r.result = document->json;
  r.return_value = amt::return_value_in(document->json);
  r.text = "Done.";
  if (r.return_value.value_or(0) != 0) {
    r.status = request_status::failed;
    r.why = fail(problem::device_refused, "The firmware answered " +
                                              std::string(pt_status_name(*r.return_value)) + " (" +
                                              std::to_string(*r.return_value) + ").");
    r.text = r.why->detail;
  }
  return r;
}

/// What the machine's power does at the end of it.
power_action verb_of(amt::boot_action a) {
  using b = amt::boot_action;
  switch (a) {
  case b::reset_to_bios:
  case b::reset_to_https:
  case b::reset_to_pba:
  case b::reset_to_winre:
  case b::reset_to_ider_floppy:
  case b::reset_to_ider_cd:
  case b::reset_to_diagnostic:
  case b::reset_to_pxe:
    return power_action::reset;
  case b::on_to_bios:
  case b::secure_erase:
  case b::on_to_https:
  case b::on_to_pba:
  case b::on_to_winre:
  case b::on_to_ider_floppy:
  case b::on_to_ider_cd:
  case b::on_to_diagnostic:
  case b::on_to_pxe:
    return power_action::on;
  }
  return power_action::on;
}

/// MPS takes "105" for 105.
std::optional<amt::boot_action> boot_action_in(const json::value& argument) {
  const auto* v = argument.find("action");
  if (v == nullptr)
    return std::nullopt;
  if (v->integer() != nullptr)
    return amt::boot_action_from_code(*v->integer());
  if (v->text() == nullptr || v->text()->empty() || v->text()->size() > 4 ||
      !std::all_of(v->text()->begin(), v->text()->end(),
                   [](char c) { return c >= '0' && c <= '9'; }))
    return std::nullopt;
  return amt::boot_action_from_code(std::stoi(*v->text()));
}

} // namespace

void desk_state::operate(request r, responder tell) {
  auto refuse = [&](failure why) {
    ++with_->counters.requests_refused;
    (*tell)(failed_with(r.id, std::move(why)));
  };
  const auto& asked = std::get<ask_operation>(r.body);
  const auto* operation = amt::find_operation(std::string_view(asked.act).substr(prefix.size()));
  if (operation == nullptr)
    return refuse(fail(problem::unsupported, "there is no such operation", "act"));
  if (asked.argument.size() > amt::max_argument)
    return refuse(fail(problem::too_large, "at most 24,000 octets", "arg"));
  auto argument = json::parse(asked.argument.empty() ? "{}" : asked.argument);
  if (!argument)
    return refuse(fail(problem::malformed, argument.error().detail, "arg"));
  if (auto wrong = amt::mistakes(*operation, *argument, with_->clock.now()); !wrong.empty())
    return refuse(fail(problem::malformed, wrong.front().why, "arg." + wrong.front().path));
  if (operation->name == "boot.set")
    return boot(std::move(r), *argument, std::move(tell));
  if (operation->effect == wsman::effect::none)
    return perform(r, *operation, [tell](response answer) { (*tell)(answer); });
  // Who asks again while it is under way waits for the same word.
  auto known = operating_.find(r.id);
  if (known != operating_.end()) {
    ++with_->counters.duplicates;
    if (known->second.hash != bus::argument_hash(r.body))
      return refuse(fail(problem::malformed, "this id was used for another request already", "id"));
    known->second.waiting.push_back(std::move(tell));
    return;
  }
  note(std::move(r), *operation, *argument, std::move(tell));
}

void desk_state::boot(request r, const json::value& argument, responder tell) {
  const auto action = boot_action_in(argument);
  if (!action)
    return (*tell)(failed_with(r.id, fail(problem::malformed, "no such boot", "arg.action")));
  // A command like any power action: stored, sent at most once, watched. What it carries may hold a
  // password, so it waits sealed.
  auto sealed = with_->secrets.seal(r.target, std::get<ask_operation>(r.body).argument);
  if (!sealed)
    return (*tell)(failed_with(r.id, sealed.error()));
  r.kept_argument = audit_argument("boot.set", argument);
  r.body = ask_action{verb_of(*action), std::move(*sealed)};
  command(std::move(r), std::move(tell), 0);
}

void desk_state::note(request r, const amt::operation& operation, const json::value& argument,
                      responder tell) {
  audit_begin begin;
  auto& e = begin.entry;
  e.tenant = r.target.tenant;
  e.id = r.id;
  e.act = std::get<ask_operation>(r.body).act;
  e.device = r.target.device;
  e.by = to_string(r.by);
  e.channel = r.channel;
  e.node = with_->node;
  e.address = r.address;
  e.argument = audit_argument(e.act, argument);
  e.argument_hash = bus::argument_hash(r.body);
  e.deadline = with_->clock.now() + operation.deadline.count();
  begin.fence = r.fence;
  operating_[r.id] = {{tell}, e.argument_hash};
  auto entry = e;
  with_->store.begin_audit(std::move(begin), here<audit_begun>([this, r = std::move(r), &operation,
                                                                entry](result<audit_begun>& begun) {
                             if (!begun) {
                               ++with_->counters.requests_refused;
                               return over(r.id, failed_with(r.id, begun.error()));
                             }
                             if (begun->duplicate)
                               return known_before(r, begun->row);
                             ++with_->counters.requests_accepted;
                             perform(r, operation, [this, entry](response answer) {
                               conclude(entry, std::move(answer));
                             });
                           }));
}

void desk_state::known_before(const request& r, const audit_row& row) {
  ++with_->counters.duplicates;
  if (row.entry.argument_hash != bus::argument_hash(r.body) ||
      row.entry.device != r.target.device || row.entry.act != act_name(r.body))
    return over(r.id,
                failed_with(r.id, fail(problem::malformed,
                                       "this id was used for another request already", "id")));
  if (!row.outcome.document.empty())
    if (auto known = bus::unpack_response(row.outcome.document))
      return over(r.id, std::move(*known));
  over(r.id, failed_with(r.id, fail(problem::outcome_unknown,
                                    row.outcome.status == audit_status::asked
                                        ? "it is under way at another node; ask again later"
                                        : "what came of it was not recorded")));
}

void desk_state::perform(const request& r, const amt::operation& operation,
                         std::function<void(response)> then) {
  const auto now = with_->clock.now();
  const auto left = std::chrono::milliseconds(r.deadline.value_or(now) - now);
  auto limit = std::min<std::chrono::milliseconds>(operation.deadline, left);
  amt::perform p{std::string(operation.name), std::get<ask_operation>(r.body).argument};
  hooks_.ask(r.target, std::move(p), r.id, limit,
             here<amt_outcome>([id = r.id, then = std::move(then)](result<amt_outcome>& outcome) {
               then(told(id, outcome));
             }));
}

void desk_state::conclude(const audit_entry& entry, response answer) {
  if (entry.act == "amt.deactivate" && answer.status == request_status::done && entry.device)
    hooks_.forget({entry.tenant, *entry.device});
  audit_end end;
  end.tenant = entry.tenant;
  end.id = entry.id;
  end.outcome = outcome_of(answer);
  end.outcome.document = bus::pack(answer);
  end.publish = audit_documents(with_->clock, with_->node, with_->mirror_json, entry, end.outcome);
  with_->store.finish_audit(
      std::move(end), here<nothing>([this, answer = std::move(answer)](result<nothing>& stored) {
        // The machine has done it; that the trail lacks the word is no reason not to say so.
        if (!stored && stored.error().what != problem::not_found)
          spdlog::warn("request={} what came of it is not in the audit trail: {}",
                       to_string(answer.id), to_string(stored.error()));
        over(answer.id, answer);
      }));
}

void desk_state::over(const uuid& id, const response& answer) {
  auto at = operating_.find(id);
  if (at == operating_.end())
    return;
  auto waiting = std::move(at->second.waiting);
  operating_.erase(at);
  for (const auto& tell : waiting)
    (*tell)(answer);
}

} // namespace outband
