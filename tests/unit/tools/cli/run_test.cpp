#include "tests/unit/tools/cli/fakes.hpp"

#include "messages/rest/json.hpp"

#include <doctest/doctest.h>
#include <fstream>

using namespace outband;
using namespace outband::cli;
using namespace outband::cli::test;

namespace {

bool has(const std::ostringstream& stream, const std::string& text) {
  return stream.str().find(text) != std::string::npos;
}

void answers_of_a_login(fake_server& s, const char* tenants) {
  s.say("POST /api/v1/authorize", 200, R"({"token":"fresh"})");
  s.say("GET /api/v1/tenants", 200, tenants);
  s.say("GET /api/v1/authorize/whoami", 200,
        R"({"name":"alice","tenant":"demo","role":"operator","tenants":{"demo":"operator"},)"
        R"("siteAdmin":false})");
}

} // namespace

TEST_CASE("login asks for what is missing and stores the token but no password") {
  stage s;
  answers_of_a_login(s.server, R"([{"key":"demo","displayName":"Demo"}])");
  s.typed = {"alice", "correct horse"};
  CHECK(s.run({"login", "--server", "https://outband.example:8443"}) == 0);
  CHECK(s.prompts == std::vector<std::string>{"User: ", "Password of alice: "});
  CHECK(has(s.out, "as alice, operator of tenant demo"));
  CHECK(s.server.seen.at(0).body == R"({"username":"alice","password":"correct horse"})");
  CHECK(header(s.server.seen.at(0), "Authorization").empty());
  CHECK(header(s.server.seen.at(1), "Authorization") == "Bearer fresh");
  std::ifstream file(s.config());
  std::string text((std::istreambuf_iterator<char>(file)), {});
  CHECK(text.find("fresh") != std::string::npos);
  CHECK(text.find("demo") != std::string::npos);
  CHECK(text.find("correct horse") == std::string::npos);
}

TEST_CASE("login takes the password from standard input") {
  stage s;
  answers_of_a_login(s.server, R"([{"key":"demo","displayName":""}])");
  s.piped = "s3cret";
  CHECK(s.run({"login", "--server", "a.example", "--user", "alice", "--password-stdin", "-o",
               "json"}) == 0);
  CHECK(s.prompts.empty());
  CHECK(s.server.seen.at(0).body == R"({"username":"alice","password":"s3cret"})");
  CHECK(s.out.str() ==
        R"({"server":"https://a.example","user":"alice","tenant":"demo","role":"operator"})"
        "\n");
}

TEST_CASE("a wrong password stores nothing and exits with 5") {
  stage s;
  s.server.say("POST /api/v1/authorize", 401,
               R"({"message":"Incorrect Username and/or Password!","code":"unauthenticated"})");
  s.typed = {"wrong"};
  CHECK(s.run({"login", "--server", "a.example", "--user", "alice"}) == 5);
  CHECK(has(s.err, "Incorrect Username and/or Password!"));
  CHECK_FALSE(std::filesystem::exists(s.config()));
}

TEST_CASE("a tenant without a role is refused with those that there are") {
  stage s;
  answers_of_a_login(s.server, R"([{"key":"demo"},{"key":"acme"}])");
  s.typed = {"x"};
  CHECK(s.run({"login", "--server", "a.example", "--user", "alice", "--tenant", "beta"}) == 6);
  CHECK(has(s.err, "'beta'"));
  CHECK(has(s.err, "demo, acme"));
  CHECK_FALSE(std::filesystem::exists(s.config()));
}

TEST_CASE("login needs a server and a terminal") {
  stage s;
  CHECK(s.run({"login", "--user", "alice"}) == 2);
  CHECK(has(s.err, "--server"));
  CHECK(s.run({"login", "--server", "a.example", "--user", "alice"}) == 2);
  CHECK(s.server.seen.empty());
}

