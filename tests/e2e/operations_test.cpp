// MPS's operations at simulated firmware, by REST and by the bus, and what others hear of them.
#include "messages/bus/topics.hpp"
#include "tests/e2e/site.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>

using namespace outband;
using namespace outband::e2e;

namespace {

/// Facts are what these tests are about: the server of this program reads them soon.
struct reads_facts {
  reads_facts() {
    ::setenv("OUTBAND_FACTS_AT_CONNECT", "true", 1);
    ::setenv("OUTBAND_FACTS_CALM", "100ms", 1);
    ::setenv("OUTBAND_FACTS_RATE", "100", 1);
  }
} const before_the_site;

device_ref ref_of(const machine& m) {
  return {"demo", *parse_uuid(m.guid)};
}

reply rest(site& s, const std::string& method, const std::string& path,
           const std::string& body = {}, header_list headers = {}) {
  return s.call(&s.admin(), method, "/api/v1/amt/" + path, body, std::move(headers));
}

/// The machine's facts have been read once, so that what follows is news.
void settle(site& s, const machine& m) {
  REQUIRE(s.until([&] {
    auto on = s.sql("select count(*) from retained where topic like '%" + m.guid +
                    "/fact/hardware' and topic like 'oob/%'");
    return on.find('1') != std::string::npos;
  }));
}

response ask(site& s, bus::endpoint& on, const machine& m, const std::string& act,
             const std::string& argument = "{}") {
  return s.ask(on, s.admin(), m.guid, ask_operation{"amt." + act, argument});
}

} // namespace

TEST_CASE("everything that can be read of a machine is read") {
  auto& s = site::get();
  const auto m = s.fresh();
  for (const std::string path : {"version/",
                                 "generalSettings/",
                                 "hardwareInfo/",
                                 "diskInfo/",
                                 "features/",
                                 "power/state/",
                                 "power/capabilities/",
                                 "power/bootSources/",
                                 "power/bootState/",
                                 "boot/remoteErase/",
                                 "log/audit/",
                                 "log/event/",
                                 "alarmOccurrences/",
                                 "certificates/",
                                 "kvm/displays/",
                                 "networkSettings/",
                                 "networkSettings/wired/",
                                 "networkSettings/wireless/state/",
                                 "networkSettings/wireless/profileSync/",
                                 "networkSettings/wireless/profile/",
                                 "tls/"}) {
    CAPTURE(path);
    auto r = rest(s, "GET", path + m.guid);
    CAPTURE(r.body);
    CHECK(r.status == 200);
    CHECK((r.parsed().is_object() || r.parsed().is_array()));
  }
  auto r = rest(s, "GET", "explorer/" + m.guid + "/AMT_GeneralSettings");
  CHECK_MESSAGE(r.status == 200, r.body);
}

TEST_CASE("features that are set stay set") {
  auto& s = site::get();
  const auto m = s.fresh();
  auto r = rest(s, "POST", "features/" + m.guid,
                R"({"userConsent":"all","enableSOL":false,"enableIDER":true,"enableKVM":false})");
  REQUIRE_MESSAGE(r.status == 200, r.body);
  r = rest(s, "GET", "features/" + m.guid);
  REQUIRE(r.status == 200);
  const auto f = r.parsed();
  CHECK(f.at("userConsent") == "all");
  CHECK(f.at("SOL") == false);
  CHECK(f.at("IDER") == true);
  CHECK(f.at("KVM") == false);
}

