// MPS's routes about a machine's live tunnel besides disconnect.
#include "tests/unit/gateway/rest/site.hpp"

#include <doctest/doctest.h>

using namespace outband;
using namespace outband::testing;

TEST_CASE("refresh lets the machine go so that it is admitted with what is stored now") {
  site s;
  auto r = s.send("DELETE", "/api/v1/devices/refresh/" + s.guid, s.operator_);
  CHECK(r.status == 200);
  CHECK(r.text == R"({"success":200,"description":"Device info refreshed : )" + s.guid + "\"}");
  REQUIRE(s.control.disconnected.size() == 1);
  CHECK(s.control.disconnected[0] == s.machine);
}

TEST_CASE("refresh without a tunnel is a 404 and without the role nothing happens") {
  site s;
  s.control.closes = false;
  auto r = s.send("DELETE", "/api/v1/devices/refresh/" + s.guid, s.operator_);
  CHECK(r.status == 404);
  CHECK(r.at("error") == "Device not found/connected. Please connect again using CIRA.");
  s.control.disconnected.clear();
  CHECK(s.send("DELETE", "/api/v1/devices/refresh/" + s.guid, s.viewer).status == 403);
  CHECK(s.send("DELETE", "/api/v1/devices/refresh/" + to_string(s.foreign.device), s.operator_)
            .status == 404);
  CHECK(s.send("DELETE", "/api/v1/devices/refresh/x", s.operator_).status == 400);
  CHECK(s.control.disconnected.empty());
}

TEST_CASE("no redirection is open on a connected machine while no relay is served") {
  site s;
  s.store.devices.at(s.machine.device).record.connected = true;
  auto r = s.send("GET", "/api/v1/devices/redirectStatus/" + s.guid, s.viewer);
  CHECK(r.status == 200);
  CHECK(r.text == R"({"isKVMConnected":false,"isSOLConnected":false,"isIDERConnected":false})");
  // The one must not change without the other.
  CHECK(s.send("GET", "/relay/webrelay.ashx?host=" + s.guid + "&mode=kvm").status == 501);
}

TEST_CASE("the redirection state of a machine without a tunnel is MPS's 404") {
  site s;
  auto ask = [&](const std::string& guid) {
    return s.send("GET", "/api/v1/devices/redirectstatus/" + guid, s.viewer);
  };
  auto r = ask(s.guid);
  CHECK(r.status == 404);
  CHECK(r.at("errorDescription") == "guid : " + s.guid);
  s.store.devices.at(s.foreign.device).record.connected = true;
  CHECK(ask(to_string(s.foreign.device)).status == 404);
  CHECK(ask("x").status == 400);
  s.store.away = true;
  CHECK(ask(s.guid).status == 503);
}
