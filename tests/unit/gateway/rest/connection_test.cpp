// Devices that are connected to: who may say so, what is stored, who hears of it.
#include "tests/unit/gateway/rest/site.hpp"

#include <doctest/doctest.h>

using namespace outband;
using namespace outband::testing;

namespace {

const std::string fresh = "aaaaaaaa-0000-0000-0000-000000000001";
const std::string lan = R"("connection":{"kind":"direct","host":"10.0.0.5","tls":false})";

std::string body_of(const std::string& guid, const std::string& more) {
  return "{\"guid\":\"" + guid + "\"," + more + "}";
}

class fake_direct final : public direct_rows {
public:
  explicit fake_direct(registry& s) : store(s) {}
  bool away = false;
  int sets = 0;

  void set(device_ref ref, std::optional<direct_connection> how, answer<nothing> cb) override {
    ++sets;
    if (away)
      return cb(fail(problem::store_unavailable));
    store.devices.at(ref.device).record.direct = std::move(how);
    cb(nothing{});
  }
  void claim(instance_ref, std::chrono::milliseconds, std::size_t,
             answer<std::vector<device_ref>> cb) override {
    cb(never());
  }
  void hold(instance_ref, device_ref, std::chrono::milliseconds, answer<direct_row> cb) override {
    cb(never());
  }
  void pin(device_ref, std::string, answer<bool> cb) override { cb(never()); }

private:
  static failure never() { return fail(problem::internal, "REST must not call this"); }
  registry& store;
};

struct lan_site : site {
  lan_site() {
    services.direct = &direct;
    rebuild();
  }
  const std::optional<direct_connection>& stored(const device_id& id) {
    return store.devices.at(id).record.direct;
  }
  fake_direct direct{store};
};

} // namespace

TEST_CASE("a device can be registered with a direct connection and shows it") {
  lan_site s;
  auto r = s.send("POST", "/api/v1/devices", s.admin, body_of(fresh, lan));
  REQUIRE(r.status == 201);
  REQUIRE(s.stored(*parse_uuid(fresh)));
  CHECK(s.stored(*parse_uuid(fresh))->port == 16992);
  CHECK(s.control.reconnected.size() == 1);
  const std::string shown =
      R"("connection":{"kind":"direct","host":"10.0.0.5","port":16992,"tls":false})";
  CHECK(r.text.find(shown) != std::string::npos);
  CHECK(s.send("GET", "/api/v1/devices/" + fresh, s.viewer).text.find(shown) != std::string::npos);
  CHECK(s.send("GET", "/api/v1/devices", s.viewer).text.find(shown) != std::string::npos);
}

TEST_CASE("a device that calls home shows no connection as with MPS") {
  lan_site s;
  CHECK(s.send("GET", "/api/v1/devices/" + s.guid, s.viewer).text.find("connection\"") ==
        std::string::npos);
  auto r = s.send("POST", "/api/v1/devices", s.admin, body_of(fresh, R"("connection":null)"));
  CHECK(r.status == 201);
  CHECK(s.direct.sets == 0);
  CHECK(s.control.reconnected.empty());
}

TEST_CASE("a connection is changed and taken back with PATCH by an admin only") {
  lan_site s;
  auto refused = s.send("PATCH", "/api/v1/devices", s.operator_, body_of(s.guid, lan));
  CHECK(refused.status == 403);
  CHECK(s.direct.sets == 0);
  CHECK(s.send("PATCH", "/api/v1/devices", s.admin, body_of(s.guid, lan)).status == 200);
  REQUIRE(s.stored(s.machine.device));
  CHECK(s.control.reconnected.size() == 1);
  // The same again changes nothing; a new password needs a new login.
  CHECK(s.send("PATCH", "/api/v1/devices", s.admin, body_of(s.guid, lan)).status == 200);
  CHECK(s.control.reconnected.size() == 1);
  CHECK(s.send("PATCH", "/api/v1/devices", s.admin, body_of(s.guid, R"("amtpassword":"Amt-P@ss")"))
            .status == 200);
  CHECK(s.control.reconnected.size() == 2);
  auto back = s.send("PATCH", "/api/v1/devices", s.admin,
                     body_of(s.guid, R"("connection":{"kind":"cira"})"));
  CHECK(back.status == 200);
  CHECK(back.text.find("connection\"") == std::string::npos);
  CHECK_FALSE(s.stored(s.machine.device));
  CHECK(s.control.reconnected.size() == 3);
}

TEST_CASE("a connection that cannot be is refused with the member's path and nothing is stored") {
  lan_site s;
  auto r = s.send("POST", "/api/v1/devices", s.admin,
                  body_of(fresh, R"("connection":{"kind":"direct","host":"10.0.0.5:16993"})"));
  CHECK(r.status == 400);
  CHECK(r.text.find("connection.host") != std::string::npos);
  CHECK(r.text.find("connection.pin") != std::string::npos);
  CHECK(s.store.devices.count(*parse_uuid(fresh)) == 0);
}

TEST_CASE("a connection that could not be stored is told although the device was") {
  lan_site s;
  s.direct.away = true;
  auto r = s.send("POST", "/api/v1/devices", s.admin, body_of(fresh, lan));
  CHECK(r.status == 503);
  CHECK(r.text.find("not every password and connection") != std::string::npos);
  CHECK(s.store.devices.count(*parse_uuid(fresh)) == 1);
  CHECK(s.control.reconnected.empty());
}

TEST_CASE("with direct connections switched off asking for one is refused") {
  site s;
  auto r = s.send("POST", "/api/v1/devices", s.admin, body_of(fresh, lan));
  CHECK(r.status == 422);
  CHECK(r.text.find("switched off") != std::string::npos);
}
