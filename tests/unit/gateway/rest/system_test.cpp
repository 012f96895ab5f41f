#include "tests/unit/gateway/rest/site.hpp"

#include "gateway/rest/page.hpp"
#include "messages/bus/stored.hpp"
#include "tests/support/tempdir.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

using namespace outband;
using namespace outband::testing;

namespace {
void write(const std::filesystem::path& p, const std::string& text) {
  std::filesystem::create_directories(p.parent_path());
  std::ofstream(p) << text;
}
} // namespace

TEST_CASE("alive, ready, health and version are told without a token") {
  site s;
  CHECK(s.send("GET", "/healthz").status == 200);
  auto ready = s.send("GET", "/readyz");
  CHECK(ready.status == 200);
  CHECK(ready.text == R"({"ready":true,"node":"n1","store":{"ok":true},"bus":{"ok":true}})");
  CHECK(
      s.send("GET", "/api/v1/health").text ==
      R"({"db":{"name":"POSTGRES","status":"OK"},"secretStore":{"name":"BUILTIN","status":{"initialized":true,"sealed":false}}})");
  CHECK(s.send("GET", "/api/v1/version").text == R"({"serviceVersion":"0.1.0"})");
}

TEST_CASE("what is not ready says which part and why") {
  site s;
  s.bus = fail(problem::bus_unavailable, "connection refused by 127.0.0.1:8884");
  auto r = s.send("GET", "/readyz");
  CHECK(r.status == 503);
  CHECK(*r.body.find("bus")->find("reason")->text() ==
        "connection refused by 127.0.0.1:8884 (bus-unavailable)");
  CHECK(*r.body.find("store")->find("ok")->boolean());
  s.store.away = true;
  r = s.send("GET", "/readyz");
  CHECK(*r.body.find("store")->find("code")->text() == "store-unavailable");
  CHECK(s.send("GET", "/healthz").status == 200); // alive all the same
  CHECK(s.send("GET", "/api/v1/health").status == 503);
}

TEST_CASE("the CIRA root is plain PEM as MPS serves it") {
  site s;
  auto r = s.send("GET", "/api/v1/ciracert");
  CHECK(r.status == 200);
  CHECK(r.type == "text/html; charset=utf-8");
  CHECK(r.text == s.services.cira_ca);
  s.services.cira_ca.clear();
  s.rebuild();
  CHECK(s.send("GET", "/api/v1/ciracert").status == 500);
}

TEST_CASE("metrics count answers by route and show the process's gauges") {
  site s;
  s.services.more_metrics = [] {
    return std::string("outband_extra 1\n");
  };
  s.rebuild();
  s.send("GET", "/api/v1/devices/" + s.guid, s.viewer);
  s.send("GET", "/api/v1/devices/" + s.guid);
  auto text = s.send("GET", "/metrics").text;
  auto has = [&](const std::string& line) {
    return text.find(line) != std::string::npos;
  };
  CHECK(has(R"(outband_http_requests_total{route="GET /api/v1/devices/{guid}",status="200"} 1)"));
  CHECK(has(R"(outband_http_requests_total{route="GET /api/v1/devices/{guid}",status="401"} 1)"));
  CHECK(has("outband_links 3\n"));
  CHECK(has("outband_device_actors 2\n"));
  CHECK(has("outband_queued_calls 1\n"));
  CHECK(has("outband_extra 1\n"));
  CHECK(has("outband_http_request_seconds_count{route=\"GET /api/v1/devices/{guid}\"} 2\n"));
  CHECK(has("outband_http_requests_in_flight 1\n")); // this one
  CHECK(text.find(s.guid) == std::string::npos);     // no label per device
}

TEST_CASE("a request can be asked for by its id with its outcome") {
  site s;
  command_row row;
  row.id = *parse_uuid("0190f0e0-0000-7000-8000-0000000000aa");
  row.ref = s.machine;
  row.act = "power.once";
  row.by = "op/olaf";
  row.created = 1'799'999'000'000;
  s.store.commands[row.id] = row;
  const std::string path = "/api/v1/requests/0190f0e0-0000-7000-8000-0000000000aa";
  auto r = s.send("GET", path, s.viewer);
  CHECK(r.at("status") == "accepted");
  CHECK_FALSE(*r.body.find("final")->boolean());
  response done;
  done.id = row.id;
  done.status = request_status::failed;
  done.why = fail(problem::device_refused, "NOT_READY (2)");
  done.text = "The firmware refused: NOT_READY (2).";
  done.return_value = 2;
  row.status = done.status;
  row.outcome = bus::pack(done);
  s.store.commands[row.id] = row;
  r = s.send("GET", path, s.viewer);
  CHECK(r.at("status") == "failed");
  CHECK(r.at("text") == done.text);
  CHECK(r.at("code") == "device-refused");
  CHECK(r.at("returnValueStr") == "NOT_READY");
  CHECK(s.send("GET", path, s.stranger).status == 404);
}

TEST_CASE("the page's files are served with their type and policy and nothing else is") {
  test::tempdir dir;
  write(dir.path() + "/page/index.html", "<html>page</html>");
  write(dir.path() + "/page/assets/app.0123abcd.js", "let x;");
  write(dir.path() + "/page/assets/style.css", "a{}");
  write(dir.path() + "/page/.hidden", "no");
  write(dir.path() + "/page/.git/config", "no");
  write(dir.path() + "/outside.txt", "secret");
  std::filesystem::create_symlink(dir.path() + "/outside.txt", dir.path() + "/page/link.txt");
  site s;
  s.services.page_dir = dir.path() + "/page";
  s.rebuild();
  auto index = s.send("GET", "/");
  CHECK(index.status == 200);
  CHECK(index.type == "text/html; charset=utf-8");
  CHECK(index.header("Content-Security-Policy").find("script-src 'self';") != std::string::npos);
  CHECK(index.header("Content-Security-Policy").find("frame-ancestors 'none'") !=
        std::string::npos);
  CHECK(index.header("Cache-Control") == "no-cache");
  auto asset = s.send("GET", "/assets/app.0123abcd.js");
  CHECK(asset.type == "text/javascript; charset=utf-8");
  CHECK(asset.header("Cache-Control") == "public, max-age=31536000, immutable");
  CHECK(s.send("GET", "/assets/style.css").header("Cache-Control") == "no-cache");
  for (auto target : {"/../outside.txt", "/%2e%2e/outside.txt", "/assets/..%2f..%2foutside.txt",
                      "/assets/../../outside.txt", "/.hidden", "/.git/config", "/link.txt",
                      "/assets", "/assets%2fstyle.css", "/etc/passwd", "/index.html/x"}) {
    CAPTURE(target);
    CHECK(s.send("GET", target).status == 404);
  }
  CHECK(s.send("POST", "/index.html").status == 404);
}

TEST_CASE("a missing page directory is an empty page") {
  auto p = rest::page::load("/nonexistent/page", "");
  REQUIRE(p.ok());
  CHECK(p->empty());
}
