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

operation_run::operation_run(amt_operation op, std::uint32_t first_message_id)
    : conversation([op = std::move(op)](wsman::talk& t) { return std::visit(operator_of{t}, op); },
                   first_message_id) {}

} // namespace outband::amt
