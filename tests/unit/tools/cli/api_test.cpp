#include "tools/cli/api.hpp"

#include "tests/unit/tools/cli/fakes.hpp"
#include "tools/cli/bus_link.hpp"
#include "tools/cli/outcome.hpp"

#include <doctest/doctest.h>

using namespace outband;
using namespace outband::cli;
using namespace outband::cli::test;

TEST_CASE("an error is read in each of the server's forms") {
  struct form {
    int status;
    const char* body;
    problem what;
    const char* detail;
    const char* field;
  };
  const form forms[] = {
      {401, R"({"message":"Incorrect Username and/or Password!","code":"unauthenticated"})",
       problem::unauthenticated, "Incorrect Username and/or Password!", ""},
      {409,
       R"({"code":"FailedPrecondition","message":"a sleeping machine","problem":"transition-refused"})",
       problem::transition_refused, "a sleeping machine", ""},
      {400,
       R"({"code":"InvalidArgument","message":"name: must be text","problem":"malformed","field":"name"})",
       problem::malformed, "must be text", "name"},
      {400,
       R"({"errors":[{"path":"guid","msg":"must be a UUID"},{"path":"tags","msg":"no list"}]})",
       problem::malformed, "guid: must be a UUID; tags: no list", ""},
      {503, R"({"error":"x","errorDescription":"nothing was accepted","code":"store-unavailable"})",
       problem::store_unavailable, "nothing was accepted", ""},
      {404, R"({"error":"NOT FOUND"})", problem::not_found, "NOT FOUND", ""},
  };
  for (const auto& f : forms) {
    CAPTURE(f.body);
    auto why = failure_of({f.status, "application/json", f.body});
    CHECK(why.what == f.what);
    CHECK(why.detail == f.detail);
    CHECK(why.field == f.field);
  }
}

TEST_CASE("an answer that no Outband server gives is said to be one") {
  auto why = failure_of({502, "text/html", "<html>Bad gateway</html>"});
  CHECK(why.field == "https.answer");
  CHECK(exit_of(why) == exit_code::other);
  CHECK(failure_of({401, "text/html", "<html>"}).what == problem::unauthenticated);
}

TEST_CASE("all pages of the list are fetched and sorted by name") {
  fake_server server;
  server.say("GET /compute/hosts?pageSize=100&offset=0", 200,
             R"({"hosts":[)" + std::string(host_sim2) + R"(],"hasNext":true})");
  server.say("GET /compute/hosts?pageSize=100&offset=1", 200,
             R"({"hosts":[)" + std::string(host_sim1) + R"(],"hasNext":false})");
  fake_transport t(server);
  session as;
  as.token = "t0ken";
  as.tenant = "demo";
  auto all = api(t, as).hosts();
  REQUIRE(all.ok());
  REQUIRE(all->size() == 2);
  CHECK((*all)[0].name == "sim-1");
  CHECK(header(server.seen[0], "Authorization") == "Bearer t0ken");
  CHECK(header(server.seen[0], "x-tenant-id") == "demo");
}

TEST_CASE("a list that says there is more and brings nothing ends") {
  fake_server server;
  server.say("GET /compute/hosts?pageSize=100&offset=0", 200, R"({"hosts":[],"hasNext":true})");
  fake_transport t(server);
  session as;
  as.token = "t0ken";
  auto all = api(t, as).hosts();
  REQUIRE(all.ok());
  CHECK(all->empty());
  CHECK(server.seen.size() == 1);
}

TEST_CASE("a name goes into the path as one segment") {
  fake_server server;
  fake_transport t(server);
  session as;
  as.token = "t0ken";
  auto h = api(t, as).find_host("a/b?c ../\xc3\xbc");
  REQUIRE_FALSE(h.ok());
  CHECK(server.seen.at(0).path == "/compute/hosts/a%2Fb%3Fc%20..%2F%C3%BC");
}

TEST_CASE("an order carries the enum of EMF and an id that makes repeating it harmless") {
  fake_server server;
  server.say("PATCH /compute/hosts/11111111-2222-4333-8444-555555555555", 200, host_sim1);
  fake_transport t(server);
  session as;
  as.token = "t0ken";
  host h;
  h.guid = sim1;
  set_host_command c;
  const std::pair<std::variant<power_target, power_once>, const char*> words[] = {
      {power_target::on, "POWER_STATE_ON"},
      {power_target::hibernate, "POWER_STATE_HIBERNATE"},
      {power_once::reset, "POWER_STATE_RESET"},
      {power_once::cycle, "POWER_STATE_POWER_CYCLE"}};
  for (const auto& [power, word] : words) {
    c.power = power;
    REQUIRE(api(t, as).order_power(h, c, order_id).ok());
    CHECK(server.seen.back().body ==
          R"({"desiredPowerState":")" + std::string(word) +
              R"(","powerCommandPolicy":"POWER_COMMAND_POLICY_ORDERED"})");
    CHECK(header(server.seen.back(), "Idempotency-Key") == to_string(order_id));
  }
}

TEST_CASE("nothing is asked without a token") {
  fake_server server;
  fake_transport t(server);
  session as;
  as.server = "https://outband.example";
  auto all = api(t, as).hosts();
  REQUIRE_FALSE(all.ok());
  CHECK(exit_of(all.error()) == exit_code::not_signed_in);
  CHECK(server.seen.empty());
}

TEST_CASE("the broker is where the server says") {
  auto far = *https::parse_server("https://outband.example:8443");
  auto near = *https::parse_server("https://localhost:8443");
  bus_ticket t;
  CHECK(broker_of(t, far).host == "outband.example");
  CHECK(broker_of(t, far).port == 8883);
  t.mqtt_host = "broker.example";
  t.mqtt_port = 18883;
  CHECK(broker_of(t, far).host == "broker.example");
  CHECK(broker_of(t, far).port == 18883);
  t.mqtt_host = "127.0.0.1"; // the server's own view of it
  CHECK(broker_of(t, far).host == "outband.example");
  CHECK(broker_of(t, near).host == "127.0.0.1");
  CHECK(broker_of(t, far, "other.example:1883").host == "other.example");
  CHECK(broker_of(t, far, "other.example:1883").port == 1883);
  CHECK(broker_of(t, far, "other.example").port == 8883);
}

TEST_CASE("an incomplete ticket is refused") {
  fake_server server;
  server.say("POST /api/v1/authorize/bus", 200, R"({"username":"demo/op/alice","tenant":"demo"})");
  fake_transport t(server);
  session as;
  as.token = "t0ken";
  auto ticket = api(t, as).ticket();
  REQUIRE_FALSE(ticket.ok());
  CHECK(ticket.error().detail.find("incomplete") != std::string::npos);
}
