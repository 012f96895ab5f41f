// Hosts and tenants that are to go, at the simulated firmware.
#include "tests/e2e/site.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace outband;
using namespace outband::e2e;

namespace {

int status_of(site& s, const machine& m) {
  return s.call(&s.admin(), "GET", "/compute/hosts/" + m.guid).status;
}

reply remove(site& s, const machine& m, const std::string& query = {}) {
  return s.call(&s.admin(), "DELETE", "/compute/hosts/" + m.guid + query);
}

int secrets_of(site& s, const machine& m) {
  return std::stoi(s.sql("select count(*) from secret where guid = '" + m.guid + "'"));
}

int mode_of(site& s, const machine& m) {
  return s.truth(m.guid).at("control_mode");
}

} // namespace

TEST_CASE("a deleted host is deactivated through its tunnel and then gone") {
  auto& s = site::get();
  const auto m = s.fresh();
  REQUIRE(mode_of(s, m) != 0);
  auto r = remove(s, m);
  REQUIRE_MESSAGE(r.status == 202, r.body);
  CHECK(r.parsed().at("kind") == "remove");
  CHECK_MESSAGE(s.until([&] { return status_of(s, m) == 404; }), s.server_log());
  CHECK(mode_of(s, m) == 0);
  CHECK(secrets_of(s, m) == 0);
  CHECK(s.until([&] { // the trail is written a little later
    return s.sql("select words from audit where guid = '" + m.guid + "' and channel = 'removal'")
               .find("Deactivated.") != std::string::npos;
  }));
}

TEST_CASE("a host that is away stays with its reason and goes when its machine calls") {
  auto& s = site::get();
  const auto m = s.fresh();
  s.sim({{"op", "disconnect"}, {"guid", m.guid}});
  REQUIRE(s.until([&] { return !s.connected(m.guid); }));
  REQUIRE(remove(s, m).status == 202);
  CHECK_MESSAGE(s.until([&] {
    const auto removal = s.host(m.guid).at("removal");
    return removal.at("state") == "waiting" && removal.at("code") == "link-down";
  }),
                s.server_log());
  const auto shown = s.host(m.guid);
  CHECK(shown.at("desiredState") == "HOST_STATE_DELETED");
  CHECK(shown.at("currentState") == "HOST_STATE_ONBOARDED");
  CHECK(mode_of(s, m) != 0);
  s.sim({{"op", "connect"}, {"guid", m.guid}});
  CHECK_MESSAGE(s.until([&] { return status_of(s, m) == 404; }), s.server_log());
  CHECK(mode_of(s, m) == 0);
}

TEST_CASE("an admin removes by force a host whose machine will never call") {
  auto& s = site::get();
  const auto m = s.fresh();
  s.sim({{"op", "disconnect"}, {"guid", m.guid}});
  REQUIRE(s.until([&] { return !s.connected(m.guid); }));
  REQUIRE(remove(s, m).status == 202);
  CHECK(remove(s, m, "?force=true").status == 204);
  CHECK(status_of(s, m) == 404);
  CHECK(mode_of(s, m) != 0);
}

TEST_CASE("an invalidated host is deactivated and known and not let in") {
  auto& s = site::get();
  const auto m = s.fresh();
  CHECK(secrets_of(s, m) > 0);
  auto r = s.call(&s.admin(), "PUT", "/compute/hosts/" + m.guid + "/invalidate");
  REQUIRE_MESSAGE(r.status == 202, r.body);
  CHECK_MESSAGE(s.until([&] {
    const auto h = s.host(m.guid);
    return h.at("removal").at("state") == "done" && h.at("link").at("state") == "down";
  }),
                s.server_log());
  CHECK(s.host(m.guid).at("currentState") == "HOST_STATE_UNTRUSTED");
  CHECK(mode_of(s, m) == 0);
  CHECK(secrets_of(s, m) == 0);
  // There is nothing left to wait for.
  REQUIRE(remove(s, m).status == 202);
  CHECK(s.until([&] { return status_of(s, m) == 404; }));
}

TEST_CASE("a tenant goes when its last machine has") {
  auto& s = site::get();
  const std::string tenant = "leaver";
  REQUIRE(s.call(&s.admin(), "POST", "/api/v1/tenants",
                 json{{"key", tenant}, {"displayName", "Leaver"}}.dump())
              .status < 300);
  auto who = s.make_person("lena", "admin", tenant);
  const std::string guid = "7e7e7e7e-0000-4000-8000-000000000001";
  auto added = s.call(&who, "POST", "/api/v1/devices",
                      json{{"guid", guid},
                           {"mpsusername", "admin"},
                           {"mpspassword", "Passw0rd!2345"},
                           {"amtpassword", "Passw0rd!2345"}}
                          .dump());
  REQUIRE_MESSAGE(added.status < 300, added.body);
  auto r = s.call(&s.admin(), "DELETE", "/api/v1/tenants/" + tenant);
  REQUIRE_MESSAGE(r.status == 202, r.body);
  CHECK(r.parsed().at("machines") == 1);
  // It has a password, so it may be activated; it never calls.
  CHECK(s.until([&] {
    return s.sql("select state, code from removal where tenant = 'leaver'").find("link-down") !=
           std::string::npos;
  }));
  CHECK(s.call(&who, "DELETE", "/compute/hosts/" + guid + "?force=true").status == 204);
  CHECK_MESSAGE(s.until([&] {
    return std::stoi(s.sql("select count(*) from tenant where key = 'leaver'")) == 0;
  }),
                s.server_log());
}
