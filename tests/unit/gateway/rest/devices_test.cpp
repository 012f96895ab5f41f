#include "tests/unit/gateway/rest/site.hpp"

#include <doctest/doctest.h>

using namespace outband;
using namespace outband::testing;

namespace {
const std::string fresh = "aaaaaaaa-0000-0000-0000-000000000001";
std::string body_of(const std::string& guid, const std::string& more = "") {
  return "{\"guid\":\"" + guid + "\"" + (more.empty() ? "" : "," + more) + "}";
}
} // namespace

TEST_CASE("a device is registered once and then merged") {
  site s;
  auto first = s.send("POST", "/api/v1/devices", s.admin,
                      body_of(fresh, R"("hostname":"h","tags":["x"],"friendlyName":"f")"));
  CHECK(first.status == 201);
  CHECK(first.type == "application/json; charset=utf-8");
  CHECK(first.at("guid") == fresh);
  CHECK(first.at("tenantId") == "acme");
  auto second = s.send("POST", "/api/v1/devices", s.admin, body_of(fresh, R"("hostname":"h2")"));
  CHECK(second.status == 200);
  CHECK(second.at("hostname") == "h2");
  CHECK(second.at("friendlyName") == "f");
  CHECK(s.control.added.size() == 2);
}

TEST_CASE("MPS's device object has its members in their types") {
  site s;
  auto& row = s.store.devices.at(s.machine.device).record;
  row.connected = true;
  row.instance = "n7";
  row.last_connected = 1'700'000'000'000;
  row.device_info = R"({"fwVersion":"16.1"})";
  auto r = s.send("GET", "/api/v1/devices/" + s.guid, s.viewer);
  REQUIRE(r.status == 200);
  CHECK(
      r.text ==
      R"({"guid":"12345678-9abc-def0-1234-56789abcdef0","hostname":"host-one","tags":[],"mpsInstance":"n7","connectionStatus":true,"mpsusername":"admin","amtusername":"admin","tenantId":"acme","friendlyName":null,"dnsSuffix":null,"deviceInfo":{"fwVersion":"16.1"},"lastConnected":"2023-11-14T22:13:20.000Z","lastSeen":null,"lastDisconnected":null})");
}

TEST_CASE("passwords go to the secret store and never come back") {
  site s;
  auto r = s.send("POST", "/api/v1/devices", s.admin,
                  body_of(fresh, R"("mpspassword":"Mps-P@ss","amtpassword":"Amt-P@ss")"));
  CHECK(r.status == 201);
  CHECK(s.secrets.values.at("acme/" + fresh + " mps-password") == "Mps-P@ss");
  CHECK(s.secrets.values.at("acme/" + fresh + " amt-password") == "Amt-P@ss");
  for (auto target : {"/api/v1/devices/" + fresh, std::string("/api/v1/devices")})
    CHECK(s.send("GET", target, s.admin).text.find("P@ss") == std::string::npos);
  CHECK(r.text.find("P@ss") == std::string::npos);
}

TEST_CASE("rpc v3 registers what it is about to activate in Console's words") {
  site s;
  const auto account =
      body_of(fresh, R"("username":"admin","password":"Amt-P@ss","mebxpassword":"Mbx-P@ss",)"
                     R"("mpsusername":"admin","mpspassword":"Mps-P@ss","useTLS":false)");
  CHECK(s.send("POST", "/api/v1/devices", s.admin, account).status == 201);
  CHECK(s.secrets.values.at("acme/" + fresh + " amt-password") == "Amt-P@ss");
  CHECK(s.secrets.values.at("acme/" + fresh + " mps-password") == "Mps-P@ss");
  CHECK(s.secrets.values.at("acme/" + fresh + " mebx-password") == "Mbx-P@ss");
  CHECK(s.send("PATCH", "/api/v1/devices", s.operator_,
               body_of(fresh, R"("mebxpassword":"N3w-P@ss")"))
            .status == 403);
  // Afterwards it says how the machine is reached, with the name of the user again.
  CHECK(s.send("PATCH", "/api/v1/devices", s.operator_,
               body_of(fresh, R"("username":"admin","useTLS":true)"))
            .status == 200);
}

