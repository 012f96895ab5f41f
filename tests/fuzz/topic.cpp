/// The topic parser: what it accepts is exactly what the builders make, belongs to one tenant, and
/// the filter functions agree with it.
#include "messages/bus/topics.hpp"
#include "messages/domain/roles.hpp"

#include <cstdlib>
#include <string>

namespace {

using namespace outband;
using namespace outband::bus;

std::string rebuilt(const parsed_topic& t) {
  switch (t.kind) {
  case topic_kind::desired:
    return desired_topic(t.ref(), t.root);
  case topic_kind::current:
    return current_topic(t.ref(), t.root);
  case topic_kind::presence:
    return presence_topic(t.ref(), t.root);
  case topic_kind::event:
    return event_topic(t.ref(), t.cls, t.root);
  case topic_kind::request:
    return request_topic(t.tenant, *t.caller, t.device, t.root);
  case topic_kind::response:
    return response_topic(t.tenant, *t.caller, t.client, t.root);
  case topic_kind::meta:
    return meta_topic(t.tenant, t.name, t.root);
  case topic_kind::node_presence:
    return node_presence_topic(t.instance);
  case topic_kind::node_work:
    return node_work_topic(t.instance);
  case topic_kind::node_observations:
    return node_observations_topic(t.instance);
  case topic_kind::node_ask:
    return node_ask_topic(t.instance);
  case topic_kind::node_reply:
    return node_reply_topic(t.instance);
  case topic_kind::controller_presence:
    return controller_presence_topic();
  case topic_kind::controller_wake:
    return controller_wake_topic();
  case topic_kind::canary:
    return canary_topic();
  case topic_kind::admin:
    return admin_topic(t.tenant, t.name, t.root);
  case topic_kind::fact:
    return fact_topic(t.ref(), t.name, t.root);
  }
  return {};
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view in(reinterpret_cast<const char*>(data), size);
  const auto half = in.find('\n');
  const auto first = in.substr(0, half);
  const auto second = half == std::string_view::npos ? first : in.substr(half + 1);
  const auto t = parse_topic(first);
  if (t && rebuilt(*t) != first)
    std::abort();
  if (t && may_answer(*t, second)) {
    const auto to = parse_topic(second);
    if (!to || to->tenant != t->tenant || to->caller->name != t->caller->name)
      std::abort();
  }
  // A stranger of another tenant gets nothing, whatever the topic or filter.
  const bus_identity stranger{{principal::kind::person, "blue", "alice"}, role::admin};
  for (auto kind : {access_kind::publish, access_kind::subscribe})
    if (t && t->tenant != "blue" && person_may(stranger, kind, first))
      std::abort();
  // What covers, matches.
  if (filter_covered(first, second) && second.find_first_of("+#") == std::string_view::npos &&
      !second.empty() && !first.empty() && second.front() != '$' && !topic_matches(first, second))
    std::abort();
  return 0;
}
