#include "tools/cli/wait.hpp"

#include <algorithm>

namespace outband::cli {

namespace {

const condition* trouble(const current_state& c) {
  auto at = std::find_if(c.conditions.begin(), c.conditions.end(),
                         [](const condition& x) { return x.type == "power" && !x.ok; });
  return at == c.conditions.end() ? nullptr : &*at;
}

} // namespace

void waiting::say(std::string text) {
  progress_.push_back(std::move(text));
}

void waiting::end(exit_code code, std::string word, std::string text, std::string problem_code) {
  if (!done_)
    done_ = verdict{code, std::move(word), std::move(text), std::move(problem_code)};
}

std::vector<std::string> waiting::take_progress() {
  return std::exchange(progress_, {});
}

bool waiting::take_question() {
  return std::exchange(question_, false);
}

void waiting::on(const request_outcome& o) {
  auto code = o.why ? std::string(explain(*o.why).code) : std::string();
  switch (o.status) {
  case request_status::accepted:
    if (!stored_)
      say("The order is accepted.");
    stored_ = true;
    break;
  case request_status::running:
    if (!o.text.empty())
      say(o.text);
    stored_ = true;
    break;
  case request_status::done:
    if (!is_level())
      return end(exit_code::ok, "reached",
                 o.text.empty() ? std::string("The firmware carried it out.") : o.text);
    if (!stored_)
      say("The order is stored as revision " + std::to_string(o.rev) + ".");
    stored_ = true;
    rev_ = std::max(rev_, o.rev);
    break;
  case request_status::unknown:
  case request_status::failed:
  case request_status::rejected:
  case request_status::expired: {
    const auto why = o.why.value_or(o.status == request_status::expired   ? problem::expired
                                    : o.status == request_status::unknown ? problem::outcome_unknown
                                                                          : problem::internal);
    const auto exit = exit_of(fail(why));
    code = explain(why).code;
    return end(exit,
               exit == exit_code::refused        ? "refused"
               : why == problem::outcome_unknown ? "unknown"
                                                 : "failed",
               o.text.empty() ? std::string(explain(why).what) : o.text, code);
  }
  }
  judge();
}

void waiting::on(const bus::decoded<current_state>& c) {
  if (c.env.deleted)
    return end(exit_code::not_found, "failed", "The host was removed meanwhile.", "not-found");
  if (current_ && c.env.rev <= current_->env.rev)
    return; // delivered again
  current_ = c;
  if (!stored_)
    before_ = c.env.rev;
  const auto level = std::string(to_string(level_of(c.body.power.state)));
  if (level != shown_level_)
    say(c.body.power.state == power_state::unknown ? "The machine's power state is not known."
                                                   : "The machine is " + level + ".");
  shown_level_ = level;
  const auto* why = trouble(c.body);
  const auto reason = why ? why->reason : std::string();
  if (!reason.empty() && reason != shown_reason_ && stored_)
    say(reason);
  shown_reason_ = reason;
  judge();
}

void waiting::on(const bus::decoded<desired_state>& d) {
  if (d.env.deleted || (desired_ && d.env.rev <= desired_->env.rev))
    return;
  desired_ = d;
  judge();
}

void waiting::on(const bus::decoded<event>& e) {
  const auto& what = e.body;
  if (what.command == request_ && what.cls == event_class::command) {
    if (what.type == "command.done")
      return end(exit_code::ok, "reached", what.text);
    if (what.type.rfind("command.", 0) == 0) {
      ended_ = what.text;
      question_ = true; // the stored outcome has the problem's code
      return;
    }
  }
  if (what.cls != event_class::power)
    return;
  if (is_level() && what.type == "power.refused")
    refused_ = what.text;
  else if (stored_ && (what.type == "power.forcing" || what.type == "power.failed"))
    say(what.text);
  judge();
}

void waiting::reconnected() {
  lost_ = true;
  if (!is_level() && stored_)
    question_ = true;
  say("The broker is connected again.");
}

void waiting::judge() {
  if (done_ || !stored_ || !is_level() || rev_ == 0)
    return;
  const auto target = std::get<power_target>(power_);
  // Whether our level was reached on the way cannot be told once another one is wanted.
  if (desired_ && desired_->env.rev > rev_ && desired_->body.power.target != target)
    return end(exit_code::other, "superseded",
               (desired_->env.by.empty() ? std::string("Somebody") : desired_->env.by) +
                   " wants the machine to be " +
                   std::string(to_string(desired_->body.power.target)) + " meanwhile (revision " +
                   std::to_string(desired_->env.rev) + ").",
               "cancelled");
  if (current_ && current_->body.desired_rev >= rev_)
    return end(exit_code::ok, "reached",
               "The machine is " + std::string(to_string(level_of(current_->body.power.state))) +
                   ", as wanted.");
  const auto code = std::string(explain(problem::transition_refused).code);
  if (refused_)
    return end(exit_code::refused, "refused", *refused_, code);
  // The event is not retained; after a lost connection the condition stands for it.
  if (lost_ && current_ && current_->env.rev > before_)
    if (const auto* why = trouble(current_->body); why && why->code == code)
      return end(exit_code::refused, "refused", why->reason, code);
}

verdict waiting::timed_out() const {
  verdict v{exit_code::timed_out, "timed-out", {}, "expired"};
  if (!stored_)
    v.text = "No answer says that the order was stored.";
  else if (ended_)
    v.text = *ended_;
  else if (!current_)
    v.text = "Nothing was heard of the machine's state.";
  else
    v.text = "The machine is " + std::string(to_string(level_of(current_->body.power.state))) + ".";
  if (current_)
    if (const auto* why = trouble(current_->body))
      v.text += " " + why->reason;
  if (stored_ && is_level())
    v.text += " The wish is kept.";
  return v;
}

} // namespace outband::cli