TEST_CASE("a consent code is asked for at the machine's screen and sent") {
  auto& s = site::get();
  const auto m = s.fresh();
  REQUIRE(rest(s, "POST", "features/" + m.guid,
               R"({"userConsent":"all","enableSOL":true,"enableIDER":true,"enableKVM":true})")
              .status == 200);
  auto r = rest(s, "GET", "userConsentCode/" + m.guid);
  REQUIRE_MESSAGE(r.status == 200, r.body);
  CHECK(r.parsed().at("Body").at("ReturnValue") == 0);
  auto again = rest(s, "GET", "userConsentCode/" + m.guid);
  CHECK(again.status == 400); // one is displayed already
  CHECK(again.parsed().at("Body").at("ReturnValue") != 0);
  const auto code = s.truth(m.guid).at("consent").at("code").get<std::string>();
  REQUIRE(code.size() == 6);
  const auto wrong = code == "000000" ? "111111" : "000000";
  r = rest(s, "POST", "userConsentCode/" + m.guid, json{{"consentCode", wrong}}.dump());
  CHECK(r.status == 400);
  r = rest(s, "POST", "userConsentCode/" + m.guid, json{{"consentCode", code}}.dump());
  CHECK_MESSAGE(r.status == 200, r.body);
  CHECK(rest(s, "GET", "features/" + m.guid).parsed().at("optInState") == 3);
  // What was typed is in no table.
  CHECK(s.sql("select count(*) from audit where argument::text like '%" + code + "%'").find('0') !=
        std::string::npos);
}

TEST_CASE("a boot to BIOS happens once") {
  auto& s = site::get();
  const auto m = s.fresh();
  auto on = s.connect(s.admin());
  watcher boots(*on, bus::fact_topic(ref_of(m), "boot"));
  auto r = rest(s, "POST", "power/bootOptions/" + m.guid, R"({"action":101,"useSOL":false})");
  REQUIRE_MESSAGE(r.status == 200, r.body);
  CHECK(r.parsed().at("Body").at("ReturnValue") == 0);
  CHECK(s.until([&] { return s.truth(m.guid).at("last_boot") == "BIOS setup"; }));
  CHECK(boots.wait([](const auto& all) { return !all.empty(); }));
  r = rest(s, "POST", "power/action/" + m.guid, R"({"action":10})");
  REQUIRE(r.status == 200);
  CHECK(s.until([&] { return s.truth(m.guid).at("last_boot") != "BIOS setup"; }));
}

TEST_CASE("the bus tells the same as REST and everybody hears that it changed") {
  auto& s = site::get();
  const auto m = s.fresh();
  settle(s, m);
  auto on = s.connect(s.admin());
  watcher facts(*on, bus::fact_topic(ref_of(m), "features"));
  watcher events(*on, bus::event_topic(ref_of(m), event_class::amt));
  auto answer = ask(s, *on, m, "features.get");
  REQUIRE_MESSAGE(answer.status == request_status::done, answer.text);
  CHECK(json::parse(answer.result) == rest(s, "GET", "features/" + m.guid).parsed());
  answer = ask(s, *on, m, "features.set",
               R"({"userConsent":"kvm","enableSOL":false,"enableIDER":false,"enableKVM":true})");
  REQUIRE_MESSAGE(answer.status == request_status::done, answer.text);
  CHECK(facts.wait([](const auto& all) {
    for (const auto& x : all)
      if (auto f = bus::decode_fact(*x.payload, bus::encoding::msgpack))
        if (json::parse(f->body.json).at("userConsent") == "kvm")
          return true;
    return false;
  }));
  CHECK(events.wait([](const auto& all) {
    for (const auto& x : all)
      if (auto e = bus::decode_event(*x.payload, bus::encoding::msgpack))
        if (e->body.type == "features.changed")
          return true;
    return false;
  }));
  auto refused = ask(s, *on, m, "features.set", R"({"userConsent":"perhaps"})");
  CHECK(refused.status == request_status::rejected);
  REQUIRE(refused.why.has_value());
  CHECK(refused.why->what == problem::malformed);
  CHECK(refused.why->field.rfind("arg.", 0) == 0);
}

