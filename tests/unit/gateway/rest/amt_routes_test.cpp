// MPS's /amt routes over fake ports: what they ask, what they make of what is told.
#include "tests/unit/gateway/rest/site.hpp"

#include "messages/amt/catalogue.hpp"

#include <doctest/doctest.h>

using namespace outband;
using namespace outband::testing;

namespace {

struct row {
  const char* method;
  const char* path; ///< below /api/v1/amt/, @ being the GUID
  const char* act;
  const char* body;
};

const row rows[] = {
    {"GET", "version/@", "version.get", ""},
    {"GET", "generalSettings/@", "general.get", ""},
    {"GET", "hardwareInfo/@", "hardware.get", ""},
    {"GET", "diskInfo/@", "disk.get", ""},
    {"GET", "features/@", "features.get", ""},
    {"POST", "features/@", "features.set",
     R"({"userConsent":"none","enableSOL":true,"enableIDER":true,"enableKVM":true})"},
    {"GET", "power/bootSources/@", "boot.sources", ""},
    {"GET", "power/bootState/@", "boot.state", ""},
    {"POST", "power/bootOptions/@", "boot.set", R"({"action":400,"useSOL":false})"},
    {"GET", "boot/remoteErase/@", "erase.capabilities", ""},
    {"POST", "boot/remoteErase/@", "erase.set",
     R"({"secureEraseAllSSDs":true,"tpmClear":false,"restoreBIOSToEOM":false,"unconfigureCSME":false})"},
    {"GET", "userConsentCode/@", "consent.request", ""},
    {"POST", "userConsentCode/@", "consent.send", R"({"consentCode":"012345"})"},
    {"GET", "userConsentCode/cancel/@", "consent.cancel", ""},
    {"GET", "log/audit/@?startIndex=1", "log.audit", ""},
    {"GET", "log/event/@", "log.event", ""},
    {"POST", "events/@", "events.subscribe", ""},
    {"DELETE", "events/@", "events.unsubscribe", ""},
    {"GET", "alarmOccurrences/@", "alarms.list", ""},
    {"POST", "alarmOccurrences/@", "alarms.add",
     R"({"ElementName":"a","StartTime":"2030-01-01T00:00:00Z","Interval":0,"DeleteOnCompletion":true})"},
    {"DELETE", "alarmOccurrences/@", "alarms.remove", R"({"Name":"a"})"},
    {"GET", "certificates/@", "certificates.list", ""},
    {"DELETE", "certificates/@/Intel(r)%20AMT%20Certificate:%20Handle:%200", "certificates.remove",
     ""},
    {"GET", "kvm/displays/@", "displays.get", ""},
    {"PUT", "kvm/displays/@", "displays.set", R"({"displayIndex":1})"},
    {"POST", "network/linkPreference/@", "link_preference.set",
     R"({"linkPreference":1,"timeout":60})"},
    {"GET", "networkSettings/@", "network.get", ""},
    {"GET", "networkSettings/wired/@", "wired.get", ""},
    {"PATCH", "networkSettings/wired/@", "wired.set", R"({"dhcpEnabled":true})"},
    {"GET", "networkSettings/wireless/state/@", "wifi.state.get", ""},
    {"POST", "networkSettings/wireless/state/@", "wifi.state.set", R"({"state":"WifiEnabledS0"})"},
    {"GET", "networkSettings/wireless/profileSync/@", "wifi.sync.get", ""},
    {"POST", "networkSettings/wireless/profileSync/@", "wifi.sync.set",
     R"({"localProfileSync":true})"},
    {"GET", "networkSettings/wireless/profile/@", "wifi.profiles.list", ""},
    {"POST", "networkSettings/wireless/profile/@", "wifi.profiles.add",
     R"({"profileName":"home","ssid":"home","priority":1,"authenticationMethod":"WPA2PSK","encryptionMethod":"CCMP","password":"12345678"})"},
    {"PATCH", "networkSettings/wireless/profile/@", "wifi.profiles.update",
     R"({"profileName":"home","ssid":"home","priority":1,"authenticationMethod":"WPA2PSK","encryptionMethod":"CCMP","password":"12345678"})"},
    {"DELETE", "networkSettings/wireless/profile/@/home", "wifi.profiles.remove", ""},
    {"GET", "tls/@", "tls.settings.get", ""},
    {"GET", "explorer/@/AMT_GeneralSettings", "explorer.get", ""},
    {"DELETE", "deactivate/@", "deactivate", ""},
};

std::string target(const site& s, const row& r) {
  std::string path = std::string("/api/v1/amt/") + r.path;
  return path.replace(path.find('@'), 1, s.guid);
}

bool reads(const row& r) {
  const auto* o = amt::find_operation(r.act);
  REQUIRE_MESSAGE(o != nullptr, r.act);
  return o->effect == wsman::effect::none;
}

response done(const std::string& json) {
  response r;
  r.status = request_status::done;
  r.result = json;
  return r;
}

void connect(site& s) {
  s.store.devices.at(s.machine.device).record.connected = true;
}

} // namespace

