// From a registration to a link, and what keeps a machine from getting one.
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
  const auto got = call.get();
  REQUIRE(got.ok());
  CHECK(got->body == reading);
}

} // namespace

TEST_CASE("a machine is connected to without TLS and its link works") {
  lan_machine machine;
  direct_bench b;
  b.begin(machine);
  expect_service(b, 0);
  CHECK(b.terminator.wait([&](auto& t) {
    return t.ups[0].ref == direct_ref && t.ups[0].epoch == 1 &&
           t.ups[0].peer == "127.0.0.1:" + std::to_string(machine.port());
  }));
  CHECK(b.dialer->now().connected == 1);
  CHECK(b.dialer->find(direct_ref)->epoch == 1);
}

TEST_CASE("a machine with the pinned certificate is connected to with TLS") {
  lan_machine machine{true};
  direct_bench b;
  b.begin(machine, true);
  expect_service(b, 0);
}

TEST_CASE("one of several pins is enough") {
  lan_machine machine{true};
  direct_bench b;
  auto t = b.target_of(machine, true);
  t.how.pins = {std::string(64, '0'), machine.fingerprint()};
  b.begin(t);
  expect_service(b, 0);
}

TEST_CASE("another certificate than the pinned one never hears a word of ours") {
  lan_machine machine{true};
  direct_bench b;
  auto t = b.target_of(machine, true);
  t.how.pins = {std::string(64, '0')};
  b.begin(t);
  const auto told = b.registry.trouble_after(0);
  CHECK(told.what == direct_trouble::certificate);
  CHECK(told.text.find(machine.fingerprint()) != std::string::npos);
  CHECK(machine.fw.requests() == 0);
  CHECK(b.terminator.wait([](auto& heard) { return heard.ups.empty(); }));
}

TEST_CASE("without a pin the first certificate is pinned after login and GUID were right") {
  lan_machine machine{true};
  direct_bench b;
  auto t = b.target_of(machine, true);
  t.how.pins.clear();
  b.begin(t);
  expect_service(b, 0);
  CHECK(b.registry.locked([&](auto& r) { return r.rows[direct_ref].how.pins; }) ==
        std::vector<std::string>{machine.fingerprint()});
  // From now on it is the only one.
  machine.show(make_certificate());
  machine.fin_all();
  CHECK(b.down().why == link_end::protocol);
  CHECK(b.registry.trouble_after(0).what == direct_trouble::certificate);
}

TEST_CASE("a wrong GUID is told to the operator and pins nothing") {
  lan_machine machine{true};
  machine.fw.guid = guid_of_another;
  direct_bench b;
  auto t = b.target_of(machine, true);
  t.how.pins.clear();
  b.begin(t);
  const auto told = b.registry.trouble_after(0);
  CHECK(told.what == direct_trouble::wrong_device);
  CHECK(told.text.find(guid_of_another) != std::string::npos);
  CHECK(b.registry.locked([&](auto& r) { return r.rows[direct_ref].how.pins.empty(); }));
  CHECK(b.terminator.wait([](auto& heard) { return heard.ups.empty(); }));
}

TEST_CASE("a refused password is told and the right one ends the trouble") {
  lan_machine machine;
  machine.fw.password = "other";
  direct_bench b;
  b.begin(machine);
  CHECK(b.registry.trouble_after(0).what == direct_trouble::credentials);
  auto t = b.target_of(machine);
  t.amt_password = secret_text{"other"};
  b.begin(t);
  expect_service(b, 0);
  CHECK(b.registry.wait([](auto& r) { return r.troubles.back().what == direct_trouble::none; }));
}

TEST_CASE("without a stored password nothing is tried") {
  lan_machine machine;
  direct_bench b;
  auto t = b.target_of(machine);
  t.amt_password = {};
  b.begin(t);
  CHECK(b.registry.trouble_after(0).what == direct_trouble::credentials);
  CHECK(machine.accepted() == 0);
}

TEST_CASE("a registration that changed takes effect at once") {
  lan_machine first, second;
  direct_bench b;
  b.begin(first);
  b.link(0);
  b.begin(second);
  CHECK(b.down().why == link_end::requested);
  expect_service(b, 1);
  CHECK(second.accepted() > 0);
  CHECK(first.wait_connections(0));
}

