#include "tests/support/schema.hpp"
#include "tests/unit/messages/bus/samples.hpp"

#include "gateway/rest/documents.hpp"
#include "messages/bus/legacy.hpp"
#include "messages/domain/roles.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace outband;

namespace {

json::value asyncapi() {
  auto made = rest::make_asyncapi("1");
  REQUIRE(made.ok());
  return std::move(*made);
}

std::string text_at(const json::value& of, std::string_view name) {
  const auto* v = of.find(name);
  return v != nullptr && v->text() != nullptr ? *v->text() : std::string();
}

std::vector<std::string> differences(const json::value& document, const std::string& message,
                                     const std::string& octets) {
  const auto* m = document.find("components")->find("messages")->find(message);
  if (m == nullptr)
    return {message + " is not described"};
  auto parsed = json::parse(octets, {1 << 20, 64});
  if (!parsed)
    return {to_string(parsed.error())};
  return test::schema_differences(document, *m->find("payload"), *parsed);
}

template <class T> void fits(const json::value& document, bus::document kind, const T& body) {
  const auto octets = bus::encode(sample::full_envelope(), body, bus::encoding::cloudevents);
  CAPTURE(octets);
  // Documents of nodes only travel as MessagePack: the same field list writes both.
  const auto name = std::string(bus::to_string(kind));
  const auto* schema = document.find("components")->find("schemas")->find(name);
  REQUIRE(schema != nullptr);
  auto parsed = json::parse(octets, {1 << 20, 64});
  REQUIRE(parsed.ok());
  CHECK(test::schema_differences(document, *schema, *parsed->find("data")) ==
        std::vector<std::string>{});
  if (document.find("components")->find("messages")->find(name + ".json") != nullptr)
    CHECK(differences(document, name + ".json", octets) == std::vector<std::string>{});
}

/// An address with something in each of its parameters.
std::string filled(std::string address) {
  const std::vector<std::pair<std::string, std::string>> values = {
      {"{tenant}", "acme"},   {"{guid}", to_string(sample::device.device)},
      {"{self}", "op/alice"}, {"{class}", "power"},
      {"{kind}", "features"}, {"{client}", "c1"},
      {"{name}", "bus"},      {"{instance}", "n1"}};
  for (const auto& [key, value] : values)
    if (auto at = address.find(key); at != std::string::npos)
      address.replace(at, key.size(), value);
  return address;
}

} // namespace

TEST_CASE("every kind of topic has a channel under each of its roots and no other has one") {
  const auto document = asyncapi();
  const auto* channels = document.find("channels");
  for (int k = 0; k <= static_cast<int>(bus::topic_kind::fact); ++k)
    CHECK(channels->find(bus::to_string(static_cast<bus::topic_kind>(k))) != nullptr);
  for (const auto& c : *channels->members()) {
    if (c.name == "mps-events" || c.name == "rps-events")
      continue;
    CAPTURE(c.name);
    auto topic = bus::parse_topic(filled(text_at(c.val, "address")));
    REQUIRE(topic.has_value());
    const bool json = topic->root == bus::root::json;
    CHECK(c.name == std::string(bus::to_string(topic->kind)) + (json ? "-json" : ""));
  }
}

TEST_CASE("every topic that somebody may use is an operation with the role it needs") {
  const auto document = asyncapi();
  std::size_t rows = 0;
  for (const auto& rule : access_rules()) {
    if (rule.kind != access_kind::publish && rule.kind != access_kind::subscribe)
      continue;
    CAPTURE(rule.name);
    ++rows;
    const auto& all = *document.find("channels")->members();
    const auto* operations = document.find("operations");
    CHECK(std::any_of(all.begin(), all.end(), [&](const auto& c) {
      const auto* o = operations->find(c.name);
      return o != nullptr && text_at(*o, "x-role") == to_string(rule.needed) &&
             text_at(*o, "action") == (rule.kind == access_kind::publish ? "receive" : "send") &&
             (rule.name == text_at(c.val, "address") ||
              topic_matches(filled(std::string(rule.name)), filled(text_at(c.val, "address"))));
    }));
  }
  CHECK(document.find("operations")->members()->size() == rows);
}

TEST_CASE("every act is described with its role") {
  const auto document = asyncapi();
  for (const auto& rule : access_rules()) {
    if (rule.kind != access_kind::act)
      continue;
    CAPTURE(rule.name);
    const auto* act = document.find("x-acts")->find(rule.name);
    REQUIRE(act != nullptr);
    CHECK(text_at(*act, "x-role") == to_string(rule.needed));
    CHECK_FALSE(text_at(*act, "summary").empty());
  }
}

TEST_CASE("every document of the bus is as the AsyncAPI document says") {
  const auto document = asyncapi();
  using d = bus::document;
  fits(document, d::desired, sample::desired());
  auto current = sample::current();
  current.facts = {{"features", "print", sample::now}};
  fits(document, d::current, current);
  fits(document, d::current, current_state{});
  fits(document, d::presence, sample::present());
  auto happening = sample::happening();
  happening.detail = R"({"a":1})";
  fits(document, d::event, happening);
  fits(document, d::fact, fact{"features", R"({"KVM":true})"});
  auto answer = sample::answer();
  answer.result = R"({"a":1})";
  fits(document, d::response, answer);
  for (const auto& body : sample::requests()) {
    request r;
    r.id = sample::message_id;
    r.body = body;
    r.deadline = sample::now;
    fits(document, d::request, r);
  }
  fits(document, d::observation, sample::batch());
  fits(document, d::observation,
       std::vector<observation>{{sample::device, 7, 1, fact_seen{{"features", "{}"}}},
                                {sample::device, 7, 1, alert_seen{"{}"}}});
  for (const auto& w : sample::works())
    fits(document, d::work, w);
  fits(document, d::work,
       work_body(amt_call{sample::other_id, sample::device, 7,
                          amt::perform{"features.get", "{}", true}, sample::now}));
  for (const auto& a : sample::answers())
    fits(document, d::answer, a);
  fits(document, d::answer, sample::answered(amt::document{"{}"}));
  fits(document, d::wake, bus::wake{sample::device, "desired"});
  fits(document, d::node,
       bus::node_presence{sample::other_id, "n1", true, 5000, {"controller"}, true});
  fits(document, d::bus, bus::bus_instances{{{"n1", sample::other_id, true}}});
  fits(document, d::controller, bus::controller_presence{"n1", sample::other_id, 4, true});
  fits(document, d::canary, bus::canary{9, sample::now});
  auto gone = sample::full_envelope();
  for (auto kind : {d::desired, d::current, d::presence})
    CHECK(differences(document, std::string(bus::to_string(kind)) + ".json",
                      bus::encode_tombstone(gone, kind, bus::encoding::cloudevents)) ==
          std::vector<std::string>{});
  for (const auto& legacy : {bus::mps_payload(bus::mps_connected(), sample::device, 1),
                             bus::rps_payload("Client control mode.", sample::device, 1)})
    CHECK(differences(document, "mps", legacy) == std::vector<std::string>{});
}