TEST_CASE("every operation route hands its argument to the operation of its name") {
  site s;
  connect(s);
  for (const auto& r : rows) {
    CAPTURE(r.method);
    CAPTURE(r.path);
    s.control.submitted.clear();
    s.control.asked.clear();
    s.control.live = amt_outcome{amt::document{R"({"told":1})"}};
    s.control.script = {done(R"({"told":1})")};
    auto got = s.send(r.method, target(s, r), s.root, r.body);
    CAPTURE(got.text);
    CHECK(got.status == 200);
    CHECK(got.text == R"({"told":1})");
    if (reads(r)) {
      CHECK(s.control.asked.size() == 1);
      CHECK(s.control.submitted.empty());
      continue;
    }
    REQUIRE(s.control.submitted.size() == 1);
    const auto* asked = std::get_if<ask_operation>(&s.control.submitted[0].body);
    REQUIRE(asked != nullptr);
    CHECK(asked->act == std::string("amt.") + r.act);
    CHECK(json::parse(asked->argument).ok());
  }
}

TEST_CASE("an operation for a machine without a tunnel is MPS's 404 and nothing is asked") {
  site s;
  for (const auto& r : rows) {
    CAPTURE(r.path);
    s.control.live = fail(problem::link_down);
    auto got = s.send(r.method, target(s, r), s.root, r.body);
    CHECK(got.status == 404);
    CHECK(got.at("error") == "Device not found/connected. Please connect again using CIRA.");
  }
  CHECK(s.control.submitted.empty());
}

TEST_CASE("while the database is away operations say so") {
  site s;
  s.store.away = true;
  s.control.live = fail(problem::store_unavailable);
  for (const auto& r : rows) {
    CAPTURE(r.path);
    auto got = s.send(r.method, target(s, r), s.root, r.body);
    CHECK(got.status == 503);
    CHECK(got.header("Retry-After") == "5");
    CHECK(got.at("code") == "store-unavailable");
  }
}

TEST_CASE("an argument is looked at before the machine is") {
  site s;
  auto got = s.send("POST", "/api/v1/amt/features/" + s.guid, s.root, R"({"userConsent":"maybe"})");
  CHECK(got.status == 400);
  REQUIRE(got.body.find("errors") != nullptr);
  CHECK(got.body.find("errors")->items()->size() >= 1);
  got = s.send("GET", "/api/v1/amt/log/audit/" + s.guid + "?startIndex=x", s.root);
  CHECK(got.status == 400);
  CHECK(got.text.find("\"location\":\"query\"") != std::string::npos);
}

TEST_CASE("what the firmware refuses of consent is a 400 with its own words") {
  site s;
  connect(s);
  auto refused = done(R"({"Body":{"ReturnValue":2,"ReturnValueStr":"NOT_READY"}})");
  refused.status = request_status::failed;
  refused.return_value = 2;
  s.control.script = {refused};
  auto got = s.send("GET", "/api/v1/amt/userConsentCode/" + s.guid, s.root);
  CHECK(got.status == 400);
  CHECK(got.text == R"({"Body":{"ReturnValue":2,"ReturnValueStr":"NOT_READY"}})");
  got = s.send("POST", "/api/v1/amt/network/linkPreference/" + s.guid, s.root,
               R"({"linkPreference":1,"timeout":60})");
  CHECK(got.status == 200);
}

TEST_CASE("an operation that tells nothing answers 204") {
  site s;
  connect(s);
  s.control.script = {done("null")};
  auto got = s.send("PATCH", "/api/v1/amt/networkSettings/wired/" + s.guid, s.root,
                    R"({"dhcpEnabled":true})");
  CHECK(got.status == 204);
  CHECK(got.text.empty());
}

