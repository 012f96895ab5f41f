// Machines that are connected to, held by one terminator of several: the others take them over.
#include "tests/e2e/cluster.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>

using namespace outband;
using namespace outband::e2e;

TEST_CASE("machines on the LAN are held by one terminator and taken over when it ends") {
  auto& c = cluster::get();
  c.heal();
  machine_options o;
  o.devices_file = c.folder() + "/lan.json";
  o.count = 4;
  o.more.insert(o.more.end(), {"--seed", "4711", "--lan-port", "0"});
  e2e::machines lan(o);
  REQUIRE(c.call(&c.admin(), "POST", "/api/v1/devices", lan.devices()).status / 100 == 2);
  // By way of a node that holds none itself.
  for (const auto& m : lan.all()) {
    const json how{{"kind", "direct"},
                   {"host", "127.0.0.1"},
                   {"port", lan.truth(m.guid).at("lan_port")},
                   {"tls", false}};
    const auto r = c.call(&c.admin(), "PATCH", "/api/v1/devices",
                          json{{"guid", m.guid}, {"connection", how}}.dump());
    REQUIRE_MESSAGE(r.status == 200, r.body);
  }
  const auto all_at = [&](const std::string& terminator) {
    return c.until([&] {
      return std::all_of(lan.all().begin(), lan.all().end(), [&](const machine& m) {
        return c.connected(m.guid) && c.terminator_of(m) == terminator;
      });
    });
  };
  CHECK(c.until([&] {
    return std::all_of(lan.all().begin(), lan.all().end(),
                       [&](const machine& m) { return c.connected(m.guid); });
  }));
  c.node("term-a").kill();
  CHECK(all_at("term-b"));
  c.node("term-a").start();
  CHECK(c.node("term-b").stop() == 0); // an orderly end frees them at once
  CHECK(all_at("term-a"));
  for (const auto& m : lan.all())
    CHECK(c.call(&c.admin(), "DELETE", "/api/v1/devices/" + m.guid).status == 204);
  for (const auto& m : lan.all())
    CHECK(c.until([&] { return lan.truth(m.guid).at("lan_connections") == 0; }));
  c.heal();
}