TEST_CASE("a machine that is not direct any more is let go") {
  lan_machine machine;
  direct_bench b;
  b.begin(machine);
  b.link(0);
  b.registry.locked([](auto& r) {
    r.rows.clear();
    return 0;
  });
  b.dialer->look_at(direct_ref);
  CHECK(b.down().why == link_end::requested);
  CHECK(eventually([&] { return b.dialer->now().devices == 0; }));
  CHECK(machine.wait_connections(0));
}

TEST_CASE("a machine that is away is tried again until it is there") {
  lan_machine machine;
  machine.listen(false);
  direct_bench b;
  b.begin(machine);
  CHECK(b.registry.wait([](auto& r) { return r.prepared > 2; }));
  machine.listen(true);
  expect_service(b, 0);
  CHECK(b.registry.locked([](auto& r) { return r.troubles.empty(); }));
}

TEST_CASE("what is stored cannot be read for a while and then can") {
  lan_machine machine;
  direct_bench b;
  b.registry.locked([](auto& r) {
    r.failing = problem::store_unavailable;
    return 0;
  });
  b.begin(machine);
  CHECK(b.registry.wait([](auto& r) { return r.prepared > 1; }));
  b.registry.locked([](auto& r) {
    r.failing.reset();
    return 0;
  });
  expect_service(b, 0);
}

TEST_CASE("a port that speaks no TLS or no AMT is told as such") {
  lan_machine plain;
  direct_bench b;
  auto t = b.target_of(plain);
  t.how.tls = true;
  t.how.pins = {std::string(64, '0')};
  b.begin(t);
  CHECK(b.registry.trouble_after(0).what == direct_trouble::protocol);
}

TEST_CASE("loopback and our own addresses are refused unless they are allowed") {
  lan_machine machine;
  auto o = quick_direct();
  o.allow_own = false;
  direct_bench b{o};
  std::uint8_t n = 0;
  for (const auto* host : {"127.0.0.1", "localhost", "::1", "::ffff:127.0.0.1", "169.254.1.1"}) {
    CAPTURE(host);
    auto t = b.target_of(machine);
    t.how.host = host;
    t.ref.device.bytes[15] = ++n;
    const auto before = b.registry.locked([](auto& r) { return r.troubles.size(); });
    b.begin(t);
    CHECK(b.registry.trouble_after(before).what == direct_trouble::not_allowed);
  }
  CHECK(machine.accepted() == 0);
}

TEST_CASE("a host name is resolved") {
  lan_machine machine;
  direct_bench b;
  auto t = b.target_of(machine);
  t.how.host = "localhost";
  b.begin(t);
  expect_service(b, 0);
}

TEST_CASE("so many attempts at a time are made and all get their turn") {
  auto o = quick_direct();
  o.max_connecting = 2;
  direct_bench b{o};
  std::vector<std::unique_ptr<lan_machine>> machines;
  for (int i = 0; i < 12; ++i) {
    machines.push_back(std::make_unique<lan_machine>());
    auto t = b.target_of(*machines.back());
    t.ref.device.bytes[0] = static_cast<std::uint8_t>(i + 1);
    machines.back()->fw.guid = to_string(t.ref.device);
    b.begin(t);
  }
  CHECK(b.terminator.wait([](auto& t) { return t.ups.size() == 12; }));
}

TEST_CASE("more machines than the limit are not taken") {
  auto o = quick_direct();
  o.max_devices = 1;
  direct_bench b{o};
  lan_machine machine;
  b.begin(machine);
  CHECK(b.dialer->room() == 0);
  auto t = b.target_of(machine);
  t.ref.device.bytes[0] = 1;
  b.begin(t);
  b.link(0);
  CHECK(b.dialer->now().devices == 1);
  CHECK(b.log.count({"not taken"}) == 1);
}

TEST_CASE("an epoch that was taken for an attempt that is over is given back") {
  lan_machine machine;
  direct_bench b;
  b.registry.locked([](auto& r) {
    r.holding = true;
    return 0;
  });
  b.begin(machine);
  REQUIRE(b.registry.wait([](auto& r) { return !!r.held; }));
  auto first = b.registry.locked([](auto& r) {
    r.holding = false;
    return std::exchange(r.held, nullptr);
  });
  b.dialer->look_at(direct_ref);
  b.link(0);
  first();
  const auto d = b.down();
  CHECK(d.epoch == 1);
  CHECK(d.why == link_end::requested);
  expect_service(b, 0);
}