TEST_CASE("a viewer reads and changes nothing by either way") {
  auto& s = site::get();
  const auto m = s.fresh();
  const auto viewer = s.make_person("vic", "viewer", "demo");
  CHECK(s.call(&viewer, "GET", "/api/v1/amt/features/" + m.guid).status == 200);
  const std::string all =
      R"({"userConsent":"none","enableSOL":true,"enableIDER":true,"enableKVM":true})";
  CHECK(s.call(&viewer, "POST", "/api/v1/amt/features/" + m.guid, all).status == 403);
  auto on = s.connect(viewer);
  CHECK(s.ask(*on, viewer, m.guid, ask_operation{"amt.features.get", "{}"}).status ==
        request_status::done);
  auto r = s.ask(*on, viewer, m.guid, ask_operation{"amt.features.set", all});
  CHECK(r.status == request_status::rejected);
  CHECK(r.why->what == problem::forbidden);
}

TEST_CASE("the same request again is answered and not carried out again") {
  auto& s = site::get();
  const auto m = s.fresh();
  const header_list key = {{"Idempotency-Key", "0190a1b2-c3d4-7000-8000-0000000000aa"}};
  const std::string alarm =
      R"({"ElementName":"once","StartTime":"2040-01-01T00:00:00Z","Interval":0,"DeleteOnCompletion":true})";
  auto first = rest(s, "POST", "alarmOccurrences/" + m.guid, alarm, key);
  REQUIRE_MESSAGE(first.status == 200, first.body);
  auto second = rest(s, "POST", "alarmOccurrences/" + m.guid, alarm, key);
  CHECK(second.status == 200);
  CHECK(second.body == first.body);
  CHECK(rest(s, "GET", "alarmOccurrences/" + m.guid).parsed().size() == 1);
  auto other = rest(s, "DELETE", "alarmOccurrences/" + m.guid, R"({"Name":"once"})", key);
  CHECK(other.status == 400);
  CHECK(rest(s, "GET", "alarmOccurrences/" + m.guid).parsed().size() == 1);
}

TEST_CASE("wrong and hostile answers end a request in time and harm no other machine") {
  auto& s = site::get();
  const auto bad = s.fresh();
  const auto good = s.fresh();
  for (const std::string kind : {"truncate", "bad_xml", "wrong_relates_to", "wrong_class",
                                 "huge_text", "deep_xml", "endless", "soap_fault", "empty_fault"}) {
    CAPTURE(kind);
    s.fault(bad.guid, kind, 1);
    auto r = rest(s, "GET", "generalSettings/" + bad.guid);
    CAPTURE(r.body);
    CHECK((r.status == 500 || r.status == 504 || r.status == 404));
    if (r.status != 404)
      CHECK_FALSE(r.parsed().at("message").get<std::string>().empty());
    CHECK(rest(s, "GET", "generalSettings/" + good.guid).status == 200);
    // The next one is answered as if nothing had been.
    CHECK(s.until([&] { return rest(s, "GET", "generalSettings/" + bad.guid).status == 200; }));
  }
  s.fault(bad.guid, "no_answer", 1);
  auto r = rest(s, "GET", "generalSettings/" + bad.guid);
  CHECK(r.status == 504);
  CHECK(rest(s, "GET", "generalSettings/" + bad.guid).status == 200);
}

TEST_CASE("what a firmware notices becomes an event without anybody asking") {
  auto& s = site::get();
  const auto m = s.fresh();
  settle(s, m);
  auto on = s.connect(s.admin());
  watcher events(*on, bus::event_topic(ref_of(m), event_class::alert));
  // It subscribes with the other facts; what was noticed before that is told to nobody.
  REQUIRE(s.until([&] {
    return s.sql("select count(*) from device where guid = '" + m.guid +
                 "' and position('alerts'::bytea in current) > 0")
               .find('1') != std::string::npos;
  }));
  s.sim({{"op", "alert"}, {"guid", m.guid}, {"message", "iAMT0052"}, {"argument", "1"}});
  CHECK(events.wait([](const auto& all) {
    for (const auto& x : all)
      if (auto e = bus::decode_event(*x.payload, bus::encoding::msgpack))
        if (e->body.text == "A KVM session has started." &&
            json::parse(e->body.detail).at("severity") == "information")
          return true;
    return false;
  }));
  // Asked to stop, it stops; asked again, it is as before.
  auto r = rest(s, "DELETE", "events/" + m.guid);
  REQUIRE_MESSAGE(r.status == 200, r.body);
  CHECK(r.parsed().at("ended") == 1);
  r = rest(s, "POST", "events/" + m.guid);
  REQUIRE_MESSAGE(r.status == 200, r.body);
  CHECK(r.parsed().at("subscribed") == true);
  CHECK(rest(s, "DELETE", "events/" + m.guid).parsed().at("ended") == 1);
  const auto viewer = s.make_person("eve", "viewer", "demo");
  CHECK(s.call(&viewer, "POST", "/api/v1/amt/events/" + m.guid).status == 403);
}

