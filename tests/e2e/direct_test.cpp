// Machines on the LAN, connected to and never calling home: through every door as the others.
#include "messages/bus/topics.hpp"
#include "tests/e2e/stage.hpp"
#include "tests/support/ports.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <csignal>

using namespace outband;
using namespace outband::e2e;

namespace {

std::string yaml(std::uint16_t cira, std::uint16_t https) {
  return "cira: {bind: 127.0.0.1, port: " + std::to_string(cira) +
         ", common_name: localhost}\n"
         "https: {bind: 127.0.0.1, port: " +
         std::to_string(https) +
         ", names: [localhost, 127.0.0.1]}\n"
         "direct: {allow_own: true, longest_pause: 1s}\n";
}

class lan_site final : public stage {
public:
  static lan_site& get() {
    static lan_site one(test::free_port(), test::free_port());
    return one;
  }

  e2e::server& server() { return *server_; }
  e2e::machines& lan() { return *lan_; }

  /// How it is connected to; `more` overrides.
  json connection(const machine& m, bool tls, json more = json::object()) const {
    json c{{"kind", "direct"},
           {"host", "127.0.0.1"},
           {"port", lan_->truth(m.guid).at(tls ? "lan_tls_port" : "lan_port")},
           {"tls", tls}};
    if (tls)
      c["pin"] = "first-use";
    c.update(more);
    return c;
  }
  reply patch(const machine& m, const json& connection) const {
    return call(&admin(), "PATCH", "/api/v1/devices",
                json{{"guid", m.guid}, {"connection", connection}}.dump());
  }
  json device(const machine& m) const {
    return call(&admin(), "GET", "/api/v1/devices/" + m.guid).parsed();
  }
  /// A condition of its current state as it is kept on the bus: its code, "" if all is well.
  std::string trouble(const machine& m) const {
    auto bus = connect(admin());
    auto snapshot = ask(*bus, admin(), m.guid, ask_snapshot{});
    if (snapshot.snapshot)
      for (const auto& c : snapshot.snapshot->current.conditions)
        if (c.type == "connection" && !c.ok)
          return c.code;
    return {};
  }
  void start_server() {
    server_->start();
    if (!until([&] { return ready(); }))
      throw std::runtime_error("the server does not become ready: " + server_->log());
  }

private:
  lan_site(std::uint16_t cira, std::uint16_t https)
      : stage(yaml(cira, https)), server_(std::make_unique<e2e::server>(config())) {
    talk_to(https);
    start_server();
    sign_in_admin();
    machine_options o;
    o.devices_file = folder() + "/lan.json";
    o.count = 12;
    o.more.insert(o.more.end(), {"--lan-port", "0", "--lan-tls-port", "0"});
    lan_ = std::make_unique<e2e::machines>(o);
    auto added = call(&admin(), "POST", "/api/v1/devices", lan_->devices());
    if (added.status / 100 != 2)
      throw std::runtime_error("devices not added: " + added.body);
  }

  std::unique_ptr<e2e::server> server_;
  std::unique_ptr<e2e::machines> lan_;
};

bool off_and_on(lan_site& s, const machine& m) {
  if (s.wish(m, "OFF").status != 200 || !s.until([&] {
        return s.host(m.guid).at("power").at("converged") == true && s.lan().power(m.guid) == 8;
      }))
    return false;
  return s.wish(m, "ON").status == 200 && s.until([&] {
    return s.host(m.guid).at("power").at("converged") == true && s.lan().power(m.guid) == 2;
  });
}

} // namespace

TEST_CASE("a machine on the LAN is switched off and on like one that calls home") {
  auto& s = lan_site::get();
  for (const bool tls : {false, true}) {
    CAPTURE(tls);
    const auto m = s.lan().fresh();
    CHECK_FALSE(s.connected(m.guid));
    auto r = s.patch(m, s.connection(m, tls));
    REQUIRE_MESSAGE(r.status == 200, r.body);
    CHECK(s.until([&] { return s.connected(m.guid); }));
    CHECK(s.until([&] { return s.host(m.guid).at("currentPowerState") == "POWER_STATE_ON"; }));
    CHECK(off_and_on(s, m));
  }
}

