#include "messages/rest/audit.hpp"

#include <doctest/doctest.h>

using namespace outband;

namespace {

std::string kept(std::string_view act, std::string_view argument) {
  auto parsed = json::parse(argument);
  REQUIRE(parsed.ok());
  return audit_argument(act, *parsed);
}

} // namespace

TEST_CASE("of an argument only what the act's list names is kept") {
  CHECK(kept("features.set", R"({"userConsent":"kvm","enableKVM":true})") ==
        R"({"userConsent":"kvm","enableKVM":true})");
  CHECK(kept("amt.features.set", R"({"enableKVM":true,"new":"secret"})") ==
        R"({"enableKVM":true,"omitted":1})");
  CHECK(kept("consent.send", R"({"consentCode":"012345"})") == R"({"omitted":1})");
  CHECK(kept("wifi.add", R"({"profileName":"p","ssid":"s","password":"psk psk",
    "ieee8021x":{"username":"u","password":"pw","privateKey":"k"}})") ==
        R"({"profileName":"p","ssid":"s","ieee8021x":{"username":"u"},"omitted":3})");
  CHECK(kept("erase.set", R"({"tpmClear":true,"ssdPassword":"x"})") ==
        R"({"tpmClear":true,"omitted":1})");
  // A list is for its acts alone.
  CHECK(kept("consent.send", R"({"ssid":"s"})") == R"({"omitted":1})");
  CHECK(kept("nobody.knows", R"({"action":2})") == R"({"omitted":1})");
  CHECK(kept("power.action", R"({})").empty());
  CHECK(kept("power.action", R"([1])").empty());
}

TEST_CASE("what is allowed as a word is not kept as anything larger") {
  CHECK(kept("wifi.add", R"({"ssid":{"password":"x"}})") == R"({"omitted":1})");
  CHECK(kept("wifi.add", R"({"ssid":["a",{"password":"x"}]})") == R"({"omitted":1})");
  CHECK(kept("wifi.add", R"({"ssid":[["x"]]})") == R"({"omitted":1})");
  CHECK(kept("wifi.add", R"({"ieee8021x":"password"})") == R"({"omitted":1})");
  CHECK(kept("wifi.add", R"({"ieee":{"username":"u"}})") == R"({"omitted":1})");
  CHECK(kept("wifi.add", R"({"ieee8021x.username":"u"})") == R"({"omitted":1})");
  CHECK(kept("wifi.add", R"({"ssid":")" + std::string(300, 'x') + "\"}") == R"({"omitted":1})");
  std::string many = "{";
  for (int i = 0; i < 40; ++i)
    many += "\"x" + std::to_string(i) + "\":1,";
  CHECK(kept("device.add", many + R"("hostname":"h"})") == R"({"hostname":"h","omitted":40})");
  std::string tags;
  for (int i = 0; i < 64; ++i)
    tags += (i ? ",\"" : "\"") + std::string(200, 'x') + "\"";
  CHECK(kept("device.add", R"({"tags":[)" + tags + "]}") == R"({"omitted":1})");
}

TEST_CASE("of a URL neither user nor password nor query is kept") {
  auto url = [](const std::string& u) {
    return kept("boot.set", R"({"bootDetails":{"url":")" + u + R"(","password":"x"}})");
  };
  auto bare = [](const std::string& u) {
    return R"({"bootDetails":{"url":")" + u + R"("},"omitted":1})";
  };
  CHECK(url("https://a.example/b.efi") == bare("https://a.example/b.efi"));
  CHECK(url("https://me:secret@a.example:8443/b?token=x#y") == bare("https://a.example:8443/b"));
  CHECK(url("https://me:s@cret@a.example") == bare("https://a.example"));
  CHECK(url("https://a.example?p@ss") == bare("https://a.example"));
  CHECK(url("https://a.example/u@v/w") == bare("https://a.example/u@v/w"));
  CHECK(url("me:secret") == R"({"bootDetails":{},"omitted":2})");
}

TEST_CASE("what a request says is kept in the words of the bus") {
  desired_patch p;
  p.target = power_target::off;
  CHECK(audit_argument(request_body{ask_desired{p, 7}}) == R"({"target":"off","ifRev":7})");
  CHECK(audit_argument(request_body{ask_once{power_once::cycle, power_policy::ordered}}) ==
        R"({"what":"cycle","policy":"ordered"})");
  CHECK(audit_argument(request_body{ask_action{power_action::on, "sealed words"}}) ==
        R"({"action":2})");
  CHECK(audit_argument(request_body{ask_snapshot{}}).empty());
  CHECK(audit_argument(request_body{ask_operation{"amt.alarms.add", R"({"ElementName":"a"})"}}) ==
        R"({"ElementName":"a"})");
  CHECK(audit_argument(request_body{ask_operation{"amt.wifi.add", "c2VhbGVk"}}).empty());
}

TEST_CASE("a row of the trail is told with its argument as JSON") {
  audit_row r;
  r.entry.id = *parse_uuid("12345678-9abc-def0-1234-56789abcdef0");
  r.entry.act = "features.set";
  r.entry.device = r.entry.id;
  r.entry.by = "op/alice";
  r.entry.channel = "rest";
  r.entry.argument = R"({"enableKVM":true})";
  r.outcome.status = audit_status::failed;
  r.outcome.code = "device-refused";
  r.outcome.return_value = 2;
  r.at = 1'800'000'000'000;
  r.count = 3;
  CHECK(json::dump(audit_json(r)) ==
        R"({"id":"12345678-9abc-def0-1234-56789abcdef0","at":"2027-01-15T08:00:00.000Z",)"
        R"("act":"features.set","device":"12345678-9abc-def0-1234-56789abcdef0","by":"op/alice",)"
        R"("channel":"rest","node":"","address":"","argument":{"enableKVM":true},)"
        R"("status":"failed","code":"device-refused","text":"","finishedAt":null,)"
        R"("returnValue":2,"count":3})");
}

TEST_CASE("every status of an act has a name of its own") {
  for (auto s : {audit_status::asked, audit_status::done, audit_status::failed,
                 audit_status::rejected, audit_status::expired, audit_status::unknown})
    CHECK(parse_audit_status(to_string(s)) == s);
  CHECK(!parse_audit_status("accepted"));
  response r;
  r.status = request_status::rejected;
  r.why = fail(problem::forbidden, "no");
  CHECK(outcome_of(r).status == audit_status::rejected);
  CHECK(outcome_of(r).code == "forbidden");
  r.status = request_status::running;
  CHECK(outcome_of(r).status == audit_status::asked);
}

TEST_CASE("an event of the trail names neither argument nor address") {
  audit_entry e;
  e.act = "features.set";
  e.by = "op/alice";
  e.channel = "mqtt";
  e.address = "192.0.2.1";
  e.argument = R"({"enableKVM":true})";
  audit_outcome o;
  o.status = audit_status::failed;
  o.code = "device-timeout";
  auto ev = event_of(e, o);
  CHECK(ev.cls == event_class::audit);
  CHECK(ev.type == "audit.features.set");
  CHECK(ev.text == "op/alice asked for features.set by mqtt: failed (device-timeout).");
  CHECK(ev.to == "failed");
  CHECK(ev.detail.empty());
}
