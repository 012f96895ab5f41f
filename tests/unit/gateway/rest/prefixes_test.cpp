#include "tests/unit/gateway/rest/site.hpp"

#include "gateway/rest/prefixes.hpp"

#include <doctest/doctest.h>

using namespace outband;
using namespace outband::testing;

namespace {

/// "/api/v1/devices", with "{project} " in front where one is named, or "absent".
std::string place(const std::string& target) {
  auto parsed = rest::parse_target(target);
  REQUIRE(parsed.ok());
  auto p = rest::place_of(parsed->segments);
  if (!p.absent.empty())
    return "absent";
  std::string out = p.project ? *p.project + " " : "";
  for (const auto& s : p.segments)
    out += "/" + s;
  return out;
}

const std::string guid = "12345678-9abc-def0-1234-56789abcdef0";

} // namespace

TEST_CASE("Kong's and Traefik's public paths lead to MPS's own") {
  CHECK(place("/api/v1/devices") == "/api/v1/devices");
  CHECK(place("/mps/api/v1/devices/stats") == "/api/v1/devices/stats");
  CHECK(place("/MPS/api/v1/amt/version/" + guid) == "/api/v1/amt/version/" + guid);
  CHECK(place("/mps/login/api/v1/authorize") == "/api/v1/authorize");
  CHECK(place("/device/power/state/" + guid) == "/api/v1/amt/power/state/" + guid);
  CHECK(place("/Device/Power/Action/" + guid + "/") == "/api/v1/amt/power/Action/" + guid);
  CHECK(place("/v1/projects/acme/dm/devices") == "acme /api/v1/devices");
  CHECK(place("/v1/projects/acme/dm/amt/generalSettings/" + guid) ==
        "acme /api/v1/amt/generalSettings/" + guid);
  CHECK(place("/v1/projects/acme/compute/hosts") == "acme /v1/projects/acme/compute/hosts");
  CHECK(place("/api/v1/devices/" + guid + "/power/state") == "/api/v1/amt/power/state/" + guid);
}

TEST_CASE("Kong's and Traefik's public paths lead to RPS's own") {
  CHECK(place("/api/v1/admin/domains") == "/api/v1/admin/domains");
  CHECK(place("/rps/api/v1/admin/profiles") == "/api/v1/admin/profiles");
  CHECK(place("/RPS/api/v1/admin/health") == "/api/v1/admin/health");
  CHECK(place("/v1/projects/acme/dm/amt/admin") == "acme /api/v1/admin");
  CHECK(place("/v1/projects/acme/dm/AMT/Admin/domains/x") == "acme /api/v1/Admin/domains/x");
  CHECK(place("/rps/activate") == "absent"); // no one-time token
}

TEST_CASE("what looks like a prefix but is none stays as it is") {
  for (const std::string path :
       {"/", "/mps", "/rps", "/device", "/device/power", "/device/power/state",
        "/device/power/reset/x", "/device/power/state/x/y", "/v1/projects",
        "/v1/other/acme/dm/devices", "/compute/hosts", "/api/v1/devices/administration",
        "/assets/mps.js", "/api/v1/devices/x/power/state"})
    CHECK(place(path) == (path == "/" ? "" : path));
  CHECK(place("/v1/projects/acme/dm") == "acme /v1/projects/acme/dm");
}

TEST_CASE("RPS's and the relay's paths are told from MPS's by prefix and by the segment admin") {
  for (const std::string path : {"/activate", "/deactivate", "/maintenance", "/relay/webrelay.ashx",
                                 "/mps/ws/relay/webrelay.ashx", "/ws/relay", "/mps/relay/x"})
    CHECK_MESSAGE(place(path) == "absent", path);
  CHECK(place("/v1/projects/acme/dm/amt/administrator/x") ==
        "acme /api/v1/amt/administrator/x"); // no part of a segment
}

TEST_CASE("a part that is not served here answers 501 in JSON to everybody and every method") {
  site s;
  for (const std::string path :
       {"/activate", "/rps/activate", "/mps/ws/relay/webrelay.ashx?p=2&mode=kvm"})
    for (auto method : {"GET", "POST", "PATCH", "DELETE"}) {
      CAPTURE(path);
      auto r = s.send(method, path);
      CHECK(r.status == 501);
      CHECK(r.type == "application/json; charset=utf-8");
      CHECK(r.at("error") == "Not Implemented");
      CHECK(r.at("code") == "not-implemented");
      CHECK_FALSE(r.at("errorDescription").empty());
    }
  CHECK(s.send("OPTIONS", "/activate").status == 204); // browsers ask first
}

TEST_CASE("a request by a public path is the same request with the same checks") {
  site s;
  s.store.devices.at(s.machine.device).record.connected = true;
  s.control.live = amt_outcome(amt::power_reading{power_state::on, 2});
  for (const auto& path : {"/device/power/state/" + s.guid, "/mps/api/v1/amt/power/state/" + s.guid,
                           "/v1/projects/acme/dm/amt/power/state/" + s.guid,
                           "/api/v1/devices/" + s.guid + "/power/state"}) {
    CAPTURE(path);
    CHECK(s.send("GET", path, s.viewer).number("powerstate") == 2);
    CHECK(s.send("GET", path).status == 401);
  }
  CHECK(s.send("POST", "/device/power/action/" + s.guid, s.viewer, R"({"action":8})").status ==
        403);
  CHECK(s.send("POST", "/device/power/action/" + s.guid, s.operator_, R"({"action":9})").status ==
        400);
  CHECK(s.send("GET", "/v1/projects/beta/dm/amt/power/state/" + s.guid, s.viewer).status == 404);
}

TEST_CASE("a path that nobody serves is a 404 in JSON") {
  site s;
  for (const std::string path : {"/api/v1/nothing", "/mps/api/v2/devices", "/device/power/x/y"}) {
    auto r = s.send("GET", path, s.viewer);
    CHECK(r.status == 404);
    CHECK(r.at("code") == "not-found");
  }
}
