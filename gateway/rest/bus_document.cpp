// AsyncAPI 3 of the bus, from the server's side: it sends what others may subscribe to.
#include "gateway/rest/documents.hpp"
#include "gateway/rest/documents_parts.hpp"
#include "messages/amt/catalogue.hpp"
#include "messages/bus/legacy.hpp"
#include "messages/bus/topics.hpp"
#include "messages/domain/roles.hpp"

#include <algorithm>

namespace outband::rest {

namespace {

std::string text_at(const json::value& of, std::string_view name) {
  const auto* v = of.find(name);
  return v != nullptr && v->text() != nullptr ? *v->text() : std::string();
}

bool true_at(const json::value& of, std::string_view name) {
  const auto* v = of.find(name);
  return v != nullptr && v->boolean() != nullptr && *v->boolean();
}

/// As the role table writes it: every level that a subscriber chooses is "+", but the caller's own.
std::string filter_of(const std::string& address) {
  std::string out;
  for (std::size_t at = 0; at < address.size();) {
    const auto end = address[at] == '{' ? address.find('}', at) + 1 : at + 1;
    const auto piece = address.substr(at, end - at);
    out += piece.size() == 1 || piece == "{tenant}" || piece == "{self}" ? piece : "+";
    at = end;
  }
  return out;
}

json::value parameters_of(const std::string& address) {
  json::object out;
  for (auto at = address.find('{'); at != std::string::npos; at = address.find('{', at + 1)) {
    const auto name = address.substr(at + 1, address.find('}', at) - at - 1);
    const char* words = name == "tenant" ? "A tenant's key."
                        : name == "self" ? "The caller itself: op/alice, ext/ha."
                        : name == "guid" ? "The machine."
                                         : "One level, [a-z0-9-]{1,64}.";
    out.push_back({name, json::object{{"description", words}}});
  }
  return json::value(std::move(out));
}

/// The envelope's schema with the document's body in it.
json::value payload_of(const json::value& envelope, const std::string& document, bool cloud_event,
                       bool may_end) {
  json::object properties;
  add_members(properties, envelope.find("properties"));
  for (auto& p : properties) {
    if (p.name == "k")
      p.val = json::object{{"type", "string"}, {"enum", json::array{document}}};
    if (p.name == "type" && document != "event") // of events: io.oob.event.{t}.v1
      p.val = json::object{{"type", "string"}, {"enum", json::array{"io.oob." + document + ".v1"}}};
  }
  const char* body = cloud_event ? "data" : "d";
  json::value schema = schema_ref(document);
  if (may_end) // a tombstone: the document is gone
    schema = json::object{
        {"anyOf",
         json::array{schema, json::object{{"type", "object"}, {"properties", json::object{}}}}}};
  properties.push_back({body, std::move(schema)});
  auto required = *envelope.find("required");
  required.items()->push_back(body);
  return json::object{
      {"type", "object"}, {"properties", std::move(properties)}, {"required", std::move(required)}};
}

struct document_maker {
  const json::value& topics;
  json::object channels{}, messages{}, operations{};

  void add_channel(const std::string& name, const json::value& c, bool cloud_event) {
    const auto key = cloud_event ? name + "-json" : name;
    const auto address =
        std::string(cloud_event ? bus::json_root : bus::native_root) + "/" + text_at(c, "path");
    json::object carried;
    for (const auto& d : *c.find("documents")->items()) {
      const auto message = *d.text() + (cloud_event ? ".json" : ".native");
      const auto* envelope = topics.find("envelopes")->find(cloud_event ? "json" : "native");
      const bool state =
          *d.text() == "desired" || *d.text() == "current" || *d.text() == "presence";
      add_message(message, cloud_event ? "application/cloudevents+json" : "application/msgpack",
                  payload_of(*envelope, *d.text(), cloud_event, state));
      carried.push_back({message, reference("messages", message)});
      if (cloud_event && *d.text() == "request") {
        add_message("request.plain", "application/json", plain_request());
        carried.push_back({"request.plain", reference("messages", "request.plain")});
      }
    }
    add(key, address, text_at(c, "summary"), std::move(carried), true_at(c, "retained"));
  }