TEST_CASE("a secret store that is away is told although the device was stored") {
  site s;
  s.secrets.away = true;
  auto r =
      s.send("POST", "/api/v1/devices", s.admin, body_of(fresh, R"("amtpassword":"Amt-P@ss")"));
  CHECK(r.status == 503);
  CHECK(r.at("errorDescription").find("Send the request again") != std::string::npos);
  s.secrets.away = false;
  CHECK(s.send("POST", "/api/v1/devices", s.admin, body_of(fresh, R"("amtpassword":"Amt-P@ss")"))
            .status == 200);
  CHECK(s.secrets.values.size() == 1);
}

TEST_CASE("many devices are registered in one request or none is") {
  site s;
  std::string many = "[";
  for (int i = 0; i < 500; ++i) {
    auto n = std::to_string(1000 + i);
    many += (i ? "," : "") + body_of("cccccccc-0000-0000-0000-00000000" + n,
                                     "\"hostname\":\"h" + n + "\",\"amtpassword\":\"P@ssw0rd\"");
  }
  auto r = s.send("POST", "/api/v1/devices", s.admin, many + "]");
  CHECK(r.status == 201);
  REQUIRE(r.body.items());
  CHECK(r.body.items()->size() == 500);
  CHECK(s.secrets.values.size() == 500);
  CHECK(s.send("GET", "/api/v1/devices/stats", s.viewer).number("totalCount") == 501);

  auto bad = s.send("POST", "/api/v1/devices", s.admin,
                    "[" + body_of(fresh) + "," + body_of(to_string(s.foreign.device)) + "]");
  CHECK(bad.status == 400);
  CHECK(bad.at("error") == "Unique key violation");
  CHECK(s.store.devices.count(*parse_uuid(fresh)) == 0);
}

