// The REST interface over fake ports behind the real server.
#include "tests/integration/http/running.hpp"
#include "tests/unit/gateway/rest/site.hpp"

using namespace outband;
using namespace outband::test;

TEST_CASE("a person signs in over HTTPS and works with the token") {
  testing::site site;
  running s;
  auto api = rest::make_api(site.services);
  REQUIRE(api.ok());
  s.handler = *api;
  s.start();
  auto c = s.client();
  CHECK(c->get("/api/v1/devices").status == 401);
  auto in =
      c->send("POST", "/api/v1/authorize", R"({"username":"vera","password":"correct horse"})");
  REQUIRE(in.status == 200);
  c->token(*json::parse(in.body)->find("token")->text());
  auto list = c->get("/api/v1/devices?$top=10&$count=true");
  CHECK(list.status == 200);
  CHECK(list.body.find("host-one") != std::string::npos);
  CHECK(c->get("/api/v1/devices?$top=10&$count=true", {{"If-None-Match", list.header("etag")}})
            .status == 304);
  CHECK(c->send("POST", "/api/v1/devices", "{}").status == 403);
  auto preflight =
      c->send("OPTIONS", "/api/v1/devices", "",
              {{"Origin", "https://ui.example"}, {"Access-Control-Request-Method", "PATCH"}});
  CHECK(preflight.status == 204);
  CHECK(preflight.header("access-control-allow-origin") == "*");
  CHECK(preflight.header("allow") == "GET, HEAD, POST, PATCH, OPTIONS");
}
