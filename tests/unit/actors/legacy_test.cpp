// MPS's topic: who says what on it.
#include "actors/legacy_events.hpp"
#include "tests/unit/actors/site.hpp"

#include <doctest/doctest.h>

using namespace outband;
using namespace outband::testing;

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

TEST_CASE("an operation is told on MPS's topic where MPS has words for it") {
  listening s;
  s.legacy.begun("features.get", machine);
  s.legacy.ended("features.get", machine, {}, json::value(json::object{}));
  s.legacy.begun("no.such.operation", machine);
  s.legacy.ended("power.state", machine, {}, fail(problem::link_down));
  s.run();
  REQUIRE(s.heard.size() == 3);
  CHECK(has(s.heard[0], "AMT Features requested"));
  CHECK(has(s.heard[1], "AMT Features retrieved"));
  CHECK(has(s.heard[2], "Device Not Found"));
}
