#include "messages/amt/operation_run.hpp"

#include "messages/amt/catalogue.hpp"
#include "messages/amt/power.hpp"
#include "messages/wsman/talk.hpp"

#include <utility>

namespace outband::amt {

namespace {

template <class T> result<amt_outcome> outcome(result<T> r) {
  if (!r)
    return r.error();
  return amt_outcome{std::move(*r)};
}

result<document> carry_out(const perform& p, wsman::talk& t) {
  const auto* known = find_operation(p.name);
  if (known == nullptr)
    return fail(problem::unsupported, "this node knows no operation '" + p.name + "'", "act");
  auto argument = json::parse(p.argument.empty() ? "{}" : p.argument);
  if (!argument)
    return argument.error();
  auto told = known->run(t, *argument);
  if (!told)
    return told.error();
  document out{json::dump(*told)};
  if (out.json.size() > max_document)
    return fail(problem::too_large, "what the firmware told is longer than 400,000 octets");
  return out;
}

struct operator_of {
  wsman::talk& t;
  result<amt_outcome> operator()(const read_power&) const { return outcome(get_power(t)); }
  result<amt_outcome> operator()(const read_capabilities&) const {
    return outcome(get_power_capabilities(t));
  }
  result<amt_outcome> operator()(const read_versions&) const { return outcome(get_versions(t)); }
  result<amt_outcome> operator()(const request_power& r) const {
    return outcome(set_power(t, r.action));
  }
  result<amt_outcome> operator()(const perform& p) const { return outcome(carry_out(p, t)); }
};

} // namespace

struct operation_run::state {
  state(amt_operation o, std::uint32_t id) : op(std::move(o)), talk(id) {}

  amt_operation op;
  wsman::talk talk;
  bool handed_out = false;
  bool changed = false;
  bool ran = false;
  std::optional<result<amt_outcome>> out;

  /// Until it asks something, or is over.
  void go_on() {
    ran = true;
    handed_out = false;
    talk.rewind();
    auto told = std::visit(operator_of{talk}, op);
    if (talk.broken())
      told = *talk.broken();
    else if (talk.waits())
      return;
    if (!told) {
      auto why = told.error();
      const bool device = why.what == problem::device_protocol ||
                          why.what == problem::device_refused || why.what == problem::device_auth;
      if (device && !talk.last_question().empty())
        why.detail = talk.last_question() + ": " + why.detail;
      told = std::move(why);
    }
    out = std::move(told);
  }
};

operation_run::operation_run(amt_operation op, std::uint32_t first_message_id)
    : state_(std::make_unique<state>(std::move(op), first_message_id)) {}
operation_run::operation_run(operation_run&&) noexcept = default;
operation_run& operation_run::operator=(operation_run&&) noexcept = default;
operation_run::~operation_run() = default;

std::optional<std::string> operation_run::next_request() {
  if (!state_->ran)
    state_->go_on();
  if (finished())
    return std::nullopt;
  state_->handed_out = true;
  return state_->talk.request();
}

void operation_run::feed(int http_status, std::string_view body) {
  if (!state_->ran)
    state_->go_on();
  if (finished())
    return;
  state_->changed = state_->changed || (state_->talk.change_asked() && http_status == 200);
  state_->talk.feed(http_status, body);
  state_->go_on();
}

bool operation_run::finished() const {
  return state_->out.has_value();
}

bool operation_run::change_sent() const {
  return !finished() && state_->handed_out && state_->talk.change_asked();
}

bool operation_run::changed_something() const {
  return state_->changed;
}

result<amt_outcome> operation_run::outcome() const {
  if (state_->out)
    return *state_->out;
  return fail(problem::internal, "the conversation with the firmware has not ended");
}

} // namespace outband::amt
