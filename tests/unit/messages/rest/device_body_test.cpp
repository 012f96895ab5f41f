#include "messages/rest/device_body.hpp"

#include <doctest/doctest.h>

using namespace outband;
using bodies = std::vector<rest::device_body>;
using errors = std::vector<rest::field_error>;

namespace {

const std::string guid = "12345678-9abc-def0-1234-56789abcdef0";

rest::device_bodies read(const std::string& text, bool bulk = true) {
  auto v = json::parse(text);
  REQUIRE(v.ok());
  return rest::parse_device_bodies(*v, bulk);
}

/// The path of the only mistake.
std::string mistake(const std::string& member) {
  auto got = read("{\"guid\":\"" + guid + "\"," + member + "}");
  const auto* e = std::get_if<errors>(&got);
  if (!e || e->size() != 1)
    return e ? "several" : "none";
  return e->front().path;
}

} // namespace

TEST_CASE("a full device body is read and unknown members are let pass") {
  auto got = read(R"({"guid":")" + guid +
                  R"(","hostname":"h","tags":["a","b"],"friendlyName":null,"dnsSuffix":"x.example.",
      "mpsusername":"u","mpspassword":"P@ss","amtusername":"admin","amtpassword":"Q@ss",
      "deviceInfo":{"fwVersion":"16.1"},"tenantId":"","connectionStatus":false,"mpsInstance":null,
      "somethingNew":[1,2]})");
  const auto* b = std::get_if<bodies>(&got);
  REQUIRE(b);
  REQUIRE(b->size() == 1);
  const auto& d = b->front();
  CHECK(to_string(d.guid) == guid);
  CHECK(*d.hostname == "h");
  CHECK(*d.tags == std::vector<std::string>{"a", "b"});
  REQUIRE(d.friendly_name.has_value());
  CHECK_FALSE(d.friendly_name->has_value());
  CHECK(**d.dns_suffix == "x.example.");
  CHECK(*d.mps_password == "P@ss");
  CHECK(*d.amt_password == "Q@ss");
  CHECK(*d.device_info == R"({"fwVersion":"16.1"})");
  CHECK(d.tenant_id->empty());
}

TEST_CASE("the machine's account is also read by Console's names") {
  const auto one = [](const std::string& members) {
    auto got = read("{\"guid\":\"" + guid + "\"," + members + "}");
    REQUIRE(std::get_if<bodies>(&got));
    return std::get<bodies>(got).front();
  };
  const auto d = one(R"("username":"root","password":"P@ss","mebxpassword":"M@bx")");
  CHECK(*d.amt_username == "root");
  CHECK(*d.amt_password == "P@ss");
  CHECK(*d.mebx_password == "M@bx");
  const auto both = one(R"("username":"root","password":"P@ss","amtpassword":"Q@ss")");
  CHECK(*both.amt_password == "Q@ss");
  CHECK_FALSE(both.amt_username);
  const auto neither = one(R"("username":"admin","password":"","mebxpassword":"")");
  CHECK_FALSE(neither.amt_username);
  CHECK_FALSE(neither.amt_password);
  CHECK_FALSE(neither.mebx_password);
}

TEST_CASE("each member of a wrong type or length is named") {
  CHECK(mistake(R"("password":7)") == "password");
  CHECK(mistake("\"mebxpassword\":\"" + std::string(129, 'a') + "\"") == "mebxpassword");
  CHECK(mistake(R"("hostname":7)") == "hostname");
  CHECK(mistake("\"hostname\":\"" + std::string(256, 'a') + "\"") == "hostname");
  CHECK(mistake(R"("hostname":"a\u0000b")") == "hostname");
  CHECK(mistake(R"("friendlyName":["x"])") == "friendlyName");
  CHECK(mistake(R"("dnsSuffix":"-a.b")") == "dnsSuffix");
  CHECK(mistake(R"("dnsSuffix":"a..b")") == "dnsSuffix");
  CHECK(mistake(R"("tags":"a")") == "tags");
  CHECK(mistake(R"("tags":["a",1])") == "tags");
  CHECK(mistake(R"("tags":["a,b"])") == "tags");
  CHECK(mistake(R"("mpsusername":{})") == "mpsusername");
  CHECK(mistake(R"("mpspassword":"")") == "mpspassword");
  CHECK(mistake(R"("amtpassword":1e300)") == "amtpassword");
  CHECK(mistake(R"("deviceInfo":"x")") == "deviceInfo");
  CHECK(mistake("\"deviceInfo\":{\"a\":\"" + std::string(17000, 'x') + "\"}") == "deviceInfo");
  CHECK(mistake(R"("tenantId":99999999999999999999)") == "tenantId");
  CHECK(mistake(R"("connectionStatus":"yes")") == "connectionStatus");
  CHECK(mistake(R"("lastSeen":5)") == "lastSeen");
  CHECK(mistake(R"("x":1)") == "none");
}

TEST_CASE("a GUID must be there and in its full form") {
  for (auto text : {R"({})", R"({"guid":null})", R"({"guid":5})", R"({"guid":"x"})",
                    R"({"guid":"123456789abcdef0123456789abcdef0"})",
                    R"({"guid":"00000000-0000-0000-0000-000000000000"})"}) {
    CAPTURE(text);
    auto got = read(text);
    const auto* e = std::get_if<errors>(&got);
    REQUIRE(e);
    CHECK(e->front().path == "guid");
  }
}

TEST_CASE("a secret never comes back in an error") {
  auto got = read("{\"guid\":\"" + guid + "\",\"amtpassword\":\"" + std::string(200, 'S') + "\"}");
  const auto* e = std::get_if<errors>(&got);
  REQUIRE(e);
  CHECK(rest::errors_body(*e).find("SSSS") == std::string::npos);
}

TEST_CASE("errors have MPS's shape") {
  auto got = read(R"({"guid":"nope"})");
  auto text = rest::errors_body(std::get<errors>(got));
  CHECK(
      text.rfind(
          R"({"errors":[{"type":"field","value":"nope","msg":"Invalid value","path":"guid","location":"body")",
          0) == 0);
}

TEST_CASE("an array is read only where one is allowed and no GUID may repeat in it") {
  const auto one = "{\"guid\":\"" + guid + "\"}";
  CHECK(std::holds_alternative<errors>(read("[" + one + "]", false)));
  CHECK(std::holds_alternative<bodies>(read("[" + one + "]")));
  auto twice = read("[" + one + "," + one + "]");
  const auto* e = std::get_if<errors>(&twice);
  REQUIRE(e);
  CHECK(e->front().path == "[1].guid");
  CHECK(std::holds_alternative<errors>(read("[]")));
  CHECK(std::holds_alternative<errors>(read("[1]")));
  CHECK(std::holds_alternative<errors>(read("null")));
  CHECK(std::holds_alternative<errors>(read("\"x\"")));
}

TEST_CASE("a huge array of nonsense yields a bounded list of errors") {
  std::string text = "[";
  for (int i = 0; i < 5000; ++i)
    text += i ? ",1" : "1";
  auto got = read(text + "]");
  CHECK(std::get<errors>(got).size() == 100);
}
