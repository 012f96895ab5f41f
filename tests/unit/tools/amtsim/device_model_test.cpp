#include "tests/unit/tools/amtsim/bench_machine.hpp"

#include <doctest/doctest.h>

#include <set>

namespace outband::amtsim {
namespace {

using test::bench_machine;

constexpr std::uint32_t not_ready = 2;
constexpr std::uint32_t invalid_parameter = 36;

TEST_CASE("a power request is answered at once and takes effect later") {
  bench_machine m;
  CHECK(m.ask(8) == 0);
  CHECK(m.model.power() == power_state::on);
  CHECK(m.after(99).empty());
  const auto done = m.after(1);
  REQUIRE(done.size() == 1);
  CHECK(done[0].from == power_state::on);
  CHECK(done[0].to == power_state::off_soft);
  CHECK(done[0].took == sim_time{100});
  CHECK(done[0].drops_link);
  CHECK_FALSE(done[0].boot);
  CHECK(m.model.power() == power_state::off_soft);
  CHECK_FALSE(m.model.next_due().has_value());
}

TEST_CASE("a graceful shutdown takes as long as the operating system needs") {
  bench_machine m;
  CHECK(m.ask(12) == 0);
  CHECK(m.after(4099).empty());
  const auto done = m.after(1);
  REQUIRE(done.size() == 1);
  CHECK(done[0].why == cause::asked_gracefully);
  CHECK(done[0].took == sim_time{4100});
  CHECK(m.model.power() == power_state::off_soft);
}

TEST_CASE("force overtakes a graceful shutdown that is under way") {
  bench_machine m;
  CHECK(m.ask(12) == 0);
  m.after(2000);
  CHECK(m.ask(14) == not_ready); // the OS is busy shutting down
  CHECK(m.ask(8) == 0);
  CHECK(m.after(100).size() == 1);
  CHECK(m.model.power() == power_state::off_soft);
  CHECK(m.after(10000).empty());
}

TEST_CASE("what the state does not allow is not ready and changes nothing") {
  struct row {
    power_state state;
    std::set<std::uint32_t> possible;
  };
  const row rows[] = {
      {power_state::on, {3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}},
      {power_state::off_soft, {2}},
      {power_state::hibernate, {2, 6, 8}},
      {power_state::sleep_deep, {2, 5, 6, 8, 9}},
  };
  for (const auto& r : rows) {
    for (std::uint32_t asked = 2; asked <= 16; ++asked) {
      CAPTURE(static_cast<int>(r.state));
      CAPTURE(asked);
      bench_machine m;
      m.model.restore(r.state, 0);
      const bool possible = r.possible.count(asked) == 1;
      CHECK(m.ask(asked) == (possible ? 0 : not_ready));
      CHECK(m.model.next_due().has_value() == (possible && asked != 11));
    }
  }
  bench_machine m;
  for (std::uint32_t asked : {0U, 1U, 17U, 255U, 4294967295U})
    CHECK(m.ask(asked) == invalid_parameter);
}

TEST_CASE("a power cycle goes off and on again and drops the link once") {
  for (std::uint32_t asked : {5U, 9U}) {
    bench_machine m;
    CHECK(m.ask(asked) == 0);
    auto done = m.after(100);
    REQUIRE(done.size() == 1);
    CHECK(done[0].drops_link);
    CHECK(m.model.power() == power_state::off_soft);
    done = m.after(1000);
    REQUIRE(done.size() == 1);
    CHECK(done[0].boot);
    CHECK_FALSE(done[0].drops_link);
    CHECK(m.model.power() == power_state::on);
    CHECK(m.model.boots() == 1);
  }
}

TEST_CASE("a reset keeps the link and counts as a boot") {
  bench_machine m;
  CHECK(m.ask(10) == 0);
  const auto done = m.after(100);
  REQUIRE(done.size() == 1);
  CHECK(done[0].from == done[0].to);
  CHECK(done[0].boot);
  CHECK_FALSE(done[0].drops_link);
  CHECK(m.model.boots() == 1);
}

TEST_CASE("sleep is left by power on without a boot and hibernation with one") {
  bench_machine m;
  CHECK(m.ask(4) == 0);
  m.after(100);
  CHECK(m.model.power() == power_state::sleep_deep);
  CHECK(m.ask(2) == 0);
  m.after(100);
  CHECK(m.model.boots() == 0);
  CHECK(m.ask(7) == 0);
  m.after(100);
  CHECK(m.model.power() == power_state::hibernate);
  CHECK(m.ask(2) == 0);
  m.after(100);
  CHECK(m.model.power() == power_state::on);
  CHECK(m.model.boots() == 1);
}

TEST_CASE("after a boot the operating system needs its time before graceful requests work") {
  auto slow = test::exact();
  slow.times.os_boot = sim_time{3000};
  bench_machine m(slow);
  m.model.restore(power_state::off_soft, 0);
  CHECK(m.ask(2) == 0);
  m.after(100);
  CHECK(m.ask(12) == not_ready);
  m.after(2999);
  CHECK(m.ask(12) == not_ready);
  m.after(1);
  CHECK(m.ask(12) == 0);
}

TEST_CASE("boot options last one boot") {
  bench_machine m;
  m.model.boot.bios_setup = true;
  m.model.boot_options_cleared = false;
  m.model.boot_source = "Intel(r) AMT: Force PXE Boot";
  CHECK(m.ask(8) == 0);
  m.after(100);
  CHECK(m.model.boot.bios_setup); // off is no boot
  CHECK(m.ask(2) == 0);
  m.after(100);
  CHECK_FALSE(m.model.boot.bios_setup);
  CHECK(m.model.boot_options_cleared);
  CHECK(m.model.boot_source.empty());
}

TEST_CASE("the power button shuts down gracefully and switches on") {
  bench_machine m;
  m.model.press_button(m.now);
  CHECK(m.after(4099).empty());
  auto done = m.after(1);
  REQUIRE(done.size() == 1);
  CHECK(done[0].why == cause::button);
  m.model.press_button(m.now);
  done = m.after(100);
  REQUIRE(done.size() == 1);
  CHECK(done[0].boot);
  CHECK(m.model.power() == power_state::on);
}

TEST_CASE("ordered faults change what power requests do and how often") {
  bench_machine m;
  m.faults.add(fault_kind::refuse_graceful, sim_time{0}, 1, m.now);
  CHECK(m.ask(12) == not_ready);
  m.faults.add(fault_kind::ignore_graceful, sim_time{0}, 2, m.now);
  CHECK(m.ask(12) == 0);
  CHECK(m.ask(14) == 0);
  CHECK_FALSE(m.model.next_due().has_value());
  m.faults.add(fault_kind::unknown_return_value, sim_time{0}, 1, m.now);
  CHECK(m.ask(8) == 0x9999);
  m.faults.add(fault_kind::ignore_power, sim_time{0}, 1, m.now);
  CHECK(m.ask(8) == 0);
  CHECK_FALSE(m.model.next_due().has_value());
  CHECK(m.faults.empty());
  CHECK(m.ask(12) == 0);
  CHECK(m.model.next_due().has_value());
}

TEST_CASE("a crash reboots a running machine only") {
  bench_machine m;
  m.model.crash(m.now);
  const auto done = m.after(0);
  REQUIRE(done.size() == 1);
  CHECK(done[0].why == cause::crash);
  CHECK(done[0].boot);
  m.model.restore(power_state::off_soft, 1);
  m.model.crash(m.now);
  CHECK(m.after(1000).empty());
}

TEST_CASE("only power requests that are carried out are counted, each under its state") {
  bench_machine m;
  CHECK(m.ask(10) == 0);
  CHECK(m.ask(10) == 0);
  CHECK(m.ask(2) == not_ready); // it is on
  CHECK(m.ask(99) == invalid_parameter);
  m.faults.add(fault_kind::ignore_power, sim_time{0}, 1, m.now);
  CHECK(m.ask(8) == 0);
  m.after(200);
  CHECK(m.ask(12) == 0);
  CHECK(m.model.carried_out() == std::map<int, std::uint64_t>{{10, 2}, {12, 1}});
}

TEST_CASE("the four newest nonces are valid") {
  bench_machine m;
  const auto first = m.model.new_nonce();
  CHECK(first.size() == 32);
  CHECK(m.model.knows_nonce(first));
  std::set<std::string> seen{first};
  for (int i = 0; i < 4; ++i)
    seen.insert(m.model.new_nonce());
  CHECK(seen.size() == 5);
  CHECK_FALSE(m.model.knows_nonce(first));
  CHECK_FALSE(m.model.knows_nonce(""));
}

TEST_CASE("an enumeration context is good for one pull") {
  bench_machine m;
  const auto context = m.model.remember("CIM_Chip", 3);
  CHECK(context == "01000000-0000-0000-0000-000000000000");
  CHECK_FALSE(m.model.recall("02000000-0000-0000-0000-000000000000").has_value());
  auto found = m.model.recall(context);
  REQUIRE(found.has_value());
  CHECK(found->class_name == "CIM_Chip");
  CHECK(found->offset == 3);
  CHECK_FALSE(m.model.recall(context).has_value());
}

} // namespace
} // namespace outband::amtsim
