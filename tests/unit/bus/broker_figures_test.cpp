#include "bus/broker_figures.hpp"

#include "bus/scripted_endpoint.hpp"
#include "tests/unit/bus/gate.hpp"

#include <doctest/doctest.h>
#include <ostream>

namespace {

using namespace outband;
using namespace outband::bus;
using contract::text;

struct stage {
  scripted_bus bus;
  std::unique_ptr<scripted_endpoint> ours = bus.attach(), broker = bus.attach();

  void says(const std::string& name, const std::string& value) {
    broker->publish(text("$SYS/broker/" + name, value, true));
    bus.run();
  }
};

TEST_CASE("the broker's own figures are kept as they come") {
  stage s;
  broker_figures f(*s.ours);
  CHECK_FALSE(f.now().known);
  s.says("clients/connected", "12");
  s.says("retained messages/count", "5000");
  s.says("heap/current", "1234567");
  s.says("store/messages/bytes", "77");
  s.says("clients/total", "99");
  const auto v = f.now();
  CHECK(v.known);
  CHECK(v.connected == 12);
  CHECK(v.retained == 5000);
  CHECK(v.heap_octets == 1234567);
  CHECK(v.stored_octets == 77);
  CHECK(v.dropped == 0);
  s.says("clients/connected", "many");
  s.says("clients/connected", "12 or so");
  s.says("clients/connected", "");
  CHECK(f.now().connected == 12);
}

TEST_CASE("what was dropped before we came is history and every increase after that counts") {
  stage s;
  s.says("publish/messages/dropped", "40");
  broker_figures f(*s.ours);
  s.bus.run();
  CHECK(f.now().dropped == 40);
  CHECK(f.now().drops_seen == 0);
  s.says("publish/messages/dropped", "43");
  CHECK(f.now().drops_seen == 3);
  s.says("publish/messages/dropped", "43");
  CHECK(f.now().drops_seen == 3);
  // A broker that has started anew counts from nothing.
  s.says("publish/messages/dropped", "0");
  CHECK(f.now().drops_seen == 3);
  s.says("publish/messages/dropped", "2");
  CHECK(f.now().drops_seen == 5);
  s.says("publish/messages/dropped", "1");
  CHECK(f.now().drops_seen == 6);
}

} // namespace
