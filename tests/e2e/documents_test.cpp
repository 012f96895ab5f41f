// What the server says of itself against what it does: answers about simulated machines, and
// documents as a subscriber gets them, held against the schemas that are served.
#include "messages/bus/topics.hpp"
#include "messages/rest/json.hpp"
#include "tests/e2e/site.hpp"
#include "tests/support/schema.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>

using namespace outband;
using namespace outband::e2e;

namespace {

namespace tree = outband::json;

tree::value parsed(const std::string& text) {
  tree::limits within;
  within.depth = 64;
  auto v = tree::parse(text, within);
  REQUIRE_MESSAGE(v.ok(), text.substr(0, 200));
  return std::move(*v);
}

/// "no schema" if what is described has none.
std::vector<std::string> differences(const tree::value& document, const std::string& method,
                                     const std::string& path, const reply& r) {
  const auto* item = document.find("paths")->find(path);
  const auto* operation = item ? item->find(method) : nullptr;
  if (operation == nullptr)
    return {"there is no such route"};
  const auto* answer = operation->find("responses")->find(std::to_string(r.status));
  if (answer == nullptr)
    return {std::to_string(r.status) + " is not described"};
  const auto* content = answer->find("content");
  if (content == nullptr)
    return r.body.empty() ? std::vector<std::string>{} : std::vector<std::string>{"a body"};
  const auto& first = content->members()->front();
  if (first.name != "application/json")
    return {};
  return test::schema_differences(document, *first.val.find("schema"), parsed(r.body));
}

void fits(site& s, const tree::value& document, const std::string& method, const std::string& path,
          const machine& m, const std::string& body = {}) {
  auto target = path;
  if (auto at = target.find("{guid}"); at != std::string::npos)
    target.replace(at, 6, m.guid);
  if (auto at = target.find("{id}"); at != std::string::npos)
    target.replace(at, 4, m.guid);
  if (auto at = target.find("{call}"); at != std::string::npos)
    target.replace(at, 6, "AMT_GeneralSettings");
  auto lower = method;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  const auto r = s.call(&s.admin(), method, target, body);
  const std::string rule = method + " " + path;
  CAPTURE(rule);
  CAPTURE(r.status);
  for (const auto& difference : differences(document, lower, path, r))
    FAIL_CHECK(difference);
}

} // namespace

TEST_CASE("every answer about a machine is as the OpenAPI document says") {
  auto& s = site::get();
  const auto document = parsed(s.call(nullptr, "GET", "/api/openapi.json").body);
  const auto m = s.fresh();
  int looked = 0;
  for (const auto& path : *document.find("paths")->members()) {
    const auto& name = path.name;
    const bool project = name.find("{project}") != std::string::npos;
    if (path.val.find("get") == nullptr || project || name.find("export") != std::string::npos ||
        name.find("userConsentCode") != std::string::npos) // a GET that changes something
      continue;
    if (name.find('{') != std::string::npos && name.find("{guid}") == std::string::npos &&
        name.find("{id}") == std::string::npos)
      continue;
    if (name.find("/requests/") != std::string::npos || name.find("/audit/{") != std::string::npos)
      continue; // their ids are no machine's
    fits(s, document, "GET", name, m);
    ++looked;
  }
  CHECK(looked > 35);
  // And would be noticed if it were not.
  const auto features = s.call(&s.admin(), "GET", "/api/v1/amt/features/" + m.guid);
  REQUIRE_MESSAGE(features.status == 200, features.status << " " << features.body);
  CHECK(differences(document, "get", "/api/v1/amt/features/{guid}", features).empty());
  CHECK_FALSE(differences(document, "get", "/api/v1/amt/version/{guid}", features).empty());
  const std::string amt = "/api/v1/amt/";
  fits(s, document, "POST", amt + "features/{guid}", m,
       R"({"userConsent":"all","enableSOL":true,"enableIDER":true,"enableKVM":true})");
  fits(s, document, "GET", amt + "userConsentCode/{guid}", m);
  fits(s, document, "GET", amt + "userConsentCode/{guid}", m); // refused: one is displayed
  fits(s, document, "POST", amt + "userConsentCode/{guid}", m, R"({"consentCode":"000000"})");
  fits(s, document, "GET", amt + "userConsentCode/cancel/{guid}", m);
  fits(
      s, document, "POST", amt + "alarmOccurrences/{guid}", m,
      R"({"ElementName":"a","StartTime":"2040-01-01T00:00:00Z","Interval":90,"DeleteOnCompletion":true})");
  fits(s, document, "GET", amt + "alarmOccurrences/{guid}", m);
  fits(s, document, "DELETE", amt + "alarmOccurrences/{guid}", m, R"({"Name":"a"})");
  fits(s, document, "DELETE", amt + "alarmOccurrences/{guid}", m, R"({"Name":"a"})"); // not there
  fits(s, document, "PUT", amt + "kvm/displays/{guid}", m, R"({"displayIndex":0})");
  fits(s, document, "POST", amt + "network/linkPreference/{guid}", m,
       R"({"linkPreference":1,"timeout":60})");
  fits(s, document, "POST", amt + "networkSettings/wireless/state/{guid}", m,
       R"({"state":"WifiEnabledS0"})");
  fits(
      s, document, "POST", amt + "networkSettings/wireless/profile/{guid}", m,
      R"({"profileName":"home","ssid":"home","priority":3,"authenticationMethod":"WPA2PSK","encryptionMethod":"CCMP","password":"correct horse"})");
  fits(s, document, "GET", amt + "networkSettings/wireless/profile/{guid}", m);
  fits(s, document, "GET", amt + "networkSettings/{guid}", m);
  fits(s, document, "POST", amt + "power/action/{guid}", m, R"({"action":10})");
  fits(s, document, "GET", "/api/v1/audit", m);
}

