#include "tests/unit/gateway/rest/site.hpp"

#include "messages/rest/host.hpp"

#include <doctest/doctest.h>

using namespace outband;
using namespace outband::testing;

namespace {

struct hosts : site {
  std::string id = rest::host_id(machine.device);
  device_row& row() { return store.devices.at(machine.device); }
  reply get(const std::string& name) { return send("GET", "/compute/hosts/" + name, viewer); }
  reply patch(const std::string& body, header_list h = {}) {
    return send("PATCH", "/v1/projects/acme/compute/hosts/" + id, operator_, body, std::move(h));
  }
  void say(request_status status, std::optional<failure> why = {}) {
    response r;
    r.status = status;
    r.why = std::move(why);
    control.script = {r};
  }
};

} // namespace

TEST_CASE("a host is found by resource id, GUID of either case and name") {
  hosts s;
  s.row().record.friendly_name = "edge-7";
  for (auto name : {s.id, s.guid, std::string("12345678-9ABC-DEF0-1234-56789ABCDEF0"),
                    std::string("edge-7"), std::string("host-one")}) {
    CAPTURE(name);
    auto r = s.get(name);
    CHECK(r.status == 200);
    CHECK(r.at("resourceId") == s.id);
    CHECK(r.at("uuid") == s.guid);
  }
  CHECK(s.get("host-00000000").status == 404);
  CHECK(s.get("host-00000000").at("code") == "NotFound");
  CHECK(s.get(rest::host_id(s.foreign.device)).status == 404);
  CHECK(s.get(to_string(s.foreign.device)).status == 404);
}

TEST_CASE("a name that two machines share is refused rather than guessed") {
  hosts s;
  s.store.add({"acme", *parse_uuid("aaaaaaaa-0000-0000-0000-000000000001")}, "host-one");
  auto r = s.get("host-one");
  CHECK(r.status == 409);
  CHECK(r.at("message").find("use the GUID") != std::string::npos);
}

