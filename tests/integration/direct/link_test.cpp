// The life of a link: the held connection, silence, and the ways it ends.
#include "bench.hpp"

using namespace outband;
using namespace outband::test;
using namespace std::chrono_literals;

namespace {

const std::string reading =
    "<s:Header><a:Action>http://schemas.xmlsoap.org/ws/2004/09/transfer/Get</a:Action></s:Header>"
    "<s:Body></s:Body>";

void expect_service(direct_bench& b, std::size_t link) {
  awaited_call call;
  b.link(link)->post(reading, 20s, call.cb());
  REQUIRE(call.get().ok());
}
bool never_down(direct_bench& b) {
  return b.terminator.wait([](auto& t) { return t.downs.empty(); });
}

} // namespace

TEST_CASE("a warm call is one request on the connection that is held anyway") {
  lan_machine machine;
  direct_bench b;
  b.begin(machine);
  expect_service(b, 0);
  const auto before = machine.fw.requests();
  const auto connections = machine.accepted();
  for (int i = 0; i < 5; ++i)
    expect_service(b, 0);
  CHECK(machine.fw.requests() == before + 5);
  CHECK(machine.accepted() == connections);
}

TEST_CASE("firmware that closes an idle connection is connected to again and the link stays") {
  for (const bool tls : {false, true}) {
    CAPTURE(tls);
    lan_machine machine{tls};
    direct_bench b;
    b.begin(machine, tls);
    b.link(0);
    const auto asked = machine.fw.requests();
    for (int i = 0; i < 2; ++i) {
      CHECK(machine.wait_connections(1));
      const auto before = machine.accepted();
      machine.fin_all();
      CHECK(eventually([&] { return machine.accepted() > before; }));
    }
    CHECK(machine.fw.requests() == asked); // nothing was asked for it
    expect_service(b, 0);
    CHECK(never_down(b));
  }
}

TEST_CASE("a machine that accepts nothing any more has gone and comes back") {
  lan_machine machine;
  direct_bench b;
  b.begin(machine);
  b.link(0);
  machine.listen(false);
  machine.fin_all();
  const auto d = b.down();
  CHECK(d.why == link_end::peer_closed);
  CHECK(d.epoch == 1);
  machine.listen(true);
  expect_service(b, 1);
  CHECK(b.terminator.wait([](auto& t) { return t.ups[1].epoch == 2; }));
}

TEST_CASE("a reset after silence ends the link and who answers has to prove itself") {
  auto o = quick_direct();
  o.own_reset = 0ms;
  lan_machine machine;
  direct_bench b{o};
  b.begin(machine);
  b.link(0);
  machine.fw.guid = guid_of_another; // another one has the address now
  machine.reset_all();
  CHECK(b.down().why == link_end::peer_closed);
  CHECK(b.registry.trouble_after(0).what == direct_trouble::wrong_device);
  CHECK(b.terminator.wait([](auto& t) { return t.ups.size() == 1; }));
}

TEST_CASE("a reset soon after the machine spoke is its own and the link stays") {
  lan_machine machine;
  direct_bench b;
  b.begin(machine);
  b.link(0);
  const auto before = machine.accepted();
  machine.reset_all();
  CHECK(eventually([&] { return machine.accepted() > before; }));
  expect_service(b, 0);
  CHECK(never_down(b));
}

TEST_CASE("silence makes a link late and then ends it") {
  std::atomic<int> silent_ms{0};
  auto o = quick_direct();
  o.late_after = 1ms;
  o.down_after = 1h;
  o.silence = [&](int) {
    return std::chrono::milliseconds(silent_ms.load());
  };
  lan_machine machine;
  direct_bench b{o};
  b.begin(machine);
  b.link(0);
  silent_ms = 3'599'000;
  CHECK(b.terminator.wait([](auto& t) { return !t.lates.empty() && t.lates.back(); }));
  silent_ms = 0;
  CHECK(b.terminator.wait([](auto& t) { return t.lates.size() > 1 && !t.lates.back(); }));
  CHECK(never_down(b));
}

TEST_CASE("an operator's disconnect ends the link and it comes back") {
  lan_machine machine;
  direct_bench b;
  b.begin(machine);
  b.link(0)->close(link_end::requested, "an operator closed it");
  CHECK(b.down().why == link_end::requested);
  expect_service(b, 1);
}

TEST_CASE("a call that is under way when the link ends is answered") {
  lan_machine machine;
  machine.fw.behave([](const http::request&) { return firmware::reply{}; });
  direct_bench b;
  b.begin(machine);
  const auto link = b.link(0);
  awaited_call call;
  link->post(reading, 20s, call.cb());
  REQUIRE(machine.fw.wait_authorized(1));
  link->close(link_end::evicted, "elsewhere");
  CHECK(call.get().error().what == problem::outcome_unknown);
  awaited_call late;
  link->post(reading, 20s, late.cb());
  CHECK(late.get().error().what == problem::link_down);
}

TEST_CASE("stopping ends every link as a shutdown") {
  lan_machine machine;
  direct_bench b;
  b.begin(machine);
  const auto link = b.link(0);
  CHECK(b.dialer->stop(20s));
  CHECK(b.down().why == link_end::shutdown);
  CHECK(machine.wait_connections(0));
  awaited_call late;
  link->post(reading, 20s, late.cb());
  CHECK(late.get().error().what == problem::link_down);
  b.dialer->look_at(direct_ref);
  CHECK(b.dialer->now().devices == 0);
}

TEST_CASE("stopping does not wait for a machine that answers nothing") {
  lan_machine machine;
  machine.fw.behave([](const http::request&) { return firmware::reply{}; });
  machine.refuse();
  direct_bench b;
  b.begin(machine);
  CHECK(eventually([&] { return machine.accepted() > 0; }));
  CHECK(b.dialer->stop(20s));
}
