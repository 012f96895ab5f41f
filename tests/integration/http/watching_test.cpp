// The listener for those who watch a node, with the real REST interface behind it.
#include "gateway/main/watching.hpp"
#include "tests/integration/http/raw_client.hpp"
#include "tests/integration/http/running.hpp"
#include "tests/unit/gateway/rest/site.hpp"

using namespace outband;
using namespace outband::test;

namespace {

struct watched {
  testing::site site;
  net::io_pool pool{2};
  std::unique_ptr<web::server> server;

  explicit watched(const std::string& yaml = "metrics: {enabled: true, port: 0}\n") {
    auto api = rest::make_api(site.services);
    REQUIRE(api.ok());
    auto settings = config::load({yaml, "outband.yaml", {}});
    REQUIRE(settings.ok());
    auto made = listen_for_watchers(*settings, pool, *api);
    REQUIRE(made.ok());
    server = std::move(*made);
  }
  ~watched() { server.reset(); }
  std::string base() const { return "http://127.0.0.1:" + std::to_string(server->port()); }
  http_reply send(const std::string& method, const std::string& path,
                  const std::string& body = {}) {
    return https_client(base(), {}).send(method, path, body);
  }
};

} // namespace

TEST_CASE("whoever watches gets metrics and health without TLS and without a token") {
  watched w;
  auto metrics = w.send("GET", "/metrics");
  CHECK(metrics.status == 200);
  CHECK(metrics.header("content-type").rfind("text/plain; version=0.0.4", 0) == 0);
  CHECK(metrics.body.find("outband_uptime_seconds") != std::string::npos);
  CHECK(w.send("GET", "/healthz").status == 200);
  CHECK(w.send("GET", "/readyz").status == 200);
}

TEST_CASE("nothing else is served to those who watch") {
  watched w;
  for (const char* path : {"/", "/api/v1/version", "/api/v1/authorize", "/compute/hosts", "/mqtt",
                           "/metrics/x", "/healthz/..%2fapi/v1/devices"}) {
    CAPTURE(path);
    auto r = w.send("GET", path);
    CHECK((r.status == 404 || r.status == 400));
  }
  CHECK(w.send("POST", "/metrics").status == 404);
  CHECK(w.send("DELETE", "/metrics").status == 404);
  CHECK(w.send("POST", "/metrics", "x").status == 413);
  CHECK(w.send("GET", "/metrics?" + std::string(10'000, 'x')).status / 100 == 4);
}

TEST_CASE("those who watch have few connections") {
  watched w;
  std::vector<std::unique_ptr<raw_client>> open;
  for (int i = 0; i < 32; ++i) {
    open.push_back(std::make_unique<raw_client>(w.server->port(), false));
    REQUIRE(open.back()->send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"));
    REQUIRE(open.back()->receive_until("\r\n\r\n").find(" 200 ") != std::string::npos);
  }
  CHECK(w.send("GET", "/healthz").status == 0);
  CHECK(w.server->count().refused >= 1);
}

TEST_CASE(
    "the listener for those who watch is off unless it is wanted and names what it cannot have") {
  net::io_pool pool{1};
  auto settings = config::load({"{}\n", "outband.yaml", {}});
  REQUIRE(settings.ok());
  auto off = listen_for_watchers(*settings, pool, {});
  REQUIRE(off.ok());
  CHECK(*off == nullptr);
  CHECK(settings->text("metrics.bind") == "127.0.0.1");
  for (const char* bind : {"nowhere", "203.0.113.7"}) {
    auto wrong =
        config::load({std::string("metrics: {enabled: true, port: 0, bind: ") + bind + "}\n",
                      "outband.yaml",
                      {}});
    REQUIRE(wrong.ok());
    auto made = listen_for_watchers(*wrong, pool, {});
    REQUIRE(!made.ok());
    CHECK(made.error().field == "metrics.bind");
  }
}
