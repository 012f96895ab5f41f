// A second tenant tries everything.
#include "messages/bus/topics.hpp"
#include "tests/e2e/site.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <future>

using namespace outband;
using namespace outband::e2e;

namespace {

person stranger(site& s) {
  static person p = s.make_person("mallory", "admin", "globex");
  return p;
}

bool forbidden(bus::endpoint& on, const std::string& topic) {
  bus::message m;
  m.topic = topic;
  m.payload = std::make_shared<const std::string>("{}");
  auto told = std::make_shared<std::promise<status>>();
  auto outcome = told->get_future();
  on.publish(std::move(m), [told](status s) { told->set_value(std::move(s)); });
  auto r = outcome.get();
  return !r && r.error().what == problem::forbidden;
}

} // namespace

TEST_CASE("another tenant's admin sees and touches nothing by REST") {
  auto& s = site::get();
  const auto m = s.fresh();
  auto who = stranger(s);
  CHECK(s.call(&who, "GET", "/api/v1/devices").body == "[]");
  CHECK(s.call(&who, "GET", "/api/v1/devices/stats").parsed().at("totalCount") == 0);
  auto read = s.call(&who, "GET", "/api/v1/devices/" + m.guid);
  CHECK(read.body.find(m.hostname) == std::string::npos);
  CHECK(s.call(&who, "GET", "/api/v1/amt/power/state/" + m.guid).status == 404);
  CHECK(s.call(&who, "GET", "/api/v1/amt/power/capabilities/" + m.guid).status == 404);
  CHECK(s.call(&who, "POST", "/api/v1/amt/power/action/" + m.guid, R"({"action":8})").status ==
        404);
  CHECK(s.call(&who, "GET", "/compute/hosts/" + m.guid).status == 404);
  CHECK(s.call(&who, "PATCH", "/compute/hosts/" + m.guid,
               json{{"name", m.hostname}, {"desiredPowerState", "POWER_STATE_OFF"}}.dump())
            .status == 404);
  CHECK(s.call(&who, "DELETE", "/api/v1/devices/" + m.guid).status == 404);
  CHECK(s.call(&who, "DELETE", "/api/v1/devices/disconnect/" + m.guid).status == 404);
  // The GUID cannot be claimed either, and the refusal does not say whose it is.
  auto claim = s.call(&who, "POST", "/api/v1/devices",
                      json{{"guid", m.guid},
                           {"hostname", "mine"},
                           {"mpsusername", "x"},
                           {"mpspassword", "Guess-1234"},
                           {"amtpassword", "Guess-1234"}}
                          .dump());
  CHECK(claim.status == 400);
  CHECK(claim.body.find("demo") == std::string::npos);
  CHECK(s.power(m.guid) == 2);
}

TEST_CASE("naming the other tenant in headers and paths does not help") {
  auto& s = site::get();
  auto who = stranger(s);
  auto as = who;
  as.tenant = "demo";
  auto direct = s.call(&as, "GET", "/api/v1/devices");
  CHECK((direct.status == 403 || direct.status == 404));
  auto none = s.call(&who, "GET", "/api/v1/devices", {}, {{"ActiveProjectID", "demo"}});
  CHECK(none.body.find("edge-") == std::string::npos);
  auto path = s.call(&who, "GET", "/v1/projects/demo/compute/hosts");
  CHECK((path.status == 403 || path.status == 404));
  auto ticket = s.call(&as, "POST", "/api/v1/authorize/bus", "{}");
  CHECK((ticket.status == 403 || ticket.status == 404));
  auto missing = s.call(&who, "GET", "/v1/projects/no-such-tenant/compute/hosts");
  CHECK(missing.status == path.status);
  CHECK(missing.parsed().at("message") == path.parsed().at("message"));
}

TEST_CASE("another tenant hears nothing and can ask nothing on the bus") {
  auto& s = site::get();
  const auto m = s.fresh();
  auto who = stranger(s);
  auto on = s.connect(who);
  const device_ref ref{"demo", *parse_uuid(m.guid)};
  watcher spy(*on, bus::current_topic(ref));
  watcher wide(*on, "oob/v1/globex/dev/+/current");
  CHECK(forbidden(
      *on, bus::request_topic("demo", {principal::kind::person, "demo", "mallory"}, ref.device)));
  CHECK(forbidden(
      *on, bus::request_topic("demo", {principal::kind::person, "demo", "admin"}, ref.device)));
  // On its own path, with the other's GUID: answered, and not with the other's machine.
  ask_desired off;
  off.patch.target = power_target::off;
  auto answer = s.ask(*on, who, m.guid, off);
  CHECK(answer.status == request_status::rejected);
  REQUIRE(answer.why);
  CHECK(answer.why->what == problem::not_found);
  auto snapshot = s.ask(*on, who, m.guid, ask_snapshot{});
  CHECK_FALSE(snapshot.snapshot);
  // Something happens in the other tenant, and its own people hear of it.
  auto theirs = s.connect(s.admin());
  watcher own(*theirs, bus::current_topic(ref));
  s.ask(*theirs, s.admin(), m.guid, off);
  REQUIRE(own.wait([](const auto& all) { return all.size() >= 2; }));
  CHECK(spy.seen().empty());
  CHECK(wide.seen().empty());
}

TEST_CASE("roles within a tenant are enforced alike on both channels") {
  auto& s = site::get();
  const auto m = s.fresh();
  auto viewer = s.make_person("vera", "viewer", "demo");
  CHECK(s.call(&viewer, "GET", "/api/v1/amt/power/state/" + m.guid).status == 200);
  CHECK(s.call(&viewer, "POST", "/api/v1/amt/power/action/" + m.guid, R"({"action":8})").status ==
        403);
  CHECK(s.call(&viewer, "POST", "/api/v1/devices", "{}").status == 403);
  CHECK(s.call(nullptr, "GET", "/api/v1/devices").status == 401);
  auto on = s.connect(viewer);
  ask_desired off;
  off.patch.target = power_target::off;
  auto answer = s.ask(*on, viewer, m.guid, off);
  CHECK(answer.status == request_status::rejected);
  REQUIRE(answer.why);
  CHECK(answer.why->what == problem::forbidden);
  CHECK(s.ask(*on, viewer, m.guid, ask_snapshot{}).snapshot.has_value());
  CHECK(s.power(m.guid) == 2);
}