TEST_CASE("the first certificate is pinned and another one is a condition until it is confirmed") {
  auto& s = lan_site::get();
  const auto m = s.lan().fresh();
  REQUIRE(s.patch(m, s.connection(m, true)).status == 200);
  REQUIRE(s.until([&] { return s.connected(m.guid); }));
  const auto pin = s.device(m).at("connection").at("pin").get<std::string>();
  CHECK(pin.rfind("sha256:", 0) == 0);
  s.lan().sim({{"op", "new_lan_certificate"}, {"guid", m.guid}});
  s.lan().fault(m.guid, "drop", 1, 1);
  CHECK(s.until([&] { return s.trouble(m) == "certificate"; }));
  CHECK_FALSE(s.connected(m.guid));
  REQUIRE(s.patch(m, s.connection(m, true)).status == 200);
  CHECK(s.until([&] { return s.connected(m.guid) && s.trouble(m).empty(); }));
  CHECK(s.device(m).at("connection").at("pin") != pin);
}

TEST_CASE("another machine's address and a wrong password are conditions and no link") {
  auto& s = lan_site::get();
  const auto m = s.lan().fresh(), other = s.lan().fresh();
  REQUIRE(s.call(&s.admin(), "PATCH", "/api/v1/devices",
                 json{{"guid", m.guid}, {"amtpassword", "Wr0ng-one!"}}.dump())
              .status == 200);
  REQUIRE(s.patch(m, s.connection(m, false)).status == 200);
  CHECK(s.until([&] { return s.trouble(m) == "credentials"; }));
  CHECK_FALSE(s.connected(m.guid));
  std::string password;
  const auto registered = json::parse(s.lan().devices());
  for (const auto& d : registered)
    if (d.at("guid") == other.guid)
      password = d.at("amtpassword");
  REQUIRE(s.call(&s.admin(), "PATCH", "/api/v1/devices",
                 json{{"guid", m.guid}, {"amtpassword", password}}.dump())
              .status == 200);
  REQUIRE(s.patch(m, s.connection(other, false)).status == 200);
  CHECK(s.until([&] { return s.trouble(m) == "wrong-device"; }));
  CHECK_FALSE(s.connected(m.guid));
}

TEST_CASE("a machine whose network goes is told as gone and comes back by itself") {
  auto& s = lan_site::get();
  const auto m = s.lan().fresh();
  REQUIRE(s.patch(m, s.connection(m, true)).status == 200);
  REQUIRE(s.until([&] { return s.connected(m.guid); }));
  s.lan().disconnect(m.guid);
  CHECK(s.until([&] { return !s.connected(m.guid); }));
  REQUIRE(s.wish(m, "OFF", "IMMEDIATE").status == 200);
  s.lan().connect(m.guid);
  CHECK(s.until([&] { return s.connected(m.guid); }));
  CHECK(s.until([&] { return s.lan().power(m.guid) == 8; })); // the wish was kept
}

TEST_CASE("a server that was killed finds its machines again") {
  auto& s = lan_site::get();
  const auto m = s.lan().fresh();
  REQUIRE(s.patch(m, s.connection(m, true)).status == 200);
  REQUIRE(s.until([&] { return s.connected(m.guid); }));
  s.server().kill();
  s.start_server();
  CHECK(s.until([&] { return s.connected(m.guid); }));
  CHECK(off_and_on(s, m));
  CHECK(s.server().stop() == 0);
  s.start_server();
  CHECK(s.until([&] { return s.connected(m.guid); }));
}

TEST_CASE("a machine that shall call home and one that was removed are let go") {
  auto& s = lan_site::get();
  const auto m = s.lan().fresh(), gone = s.lan().fresh();
  for (const auto& one : {m, gone})
    REQUIRE(s.patch(one, s.connection(one, false)).status == 200);
  REQUIRE(s.until([&] { return s.connected(m.guid) && s.connected(gone.guid); }));
  REQUIRE(s.patch(m, {{"kind", "cira"}}).status == 200);
  CHECK(s.until([&] { return !s.connected(m.guid); }));
  CHECK_FALSE(s.device(m).contains("connection"));
  REQUIRE(s.call(&s.admin(), "DELETE", "/api/v1/devices/" + gone.guid).status == 204);
  for (const auto& one : {m, gone})
    CHECK(s.until([&] { return s.lan().truth(one.guid).at("lan_connections") == 0; }));
}
