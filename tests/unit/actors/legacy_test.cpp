// MPS's topic: who says what on it.
#include "actors/legacy_events.hpp"
#include "tests/unit/actors/site.hpp"

#include <doctest/doctest.h>

using namespace outband;
using namespace outband::testing;
using namespace std::chrono_literals;

namespace {

struct listening : site {
  listening() {
    bus::subscribe_options o;
    o.qos = 0;
    hearing = consumer->subscribe("mps/events", o, [this](const bus::message& m) {
      heard.push_back(*m.payload);
      retained = retained || m.retain;
      qos = m.qos;
    });
    run();
  }
  std::unique_ptr<bus::scripted_endpoint> consumer = bus.attach({"consumer", 10'000});
  legacy_events legacy{*internal, clock};
  std::vector<std::string> heard;
  bool retained = false;
  int qos = -1;
  bus::subscription hearing;
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("a tunnel that is opened is told on MPS's topic where that is switched on") {
  listening s;
  s.comes();
  s.firmware_works();
  CHECK(s.heard.empty());
  s.with.legacy = &s.legacy;
  s.comes();
  s.firmware_works();
  REQUIRE(s.heard.size() == 1);
  CHECK(has(s.heard[0], R"("type":"success","message":"CIRA Connection Established")"));
  CHECK(has(s.heard[0], R"("guid":")" + to_string(machine.device) + "\""));
  CHECK_FALSE(s.retained);
  CHECK(s.qos == 0);
}

TEST_CASE("what is asked of a machine is told on MPS's topic at its begin and end") {
  listening s;
  s.with.legacy = &s.legacy;
  std::optional<result<amt_outcome>> got;
  auto ask = [&](amt_operation op) {
    s.heard.clear();
    got.reset();
    s.control_role.ask(machine, std::move(op), 10s, [&](result<amt_outcome> r) { got = r; });
    s.firmware_works();
    REQUIRE(got);
  };
  ask(amt::read_power{});
  REQUIRE(s.heard.size() == 1); // no tunnel yet
  CHECK(has(s.heard[0], R"("type":"fail","message":"Device Not Found")"));
  CHECK(has(s.heard[0], "CIRA_Connection"));
  s.comes();
  s.firmware_works();
  ask(amt::read_capabilities{});
  REQUIRE(s.heard.size() == 2);
  CHECK(has(s.heard[0], "Power Capabilities requested"));
  CHECK(has(s.heard[1], "Power Capabilities received"));
  ask(amt::read_power{});
  REQUIRE(s.heard.size() == 1); // MPS tells no success of that
  CHECK(has(s.heard[0], "Power State requested"));
}

TEST_CASE("a power action is told on MPS's topic when it is over") {
  listening s;
  s.with.legacy = &s.legacy;
  request r;
  r.id = s.clock.new_id();
  r.target = machine;
  r.body = ask_action{power_action::reset};
  r.channel = "rest";
  r.by = {principal::kind::person, "acme", "alice"};
  s.comes();
  s.firmware_works();
  s.heard.clear();
  std::optional<response> last;
  s.control_role.submit(r, role::viewer, [&](response answer) { last = answer; });
  s.run();
  REQUIRE(last); // a viewer may not
  CHECK(last->status == request_status::rejected);
  CHECK(s.heard.empty());
  r.id = s.clock.new_id();
  s.control_role.submit(r, role::operator_, [&](response answer) { last = answer; });
  s.firmware_works();
  for (int i = 0; i < 300 && !is_final(last->status); ++i) {
    s.pass(100ms);
    s.firmware_works();
  }
  CHECK(last->status == request_status::done);
  REQUIRE(s.heard.size() == 1);
  CHECK(has(s.heard[0], R"("type":"success","message":"Power Action requested")"));
  CHECK(has(s.heard[0], "AMT_PowerAction"));
}
