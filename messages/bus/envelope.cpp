#include "messages/bus/envelope.hpp"

#include "messages/bus/bodies.hpp"
#include "messages/bus/framing.hpp"

namespace outband::bus {

namespace {

template <class T>
std::string encode_as(document kind, const envelope& env, const T& body, encoding e) {
  value::map d;
  writer w(d);
  write_body(w, body);
  return frame(env, kind, {}, std::move(d), e);
}

template <class T>
result<decoded<T>> decode_as(document wanted, std::string_view payload, encoding e) {
  const bool carries_json = wanted == document::answer || wanted == document::work ||
                            wanted == document::response || wanted == document::fact ||
                            wanted == document::event || wanted == document::observation;
  auto tree = parse(payload, e, max_payload, carries_json);
  if (!tree)
    return tree.error();
  const auto* m = tree->template get<value::map>();
  if (m == nullptr)
    return fail(problem::malformed, "a document is a map, not " + std::string(type_name(*tree)));
  decoded<T> out;
  read_state state;
  state.from_json = e == encoding::cloudevents;
  reader r(*m, state);
  if (state.from_json)
    read_attributes(r, out.env, wanted);
  else
    read_native(r, out.env, wanted);
  if (!out.env.deleted)
    r.object(state.from_json ? "data" : "d", need::required,
             [&](reader& body) { read_body(body, out.body); });
  if (state.why)
    return *state.why;
  return out;
}

} // namespace

std::string encode(const envelope& env, const desired_state& body, encoding e) {
  return encode_as(document::desired, env, body, e);
}

std::string encode(const envelope& env, const current_state& body, encoding e) {
  return encode_as(document::current, env, body, e);
}

std::string encode(const envelope& env, const presence& body, encoding e) {
  return encode_as(document::presence, env, body, e);
}

std::string encode(const envelope& env, const event& body, encoding e) {
  value::map d;
  writer w(d);
  write_body(w, body);
  return frame(env, document::event, body.type, std::move(d), e);
}

std::string encode(const envelope& env, const fact& body, encoding e) {
  return encode_as(document::fact, env, body, e);
}

std::string encode(const envelope& env, const request& body, encoding e) {
  envelope own = env;
  own.id = body.id;
  return encode_as(document::request, own, request_words{body.body, body.deadline}, e);
}

std::string encode(const envelope& env, const response& body, encoding e) {
  return encode_as(document::response, env, body, e);
}

std::string encode(const envelope& env, const std::vector<observation>& body, encoding e) {
  return encode_as(document::observation, env, body, e);
}

std::string encode(const envelope& env, const work_body& body, encoding e) {
  return encode_as(document::work, env, body, e);
}

std::string encode(const envelope& env, const amt_answer& body, encoding e) {
  return encode_as(document::answer, env, body, e);
}

std::string encode(const envelope& env, const wake& body, encoding e) {
  return encode_as(document::wake, env, body, e);
}

std::string encode(const envelope& env, const node_presence& body, encoding e) {
  return encode_as(document::node, env, body, e);
}

std::string encode(const envelope& env, const bus_instances& body, encoding e) {
  return encode_as(document::bus, env, body, e);
}

std::string encode(const envelope& env, const controller_presence& body, encoding e) {
  return encode_as(document::controller, env, body, e);
}

std::string encode(const envelope& env, const canary& body, encoding e) {
  return encode_as(document::canary, env, body, e);
}

std::string encode_tombstone(const envelope& env, document kind, encoding e) {
  envelope own = env;
  own.deleted = true;
  return frame(own, kind, {}, {}, e);
}

result<decoded<desired_state>> decode_desired(std::string_view payload, encoding e) {
  return decode_as<desired_state>(document::desired, payload, e);
}

result<decoded<current_state>> decode_current(std::string_view payload, encoding e) {
  return decode_as<current_state>(document::current, payload, e);
}

result<decoded<presence>> decode_presence(std::string_view payload, encoding e) {
  return decode_as<presence>(document::presence, payload, e);
}

result<decoded<event>> decode_event(std::string_view payload, encoding e) {
  return decode_as<event>(document::event, payload, e);
}

result<decoded<fact>> decode_fact(std::string_view payload, encoding e) {
  return decode_as<fact>(document::fact, payload, e);
}

result<decoded<response>> decode_response(std::string_view payload, encoding e) {
  return decode_as<response>(document::response, payload, e);
}

result<decoded<std::vector<observation>>> decode_observations(std::string_view payload,
                                                              encoding e) {
  return decode_as<std::vector<observation>>(document::observation, payload, e);
}

result<decoded<work_body>> decode_work(std::string_view payload, encoding e) {
  return decode_as<work_body>(document::work, payload, e);
}

result<decoded<amt_answer>> decode_answer(std::string_view payload, encoding e) {
  return decode_as<amt_answer>(document::answer, payload, e);
}

result<decoded<wake>> decode_wake(std::string_view payload, encoding e) {
  return decode_as<wake>(document::wake, payload, e);
}

result<decoded<node_presence>> decode_node_presence(std::string_view payload, encoding e) {
  return decode_as<node_presence>(document::node, payload, e);
}

result<decoded<bus_instances>> decode_bus_instances(std::string_view payload, encoding e) {
  return decode_as<bus_instances>(document::bus, payload, e);
}

result<decoded<controller_presence>> decode_controller_presence(std::string_view payload,
                                                                encoding e) {
  return decode_as<controller_presence>(document::controller, payload, e);
}

result<decoded<canary>> decode_canary(std::string_view payload, encoding e) {
  return decode_as<canary>(document::canary, payload, e);
}

namespace {

/// The client's own fields; strict, for a misspelt wish must not be lost silently.
void read_words(reader& r, read_state& state, request_words& words) {
  read_body(r, words);
  if (state.why)
    return;
  if (const auto* d = std::get_if<ask_desired>(&words.body))
    if (!d->patch.target && !d->patch.policy)
      r.refuse(problem::malformed, "arg", "names nothing to change");
}

} // namespace

result<received_request> decode_request(std::string_view payload, const parsed_topic& topic) {
  if (topic.kind != topic_kind::request || !topic.caller)
    return fail(problem::malformed, "not a topic for requests", "topic");
  const auto e = encoding_of(topic.root);
  auto tree = parse(payload, e, max_request, true);
  if (!tree)
    return tree.error();
  const auto* m = tree->get<value::map>();
  if (m == nullptr)
    return fail(problem::malformed, "a request is a map, not " + std::string(type_name(*tree)));
  received_request out;
  request_words words;
  read_state state;
  state.from_json = e == encoding::cloudevents;
  reader r(*m, state);
  const bool plain = state.from_json && !r.has("specversion");
  if (plain) {
    state.strict = true;
    r.id("id", out.env.id);
    read_words(r, state, words);
    r.finish();
  } else {
    if (state.from_json)
      read_attributes(r, out.env, document::request);
    else
      read_native(r, out.env, document::request);
    // The envelope may hold what this program does not know, the wish may not.
    state.strict = true;
    r.object(state.from_json ? "data" : "d", need::required,
             [&](reader& d) { read_words(d, state, words); });
  }
  if (state.why)
    return *state.why;
  out.env.kind = document::request;
  out.env.by.clear();
  out.env.deleted = false;
  out.env.about = topic.ref();
  if (!out.env.id.is_nil())
    out.id = out.env.id;
  out.body.id = out.env.id;
  out.body.target = topic.ref();
  out.body.body = std::move(words.body);
  out.body.deadline = words.deadline;
  out.body.by = *topic.caller;
  out.body.channel = "mqtt";
  return out;
}

} // namespace outband::bus
