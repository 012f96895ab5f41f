// Power through every door, with the simulated machine as the witness.
#include "messages/bus/topics.hpp"
#include "tests/e2e/site.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace outband;
using namespace outband::e2e;

namespace {

json host(site& s, const std::string& guid) {
  auto r = s.call(&s.admin(), "GET", "/compute/hosts/" + guid);
  REQUIRE_MESSAGE(r.status == 200, r.body);
  return r.parsed();
}

reply patch(site& s, const machine& m, const std::string& state,
            const std::string& policy = "ORDERED") {
  return s.call(&s.admin(), "PATCH", "/compute/hosts/" + m.guid,
                json{{"name", m.hostname},
                     {"desiredPowerState", "POWER_STATE_" + state},
                     {"powerCommandPolicy", "POWER_COMMAND_POLICY_" + policy}}
                    .dump());
}

int sent(site& s, const std::string& guid, const std::string& what) {
  int n = 0;
  auto m = s.truth(guid);
  for (const auto& [name, count] : m.at("requests").items())
    if (name.find(what) != std::string::npos)
      n += count.get<int>();
  return n;
}

} // namespace

TEST_CASE("a machine is switched off and on by its host resource and the state is what is seen") {
  auto& s = site::get();
  const auto m = s.fresh();
  auto r = patch(s, m, "OFF");
  REQUIRE_MESSAGE(r.status == 200, r.body);
  CHECK(s.until([&] { return s.power(m.guid) == 8; }));
  CHECK(s.until([&] {
    auto h = host(s, m.guid);
    return h.at("currentPowerState") == "POWER_STATE_OFF" && h.at("power").at("converged") == true;
  }));
  r = patch(s, m, "ON");
  REQUIRE(r.status == 200);
  CHECK(s.until([&] { return host(s, m.guid).at("currentPowerState") == "POWER_STATE_ON"; }));
  CHECK(s.power(m.guid) == 2);
}

TEST_CASE("a power off that the operating system ignores is forced after the timer") {
  auto& s = site::get();
  const auto m = s.fresh();
  s.fault(m.guid, "ignore_graceful", 1);
  auto on = s.connect(s.admin());
  watcher events(*on, bus::event_topic({"demo", *parse_uuid(m.guid)}, event_class::power));
  auto r = patch(s, m, "OFF");
  REQUIRE(r.status == 200);
  CHECK(events.wait([](const auto& all) {
    bool forcing = false, reached = false;
    for (const auto& x : all)
      if (auto e = bus::decode_event(*x.payload, bus::encoding::msgpack)) {
        forcing = forcing || e->body.type == "power.forcing";
        reached = reached || (forcing && e->body.type == "power.reached");
      }
    return reached;
  }));
  CHECK(s.power(m.guid) == 8);
  CHECK(sent(s, m.guid, "RequestPowerStateChange") == 2);
}

TEST_CASE("a reset of a machine that is off is refused with the reason and not sent") {
  auto& s = site::get();
  const auto m = s.fresh();
  REQUIRE(patch(s, m, "OFF", "IMMEDIATE").status == 200);
  REQUIRE(s.until([&] { return host(s, m.guid).at("power").at("converged") == true; }));
  const auto before = sent(s, m.guid, "RequestPowerStateChange");
  auto r = s.call(&s.admin(), "POST", "/api/v1/amt/power/action/" + m.guid, R"({"action":10})");
  CHECK(r.status == 409);
  CHECK(r.body.find("off") != std::string::npos);
  auto on = s.connect(s.admin());
  auto answer = s.ask(*on, s.admin(), m.guid, ask_once{power_once::reset, power_policy::immediate});
  CHECK(answer.status == request_status::failed);
  REQUIRE(answer.why);
  CHECK(answer.why->what == problem::transition_refused);
  CHECK(sent(s, m.guid, "RequestPowerStateChange") == before);
}

