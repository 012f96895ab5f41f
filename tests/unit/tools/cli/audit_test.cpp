#include "tests/unit/tools/cli/fakes.hpp"

#include "messages/rest/json.hpp"

#include <doctest/doctest.h>

using namespace outband;
using namespace outband::cli;
using namespace outband::cli::test;

namespace {

std::string row(const std::string& id, const std::string& more = {}) {
  return R"({"id":")" + id + R"(","at":"2026-05-28T20:00:00.000Z","act":"features.set",)" +
         R"("device":"11111111-2222-4333-8444-555555555555","by":"op/alice","channel":"rest",)" +
         R"("status":"failed","code":"device-refused","text":"The firmware refused.")" + more + "}";
}
std::string page_of(const std::string& rows, const std::string& next) {
  return R"({"data":[)" + rows + R"(],"next":)" + (next.empty() ? "null" : "\"" + next + "\"") +
         "}";
}

} // namespace

TEST_CASE("the trail is shown with who asked and what came of it") {
  stage s;
  s.signed_in();
  s.server.say("GET /api/v1/audit?$top=50", 200,
               page_of(row("a") + "," + row("b", R"(,"count":7)"), ""));
  CHECK(s.run({"audit"}) == 0);
  CHECK(s.out.str().find("op/alice") != std::string::npos);
  CHECK(s.out.str().find("features.set") != std::string::npos);
  CHECK(s.out.str().find("7 times. The firmware refused.") != std::string::npos);
}

TEST_CASE("what is asked of the trail goes to the server as its filters") {
  stage s;
  s.signed_in();
  s.two_hosts();
  const std::string path = "/api/v1/audit?$top=2&from=2026-05-27T20%3A26%3A40.000Z&by=bob"
                           "&act=boot.set&status=rejected"
                           "&device=11111111-2222-4333-8444-555555555555";
  s.server.say("GET " + path, 200, page_of("", ""));
  CHECK(s.run({"audit", "--host", "sim-1", "--by", "bob", "--act", "boot.set", "--status",
               "rejected", "--since", "24h", "--top", "2"}) == 0);
  CHECK(s.server.last("GET", path) != nullptr);
  CHECK(s.out.str() == "Nothing is recorded.\n");
  for (std::string odd : {"yesterday", "0d", "-1h", "7", "d", "9999999999d"}) {
    CAPTURE(odd);
    CHECK(s.run({"audit", "--since", odd}) == 2);
  }
  CHECK(s.run({"audit", "--status", "accepted"}) == 2);
  CHECK(s.run({"audit", "--top", "0"}) == 2);
}

TEST_CASE("an export is a line for every row of every page") {
  stage s;
  s.signed_in();
  s.server.say("GET /api/v1/audit?$top=500", 200, page_of(row("a") + "," + row("b"), "1.x"));
  s.server.say("GET /api/v1/audit?$top=500&after=1.x", 200, page_of(row("c"), ""));
  CHECK(s.run({"audit", "export"}) == 0);
  CHECK(s.out.str() == row("a") + "\n" + row("b") + "\n" + row("c") + "\n");
}

TEST_CASE("a trail of more than a page is read up to what was asked for") {
  stage s;
  s.signed_in();
  std::string full;
  for (int i = 0; i < 500; ++i)
    full += (i ? "," : "") + row("a");
  s.server.say("GET /api/v1/audit?$top=500", 200, page_of(full, "1.x"));
  s.server.say("GET /api/v1/audit?$top=1&after=1.x", 200, page_of(row("c"), "0.x"));
  CHECK(s.run({"audit", "--top", "501", "-o", "json"}) == 0);
  auto told = json::parse(s.out.str());
  REQUIRE(told.ok());
  CHECK(told->find("audit")->items()->size() == 501);
}

TEST_CASE("who may not read the trail is told so") {
  stage s;
  s.signed_in();
  for (const auto* path : {"GET /api/v1/audit?$top=50", "GET /api/v1/audit?$top=500"})
    s.server.say(path, 403, R"({"message":"This needs the role admin.","code":"forbidden"})");
  CHECK(s.run({"audit"}) == 1);
  CHECK(s.err.str().find("This needs the role admin.") != std::string::npos);
  CHECK(s.run({"audit", "export"}) == 1);
  CHECK(s.out.str().empty());
}