TEST_CASE("ten thousand devices fit into one request and one more does not") {
  site s;
  auto many = [](int n) {
    std::string out = "[";
    for (int i = 0; i < n; ++i)
      out += (i ? "," : "") + body_of("cccccccc-0000-0000-0000-0000000" + std::to_string(10000 + i),
                                      R"("amtpassword":"P@ssw0rd")");
    return out + "]";
  };
  CHECK(s.send("POST", "/api/v1/devices", s.admin, many(10'001)).status == 400);
  CHECK(s.store.devices.size() == 2);
  CHECK(s.send("POST", "/api/v1/devices", s.admin, many(10'000)).status == 201);
  CHECK(s.secrets.values.size() == 10'000);
}

TEST_CASE("a bulk import without user names leaves those of existing devices alone") {
  site s;
  s.store.devices.at(s.machine.device).record.mps_username = "site-7";
  CHECK(s.send("POST", "/api/v1/devices", s.admin,
               "[" + body_of(s.guid, R"("hostname":"h")") + "," + body_of(fresh) + "]")
            .status == 201);
  CHECK(s.store.devices.at(s.machine.device).record.mps_username == "site-7");
  CHECK(s.store.devices.at(s.machine.device).record.hostname == "h");
  CHECK(s.store.devices.at(*parse_uuid(fresh)).record.mps_username == "admin");
}

TEST_CASE("a GUID of another tenant is a unique key violation as MPS words it") {
  site s;
  auto guid = to_string(s.foreign.device);
  auto r = s.send("POST", "/api/v1/devices", s.admin, body_of(guid));
  CHECK(r.status == 400);
  CHECK(r.at("error") == "Unique key violation");
  CHECK(r.at("message") == "Device ID: " + guid + " already exists");
  CHECK(s.store.devices.at(s.foreign.device).record.ref.tenant == "beta");
}

TEST_CASE("the body's tenantId counts but only where the caller is admin") {
  site s;
  CHECK(s.send("POST", "/api/v1/devices", s.root, body_of(fresh, R"("tenantId":"beta")"))
            .at("tenantId") == "beta");
  CHECK(s.send("POST", "/api/v1/devices", s.admin,
               body_of("aaaaaaaa-0000-0000-0000-000000000002", R"("tenantId":"beta")"))
            .status == 403);
  CHECK(s.send("POST", "/api/v1/devices", s.admin,
               body_of("aaaaaaaa-0000-0000-0000-000000000002", R"("tenantId":"nix")"))
            .status == 403);
}

TEST_CASE("a device's mistakes are told in MPS's words with what it must be beside them") {
  site s;
  auto words = [&](const std::string& member) {
    auto r = s.send("PATCH", "/api/v1/devices", s.operator_, body_of(s.guid, member));
    REQUIRE(r.status == 400);
    const auto& first = r.body.find("errors")->items()->front();
    CHECK(first.find("why")->text() != nullptr);
    return *first.find("msg")->text();
  };
  CHECK(words("\"hostname\":\"" + std::string(256, 'h') + "\"") ==
        "Hostname must be less than 256 characters");
  CHECK(words(R"("hostname":7)") == "Invalid value");
  CHECK(words(R"("dnsSuffix":"a b")") == "dnsSuffix must be a valid DNS suffix");
  CHECK(words(R"("tags":"a")") == "tags should be an array of strings");
  CHECK(words(R"("deviceInfo":[])") == "deviceInfo should be an object if provided");
}

TEST_CASE("what is told of a device replaces the former deviceInfo as a whole") {
  site s;
  s.store.devices.at(s.machine.device).record.device_info = R"({"fwVersion":"16","mine":[1]})";
  auto r = s.send("PATCH", "/api/v1/devices", s.operator_,
                  body_of(s.guid, R"("deviceInfo":{"fwBuild":"1424","unknown":{"kept":true}})"));
  CHECK(r.status == 200);
  CHECK(json::dump(*r.body.find("deviceInfo")) == R"({"fwBuild":"1424","unknown":{"kept":true}})");
  CHECK(
      s.send("PATCH", "/api/v1/devices", s.operator_, body_of(s.guid, R"("method":"x")")).status ==
      200); // unknown members are no mistake
}

TEST_CASE("a changed device keeps what was not named") {
  site s;
  s.store.devices.at(s.machine.device).record.tags = {"a"};
  auto r =
      s.send("PATCH", "/api/v1/devices", s.operator_, body_of(s.guid, R"("friendlyName":"new")"));
  CHECK(r.status == 200);
  CHECK(r.at("friendlyName") == "new");
  CHECK(r.at("hostname") == "host-one");
  auto gone = s.send("PATCH", "/api/v1/devices", s.operator_, body_of(fresh));
  CHECK(gone.status == 404);
  CHECK(gone.at("error") == "NOT FOUND");
  CHECK(gone.at("message") == "Device ID " + fresh + " not found");
}

TEST_CASE("an operator may rename a device but not change its passwords") {
  site s;
  auto change = body_of(s.guid, R"("amtpassword":"N3w-P@ss")");
  CHECK(s.send("PATCH", "/api/v1/devices", s.operator_, change).status == 403);
  CHECK(s.secrets.values.empty());
  CHECK(s.send("PATCH", "/api/v1/devices", s.admin, change).status == 200);
  CHECK(s.secrets.values.size() == 1);
}

TEST_CASE("a device of another tenant is as unknown as one that does not exist") {
  site s;
  for (auto guid : {to_string(s.foreign.device), fresh}) {
    for (auto method : {"GET", "DELETE"}) {
      auto r = s.send(method, "/api/v1/devices/" + guid, s.admin);
      CHECK(r.status == 404);
      CHECK(r.text == R"({"error":"NOT FOUND","message":"Device ID )" + guid +
                          R"( not found","code":"not-found"})");
    }
  }
  CHECK(s.store.devices.size() == 2);
}

TEST_CASE("deleting a device takes its secrets and answers 204 without a body") {
  site s;
  auto r = s.send("DELETE", "/api/v1/devices/" + s.guid + "?isSecretToBeDeleted=true", s.admin);
  CHECK(r.status == 204);
  CHECK(r.text.empty());
  CHECK(s.control.removed.size() == 1);
  CHECK(s.send("DELETE",
               "/api/v1/devices/" + to_string(s.foreign.device) + "?isSecretToBeDeleted=maybe",
               s.root)
            .status == 400);
}

TEST_CASE("a GUID in a registry path must be one") {
  site s;
  auto r = s.send("GET", "/api/v1/devices/not-a-guid", s.viewer);
  CHECK(r.status == 400);
  CHECK(r.text.find(R"("type":"field","value":"not-a-guid","msg":"Invalid value","path":"guid")") !=
        std::string::npos);
  CHECK(s.send("GET", "/api/v1/devices/12345678-9ABC-DEF0-1234-56789ABCDEF0", s.viewer).status ==
        200);
}

TEST_CASE("lists are paged, counted and filtered as MPS's clients ask") {
  site s;
  for (int i = 0; i < 30; ++i) {
    auto& d = s.store.add(
        {"acme", *parse_uuid("cccccccc-0000-0000-0000-0000000000" + std::to_string(10 + i))},
        "n" + std::to_string(i));
    d.record.tags =
        i % 2 ? std::vector<std::string>{"odd", "all"} : std::vector<std::string>{"all"};
    d.record.connected = i < 5;
  }
  auto rows = [&](const std::string& query) {
    auto r = s.send("GET", "/api/v1/devices" + query, s.viewer);
    return r.body.items() ? static_cast<int>(r.body.items()->size()) : -r.status;
  };
  CHECK(rows("") == 25);
  CHECK(rows("?$top=100") == 31);
  CHECK(rows("?$top=0") == 0);
  CHECK(rows("?$top=10&$skip=28") == 3);
  CHECK(rows("?tags=odd") == 15);
  CHECK(rows("?tags=odd,all&method=AND") == 15);
  CHECK(rows("?tags=odd,all&method=OR&$top=100") == 30);
  CHECK(rows("?status=1") == 5);
  CHECK(rows("?hostname=n7") == 1);
  CHECK(rows("?hostname=nobody") == 0);
  auto counted = s.send("GET", "/api/v1/devices?$count=true&tags=odd&$top=2", s.viewer);
  CHECK(counted.number("totalCount") == 15);
  CHECK(counted.body.find("data")->items()->size() == 2);
  for (auto bad : {"?$top=-1", "?$top=x", "?$top=99999999999999999999", "?$top=1001", "?$skip=1.5",
                   "?$count=maybe", "?status=2", "?method=XOR", "?$top="}) {
    CAPTURE(bad);
    auto r = s.send("GET", std::string("/api/v1/devices") + bad, s.viewer);
    CHECK(r.status == 400);
    CHECK(r.text.find(R"("location":"query")") != std::string::npos);
  }
  // The web UI shows MPS's words.
  CHECK(s.send("GET", "/api/v1/devices?$top=x", s.viewer)
            .text.find("\"msg\":\"The number of items to return should be a positive integer\"") !=
        std::string::npos);
  CHECK(s.send("GET", "/api/v1/devices?status=2", s.viewer).text.find(R"("msg":"Invalid value")") !=
        std::string::npos);
}

TEST_CASE("counters and tags are those of the caller's tenant") {
  site s;
  s.store.devices.at(s.machine.device).record.tags = {"b", "a"};
  s.store.devices.at(s.foreign.device).record.tags = {"hidden"};
  s.store.devices.at(s.machine.device).record.connected = true;
  CHECK(s.send("GET", "/api/v1/devices/stats", s.viewer).text ==
        R"({"totalCount":1,"connectedCount":1,"disconnectedCount":0})");
  CHECK(s.send("GET", "/api/v1/devices/tags", s.viewer).text == R"(["a","b"])");
}

TEST_CASE("a tunnel is ended in MPS's words and none is a 404") {
  site s;
  auto r = s.send("DELETE", "/api/v1/devices/disconnect/" + s.guid, s.operator_);
  CHECK(r.text ==
        R"({"success":200,"description":"Device CIRA connection disconnected : )" + s.guid + "\"}");
  s.control.closes = false;
  CHECK(s.send("DELETE", "/api/v1/devices/disconnect/" + s.guid, s.operator_).at("error") ==
        "Device not found/connected. Please connect again using CIRA.");
  CHECK(s.send("DELETE", "/api/v1/devices/disconnect/" + to_string(s.foreign.device), s.operator_)
            .status == 404);
}