  void add(const std::string& key, const std::string& address, const std::string& summary,
           json::object carried, bool retained) {
    json::object channel{{"address", address},
                         {"summary", summary},
                         {"parameters", parameters_of(address)},
                         {"messages", std::move(carried)},
                         {"x-retained", retained}};
    const auto filter = filter_of(address);
    bool anybody = false;
    for (const auto& rule : access_rules()) {
      if (rule.name != filter ||
          (rule.kind != access_kind::publish && rule.kind != access_kind::subscribe))
        continue;
      anybody = true;
      const bool asks = rule.kind == access_kind::publish;
      operations.push_back({key, json::object{{"action", asks ? "receive" : "send"},
                                              {"channel", reference("", key)},
                                              {"summary", summary},
                                              {"x-role", to_string(rule.needed)}}});
    }
    if (!anybody)
      channel.push_back({"description", "Between our own nodes; nobody else may use it."});
    channels.push_back({key, std::move(channel)});
  }

  void add_message(const std::string& name, const char* type, json::value payload) {
    if (std::none_of(messages.begin(), messages.end(),
                     [&](const auto& m) { return m.name == name; }))
      messages.push_back(
          {name, json::object{{"contentType", type}, {"payload", std::move(payload)}}});
  }

  static json::value reference(const std::string& kind, const std::string& name) {
    return json::object{
        {"$ref", kind.empty() ? "#/channels/" + name : "#/components/" + kind + "/" + name}};
  }

  json::value plain_request() const {
    auto body = *topics.find("schemas")->find("request");
    for (auto& m : *body.members())
      if (m.name == "properties")
        m.val.members()->push_back({"id", schema_ref("Id")});
    return body;
  }
};

/// What may be asked, by whom, with what: the role table's acts.
json::value acts_of(const json::value& topics, const json::value& operations) {
  json::object out;
  for (const auto& rule : access_rules()) {
    if (rule.kind != access_kind::act)
      continue;
    json::object act{{"x-role", to_string(rule.needed)}};
    const std::string name(rule.name);
    if (name.rfind("amt.", 0) == 0) {
      const auto plain = name.substr(4);
      if (const auto* o = operations.find("operations")->find(plain)) {
        act.push_back({"summary", text_at(*o, "summary")});
        for (const char* side : {"argument", "result"})
          if (o->find(side) != nullptr)
            act.push_back({side, schema_ref(plain + "." + side)});
      }
    } else {
      add_members(act, topics.find("acts")->find(name));
    }
    out.push_back({name, std::move(act)});
  }
  return json::value(std::move(out));
}

} // namespace

result<json::value> make_asyncapi(std::string_view version) {
  auto topics = document_part("topics");
  auto operations = document_part("operations");
  if (!topics)
    return topics.error();
  if (!operations)
    return operations.error();
  document_maker made{*topics};
  for (const auto& c : *topics->find("channels")->members()) {
    made.add_channel(c.name, c.val, false);
    if (true_at(c.val, "json"))
      made.add_channel(c.name, c.val, true);
  }
  made.add_message("mps", "application/json", schema_ref("mps"));
  made.add("mps-events", std::string(bus::mps_events_topic),
           "MPS's own topic, where it is switched on",
           {{"mps", document_maker::reference("messages", "mps")}}, false);
  made.add("rps-events", std::string(bus::rps_events_topic),
           "RPS's own topic, where it is switched on",
           {{"mps", document_maker::reference("messages", "mps")}}, false);
  json::object schemas;
  add_members(schemas, topics->find("schemas"));
  add_members(schemas, operations->find("schemas"));
  add_operation_schemas(schemas, *operations->find("operations"));
  return json::value(json::object{
      {"asyncapi", "3.0.0"},
      {"info", json::object{{"title", "Outband's bus"},
                            {"version", version},
                            {"description",
                             "MQTT 5. oob/v1 carries MessagePack, oobx/v1 the same documents as "
                             "CloudEvents in JSON. Tickets: POST /api/v1/authorize/bus. x-role is "
                             "the role one needs; x-acts lists what a request may ask for."}}},
      {"defaultContentType", "application/msgpack"},
      {"channels", std::move(made.channels)},
      {"operations", std::move(made.operations)},
      {"x-acts", acts_of(*topics, *operations)},
      {"components",
       json::object{{"messages", std::move(made.messages)}, {"schemas", std::move(schemas)}}}});
}

} // namespace outband::rest
