#include "messages/bus/framing.hpp"

#include "messages/bus/json.hpp"
#include "messages/bus/msgpack.hpp"

namespace outband::bus {

std::string_view to_string(document d) {
  switch (d) {
  case document::desired:
    return "desired";
  case document::current:
    return "current";
  case document::presence:
    return "presence";
  case document::event:
    return "event";
  case document::request:
    return "request";
  case document::response:
    return "response";
  case document::observation:
    return "observation";
  case document::work:
    return "work";
  case document::answer:
    return "answer";
  case document::wake:
    return "wake";
  case document::node:
    return "node";
  case document::bus:
    return "bus";
  case document::controller:
    return "controller";
  case document::canary:
    return "canary";
  case document::fact:
    return "fact";
  }
  return "event";
}

namespace {

constexpr std::array<document, 15> documents{
    document::desired,    document::current,  document::presence,    document::event,
    document::request,    document::response, document::observation, document::work,
    document::answer,     document::wake,     document::node,        document::bus,
    document::controller, document::canary,   document::fact};

} // namespace

std::optional<document> parse_document(std::string_view text) {
  for (auto d : documents)
    if (text == to_string(d))
      return d;
  return std::nullopt;
}

namespace {

/// Names of the fields that both encodings have; CloudEvents allow lower-case letters and digits.
struct envelope_names {
  std::string_view source, rev, seq, epoch, ctl, incarnation, correlation, causation, trace_parent,
      by, deleted;
};
constexpr envelope_names short_names{"src", "rev", "n",  "ep", "ce", "inc",
                                     "cor", "cau", "tp", "by", "del"};
constexpr envelope_names attribute_names{
    "producer",      "revision",    "sequence",    "linkepoch", "controllerepoch", "incarnation",
    "correlationid", "causationid", "traceparent", "actor",     "deleted"};

template <class A, class T> void describe_rest(A& a, T& x, const envelope_names& n) {
  a.text(n.source, x.source, 128);
  a.integer(n.rev, x.rev, 0, any_number);
  a.integer(n.seq, x.seq, 0, any_number);
  a.integer(n.epoch, x.epoch, 0, any_number);
  a.integer(n.ctl, x.ctl, 0, any_number);
  a.id(n.incarnation, x.incarnation);
  a.id(n.correlation, x.correlation);
  a.id(n.causation, x.causation);
  a.text(n.trace_parent, x.trace_parent, 128);
  a.text(n.by, x.by, 128);
  a.flag(n.deleted, x.deleted);
}

constexpr std::string_view type_prefix = "io.oob.";
constexpr std::string_view type_suffix = ".v1";
constexpr std::string_view event_prefix = "event.";
constexpr std::string_view source_prefix = "/oob/";

/// "io.oob.event.power.changed.v1"
std::string type_of(document kind, std::string_view event_type) {
  std::string out(type_prefix);
  out += to_string(kind);
  if (kind == document::event && !event_type.empty())
    out += "." + clean_text(event_type, 64);
  out += type_suffix;
  return out;
}

std::optional<document> document_of_type(std::string_view type) {
  if (type.size() <= type_prefix.size() + type_suffix.size() ||
      type.substr(0, type_prefix.size()) != type_prefix ||
      type.substr(type.size() - type_suffix.size()) != type_suffix)
    return std::nullopt;
  type.remove_prefix(type_prefix.size());
  type.remove_suffix(type_suffix.size());
  if (type.substr(0, event_prefix.size()) == event_prefix)
    return document::event;
  return parse_document(type);
}

/// "/oob/acme/dev/<guid>"; what is about no device has its producer instead.
std::string source_of(const envelope& env) {
  if (!env.about)
    return std::string(source_prefix) + "-/" + clean_text(env.source, 128);
  return std::string(source_prefix) + env.about->tenant + "/dev/" +
         outband::to_string(env.about->device);
}

std::optional<device_ref> device_of_source(std::string_view source) {
  // The same shape as a topic, so the same strict parser.
  if (source.substr(0, source_prefix.size()) != source_prefix)
    return std::nullopt;
  const auto t = parse_topic(std::string(native_root) + "/" +
                             std::string(source.substr(source_prefix.size())) + "/current");
  if (!t || t->kind != topic_kind::current)
    return std::nullopt;
  return t->ref();
}

std::string not_this_kind(std::string_view got, document wanted) {
  return "'" + clean_text(got, 64) + "' where '" + std::string(to_string(wanted)) + "' belongs";
}

} // namespace

std::string frame(const envelope& env, document kind, std::string_view event_type, value::map body,
                  encoding e) {
  value::map out;
  if (e == encoding::msgpack) {
    writer w(out);
    w.integer("v", schema_version, 0, any_number, need::required);
    w.id("id", env.id, need::required);
    w.choice("k", kind, need::required);
    w.time("ts", env.time);
    describe_rest(w, env, short_names);
    out.push_back({"d", std::move(body)});
    return to_msgpack(out);
  }
  writer w(out, max_attribute);
  w.text("specversion", "1.0", 8);
  w.id("id", env.id, need::required);
  w.text("source", source_of(env), 256);
  w.text("type", type_of(kind, event_type), 128);
  w.time("time", env.time);
  if (env.about)
    w.text("subject", outband::to_string(env.about->device), 64);
  w.text("datacontenttype", "application/json", 32);
  describe_rest(w, env, attribute_names);
  out.push_back({"data", std::move(body)});
  return to_json(out);
}

result<value> parse(std::string_view payload, encoding e, std::size_t limit, bool long_texts) {
  if (payload.size() > limit)
    return fail(problem::too_large, "a payload of " + std::to_string(payload.size()) +
                                        " octets; at most " + std::to_string(limit) + " are read");
  tree_limits within;
  if (long_texts)
    within.text = limit;
  return e == encoding::msgpack ? from_msgpack(payload, within) : from_json(payload, within);
}

void read_native(reader& r, envelope& env, document wanted) {
  std::uint64_t version = 0;
  r.integer("v", version, schema_version, schema_version, need::required);
  r.id("id", env.id, need::required);
  std::string kind;
  r.text("k", kind, 32, need::required);
  if (!r.failed() && parse_document(kind) != wanted)
    r.refuse(problem::malformed, "k", not_this_kind(kind, wanted));
  env.kind = wanted;
  r.time("ts", env.time);
  describe_rest(r, env, short_names);
}

void read_attributes(reader& r, envelope& env, document wanted) {
  std::string version, source, type, content_type;
  r.text("specversion", version, 8, need::required);
  if (!r.failed() && version != "1.0")
    r.refuse(problem::malformed, "specversion", "must be 1.0");
  r.id("id", env.id, need::required);
  r.text("source", source, 1024, need::required);
  env.about = device_of_source(source);
  r.text("type", type, 128, need::required);
  if (!r.failed() && document_of_type(type) != wanted)
    r.refuse(problem::malformed, "type", not_this_kind(type, wanted));
  env.kind = wanted;
  r.time("time", env.time);
  r.text("datacontenttype", content_type, 128);
  if (!content_type.empty() && content_type.substr(0, 16) != "application/json")
    r.refuse(problem::malformed, "datacontenttype", "must be application/json");
  describe_rest(r, env, attribute_names);
}

} // namespace outband::bus