TEST_CASE("an unverifiable certificate is explained") {
  stage s;
  s.server.break_off(
      "POST /api/v1/authorize",
      fail(problem::unauthenticated, "self-signed certificate in chain", "https.certificate"));
  s.typed = {"x"};
  CHECK(s.run({"login", "--server", "a.example", "--user", "alice"}) == 1);
  CHECK(has(s.err, "self-signed certificate in chain"));
  CHECK(has(s.err, "cira-root.crt"));
}

TEST_CASE("logout forgets the token and keeps the server") {
  stage s;
  s.signed_in();
  CHECK(s.run({"logout"}) == 0);
  CHECK(has(s.out, "Signed out"));
  auto left = load_session(s.config());
  REQUIRE(left.ok());
  CHECK(left->token.empty());
  CHECK(left->server == "https://outband.example:8443");
  CHECK(s.run({"list", "hosts"}) == 5);
  CHECK(has(s.err, "outband login --server https://outband.example:8443"));
}

TEST_CASE("without any server the way to sign in is told") {
  stage s;
  CHECK(s.run({"list", "hosts"}) == 5);
  CHECK(has(s.err, "outband login"));
  CHECK(s.server.connected.empty());
}

TEST_CASE("hosts are listed as a table and as JSON") {
  stage s;
  s.signed_in();
  s.two_hosts();
  CHECK(s.run({"list", "hosts"}) == 0);
  const auto text = s.out.str();
  CHECK(text.rfind("ID ", 0) == 0);
  CHECK(text.find("sim-1") < text.find("sim-2"));
  s.out.str("");
  CHECK(s.run({"list", "hosts", "--filter", "SIM-2", "-o", "json"}) == 0);
  auto v = json::parse(s.out.str());
  REQUIRE(v.ok());
  REQUIRE(v->find("hosts")->items()->size() == 1);
  CHECK(*v->find("hosts")->items()->front().find("name")->text() == "sim-2");
  CHECK(s.server.connected.at(0).server == "https://outband.example:8443");
  CHECK_FALSE(s.server.connected.at(0).insecure);
}

TEST_CASE("a token of the environment is used and an expired one is said") {
  stage s;
  s.variables["OUTBAND_SERVER"] = "https://b.example";
  s.variables["OUTBAND_TOKEN"] = "env-token";
  s.server.say(
      "GET /compute/hosts?pageSize=100&offset=0", 401,
      R"({"code":"Unauthenticated","message":"token expired","problem":"unauthenticated"})");
  CHECK(s.run({"list", "hosts"}) == 5);
  CHECK(header(s.server.seen.at(0), "Authorization") == "Bearer env-token");
  CHECK(has(s.err, "token expired"));
}

TEST_CASE("a host is found by name and an unknown one exits with 6") {
  stage s;
  s.signed_in();
  s.two_hosts();
  CHECK(s.run({"get", "host", "sim-1"}) == 0);
  CHECK(has(s.out, "11111111-2222-4333-8444-555555555555"));
  s.server.say("GET /compute/hosts/nobody", 404,
               R"({"code":"NotFound","message":"There is no such host.","problem":"not-found"})");
  CHECK(s.run({"get", "host", "nobody", "-o", "json"}) == 6);
  CHECK(has(s.err, "There is no host 'nobody'."));
  CHECK(has(s.out,
            R"({"error":{"code":"not-found","field":"","text":"There is no host 'nobody'."}})"));
}

TEST_CASE("a name that several hosts have is a usage error that lists them") {
  stage s;
  s.signed_in();
  s.two_hosts();
  auto twin = std::string(host_sim2);
  twin.replace(twin.find("sim-2"), 5, "sim-1");
  s.server.answers.clear();
  s.server.say("GET /compute/hosts/sim-1", 409,
               R"({"code":"AlreadyExists","message":"several","problem":"already-exists"})");
  s.server.say("GET /compute/hosts?pageSize=100&offset=0", 200,
               R"({"hosts":[)" + std::string(host_sim1) + "," + twin + R"(],"hasNext":false})");
  CHECK(s.run({"get", "host", "sim-1"}) == 2);
  CHECK(has(s.err, "11111111-2222-4333-8444-555555555555 (sim-1)"));
  CHECK(has(s.err, "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee (sim-1)"));
}

