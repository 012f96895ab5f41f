// Nothing polls: what a site does in a minute in which nothing happens is the same whether no
// machine has a tunnel or a thousand have. Counted on a virtual clock: statements, messages, calls.
#include "tests/unit/actors/site.hpp"

#include <doctest/doctest.h>

using namespace outband;
using namespace outband::testing;

namespace {

struct done {
  std::size_t statements = 0, messages = 0, calls = 0;
};

struct fleet : stage {
  fleet() {
    controller_role.start(1);
    control_role.start();
    terminator_role.start();
    for (const char* filter : {"oob/v1/#", "oobx/v1/#"})
      listening.push_back(
          ear->subscribe(filter, {}, [this](const bus::message&) { ++total.messages; }));
    everything();
  }
  void comes(int i) {
    device_ref ref{"acme", machine.device};
    ref.device.bytes[0] = static_cast<std::uint8_t>(i >> 8);
    ref.device.bytes[1] = static_cast<std::uint8_t>(i);
    store.add(ref);
    secrets.kept[{to_string(ref), secret_name::mps_password}].active = secret_text("P@ssw0rd");
    secrets.kept[{to_string(ref), secret_name::amt_password}].active = secret_text("Amt1!");
    auto link = std::make_shared<fake_link>();
    links.push_back(link);
    bool in = false;
    terminator_role.admit({ref.device, "admin", secret_text("P@ssw0rd"), "192.0.2.7:4711", 4},
                          [&](result<admission> a) {
                            REQUIRE(a);
                            terminator_role.up(*a, "192.0.2.7:4711", 4, link);
                            in = true;
                          });
    everything();
    REQUIRE(in);
  }
  /// All that is due, firmware included.
  void everything() {
    for (;;) {
      auto moved = sched.run() + bus.run();
      const auto statements = store.run();
      total.statements += statements;
      moved += statements;
      for (const auto& l : links)
        while (!l->waiting.empty()) {
          auto p = std::move(l->waiting.front());
          l->waiting.pop_front();
          ++total.calls;
          ++moved;
          p.cb(firmware.answer(p.envelope));
        }
      if (moved == 0)
        return;
    }
  }
  done pass(std::chrono::milliseconds dt) {
    const auto before = total;
    for (; dt.count() > 0; dt -= 500ms) {
      clock.now_ += 500;
      store.now += 500;
      sched.advance_time(500ms);
      bus.advance(500ms);
      everything();
    }
    return {total.statements - before.statements, total.messages - before.messages,
            total.calls - before.calls};
  }

  std::unique_ptr<bus::scripted_endpoint> ear = bus.attach({"", 100'000});
  std::vector<bus::subscription> listening;
  std::vector<std::shared_ptr<fake_link>> links;
  fake_firmware firmware;
  done total;
};

} // namespace

TEST_CASE("a minute with a thousand idle machines costs what a minute with none costs") {
  fleet none, many;
  for (int i = 0; i < 1000; ++i)
    many.comes(i);
  CHECK(many.counters.links == 1000);
  // Looks at who arrived take their turns, and actors of whom nothing is wanted leave.
  const auto settling = many.pass(10min);
  none.pass(10min);
  CHECK(settling.calls >= 1000); // each was looked at: what is counted below would be seen
  CHECK(settling.statements >= 1000);
  CHECK(settling.messages > 0);
  for (int minute = 0; minute < 3; ++minute) {
    const auto with = many.pass(60s), without = none.pass(60s);
    CHECK(with.statements == without.statements);
    CHECK(with.messages == without.messages);
    CHECK(with.calls == 0);
    CHECK(without.calls == 0);
  }
  CHECK(many.counters.links == 1000);
  CHECK(many.counters.device_actors == 0);
}