TEST_CASE("a host shows what is wanted, what is, why they differ, since when and how old that is") {
  hosts s;
  auto& row = s.row();
  row.desired.power.target = power_target::off;
  row.desired.power.policy = power_policy::ordered;
  row.desired_rev = 7;
  row.current_rev = 9;
  row.current.desired_rev = 6;
  row.current.power = {power_state::on, 2, 1'799'999'000'000, 1'799'999'990'000};
  row.current.link = {link_state::up, 4, "n1", "192.0.2.9", "", 1'799'990'000'000};
  row.current.amt = {"16.1.25", 1};
  row.current.conditions = {
      {"power", false, "in-progress", "Asking the firmware for soft off.", 1'799'999'995'000}};
  auto r = s.get(s.id);
  CHECK(r.at("desiredPowerState") == "POWER_STATE_OFF");
  CHECK(r.at("currentPowerState") == "POWER_STATE_ON");
  CHECK(r.at("powerStatus") == "Powering off");
  CHECK(r.at("powerStatusIndicator") == "STATUS_INDICATION_IN_PROGRESS");
  CHECK(r.number("powerStatusTimestamp") == 1'799'999'995);
  CHECK(r.at("powerCommandPolicy") == "POWER_COMMAND_POLICY_ORDERED");
  CHECK(r.number("powerOnTime") == 1'799'999'000);
  CHECK(r.at("currentAmtState") == "AMT_STATE_PROVISIONED");
  CHECK(r.at("amtControlMode") == "AMT_CONTROL_MODE_ACM");
  const auto* p = r.body.find("power");
  REQUIRE(p);
  CHECK(*p->find("wanted")->text() == "off");
  CHECK(*p->find("actual")->text() == "on");
  CHECK(*p->find("observationAgeSeconds")->integer() == 10);
  CHECK_FALSE(*p->find("converged")->boolean());
  CHECK(*p->find("difference")->find("reason")->text() == "Asking the firmware for soft off.");
  CHECK(*p->find("difference")->find("since")->text() == "2027-01-15T07:59:55.000Z");
}

TEST_CASE("a host whose terminator died is shown as last known although nobody was told yet") {
  hosts s;
  auto& row = s.row();
  row.current.power = {power_state::on, 2, 1'799'999'000'000, 1'799'999'990'000};
  row.current.link = {link_state::up, 4, "n1", "192.0.2.9", "", 1'799'990'000'000};
  const auto shown = [&] {
    auto r = s.get(s.id);
    return r.at("hostStatus") + " " + *r.body.find("link")->find("state")->text() + " " +
           (*r.body.find("power")->find("lastKnown")->boolean() ? "last known" : "fresh");
  };
  row.link = {4, link_state::up, "n1", {}, "192.0.2.9", "", 1'799'990'000'000};
  CHECK(shown() == "Running up fresh");
  row.current.link.state = link_state::late; // only the observation knows of silence
  CHECK(shown() == "No sign of life late last known");
  row.current.link.state = link_state::up;
  row.link.state = link_state::unknown;
  row.link.since = 1'799'999'995'000;
  CHECK(shown() == "Unknown unknown last known");
  CHECK(s.get(s.id).number("hostStatusTimestamp") == 1'799'999'995);
  row.link.state = link_state::down;
  row.link.why = "silent";
  CHECK(shown() == "Not connected down last known");
  CHECK(*s.get(s.id).body.find("link")->find("why")->text() == "silent");
  row.link = {5, link_state::up, "n2", {}, "192.0.2.9", "", 1'799'999'999'000};
  CHECK(shown() == "Running up fresh"); // it came back elsewhere; the observation is on its way
  CHECK(*s.get(s.id).body.find("link")->find("instance")->text() == "n2");
}

TEST_CASE("a host of which nothing was ever heard claims nothing") {
  hosts s;
  auto r = s.get(s.id);
  CHECK(r.at("currentPowerState") == "POWER_STATE_UNSPECIFIED");
  CHECK(r.at("powerStatus") == "Unknown");
  CHECK(r.at("currentAmtState") == "AMT_STATE_UNSPECIFIED");
  CHECK(r.body.find("power")->find("observationAgeSeconds")->is_null());
  CHECK(r.body.find("power")->find("observedAt")->is_null());
}

TEST_CASE("a level becomes a stored wish") {
  hosts s;
  s.say(request_status::done);
  auto r = s.patch(R"({"name":"host-one","desiredPowerState":"POWER_STATE_OFF",
                       "powerCommandPolicy":"POWER_COMMAND_POLICY_IMMEDIATE"})",
                   {{"Idempotency-Key", "0190f0e0-0000-7000-8000-0000000000aa"}});
  CHECK(r.status == 200);
  CHECK(r.header("Location") == "/api/v1/requests/0190f0e0-0000-7000-8000-0000000000aa");
  REQUIRE(s.control.submitted.size() == 1);
  const auto& ask = std::get<ask_desired>(s.control.submitted.front().body);
  CHECK(ask.patch.target == power_target::off);
  CHECK(ask.patch.policy == power_policy::immediate);
  CHECK(to_string(s.control.submitted.front().id) == "0190f0e0-0000-7000-8000-0000000000aa");
  CHECK_FALSE(s.row().record.friendly_name.has_value()); // the same name renames nothing
}

TEST_CASE("what happens once becomes a command under the host's policy") {
  hosts s;
  s.say(request_status::running);
  s.row().desired.power.policy = power_policy::immediate;
  CHECK(s.patch(R"({"desiredPowerState":"POWER_STATE_RESET"})").status == 200);
  CHECK(s.patch(R"({"desiredPowerState":"POWER_STATE_POWER_CYCLE",
                    "powerCommandPolicy":"POWER_COMMAND_POLICY_ORDERED"})")
            .status == 200);
  REQUIRE(s.control.submitted.size() == 2);
  const auto& reset = std::get<ask_once>(s.control.submitted[0].body);
  CHECK(reset.what == power_once::reset);
  CHECK(reset.policy == power_policy::immediate);
  CHECK(std::get<ask_once>(s.control.submitted[1].body).what == power_once::cycle);
  CHECK(std::get<ask_once>(s.control.submitted[1].body).policy == power_policy::ordered);
}

TEST_CASE("a command is answered when it was sent and not by how it ends later") {
  hosts s;
  response accepted, running, done;
  accepted.status = request_status::accepted;
  running.status = request_status::running;
  done.status = request_status::failed;
  done.why = fail(problem::internal);
  s.control.script = {accepted, running, done};
  s.store.loads = 0;
  CHECK(s.patch(R"({"desiredPowerState":"POWER_STATE_RESET"})").status == 200);
  CHECK(s.store.loads == 2); // before and after, not once more for the last word
}

