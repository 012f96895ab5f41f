#include "tests/unit/gateway/rest/site.hpp"

#include <doctest/doctest.h>

using namespace outband;
using namespace outband::testing;

namespace {

struct powered : site {
  powered() { store.devices.at(machine.device).record.connected = true; }
  reply state() { return send("GET", "/api/v1/amt/power/state/" + guid, viewer); }
  reply act(const std::string& body, header_list h = {}) {
    return send("POST", "/api/v1/amt/power/action/" + guid, operator_, body, std::move(h));
  }
  void answer(request_status status, std::optional<failure> why = {},
              std::optional<std::uint32_t> value = {}) {
    response accepted, running, last;
    accepted.status = request_status::accepted;
    running.status = request_status::running;
    last.status = status;
    last.why = std::move(why);
    last.return_value = value;
    control.script = {accepted, running, last};
  }
};

} // namespace

TEST_CASE("power state has MPS's members and Console's spelling beside them") {
  powered s;
  s.control.live = amt_outcome(amt::power_reading{power_state::on, 2});
  auto r = s.state();
  CHECK(r.status == 200);
  CHECK(r.text == R"({"powerstate":2,"OSPowerSavingState":2,"osPowerSavingState":2})");
}

TEST_CASE("a machine without a tunnel is told in the words that EMF matches") {
  powered s;
  auto r = s.state();
  CHECK(r.status == 404);
  CHECK(r.at("error") == "Device not found/connected. Please connect again using CIRA.");
  CHECK(r.at("errorDescription") == "guid : " + s.guid);
  auto foreign = s.send("GET", "/api/v1/amt/power/state/nonsense", s.viewer);
  CHECK(foreign.at("error") == r.at("error"));
}

TEST_CASE("a power state that cannot be read comes with the last known one marked as such") {
  powered s;
  auto& row = s.store.devices.at(s.machine.device);
  CHECK(s.state().body.find("lastKnown") == nullptr); // nothing is known
  row.current.power = {power_state::on, 2, 1'799'999'000'000, 1'799'999'990'000};
  row.link = {4, link_state::unknown, "n1", {}, "192.0.2.9", "", 1'799'990'000'000};
  const auto last = [&](problem why) {
    s.control.live = fail(why);
    auto r = s.state();
    const auto* known = r.body.find("lastKnown");
    REQUIRE(known);
    CHECK(*known->find("powerstate")->integer() == 2);
    CHECK(*known->find("observedAt")->text() == "2027-01-15T07:59:50.000Z");
    CHECK(*known->find("link")->text() == "unknown");
    CHECK(r.body.find("powerstate") == nullptr); // never as if it had been read
    return r;
  };
  CHECK(last(problem::link_down).status == 404);
  CHECK(last(problem::expired).status == 404);
  auto away = last(problem::bus_unavailable);
  CHECK(away.status == 503);
  CHECK(away.at("code") == "bus-unavailable");
  CHECK_FALSE(away.at("next").empty());
  CHECK(away.header("Retry-After") == "5");
}

TEST_CASE("what the firmware does not tell or not in time has MPS's status") {
  powered s;
  s.control.live = amt_outcome(amt::power_reading{power_state::unknown, 0});
  CHECK(s.state().status == 400);
  s.control.live = fail(problem::device_timeout);
  CHECK(s.state().status == 404);
  CHECK(s.state().at("code") == "device-timeout");
  s.control.live = fail(problem::device_auth);
  CHECK(s.state().status == 500);
  CHECK(s.state().at("code") == "device-auth");
  CHECK(s.state().at("error") == "Internal Server Error");
  s.control.live = fail(problem::busy);
  CHECK(s.state().status == 429);
  s.control.live = amt_outcome(amt::power_ack{0}); // a defect of ours, not a crash
  CHECK(s.state().status == 500);
}

TEST_CASE("capabilities are labels and codes in MPS's order") {
  powered s;
  auto get = [&](power_capabilities can) {
    s.control.live = amt_outcome(can);
    return s.send("GET", "/api/v1/amt/power/capabilities/" + s.guid, s.viewer).text;
  };
  power_capabilities all;
  all.amt_major = 16;
  all.bios_setup = all.secure_erase = all.force_diagnostic_boot = true;
  CHECK(
      get(all) ==
      R"({"Power up":2,"Power cycle":5,"Power down":8,"Reset":10,"Soft-off":12,"Soft-reset":14,"Sleep":4,"Hibernate":7,"Power up to BIOS":100,"Reset to BIOS":101,"Reset to Secure Erase":104,"Reset to IDE-R Floppy":200,"Power on to IDE-R Floppy":201,"Reset to IDE-R CDROM":202,"Power on to IDE-R CDROM":203,"Power on to diagnostic":300,"Reset to diagnostic":301,"Reset to PXE":400,"Power on to PXE":401})");
  power_capabilities old;
  old.amt_major = 9;
  CHECK(
      get(old) ==
      R"({"Power up":2,"Power cycle":5,"Power down":8,"Reset":10,"Reset to IDE-R Floppy":200,"Power on to IDE-R Floppy":201,"Reset to IDE-R CDROM":202,"Power on to IDE-R CDROM":203,"Reset to PXE":400,"Power on to PXE":401})");
}

