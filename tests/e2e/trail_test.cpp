// Who asked what of which machine, by which door, and what came of it: as it is told afterwards.
#include "messages/bus/topics.hpp"
#include "tests/e2e/site.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <sstream>

using namespace outband;
using namespace outband::e2e;

namespace {

/// The trail of a machine: "act channel status", oldest first.
std::vector<std::string> trail(site& s, const std::string& query) {
  auto r = s.call(&s.admin(), "GET", "/api/v1/audit?$top=100&" + query);
  REQUIRE_MESSAGE(r.status == 200, r.body);
  std::vector<std::string> out;
  const auto page = r.parsed();
  for (const auto& row : page.at("data"))
    out.insert(out.begin(), row.at("act").get<std::string>() + " " +
                                row.at("channel").get<std::string>() + " " +
                                row.at("status").get<std::string>());
  return out;
}

} // namespace

TEST_CASE("what was asked of a machine through every door is in its trail and on the bus") {
  auto& s = site::get();
  const auto m = s.fresh();
  auto on = s.connect(s.admin());
  watcher told(*on, bus::event_topic({"demo", *parse_uuid(m.guid)}, event_class::audit));
  auto r = s.call(&s.admin(), "POST", "/api/v1/amt/power/action/" + m.guid, R"({"action":10})");
  REQUIRE_MESSAGE(r.status == 200, r.body);
  const auto id = random_id();
  const request_body reset = ask_once{power_once::reset, power_policy::immediate};
  CHECK(s.ask(*on, s.admin(), m.guid, id, reset, std::chrono::seconds(30)).has_value());
  // Its registration is the first.
  REQUIRE(s.until([&] { return trail(s, "device=" + m.guid + "&status=done").size() == 3; }));
  // Delivered twice, carried out once, recorded once.
  CHECK(s.ask(*on, s.admin(), m.guid, id, reset, std::chrono::seconds(30)).has_value());
  REQUIRE(s.call(&s.admin(), "DELETE", "/api/v1/devices/disconnect/" + m.guid).status == 200);
  const std::vector<std::string> expected{"device.add rest done", "power.action rest done",
                                          "power.once mqtt done", "device.disconnect rest done"};
  CHECK(s.until([&] { return trail(s, "device=" + m.guid) == expected; }));
  CHECK(told.wait([](const auto& all) { return all.size() == 3; }));
  CHECK(s.call(&s.admin(), "GET", "/api/v1/audit/" + to_string(id)).status == 200);

  auto lines = s.call(&s.admin(), "GET", "/api/v1/audit/export?device=" + m.guid);
  REQUIRE(lines.status == 200);
  std::istringstream text(lines.body);
  std::size_t n = 0;
  for (std::string line; std::getline(text, line); ++n)
    CHECK(json::parse(line).at("device") == m.guid);
  CHECK(n == expected.size());
}

TEST_CASE("who may not is refused and told of and no password is in the trail") {
  auto& s = site::get();
  const auto m = s.fresh();
  const auto vera = s.make_person("vera-of-the-trail", "viewer", "demo");
  CHECK(s.call(&vera, "POST", "/api/v1/amt/power/action/" + m.guid, R"({"action":8})").status ==
        403);
  CHECK(s.call(&vera, "GET", "/api/v1/audit").status == 403);
  CHECK(s.call(nullptr, "POST", "/api/v1/authorize",
               R"({"username":"vera-of-the-trail","password":"mistyped-secret-1"})")
            .status == 401);
  CHECK(s.call(&s.admin(), "PATCH", "/api/v1/devices",
               json{{"guid", m.guid}, {"amtpassword", "P@ssw0rd-secret-2"}}.dump())
            .status != 500);
  const std::string hers = "by=vera-of-the-trail";
  CHECK(s.until([&] { return trail(s, hers + "&status=rejected").size() == 3; }));
  auto all = trail(s, hers);
  CHECK(std::count(all.begin(), all.end(), "session.open rest rejected") == 1);
  CHECK(std::count(all.begin(), all.end(), "request rest rejected") == 2);
  CHECK(s.sql("select count(*) from audit where audit::text like '%secret-%'").find('0') == 0);
}