TEST_CASE("an order without waiting is stored and says so") {
  stage s;
  s.signed_in();
  s.two_hosts();
  s.server.say("PATCH /compute/hosts/11111111-2222-4333-8444-555555555555", 200, host_sim1);
  CHECK(s.run({"set", "host", "sim-1", "--power", "off"}) == 0);
  CHECK(has(s.out, "sim-1: It is wanted off."));
  s.out.str("");
  CHECK(s.run({"set", "host", "sim-1", "--power", "reset", "-o", "json"}) == 0);
  auto v = json::parse(s.out.str());
  REQUIRE(v.ok());
  CHECK(*v->find("outcome")->text() == "stored");
  CHECK(*v->find("asked")->text() == "reset");
  CHECK_FALSE(*v->find("waited")->boolean());
}

TEST_CASE("an order that the server refuses exits with its code") {
  stage s;
  s.signed_in();
  s.two_hosts();
  s.server.say("PATCH /compute/hosts/11111111-2222-4333-8444-555555555555", 403,
               R"({"code":"PermissionDenied","message":"desired.patch needs the role operator",)"
               R"("problem":"forbidden","field":"act"})");
  CHECK(s.run({"set", "host", "sim-1", "--power", "off"}) == 1);
  CHECK(has(s.err, "needs the role operator"));
  CHECK(has(s.err, "Ask an administrator"));
}

TEST_CASE("machines are registered from a file as it is") {
  stage s;
  s.signed_in();
  s.files["devices.json"] = R"([{"guid":"11111111-2222-4333-8444-555555555555"}])";
  s.server.say("POST /api/v1/devices", 201, R"([{"guid":"11111111-2222-4333-8444-555555555555"}])");
  CHECK(s.run({"create", "hosts", "--file", "devices.json"}) == 0);
  CHECK(s.out.str() == "1 host registered.\n");
  CHECK(s.server.seen.back().body == s.files["devices.json"]);
  s.out.str("");
  CHECK(s.run({"create", "hosts", "--file", "devices.json", "-o", "json"}) == 0);
  CHECK(s.out.str() == "{\"guids\":[\"11111111-2222-4333-8444-555555555555\"]}\n");
  CHECK(s.run({"create", "hosts", "--file", "none.json"}) == 2);
  CHECK(has(s.err, "'none.json' cannot be opened."));
}

TEST_CASE("a machine that the server refuses is named") {
  stage s;
  s.signed_in();
  s.files["-"] = "[{}]";
  s.server.say("POST /api/v1/devices", 400,
               R"({"errors":[{"type":"field","msg":"must be a UUID","path":"[0].guid"}]})");
  CHECK(s.run({"create", "hosts", "--file", "-"}) == 1);
  CHECK(has(s.err, "[0].guid: must be a UUID"));
}

TEST_CASE("an unverified server is said at every use") {
  stage s;
  s.signed_in();
  auto as = load_session(s.config());
  as->insecure = true;
  REQUIRE(save_session(s.config(), *as).ok());
  s.two_hosts();
  CHECK(s.run({"list", "hosts"}) == 0);
  CHECK(s.server.connected.at(0).insecure);
  CHECK(has(s.err, "not verified"));
}

TEST_CASE("the version is told without a server and with one that is away") {
  stage s;
  CHECK(s.run({"version"}) == 0);
  CHECK(s.out.str().rfind("outband ", 0) == 0);
  s.signed_in();
  s.out.str("");
  s.server.say("GET /api/v1/version", 200, R"({"serviceVersion":"0.1.0"})");
  CHECK(s.run({"version", "-o", "json"}) == 0);
  CHECK(has(s.out, R"("serverVersion":"0.1.0")"));
}