TEST_CASE("an action waits for the firmware's word and shows it in both clients' places") {
  powered s;
  s.answer(request_status::done, {}, 0);
  auto r = s.act(R"({"action":8,"useSOL":false,"method":"PowerAction"})");
  CHECK(r.status == 200);
  CHECK(r.body.find("Body")->find("ReturnValueStr")->text() != nullptr);
  CHECK(*r.body.find("Body")->find("ReturnValueStr")->text() == "SUCCESS");
  CHECK(*r.body.find("Body")->find("ReturnValue")->integer() == 0);
  CHECK(r.number("ReturnValue") == 0);
  REQUIRE(s.control.submitted.size() == 1);
  const auto& asked = s.control.submitted.front();
  CHECK(asked.target == s.machine);
  CHECK(std::get<ask_action>(asked.body).action == power_action::off_soft);
  CHECK(asked.by.name == "olaf");
  CHECK(asked.by.tenant == "acme");
  CHECK(asked.channel == "rest");
  CHECK(s.control.held.front() == role::operator_);
  CHECK(*asked.deadline == s.clock.now() + 30'000);
}

TEST_CASE("the firmware's refusal is a 200 with its value as in MPS") {
  powered s;
  s.answer(request_status::failed, fail(problem::device_refused), 2);
  auto r = s.act(R"({"action":10})");
  CHECK(r.status == 200);
  CHECK(*r.body.find("Body")->find("ReturnValueStr")->text() == "NOT_READY");
}

TEST_CASE("every other end of an action is an error that says what happened") {
  powered s;
  s.answer(request_status::rejected, fail(problem::transition_refused, "The machine is off."));
  auto r = s.act(R"({"action":10})");
  CHECK(r.status == 409);
  CHECK(r.at("errorDescription") == "The machine is off.");
  CHECK(r.text.find("NOT_READY") != std::string::npos);
  s.answer(request_status::failed, fail(problem::link_down));
  CHECK(s.act(R"({"action":10})").at("error") ==
        "Device not found/connected. Please connect again using CIRA.");
  s.answer(request_status::unknown, fail(problem::outcome_unknown));
  r = s.act(R"({"action":10})");
  CHECK(r.status == 500);
  CHECK(r.at("errorDescription") == "Exception during Power Action request");
  CHECK(r.at("code") == "outcome-unknown");
  s.answer(request_status::rejected, fail(problem::store_unavailable));
  CHECK(s.act(R"({"action":10})").status == 503);
  s.answer(request_status::expired, fail(problem::expired));
  CHECK(s.act(R"({"action":10})").at("code") == "expired");
}

TEST_CASE("an action is checked before the tunnel is looked for") {
  site s; // not connected
  auto act = [&](const std::string& body) {
    return s.send("POST", "/api/v1/amt/power/action/" + s.guid, s.operator_, body);
  };
  for (auto bad :
       {R"({})", R"({"action":9})", R"({"action":1})", R"({"action":18})", R"({"action":-2})",
        R"({"action":2.5})", R"({"action":null})", R"({"action":"two"})", R"({"action":true})",
        R"({"action":[2]})", R"({"action":99999999999999999999999})"}) {
    CAPTURE(bad);
    auto r = act(bad);
    CHECK(r.status == 400);
    CHECK(r.text.find(R"("path":"action","location":"body")") != std::string::npos);
  }
  CHECK(act(R"({"action":2})").status == 404);
  CHECK(act(R"({"action":101})").status == 422);
  CHECK(s.control.submitted.empty());
}

TEST_CASE("the actions 500 and 501 are for the operating system and answered in MPS's words") {
  powered s;
  response told;
  told.status = request_status::done;
  told.result = R"({"Body":{"ReturnValue":2,"ReturnValueStr":"OS_POWER_STATE_UNSUPPORTED"}})";
  s.control.script = {told};
  auto r = s.act(R"({"action":501})");
  CHECK(r.status == 200);
  CHECK(r.text == told.result);
  REQUIRE(s.control.submitted.size() == 1);
  const auto& asked = std::get<ask_operation>(s.control.submitted[0].body);
  CHECK(asked.act == "amt.power.os");
  CHECK(asked.argument == R"({"action":501})");
  told.result.clear();
  told.status = request_status::failed;
  told.why = fail(problem::device_timeout);
  s.control.script = {told};
  CHECK(s.act(R"({"action":500})").at("code") == "device-timeout");
}

TEST_CASE("a boot in a special way is shown to its own route") {
  powered s;
  for (auto n : {"100", "101", "104", "105", "200", "203", "300", "400", "401"}) {
    auto r = s.act(std::string(R"({"action":)") + n + "}");
    CHECK(r.status == 422);
    CHECK(r.text.find("power/bootOptions") != std::string::npos);
  }
  CHECK(s.control.submitted.empty());
}

TEST_CASE("an action may be the number's text as MPS's validator lets pass") {
  powered s;
  s.answer(request_status::done, {}, 0);
  CHECK(s.act(R"({"action":"2"})").status == 200);
  CHECK(s.act(R"({"action":15})").status == 200);
}

TEST_CASE("the idempotency key becomes the request's id and must be a UUID") {
  powered s;
  s.answer(request_status::done, {}, 0);
  const std::string key = "0190f0e0-0000-7000-8000-0000000000aa";
  auto r = s.act(R"({"action":2})", {{"Idempotency-Key", key}});
  CHECK(r.at("requestId") == key);
  CHECK(to_string(s.control.submitted.front().id) == key);
  CHECK(s.act(R"({"action":2})", {{"Idempotency-Key", "again"}}).status == 400);
  CHECK(s.act(R"({"action":2})").at("requestId") != s.act(R"({"action":2})").at("requestId"));
}

TEST_CASE("a viewer's action reaches nobody") {
  powered s;
  s.answer(request_status::done, {}, 0);
  CHECK(s.send("POST", "/api/v1/amt/power/action/" + s.guid, s.viewer, R"({"action":2})").status ==
        403);
  CHECK(s.control.submitted.empty());
}