TEST_CASE("a ReturnValue that nobody knows is told as it is and nothing waits for it") {
  auto& s = site::get();
  const auto m = s.fresh();
  s.fault(m.guid, "unknown_return_value", 1);
  auto r = rest(s, "POST", "power/action/" + m.guid, R"({"action":8})");
  REQUIRE_MESSAGE(r.status == 200, r.body);
  CHECK(r.parsed().at("Body").at("ReturnValue") == 0x9999);
  CHECK(r.parsed().at("Body").at("ReturnValueStr") == "UNKNOWN_ERROR");
  CHECK(s.power(m.guid) == 2);
  CHECK(rest(s, "GET", "power/state/" + m.guid).status == 200);
}

TEST_CASE("new records of the firmware's event log become events") {
  auto& s = site::get();
  const auto m = s.fresh();
  settle(s, m);
  auto on = s.connect(s.admin());
  watcher events(*on, bus::event_topic(ref_of(m), event_class::log));
  s.sim({{"op", "add_event"},
         {"guid", m.guid},
         {"sensor", 6},
         {"offset", 5},
         {"severity", 16},
         {"entity", 38},
         {"data", {170, 10, 0, 0, 0, 0, 0, 0}}});
  // A boot makes it look.
  REQUIRE(rest(s, "POST", "power/action/" + m.guid, R"({"action":8})").status == 200);
  REQUIRE(s.until([&] { return s.power(m.guid) == 8; }));
  REQUIRE(s.until([&] { return s.host(m.guid).at("currentPowerState") == "POWER_STATE_OFF"; }));
  REQUIRE(rest(s, "POST", "power/action/" + m.guid, R"({"action":2})").status == 200);
  CHECK(events.wait([](const auto& all) {
    for (const auto& x : all)
      if (auto e = bus::decode_event(*x.payload, bus::encoding::msgpack))
        if (e->body.text.find("Authentication failed 10") != std::string::npos)
          return true;
    return false;
  }));
}

TEST_CASE("the audit trail says who changed what and what came of it") {
  auto& s = site::get();
  const auto m = s.fresh();
  REQUIRE(rest(s, "POST", "features/" + m.guid,
               R"({"userConsent":"none","enableSOL":true,"enableIDER":true,"enableKVM":true})")
              .status == 200);
  std::string row;
  CHECK(s.until([&] { // the outcome is written soon after the answer
    row = s.sql("select act, asked_by, channel, status from audit where guid = '" + m.guid +
                "' order by at desc limit 1");
    return row.find("done") != std::string::npos;
  }));
  CAPTURE(row);
  CHECK(row.find("features.set") != std::string::npos);
  CHECK(row.find("op/admin") != std::string::npos);
  CHECK(row.find("rest") != std::string::npos);
}

TEST_CASE("a deactivated machine is unprovisioned and forgotten") {
  auto& s = site::get();
  const auto m = s.fresh();
  auto r = rest(s, "DELETE", "deactivate/" + m.guid);
  REQUIRE_MESSAGE(r.status == 200, r.body);
  CHECK(r.parsed().at("status") == "SUCCESS");
  CHECK(s.until(
      [&] { return s.call(&s.admin(), "GET", "/api/v1/devices/" + m.guid).status == 404; }));
  CHECK(s.until([&] { return s.truth(m.guid).at("connected") == false; }));
}