TEST_CASE("a command that is stored but cannot be sent for long is answered with 202") {
  hosts s;
  std::function<void()> patience_ends;
  s.services.later = [&](std::chrono::milliseconds, std::function<void()> f) {
    patience_ends = std::move(f);
  };
  std::function<void(response)> tell;
  s.control.hold = &tell;
  s.rebuild();
  int answers = 0;
  reply last;
  const auto ask = [&] {
    s.begin("PATCH", "/compute/hosts/" + s.id, s.operator_,
            R"({"desiredPowerState":"POWER_STATE_RESET"})", [&](reply r) {
              ++answers;
              last = std::move(r);
            });
  };
  response word;
  word.id = *parse_uuid("0190f0e0-0000-7000-8000-0000000000aa");
  ask();
  patience_ends(); // not even stored: whoever stores it tells
  CHECK(answers == 0);
  word.status = request_status::accepted;
  tell(word);
  CHECK(answers == 0);
  patience_ends();
  CHECK(answers == 1);
  CHECK(last.status == 202);
  CHECK(last.header("Location").rfind("/api/v1/requests/", 0) == 0);
  word.status = request_status::running;
  tell(word);
  CHECK(answers == 1);
  ask();
  tell(word);
  CHECK(answers == 2);
  CHECK(last.status == 200);
  patience_ends();
  CHECK(answers == 2);
}

TEST_CASE("a command that the machine's state forbids is refused although it was stored") {
  hosts s;
  response accepted, refused;
  accepted.status = request_status::accepted;
  refused.status = request_status::failed;
  refused.why = fail(problem::transition_refused, "The machine is off.");
  s.control.script = {accepted, refused};
  auto r = s.patch(R"({"desiredPowerState":"POWER_STATE_RESET"})");
  CHECK(r.status == 409);
  CHECK(r.at("message") == "The machine is off.");
  CHECK(r.at("problem") == "transition-refused");
}

TEST_CASE("what was refused is told in EMF's shape") {
  hosts s;
  s.say(request_status::rejected, fail(problem::transition_refused, "The machine is off."));
  auto r = s.patch(R"({"desiredPowerState":"POWER_STATE_RESET"})");
  CHECK(r.status == 409);
  CHECK(r.at("code") == "FailedPrecondition");
  CHECK(r.at("message") == "The machine is off.");
  r = s.patch(R"({"desiredPowerState":"POWER_STATE_SIDEWAYS"})");
  CHECK(r.status == 400);
  CHECK(r.at("code") == "InvalidArgument");
  CHECK(r.at("message").rfind("desiredPowerState: ", 0) == 0);
  r = s.patch(R"({"powerState":"x"})");
  CHECK(r.at("code") == "InvalidArgument");
  CHECK(r.at("field") == "powerState");
  CHECK(s.send("PATCH", "/compute/hosts/" + s.id, s.viewer, "{}").at("code") == "PermissionDenied");
  CHECK(s.send("GET", "/compute/hosts", "", "{}").at("code") == "Unauthenticated");
}

TEST_CASE("another name renames the host without touching its power") {
  hosts s;
  auto r = s.patch(R"({"name":"edge-7"})");
  CHECK(r.status == 200);
  CHECK(r.at("name") == "edge-7");
  CHECK(*s.row().record.friendly_name == "edge-7");
  CHECK(s.control.submitted.empty());
  CHECK(s.patch("{}").status == 200);
}

TEST_CASE("hosts are listed in pages with EMF's members") {
  hosts s;
  for (int i = 0; i < 45; ++i)
    s.store.add(
        {"acme", *parse_uuid("cccccccc-0000-0000-0000-0000000000" + std::to_string(10 + i))});
  auto page = [&](const std::string& q) {
    return s.send("GET", "/v1/projects/acme/compute/hosts" + q, s.viewer);
  };
  auto first = page("");
  CHECK(first.number("totalElements") == 46);
  CHECK(first.body.find("hosts")->items()->size() == 20);
  CHECK(*first.body.find("hasNext")->boolean());
  auto last = page("?pageSize=20&offset=40");
  CHECK(last.body.find("hosts")->items()->size() == 6);
  CHECK_FALSE(*last.body.find("hasNext")->boolean());
  CHECK(first.text.find("secret-name-of-beta") == std::string::npos);
  CHECK(page("?filter=hostname%3D%22host-one%22").number("totalElements") == 1);
  CHECK(page("?filter=uuid%3D%22" + s.guid + "%22").number("totalElements") == 1);
  CHECK(page("?filter=resourceId%3D" + s.id).number("totalElements") == 1);
  CHECK(page("?filter=uuid%3D%22" + to_string(s.foreign.device) + "%22").number("totalElements") ==
        0);
  for (auto bad : {"?pageSize=0", "?pageSize=101", "?pageSize=x", "?offset=-1", "?orderBy=name",
                   "?filter=serialNumber%3D1", "?filter=uuid", "?filter=a%3D1%20AND%20b%3D2"}) {
    CAPTURE(bad);
    CHECK(page(bad).status == 400);
    CHECK(page(bad).at("code") == "InvalidArgument");
  }
}