TEST_CASE("failures of operations are MPS's codes with our words besides") {
  struct fault {
    problem what;
    int status;
  };
  for (const auto& f : {fault{problem::not_found, 404}, fault{problem::already_exists, 409},
                        fault{problem::unsupported, 501}, fault{problem::device_refused, 500},
                        fault{problem::device_protocol, 500}, fault{problem::device_timeout, 504},
                        fault{problem::outcome_unknown, 504}, fault{problem::busy, 429},
                        fault{problem::forbidden, 403}, fault{problem::malformed, 400}}) {
    site s;
    s.control.live = fail(f.what, "because of this");
    auto got = s.send("GET", "/api/v1/amt/features/" + s.guid, s.root);
    CAPTURE(got.text);
    CHECK(got.status == f.status);
    CHECK(got.at("code") == explain(f.what).code);
    CHECK(got.at("message") == "because of this");
  }
}

TEST_CASE("what the firmware refuses of the network is MPS's 400 and of the features its 500") {
  site s;
  connect(s);
  response refused;
  refused.status = request_status::failed;
  refused.why = fail(problem::device_refused, "because of this");
  s.control.script = {refused};
  auto got = s.send("POST", "/api/v1/amt/network/linkPreference/" + s.guid, s.root,
                    R"({"linkPreference":1,"timeout":60})");
  CHECK(got.status == 400);
  CHECK(got.at("error") == "Incorrect URI or Bad Request");
  CHECK(got.at("errorDescription") == "because of this");
  got = s.send("POST", "/api/v1/amt/features/" + s.guid, s.root,
               R"({"userConsent":"none","enableSOL":true,"enableIDER":true,"enableKVM":true})");
  CHECK(got.status == 500);
  CHECK(got.at("errorDescription") == "Exception during AMT Features Set request");
}

TEST_CASE("a machine nobody knows is MPS's 404 and what a machine lacks has its own words") {
  site s;
  s.control.live = fail(problem::not_found, "Wireless Profile not found: office.");
  auto got = s.send("GET", "/api/v1/amt/version/" + s.guid, s.root);
  CHECK(got.status == 404);
  CHECK(got.at("error") == "Wireless Profile not found");
  CHECK(got.at("errorDescription") == "Wireless Profile not found: office.");
  const std::string unknown = "00000000-dead-4bad-8000-000000000001";
  got = s.send("GET", "/api/v1/amt/version/" + unknown, s.root);
  CHECK(got.status == 404);
  CHECK(got.at("error") == "Device not found/connected. Please connect again using CIRA.");
  CHECK(got.at("errorDescription") == "guid : " + unknown);
}

TEST_CASE("boot sources that cannot be read have MPS's odd body") {
  site s;
  s.control.live = fail(problem::device_protocol, "because of this");
  auto got = s.send("GET", "/api/v1/amt/power/bootSources/" + s.guid, s.root);
  CHECK(got.status == 500);
  CHECK(got.at("error") == "Failed to get boot source settings");
  CHECK(got.at("details") == "because of this");
}

TEST_CASE("the same Idempotency-Key is the same request") {
  site s;
  connect(s);
  s.control.script = {done("{}")};
  const std::string key = "0190a1b2-c3d4-7000-8000-000000000001";
  s.send("GET", "/api/v1/amt/userConsentCode/" + s.guid, s.root, {}, {{"Idempotency-Key", key}});
  REQUIRE(s.control.submitted.size() == 1);
  CHECK(to_string(s.control.submitted[0].id) == key);
}

TEST_CASE("wiping the disks is not for who may merely boot") {
  site s;
  connect(s);
  s.control.script = {done(R"({"Body":{"ReturnValue":0}})")};
  s.send("POST", "/api/v1/amt/power/bootOptions/" + s.guid, s.operator_,
         R"({"action":104,"useSOL":false})");
  REQUIRE(s.control.submitted.size() == 1);
  const auto* asked = std::get_if<ask_operation>(&s.control.submitted[0].body);
  REQUIRE(asked != nullptr);
  CHECK(asked->act == "amt.erase.secure"); // whose role the desk looks at
  CHECK(role_needed(access_kind::act, asked->act) == role::admin);
}
