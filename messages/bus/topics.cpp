#include "messages/bus/topics.hpp"

#include <array>

namespace outband::bus {

std::string_view to_string(root r) {
  return r == root::native ? native_root : json_root;
}

namespace {

template <class... Parts> std::string joined(root r, const Parts&... parts) {
  std::string out(to_string(r));
  ((out += '/', out += parts), ...);
  return out;
}

std::string device_topic(const device_ref& ref, std::string_view leaf, root r) {
  return joined(r, ref.tenant, "dev", outband::to_string(ref.device), leaf);
}

std::string node_topic(std::string_view instance, std::string_view leaf) {
  return joined(root::native, "-", "inst", instance, "node", leaf);
}

std::string_view path_of(principal::kind kind) {
  return kind == principal::kind::external ? "ext" : "op";
}

} // namespace

std::string desired_topic(const device_ref& ref, root r) {
  return device_topic(ref, "desired", r);
}

std::string current_topic(const device_ref& ref, root r) {
  return device_topic(ref, "current", r);
}

std::string presence_topic(const device_ref& ref, root r) {
  return device_topic(ref, "presence", r);
}

std::string event_topic(const device_ref& ref, event_class c, root r) {
  return device_topic(ref, "event/" + std::string(outband::to_string(c)), r);
}

std::string fact_topic(const device_ref& ref, std::string_view kind, root r) {
  return device_topic(ref, "fact/" + std::string(kind), r);
}

std::string request_topic(const tenant_key& tenant, const principal& by, const device_id& device,
                          root r) {
  return joined(r, tenant, path_of(by.what), by.name, "req", outband::to_string(device));
}

std::string response_topic(const tenant_key& tenant, const principal& by, std::string_view client,
                           root r) {
  return joined(r, tenant, path_of(by.what), by.name, "rsp", client);
}

std::string meta_topic(const tenant_key& tenant, std::string_view name, root r) {
  return joined(r, tenant, "meta", name);
}

std::string admin_topic(const tenant_key& tenant, std::string_view name, root r) {
  return joined(r, tenant, "admin", name);
}

std::string node_presence_topic(std::string_view instance) {
  return node_topic(instance, "presence");
}

std::string node_work_topic(std::string_view instance) {
  return node_topic(instance, "work");
}

std::string node_observations_topic(std::string_view instance) {
  return node_topic(instance, "obs");
}

std::string node_ask_topic(std::string_view instance) {
  return node_topic(instance, "ask");
}

std::string node_reply_topic(std::string_view instance) {
  return node_topic(instance, "reply");
}

std::string controller_presence_topic() {
  return joined(root::native, "-", "ctl", "presence");
}

std::string controller_wake_topic() {
  return joined(root::native, "-", "ctl", "wake");
}

std::string canary_topic() {
  return joined(root::native, "-", "broker", "canary");
}

std::string request_filter(principal::kind kind, root r) {
  return joined(r, "+", path_of(kind), "+", "req", "+");
}

std::string node_presence_filter() {
  return node_presence_topic("+");
}

std::string node_observations_filter() {
  return node_observations_topic("+");
}

std::string_view to_string(topic_kind k) {
  switch (k) {
  case topic_kind::desired:
    return "desired";
  case topic_kind::current:
    return "current";
  case topic_kind::presence:
    return "presence";
  case topic_kind::event:
    return "event";
  case topic_kind::request:
    return "request";
  case topic_kind::response:
    return "response";
  case topic_kind::meta:
    return "meta";
  case topic_kind::node_presence:
    return "node-presence";
  case topic_kind::node_work:
    return "node-work";
  case topic_kind::node_observations:
    return "node-observations";
  case topic_kind::node_ask:
    return "node-ask";
  case topic_kind::node_reply:
    return "node-reply";
  case topic_kind::controller_presence:
    return "controller-presence";
  case topic_kind::controller_wake:
    return "controller-wake";
  case topic_kind::canary:
    return "canary";
  case topic_kind::admin:
    return "admin";
  case topic_kind::fact:
    return "fact";
  }
  return "desired";
}

namespace {

/// At most so many levels follow the root: -/inst/{i}/node/{leaf}, {t}/op/{n}/req/{d}.
constexpr std::size_t max_levels = 5;

struct levels {
  std::array<std::string_view, max_levels> at;
  std::size_t count = 0;
};

std::optional<levels> split(std::string_view rest) {
  levels out;
  while (true) {
    const auto slash = rest.find('/');
    const auto level = rest.substr(0, slash);
    if (out.count == max_levels || !valid_level(level))
      return std::nullopt;
    out.at[out.count++] = level;
    if (slash == std::string_view::npos)
      return out;
    rest.remove_prefix(slash + 1);
  }
}

std::optional<parsed_topic> parse_platform(const levels& l) {
  parsed_topic t;
  t.tenant = "-";
  if (l.count == 3 && l.at[1] == "ctl" && l.at[2] == "presence") {
    t.kind = topic_kind::controller_presence;
    return t;
  }
  if (l.count == 3 && l.at[1] == "ctl" && l.at[2] == "wake") {
    t.kind = topic_kind::controller_wake;
    return t;
  }
  if (l.count == 3 && l.at[1] == "broker" && l.at[2] == "canary") {
    t.kind = topic_kind::canary;
    return t;
  }
  if (l.count != 5 || l.at[1] != "inst" || l.at[3] != "node")
    return std::nullopt;
  t.instance = l.at[2];
  if (l.at[4] == "presence")
    t.kind = topic_kind::node_presence;
  else if (l.at[4] == "work")
    t.kind = topic_kind::node_work;
  else if (l.at[4] == "obs")
    t.kind = topic_kind::node_observations;
  else if (l.at[4] == "ask")
    t.kind = topic_kind::node_ask;
  else if (l.at[4] == "reply")
    t.kind = topic_kind::node_reply;
  else
    return std::nullopt;
  return t;
}

std::optional<parsed_topic> parse_of_device(const levels& l, parsed_topic t) {
  const auto device = parse_uuid(l.at[2]); // valid_level() has refused capitals already
  if (!device)
    return std::nullopt;
  t.device = *device;
  if (l.count == 5 && l.at[3] == "fact") {
    if (!valid_fact_kind(l.at[4]))
      return std::nullopt;
    t.kind = topic_kind::fact;
    t.name = l.at[4];
    return t;
  }
  if (l.count == 5) {
    const auto c = l.at[3] == "event" ? parse_event_class(l.at[4]) : std::nullopt;
    if (!c)
      return std::nullopt;
    t.kind = topic_kind::event;
    t.cls = *c;
    return t;
  }
  if (l.count != 4)
    return std::nullopt;
  if (l.at[3] == "desired")
    t.kind = topic_kind::desired;
  else if (l.at[3] == "current")
    t.kind = topic_kind::current;
  else if (l.at[3] == "presence")
    t.kind = topic_kind::presence;
  else
    return std::nullopt;
  return t;
}

std::optional<parsed_topic> parse_of_caller(const levels& l, parsed_topic t) {
  if (l.count != 5)
    return std::nullopt;
  const auto kind = l.at[1] == "op" ? principal::kind::person : principal::kind::external;
  t.caller = principal{kind, t.tenant, std::string(l.at[2])};
  if (l.at[3] == "rsp") {
    t.kind = topic_kind::response;
    t.client = l.at[4];
    return t;
  }
  const auto device = l.at[3] == "req" ? parse_uuid(l.at[4]) : std::nullopt;
  if (!device)
    return std::nullopt;
  t.kind = topic_kind::request;
  t.device = *device;
  return t;
}

} // namespace

std::optional<parsed_topic> parse_topic(std::string_view topic) {
  parsed_topic t;
  for (auto r : {root::native, root::json}) {
    const auto prefix = to_string(r);
    if (topic.size() <= prefix.size() || topic.substr(0, prefix.size()) != prefix ||
        topic[prefix.size()] != '/')
      continue;
    t.root = r;
    const auto l = split(topic.substr(prefix.size() + 1));
    if (!l || l->count < 3)
      return std::nullopt;
    if (l->at[0] == "-")
      return r == root::native ? parse_platform(*l) : std::nullopt;
    if (!valid_tenant_key(l->at[0]))
      return std::nullopt;
    t.tenant = l->at[0];
    if (l->at[1] == "dev")
      return parse_of_device(*l, std::move(t));
    if (l->at[1] == "op" || l->at[1] == "ext")
      return parse_of_caller(*l, std::move(t));
    if ((l->at[1] == "meta" || l->at[1] == "admin") && l->count == 3) {
      t.kind = l->at[1] == "meta" ? topic_kind::meta : topic_kind::admin;
      t.name = l->at[2];
      return t;
    }
    return std::nullopt;
  }
  return std::nullopt;
}

bool may_answer(const parsed_topic& request, std::string_view response_topic) {
  if (request.kind != topic_kind::request || !request.caller)
    return false;
  const auto to = parse_topic(response_topic);
  return to && to->kind == topic_kind::response && to->root == request.root &&
         to->tenant == request.tenant && to->caller->what == request.caller->what &&
         to->caller->name == request.caller->name;
}

} // namespace outband::bus