TEST_CASE("the MPS routes read the state and the capabilities and act") {
  auto& s = site::get();
  const auto m = s.fresh();
  auto state = s.call(&s.admin(), "GET", "/api/v1/amt/power/state/" + m.guid);
  REQUIRE_MESSAGE(state.status == 200, state.body);
  CHECK(state.parsed().at("powerstate") == 2);
  auto can = s.call(&s.admin(), "GET", "/api/v1/amt/power/capabilities/" + m.guid);
  REQUIRE(can.status == 200);
  CHECK(can.parsed().at("Soft-off") == 12);
  auto off = s.call(&s.admin(), "POST", "/api/v1/amt/power/action/" + m.guid, R"({"action":8})");
  REQUIRE_MESSAGE(off.status == 200, off.body);
  CHECK(off.parsed().at("Body").at("ReturnValueStr") == "SUCCESS");
  CHECK(s.until([&] { return s.power(m.guid) == 8; }));
  auto bad = s.call(&s.admin(), "POST", "/api/v1/amt/power/action/" + m.guid, R"({"action":9})");
  CHECK(bad.status == 400);
  CHECK(bad.parsed().contains("errors"));
}

TEST_CASE("a power cycle takes the tunnel and is done when the machine is back") {
  auto& s = site::get();
  const auto m = s.fresh();
  const int boots = s.truth(m.guid).at("boots");
  auto on = s.connect(s.admin());
  auto answer = s.ask(*on, s.admin(), m.guid, ask_once{power_once::cycle, power_policy::ordered});
  CHECK_MESSAGE(answer.status == request_status::done, answer.text);
  CHECK(s.truth(m.guid).at("boots") == boots + 1);
  CHECK(s.power(m.guid) == 2);
}

TEST_CASE("a request id that is sent twice is carried out once") {
  auto& s = site::get();
  const auto m = s.fresh();
  const std::vector<std::pair<std::string, std::string>> key{
      {"Idempotency-Key", "01900000-0000-7000-8000-00000000aa01"}};
  auto first =
      s.call(&s.admin(), "POST", "/api/v1/amt/power/action/" + m.guid, R"({"action":10})", key);
  auto again =
      s.call(&s.admin(), "POST", "/api/v1/amt/power/action/" + m.guid, R"({"action":10})", key);
  CHECK(first.status == 200);
  CHECK(again.status == 200);
  CHECK(sent(s, m.guid, "RequestPowerStateChange") == 1);
}

TEST_CASE("a machine whose firmware misbehaves does not hold a request beyond its deadline") {
  auto& s = site::get();
  const auto m = s.fresh();
  for (const char* kind : {"truncate", "bad_xml", "wrong_relates_to"}) {
    CAPTURE(kind);
    s.fault(m.guid, kind, 1);
    auto r = s.call(&s.admin(), "GET", "/api/v1/amt/power/state/" + m.guid);
    CHECK(r.status >= 400);
    CHECK(r.status != 0);
    auto again = s.call(&s.admin(), "GET", "/api/v1/amt/power/state/" + m.guid);
    CHECK_MESSAGE(again.status == 200, again.body);
  }
  s.fault(m.guid, "no_answer", 1);
  auto silent = s.call(&s.admin(), "GET", "/api/v1/amt/power/state/" + m.guid);
  CHECK(silent.status >= 400);
  CHECK(s.call(&s.admin(), "GET", "/api/v1/amt/power/state/" + m.guid).status == 200);
}

TEST_CASE("a wish survives the server being killed and is fulfilled by its next life") {
  auto& s = site::get();
  const auto m = s.fresh();
  s.sim({{"op", "disconnect"}, {"guid", m.guid}});
  REQUIRE(s.until([&] { return !s.connected(m.guid); }));
  REQUIRE(patch(s, m, "OFF", "IMMEDIATE").status == 200);
  s.restart_server(9);
  CHECK(host(s, m.guid).at("desiredPowerState") == "POWER_STATE_OFF");
  s.sim({{"op", "connect"}, {"guid", m.guid}});
  CHECK(s.until([&] { return s.power(m.guid) == 8; }));
  CHECK(s.until([&] { return host(s, m.guid).at("power").at("converged") == true; }));
}