TEST_CASE("what a subscriber gets is as the AsyncAPI document says") {
  auto& s = site::get();
  const auto document = parsed(s.call(nullptr, "GET", "/api/asyncapi.json").body);
  CHECK(document.find("asyncapi") != nullptr);
  const auto m = s.fresh();
  auto on = s.connect(s.admin());
  watcher all(*on, "oobx/v1/demo/dev/" + m.guid + "/current");
  watcher facts(*on, "oobx/v1/demo/dev/" + m.guid + "/fact/+");
  watcher events(*on, "oobx/v1/demo/dev/" + m.guid + "/event/+");
  REQUIRE(s.call(&s.admin(), "GET", "/api/v1/amt/features/" + m.guid).status == 200);
  REQUIRE(
      s.call(&s.admin(), "POST", "/api/v1/amt/power/action/" + m.guid, R"({"action":10})").status ==
      200);
  const auto some = [](const auto& seen) {
    return !seen.empty();
  };
  REQUIRE(all.wait(some));
  REQUIRE(facts.wait(some));
  REQUIRE(events.wait(some));
  const auto* schemas = document.find("components")->find("schemas");
  REQUIRE(schemas != nullptr);
  auto held = [&](const std::vector<bus::message>& seen, const std::string& channel) {
    const auto* address = document.find("channels")->find(channel);
    REQUIRE_MESSAGE(address != nullptr, channel);
    for (const auto& x : seen) {
      if (x.payload->empty())
        continue;
      std::vector<std::string> best;
      bool first = true;
      for (const auto& message : *address->find("messages")->members()) {
        const auto* body = &message.val;
        if (const auto* ref = body->find("$ref"))
          body = test::referred(document, *ref->text());
        REQUIRE(body != nullptr);
        auto wrong = test::schema_differences(document, *body->find("payload"), parsed(*x.payload));
        if (first || wrong.size() < best.size())
          best = std::move(wrong);
        first = false;
      }
      CAPTURE(x.topic);
      for (const auto& difference : best)
        FAIL_CHECK(difference);
    }
  };
  std::string current, fact, event;
  for (const auto& channel : *document.find("channels")->members()) {
    const auto* address = channel.val.find("address");
    if (address == nullptr || address->text() == nullptr || address->text()->rfind("oobx/", 0) != 0)
      continue;
    if (address->text()->find("/current") != std::string::npos)
      current = channel.name;
    if (address->text()->find("/fact/") != std::string::npos)
      fact = channel.name;
    if (address->text()->find("/event/") != std::string::npos)
      event = channel.name;
  }
  held(all.seen(), current);
  held(facts.seen(), fact);
  held(events.seen(), event);
}
